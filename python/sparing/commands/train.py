"""sparing train: learn a policy, evaluate it, and state its distance to the optimum."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sparing.commands.output import (
    check_new_folder,
    finite,
    one_line_errors,
    print_json,
)
from sparing.commands.problems import CaseArgument, JsonOption, load_problem
from sparing.commands.train_curve import curve_report, print_curve, save_curve
from sparing.commands.train_lookahead import check_unused, train_lookahead_case
from sparing.commands.train_predicted import (
    CostPresetName,
    cost_records_of,
    predicted_report,
    print_judged,
    save_records,
)
from sparing.commands.train_progress import interruptible, shown_training
from sparing.commands.train_text import plot_curves, print_training, training_report

if TYPE_CHECKING:
    from sparing.learn.predicted_cost import PredictedCostResult
    from sparing.learn.result import TrainingResult


class LearnerName(StrEnum):
    """How it learns."""

    dqn = "dqn"
    double_dqn = "double-dqn"
    d3qn = "d3qn"
    n_step = "n-step"
    pqn = "pqn"
    qv = "qv"
    lookahead = "lookahead"


class ViewName(StrEnum):
    """How the learner meets an epoch."""

    sequential = "sequential"
    flat = "flat"


class FeatureName(StrEnum):
    """What the network sees."""

    one_hot = "one-hot"
    typed_counts = "typed-counts"


def train(
    case: CaseArgument,
    learner: Annotated[LearnerName, typer.Option(help="How it learns.")] = LearnerName.d3qn,
    steps: Annotated[
        int | None,
        typer.Option(min=1, help="Choices per seed.", show_default="by learner and size"),
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, help="Seeds 0, 1, …; the best one counts.")] = 1,
    view: Annotated[
        ViewName, typer.Option(help="Decisions one after another, or jointly.")
    ] = ViewName.sequential,
    features: Annotated[
        FeatureName | None,
        typer.Option(help="What the network sees.", show_default="by number of components"),
    ] = None,
    preset: Annotated[
        str | None,
        typer.Option(help="Settings of a published agent, in place of --learner: see the docs."),
    ] = None,
    warm_start: Annotated[
        str | None,
        typer.Option(
            metavar="CASE",
            help="A simpler case with the same choices and axes: the network is first fitted to"
            " its exact values.",
        ),
    ] = None,
    cost_records: Annotated[
        str | None,
        typer.Option(
            metavar="FILE|NUMBER",
            help="Learn what inspections cost from records (a file, or so many simulated ones),"
            " train on the predicted cost, and judge on the true one.",
        ),
    ] = None,
    cost_preset: Annotated[
        CostPresetName, typer.Option(help="Network of the predicted cost; thesis: table 6.")
    ] = CostPresetName.default,
    curve: Annotated[
        bool,
        typer.Option(
            "--curve",
            help="Evaluate the policy exactly on the way, and list its actions (--view flat).",
        ),
    ] = False,
    device: Annotated[
        str | None, typer.Option(help="Such as cpu, gpu or cpu:1.", show_default="the first")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Save network, policy, curves and the training's state.")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on from what --out holds, to the same result.")
    ] = False,
    days: Annotated[
        list[float] | None,
        typer.Option(
            help="For fleets of spares: simulated days after which to compare, several times.",
            show_default="30, 60 and 90",
        ),
    ] = None,
    part: Annotated[
        list[str] | None, typer.Option(help="For fleets of spares: these parts alone.")
    ] = None,
    fleets: Annotated[
        int | None, typer.Option(min=1, help="For fleets of spares: twins that live side by side.")
    ] = None,
    replications: Annotated[
        int, typer.Option(min=2, help="For fleets of spares: of the comparison.")
    ] = 256,
    json: JsonOption = False,
) -> None:
    """Learn a policy by simulation, evaluate its greedy choices, and state the gap.

    A policy that fits into a table is evaluated exactly, and the optimum stands beside it.
    Of systems of many components the better one of what was learned, of tuned control limits and
    of a lookahead with tuned values is returned; --learner lookahead leaves the network out.
    """
    with one_line_errors():
        if resume and out is None:
            raise ValueError("--resume needs the --out folder of the run that it goes on with.")
        problem = load_problem(case)
        if learner is LearnerName.lookahead:
            check_unused(
                {
                    "--steps": steps,
                    "--features": features,
                    "--preset": preset,
                    "--warm-start": warm_start,
                    "--cost-records": cost_records,
                    "--device": device,
                    "--seeds": seeds > 1,
                    "--resume": resume,
                    "--curve": curve,
                }
            )
            train_lookahead_case(case, problem, out=out, as_json=json)
            return
        if preset is not None and learner is not LearnerName.d3qn:
            raise ValueError("--preset has a learner of its own; leave --learner out.")
        if case.endswith(".pomdp"):
            raise ValueError(f"{case}: there is no training on .pomdp files; see sparing solve.")
        simpler = None if warm_start is None else load_problem(warm_start)
        if cost_records is None and cost_preset is not CostPresetName.default:
            raise ValueError("--cost-preset needs --cost-records, of which a cost is learned.")
        records = None if cost_records is None else cost_records_of(problem, cost_records)
        if out is not None:
            check_new_folder(out, "training.json")
        from sparing.commands.train_twin import check_options, is_for_twin, train_twin

        if is_for_twin(problem):
            known = (LearnerName.d3qn, LearnerName.pqn)
            unknown: dict[str, object] = {"--steps": steps, "--preset": preset}
            unknown |= {"--learner": learner not in known, "--view": view is ViewName.flat}
            unknown |= {"--warm-start": warm_start, "--cost-records": cost_records}
            check_options(case, unknown | {"--features": features, "--curve": curve})
            train_twin(
                case,
                days=days or [],
                parts=part or [],
                fleets=fleets,
                replications=replications,
                seeds=seeds,
                device=device,
                out=out,
                resume=resume,
                as_json=json,
            )
            return
        if days or part or fleets:
            raise ValueError(f"{case}: --days, --part and --fleets are for fleets of spares.")
        options: dict[str, Any] = {
            "learner": learner.value,
            **_settings(preset, steps),
            "seeds": seeds,
            "view": view.value,
            "features": None if features is None else features.value,
            "warm_start": simpler,
            "device": device,
            "curve": curve,
            "out": out,
            "resume": resume,
        }
        result, judged = _trained(problem, records, cost_preset, options)
        report = training_report(case, result)
        if judged is not None:
            report |= predicted_report(judged)
        if curve:
            report |= curve_report(case, result)
        if warm_start is not None:
            report["warm_start"] = warm_start
        if out is not None:
            from sparing.learn.saved import save_training

            save_training(result, out, finite(report))
            plot_curves(result, out, case)
            if curve:
                save_curve(case, result, out)
            if records is not None:
                save_records(records, out)
    if json:
        print_json(report)
    else:
        print_training(result, report, out)
        if judged is not None:
            print_judged(judged)
        if curve:
            print_curve(report)


def _settings(preset: str | None, steps: int | None) -> dict[str, Any]:
    """Return the settings of a preset, with so many steps, or the steps alone."""
    if preset is None:
        return {"steps": steps}
    from sparing.learn.presets import preset_settings

    settings = preset_settings(preset)
    return {"settings": settings if steps is None else replace(settings, steps=steps)}


def _trained(
    problem: Any, records: Any, cost_preset: CostPresetName, options: dict[str, Any]
) -> tuple[TrainingResult, PredictedCostResult | None]:
    """Train with a live line: on the problem, or on the cost that records predict."""
    with interruptible(options["out"]), shown_training() as progress:
        if records is None:
            from sparing.learn.train import train as learn

            return learn(problem, progress=progress, **options), None
        from sparing.learn.cost_network import COST_PRESETS
        from sparing.learn.predicted_cost import train_on_predicted_cost

        chosen = COST_PRESETS[cost_preset.value]
        judged = train_on_predicted_cost(
            *records, cost_settings=chosen, progress=progress, **options
        )
        return judged.training, judged
