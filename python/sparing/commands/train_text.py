"""What sparing train prints and draws of a training."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from sparing.commands.output import bounds_json, note, number, print_table

if TYPE_CHECKING:
    from sparing.learn.result import SeedResult, TrainingResult

BOUNDS_OF_BELIEFS = (
    "between a certain lower bound and the upper end of the 95 % interval of a policy, both by"
    " some seconds of sparing solve"
)


def training_report(case: str, result: TrainingResult) -> dict[str, Any]:
    """Return what `sparing train --json` prints."""
    from sparing.learn.result import gap_of
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
        "objective": bounds_json(result.objective),
        "objective_is": "exact" if result.exact else "a confidence interval of 95 %",
        "optimum": None if result.optimum is None else bounds_json(result.optimum),
        **({"optimum_is": BOUNDS_OF_BELIEFS} if on_beliefs else {}),
        **_crew_report(result),
        "gap": result.gap,
        "best_seed": result.best.seed,
        "seeds": [
            {
                "seed": seed.seed,
                "env_steps": seed.trained.env_steps,
                "seconds": seed.trained.seconds,
                "objective": bounds_json(seed.objective),
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


def print_training(result: TrainingResult, report: dict[str, Any], out: Path | None) -> None:
    """Print the seeds beside the optimum, and where the run was saved."""
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
        found = seed["objective"]
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


def plot_curves(result: TrainingResult, out: Path, case: str) -> None:
    """Draw cost, loss and exploration over the training, where matplotlib is there."""
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        note("no curves.png, as matplotlib is missing: pip install 'sparing[plot]'.")
        return
    from sparing.report.training_plots import plot_training

    seeds = [seed.trained for seed in result.seeds]
    title = f"{case}: {result.learner}"
    optimum = result.optimum if result.is_average else None  # the curves are of averages
    plot_training(seeds, out / "curves.png", optimum=optimum, title=title)
