"""sparing train: learn a policy, evaluate it, and state its distance to the optimum."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sparing.commands.output import (
    bounds_json,
    check_new_folder,
    finite,
    note,
    number,
    one_line_errors,
    print_json,
    print_table,
)
from sparing.commands.problems import CaseArgument, JsonOption, load_problem
from sparing.commands.train_curve import curve_report, print_curve, save_curve
from sparing.commands.train_lookahead import train_lookahead_case
from sparing.commands.train_predicted import (
    CostPresetName,
    cost_records_of,
    predicted_report,
    print_judged,
    save_records,
)
from sparing.commands.train_progress import interruptible, shown_training

if TYPE_CHECKING:
    from sparing.learn.result import SeedResult, TrainingResult


BOUNDS_OF_BELIEFS = (
    "between a certain lower bound and the upper end of the 95 % interval of a policy, both by"
    " some seconds of sparing solve"
)


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
            given = {"--steps": steps, "--features": features, "--preset": preset}
            given |= {"--warm-start": warm_start, "--cost-records": cost_records}
            given |= {"--device": device, "--seeds": seeds > 1 or None, "--resume": resume or None}
            unused = [name for name, value in given.items() if value is not None]
            if unused:
                raise ValueError(f"--learner lookahead has no use for {', '.join(unused)}.")
            train_lookahead_case(case, problem, out=out, as_json=json)
            return
        simpler = None if warm_start is None else load_problem(warm_start)
        if cost_records is None and cost_preset is not CostPresetName.default:
            raise ValueError("--cost-preset needs --cost-records, of which a cost is learned.")
        records = None if cost_records is None else cost_records_of(problem, cost_records)
        if out is not None:
            check_new_folder(out, "training.json")
        from sparing.commands.train_twin import is_for_twin, train_twin

        if is_for_twin(problem):
            if resume or steps is not None or preset is not None or seeds != 1:
                raise ValueError(
                    f"{case}: a fleet is learned on its twin; --resume, --steps, --preset and"
                    " --seeds do not go with it (--days, --part, --fleets, --replications do)."
                )
            train_twin(
                case,
                days=days or [],
                parts=part or [],
                fleets=fleets,
                replications=replications,
                device=device,
                out=out,
                as_json=json,
            )
            return
        if days or part or fleets:
            raise ValueError(f"{case}: --days, --part and --fleets are for fleets of spares.")
        from sparing.learn.presets import preset_settings
        from sparing.learn.saved import prepare, save_training
        from sparing.learn.train import train as learn

        settings = None if preset is None else preset_settings(preset)
        if settings is not None and steps is not None:
            from dataclasses import replace

            settings, steps = replace(settings, steps=steps), None
        if out is not None:
            prepare(out, case, resume=resume)
        options: dict[str, Any] = {
            "learner": learner.value,
            "steps": steps,
            "seeds": seeds,
            "view": view.value,
            "features": None if features is None else features.value,
            "settings": settings,
            "warm_start": simpler,
            "device": device,
            "curve": curve,
            "out": out,
            "resume": resume,
        }
        judged = None
        with interruptible(out), shown_training() as progress:
            if records is None:
                result = learn(problem, progress=progress, **options)
            else:
                from sparing.learn.cost_network import COST_PRESETS
                from sparing.learn.predicted_cost import train_on_predicted_cost

                chosen = COST_PRESETS[cost_preset.value]
                judged = train_on_predicted_cost(
                    *records, cost_settings=chosen, progress=progress, **options
                )
                result = judged.training
        report = training_report(case, result)
        if judged is not None:
            report |= predicted_report(judged)
        if curve:
            report |= curve_report(case, result)
        if warm_start is not None:
            report["warm_start"] = warm_start
        if out is not None:
            save_training(result, out, finite(report))
            _plot(result, out, case)
            if curve:
                save_curve(case, result, out)
            if records is not None:
                save_records(records, out)
    if json:
        print_json(report)
    else:
        _print_text(result, report, out)
        if judged is not None:
            print_judged(judged)
        if curve:
            print_curve(report)


def training_report(case: str, result: TrainingResult) -> dict[str, Any]:
    """Return what `sparing train --json` prints."""
    from sparing.learn.result import gap_of

    def bounds(found: Any) -> dict[str, float] | None:
        return None if found is None else bounds_json(found)

    from sparing.models.hidden import HiddenProblem

    on_beliefs = isinstance(result.model, HiddenProblem)
    system = {}
    if hasattr(result.model, "interval"):
        system = {"positions": result.model.size, "inspection_interval": result.model.interval}
    return {
        "case": case,
        **system,
        "learner": result.learner,
        "view": result.view,
        "env_steps": result.env_steps,
        "seconds": result.seconds,
        "objective": bounds(result.objective),
        "objective_is": "exact" if result.exact else "a confidence interval of 95 %",
        "optimum": bounds(result.optimum),
        **({"optimum_is": BOUNDS_OF_BELIEFS} if on_beliefs else {}),
        **_crew_report(result),
        "gap": result.gap,
        "best_seed": result.best.seed,
        "seeds": [
            {
                "seed": seed.seed,
                "env_steps": seed.trained.env_steps,
                "seconds": seed.trained.seconds,
                "objective": bounds(seed.objective),
                "gap": gap_of(seed.objective, result.optimum),
                **_less_limits(result, seed),
            }
            for seed in result.seeds
        ],
    }


def _crew_report(result: TrainingResult) -> dict[str, Any]:
    """Return what is said of policies that were not learned by the network."""
    if result.crew is None:
        return {}
    from sparing.commands.crew_text import OPTIMUM_IS, crew_json

    best = result.crew.best.key if result.crew_is_better else "learned"
    optimum_is = {} if result.exact else {"optimum_is": OPTIMUM_IS}
    return {**optimum_is, "best": best, "crew": crew_json(result.crew)}


def _less_limits(result: TrainingResult, seed: SeedResult) -> dict[str, Any]:
    """Return what was learned less the control limits, where both were simulated."""
    if result.crew is None:
        return {}
    from sparing.commands.crew_text import difference_json
    from sparing.large.crew_training import difference_of

    less = difference_of(seed.samples, result.crew.policies[0].samples)
    return {} if less is None else {"less_limits": difference_json(less)}


def _print_text(result: TrainingResult, report: dict[str, Any], out: Path | None) -> None:
    settings = result.settings
    at = ""
    if "positions" in report:
        at = f" ({report['positions']} positions, interval {report['inspection_interval']:g})"
    layers = "-".join(str(width) for width in settings.hidden)
    print(
        f"{report['case']}{at}: {settings.learner}, {result.view} view, network {layers},"
        f" {report['env_steps']:,} choices in {report['seconds']:.1f} s"
        f"{', from exact values of ' + report['warm_start'] if 'warm_start' in report else ''}\n"
    )
    rows = []
    for seed in report["seeds"]:
        found = seed["objective"] or {"lower": None, "upper": None}
        name = f"seed {seed['seed']}" + (
            " (best)" if len(report["seeds"]) > 1 and seed["seed"] == report["best_seed"] else ""
        )
        gap = "-" if seed["gap"] is None else f"{100.0 * seed['gap']:.4f} %"
        less = seed.get("less_limits")
        compared = [] if less is None else [f"{less['mean']:+.2f} +- {less['half_width']:.2f}"]
        rows.append([name, number(found["lower"]), number(found["upper"]), gap, *compared])
    if report["optimum"] is not None and (result.exact or result.crew is None):
        best = report["optimum"]
        rows.append(["optimum", number(best["lower"]), number(best["upper"]), "-"])
    columns = ["minimised", "lower bound", "upper bound", "gap", "less limits"]
    print_table(columns[: max(len(row) for row in rows)], rows)
    if "optimum_is" in report:
        print(f"\npolicies: a simulation's 95 % interval; optimum: {report['optimum_is']}")
    elif not result.exact:
        print("\ntoo many states to evaluate exactly: bounds are a simulation's 95 % interval")
    if result.crew is not None:
        from sparing.commands.crew_text import print_crew

        print("\nbeside it, not learned by the network:")
        print_crew(result.crew)
        which = result.crew.best.name if result.crew_is_better else "what was learned"
        print(f"the policy returned: {which}")
    if out is not None:
        print(f"\nsaved in {out}")


def _plot(result: TrainingResult, out: Path, case: str) -> None:
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        note("no curves.png, as matplotlib is missing: pip install 'sparing[plot]'.")
        return
    from sparing.report.training_plots import plot_training

    seeds = [seed.trained for seed in result.seeds]
    title = f"{case}: {result.learner}"
    plot_training(seeds, out / "curves.png", optimum=result.optimum, title=title)
