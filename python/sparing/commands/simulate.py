"""sparing simulate: a policy rolled out, with confidence intervals."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from sparing.commands.output import (
    INTERVAL_COLUMNS,
    interval_json,
    interval_row,
    note,
    one_line_errors,
    print_json,
    print_table,
)
from sparing.commands.policy_options import policy_of
from sparing.commands.problems import (
    CaseArgument,
    JsonOption,
    ThreadsOption,
    load_problem,
    multi_component,
    summary,
)
from sparing.models.multi_component import MultiComponentProblem
from sparing.registry import command_face
from sparing.simulate.results import SimulationResult

EPOCHS = 2000  # without --epochs


def simulate(
    case: CaseArgument,
    policy: Annotated[
        str,
        typer.Option(
            metavar="POLICY",
            help="optimal, corrective, random, limits=1,3,1, tuned-limits, lookahead, or the"
            " folder of a saved solution, policy or training;"
            " with spares: optimal, corrective, maintenance-first (then s, S), or a folder;"
            " for load-sharing cases also plain=m,s,S and demand-aware=m,s,S.",
        ),
    ] = "optimal",
    epochs: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Inspections a replication (load-sharing: units of time); other kinds have"
            " periods of their own.",
            show_default=str(EPOCHS),
        ),
    ] = None,
    replications: Annotated[int, typer.Option(min=1, help="Independent replications.")] = 100,
    warm_up: Annotated[int, typer.Option(min=0, help="The same, left out at the start.")] = 0,
    replacement_probability: Annotated[
        float,
        typer.Option(
            help="Of a failed component while the system is up (corrective, random, limits)."
        ),
    ] = 1.0,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same result.")] = 0,
    threads: ThreadsOption = 0,
    json: JsonOption = False,
) -> None:
    """Simulate a policy and print its means with 95 % confidence intervals."""
    with one_line_errors():
        from sparing.simulate.rollouts import simulate as run

        if replications == 1:
            note("a single replication has no interval; --replications asks for more.")
        loaded = load_problem(case)
        face = command_face(loaded)
        if face is not None:
            if epochs is not None and not getattr(face, "TAKES_EPOCHS", False):
                raise ValueError(f"{case}: --epochs is not for such a case: periods are its own.")
            face.simulate(
                case,
                loaded,
                policy=policy,
                horizon=EPOCHS if epochs is None else epochs,
                warm_up=warm_up,
                replications=replications,
                seed=seed,
                threads=threads,
                as_json=json,
            )
            return
        epochs = EPOCHS if epochs is None else epochs
        problem = multi_component(loaded)
        chosen = policy_of(
            problem, policy, replacement_probability=replacement_probability, threads=threads
        )
        result = run(
            problem.epoch,
            chosen,
            num_epochs=epochs,
            num_replications=replications,
            warm_up=warm_up,
            seed=seed,
            weights=problem.weights,
            start=problem.initial_state,
            num_threads=threads,
        )
        report = simulation_report(case, policy, problem, result)
    if json:
        print_json(report)
        return
    per = "per inspection" if result.criterion == "average" else "discounted, in total"
    print(f"{case}: {summary(problem)}")
    print(
        f"policy {policy}: {replications} replications of {epochs} inspections"
        f" ({warm_up} to warm up), seed {seed}; {per}\n"
    )
    measures = report["measures"].items()
    print_table(["", *INTERVAL_COLUMNS], [interval_row(*item) for item in measures])
    print()
    kinds = [item for item in report["kinds"].items() if item[0] not in problem.count_kinds]
    columns = ["by kind of cost", *INTERVAL_COLUMNS]
    print_table(columns, [interval_row(*item) for item in kinds])


def simulation_report(
    case: str, policy: str, problem: MultiComponentProblem, result: SimulationResult
) -> dict[str, Any]:
    """Return what `sparing simulate --json` prints."""
    from sparing.simulate.results import half_width, objectives

    measures = {"objective": interval_json(result.objective, result.half_width)}
    if problem.goals:
        measures["reward"] = interval_json(-result.objective, result.half_width)
    for name, weights in problem.measures.items():
        samples = objectives(result.samples, {k: weights.get(k, 0.0) for k in result.weights})
        width = half_width(samples, result.confidence)
        measures[name] = interval_json(float(samples.mean()), width)
        if name == "reliability" and result.criterion == "average":
            measures["unavailability"] = interval_json(1.0 - float(samples.mean()), width)
    kinds = {
        kind: interval_json(mean, result.half_widths[kind])
        for kind, mean in result.mean.items()
        if kind != "goal"
    }
    return {
        "case": case,
        "policy": policy,
        "criterion": result.criterion,
        "discount": problem.epoch.discount,
        "epochs": result.num_epochs,
        "replications": result.num_replications,
        "warm_up": result.warm_up,
        "seed": result.seed,
        "confidence": result.confidence,
        "measures": measures,
        "kinds": kinds,
    }
