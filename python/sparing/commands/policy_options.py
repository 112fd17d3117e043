"""How a command gets its policy: by a name, by control limits, or from a saved solution."""

from __future__ import annotations

from pathlib import Path

from sparing.commands.progress import shown_steps
from sparing.models.multi_component import MultiComponentProblem
from sparing.policies import Policy


def policy_of(
    problem: MultiComponentProblem, text: str, *, replacement_probability: float, threads: int = 0
) -> Policy:
    """Return the policy that ``--policy`` asks for.

    Raises
    ------
    ValueError
        If it is no policy, or one that does not fit the problem.
    """
    if text == "optimal":
        return _optimal(problem, threads)
    if text == "maintenance-first" or (problem.spares and text == "corrective"):
        return _without_a_look_at_stocks(problem, text)
    if text in ("corrective", "random") or text.startswith("limits="):
        return _rule(problem, text, replacement_probability)
    if text in ("tuned-limits", "lookahead"):
        return _tuned(problem, text, threads)
    if (Path(text) / "crew-policy.json").is_file():
        from sparing.large.saved_policy import load_crew_policy

        return load_crew_policy(text, problem)
    if (Path(text) / "network.safetensors").is_file():
        from sparing.learn.saved import load_network_policy

        return load_network_policy(text, problem)
    if Path(text).is_dir():
        from sparing.saved_solution import load_solution

        return load_solution(text, epoch=problem.epoch).policy
    raise ValueError(
        f"--policy must be optimal, corrective, random, limits=1,3,1, tuned-limits, lookahead,"
        f" maintenance-first or the folder of a saved solution or training; got {text!r}."
    )


def _optimal(problem: MultiComponentProblem, threads: int) -> Policy:
    from sparing.exact.value_iteration import Options, value_iteration

    options = Options(keep_value=False, num_threads=threads)
    return value_iteration(
        problem.epoch, problem.weights, criterion=problem.criterion, options=options
    ).policy


def _tuned(problem: MultiComponentProblem, text: str, threads: int) -> Policy:
    from sparing.large.crew_simulation import CrewSimulation
    from sparing.large.crew_system import CrewSystem
    from sparing.large.tuning import tuned_limits, tuned_lookahead

    simulation = CrewSimulation(system=CrewSystem(problem), num_threads=threads)
    tune = tuned_lookahead if text == "lookahead" else tuned_limits
    with shown_steps() as tell:
        found = tune(simulation, progress=lambda name, tried: tell(f"tuning {name}: {tried} tried"))
    return found.policy


def _without_a_look_at_stocks(problem: MultiComponentProblem, text: str) -> Policy:
    from sparing.evaluate.maintenance_first import MaintenanceFirst

    rule = "corrective" if text == "corrective" else "optimal"
    first = MaintenanceFirst(problem, rule=rule)
    return first.policy(first.best_levels().levels)


def _rule(problem: MultiComponentProblem, text: str, probability: float) -> Policy:
    from sparing.models.maintenance_policies import control_limits, corrective, random_maintenance

    if text == "corrective":
        return corrective(problem, replacement_probability=probability)
    if text == "random":
        return random_maintenance(problem, replacement_probability=probability)
    try:
        limits = [int(number) for number in text.removeprefix("limits=").split(",")]
    except ValueError:
        raise ValueError(f"--policy limits= needs whole numbers, as 1,3,1; got {text!r}.") from None
    return control_limits(problem, limits, replacement_probability=probability)
