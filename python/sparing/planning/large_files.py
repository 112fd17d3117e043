"""Policies of large problems on disk: the case, and a tuned policy (JSON) or a network (npz)."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from sparing._files import write_atomically
from sparing.large.crew_policies import CrewPolicy
from sparing.large.saved_policy import load_crew_policy, save_crew_policy
from sparing.models.case_files import load_case, save_case
from sparing.models.multi_component import MultiComponentProblem
from sparing.planning.large import LargeSolution
from sparing.policies import Policy

if TYPE_CHECKING:
    from sparing.learn.networks import Network, Parameters

FORMAT = "sparing-large-solution-1"
NETWORK = "network.npz"


def large_record(solution: LargeSolution) -> dict[str, Any]:
    """Return the figures of a large solution, ready for JSON; keys are those of an exact one."""
    return {
        "criterion": solution.criterion,
        "discount": solution.epoch.discount,
        "states": solution.epoch.num_states,
        "seconds": round(solution.seconds, 6),
        "objective": {"lower": solution.lower, "upper": solution.upper},
        "objective_is": "a confidence interval of 95 % of what the policy costs",
        "chosen": solution.chosen,
        "candidates": [
            {
                "key": found.key,
                "name": found.name,
                "objective": {"lower": found.objective.lower, "upper": found.objective.upper},
            }
            for found in solution.candidates.values()
        ],
        "optimum_lower": solution.optimum_lower,
        "gap": solution.gap,
        "message": solution.message,
    }


def save_large(solution: LargeSolution, folder: Path, problem: MultiComponentProblem) -> None:
    """Write the recommended policy into `folder`, with its case and figures."""
    folder.mkdir(parents=True, exist_ok=True)
    save_case(problem, folder / "case.toml")
    record = {"format": FORMAT, **large_record(solution)}
    best = solution.best
    if best.network is None:
        save_crew_policy(cast(CrewPolicy, best.policy), folder)
    else:
        from sparing.learn.checkpoints import named_arrays

        network, parameters = best.network
        record["network"] = asdict(network)
        np.savez(folder / NETWORK, **named_arrays(parameters))  # type: ignore[arg-type]
    write_atomically(folder / "solution.json", json.dumps(record, indent=1) + "\n")


def is_large(folder: Path) -> bool:
    """Return whether `folder` holds a policy that `save_large` wrote."""
    try:
        text = (folder / "solution.json").read_text(encoding="utf-8")
        return bool(json.loads(text)["format"] == FORMAT)
    except (OSError, ValueError, KeyError, TypeError):
        return False


def load_large(folder: str | Path) -> tuple[MultiComponentProblem, Policy]:
    """Read a policy that `save_large` wrote, and the problem it was found for.

    Raises
    ------
    ValueError
        If the folder holds none.
    """
    folder = Path(folder)
    if not is_large(folder):
        raise ValueError(f"{folder}: holds no policy of a large problem.")
    record = json.loads((folder / "solution.json").read_text(encoding="utf-8"))
    problem = load_case(folder / "case.toml")
    return problem, policy_of_record(record, problem, folder)


def policy_of_record(
    record: dict[str, Any], problem: MultiComponentProblem, folder: Path
) -> Policy:
    """Return the saved policy for `problem`, which may differ from the saved one in its numbers."""
    if "network" not in record:
        return load_crew_policy(folder, problem)
    from sparing.learn.greedy_policy import greedy_policy
    from sparing.learn.views import environment_of

    network, parameters = load_network(record, folder)
    return greedy_policy(environment_of(problem), network, parameters, as_table=False)


def load_network(record: dict[str, Any], folder: Path) -> tuple[Network, Parameters]:
    """Return a saved network and its parameters."""
    import jax

    from sparing.learn.checkpoints import tree_of
    from sparing.learn.networks import Network

    saved: dict[str, Any] = record["network"]
    shape: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in saved.items()}
    network = Network(**shape)
    with np.load(folder / NETWORK, allow_pickle=False) as file:
        arrays = dict(file)
    return network, tree_of(arrays, jax.eval_shape(network.init, jax.random.key(0)))
