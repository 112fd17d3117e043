"""sparing train for a fleet of spares: learning on its twin, from the belief plan on."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sparing._files import write_atomically
from sparing.commands.output import finite, note, print_json, print_table
from sparing.commands.train_progress import interruptible, shown_training
from sparing.models.spares_network import SparesNetwork

if TYPE_CHECKING:
    from sparing.learn.twin_judge import TwinPolicy
    from sparing.learn.twin_training import TwinTrainingResult

MEASURES = ("total", "sla", "orders_per_year", "down_hours_per_year")
OPTIMUM_IS = "not known: no bound of the twin's least cost is computed; the belief plan is beside"
OBJECTIVE_IS = "a confidence interval of 95 %, on luck that neither learning nor the choice has met"


def is_for_twin(problem: object) -> bool:
    """Whether `problem` is a network that is learned on its twin, as no table holds it."""
    if not isinstance(problem, SparesNetwork):
        return False
    from sparing.evaluate.network_plan import largest_states
    from sparing.learn.network_training import LARGEST

    return len(problem.parts) > 1 or largest_states(problem) > LARGEST


def check_options(case: str, given: Mapping[str, object]) -> None:
    """Raise if an option is given that learning on a twin has no use for."""
    unused = [name for name, value in given.items() if value]
    if unused:
        raise ValueError(
            f"{case}: a fleet is learned on its twin, which has no use for {', '.join(unused)};"
            " --days, --part, --fleets, --replications and --seeds go with it."
        )


def train_twin(
    case: str,
    *,
    days: list[float],
    parts: list[str],
    fleets: int | None,
    replications: int,
    seeds: int,
    device: str | None,
    out: Path | None,
    resume: bool,
    as_json: bool,
) -> None:
    """Learn on the twin of a case, compare with the belief plan, and print the table."""
    from dataclasses import replace

    from sparing.learn.checkpoints import prepare
    from sparing.learn.location_start import LocationSettings
    from sparing.learn.run import device_scope
    from sparing.learn.twin_training import (
        DAYS,
        check_twin_training,
        train_on_twin,
        with_parts,
    )
    from sparing.simulate.twin_files import load_twin

    settings = LocationSettings()
    if fleets is not None:
        settings = replace(settings, fleets=fleets)
    twin = with_parts(load_twin(case), parts)
    check_twin_training(twin, settings, days=days or DAYS, num_replications=replications)
    if out is not None:
        prepare(out, case, resume=resume)
    with interruptible(out), device_scope(device), shown_training() as progress:
        result = train_on_twin(
            twin,
            settings,
            days=days or DAYS,
            num_replications=replications,
            seeds=seeds,
            folder=out,
            resume=resume,
            progress=progress,
            told=_told,
        )
    report = twin_report(case, result)
    if out is not None:
        _save(case, result, report, out)
    if as_json:
        print_json(report)
    else:
        _print(report, out)


def _told(text: str) -> None:
    """Print a remark, on a terminal in place of the live line."""
    if sys.stderr.isatty():
        sys.stderr.write("\r\x1b[K")
    note(text)


def _save(case: str, result: TwinTrainingResult, report: dict[str, Any], out: Path) -> None:
    """Write the best network, curves, plots and the report beside the states of the seeds."""
    from dataclasses import asdict

    from sparing.learn.checkpoints import FORMAT, REPORT
    from sparing.learn.saved import save_network, write_curves

    learned = [policy for policy in result.policies if policy.parameters is not None]
    best = min(learned, key=lambda policy: policy.result.mean("total"))
    network = result.seeds[0].start.network
    save_network(out / "network.safetensors", network, best.parameters)
    write_curves([seed.trained for seed in result.seeds], out / "curves.csv")
    content = {"format": FORMAT, **finite(report), "finished": True}
    content["settings"] = asdict(result.settings)
    write_atomically(out / REPORT, json.dumps(content, indent=1, allow_nan=False) + "\n")
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        note("no curves.png, as matplotlib is missing: pip install 'sparing[plot]'.")
        return
    from sparing.report.training_plots import plot_training
    from sparing.report.twin_learning_plots import plot_learning

    title = f"{case}: from the belief plan on"
    plot_training([seed.trained for seed in result.seeds], out / "curves.png", title=title)
    plot_learning(result, out / "learning.png", title=title)


def twin_report(case: str, result: TwinTrainingResult) -> dict[str, Any]:
    """Return what `sparing train --json` prints of a fleet."""
    best = result.best
    less = result.objective.less(result.plan_beside)
    return {
        "case": case,
        "parts": [part.name for part in result.twin.network.parts],
        "learner": "pqn, from the belief plan by location",
        "view": "by location",
        "env_steps": result.env_steps,
        "fleets": result.settings.fleets,
        "seconds": result.seconds,
        "objective": _interval(result.objective),
        "objective_is": OBJECTIVE_IS,
        "objective_less_plan": {"mean": less.mean, "half_width": less.half_width},
        "optimum": None,
        "optimum_is": OPTIMUM_IS,
        "gap": None,
        "best": best.name,
        "best_seed": best.seed,
        "replications": len(best.result.samples),
        "policies": [_policy_row(result, policy) for policy in result.policies],
        "seeds": [
            {
                "seed": seed.seed,
                "env_steps": seed.trained.env_steps,
                "seconds": seed.trained.seconds,
                "objective": _interval(seed.best.result),
                "gap": None,
                "agreement_of_start": seed.start.agreement,
            }
            for seed in result.seeds
        ],
    }


def _interval(found: Any) -> dict[str, float]:
    mean, half = found.mean("total"), found.half_width("total")
    return {"lower": mean - half, "upper": mean + half}


def _policy_row(result: TwinTrainingResult, policy: TwinPolicy) -> dict[str, Any]:
    row: dict[str, Any] = {"policy": policy.name, "seed": policy.seed, "days": policy.days}
    for measure in MEASURES:
        mean, half = policy.result.mean(measure), policy.result.half_width(measure)
        row[measure] = {"mean": mean, "half_width": half}
    for measure in ("total", "sla"):
        less = result.paired(policy, measure)
        row[f"{measure}_less_plan"] = {"mean": less.mean, "half_width": less.half_width}
    return row


def _print(report: dict[str, Any], out: Path | None) -> None:
    many = len(report["seeds"]) > 1
    print(
        f"{report['case']}: {len(report['parts'])} parts, {report['fleets']} fleets side by side,"
        f" {report['env_steps']:,} choices of locations in {report['seconds']:.0f} s\n"
    )
    rows = []
    for row in report["policies"]:
        total, sla = row["total"], row["sla"]
        less, served = row["total_less_plan"], row["sla_less_plan"]
        is_plan = row["days"] is None
        seed = "" if is_plan or not many else f", seed {row['seed']}"
        rows.append(
            [
                row["policy"] + seed,
                f"{total['mean']:.0f} ± {total['half_width']:.0f}",
                f"{sla['mean']:.5f} ± {sla['half_width']:.5f}",
                "" if is_plan else f"{less['mean']:+.0f} ± {less['half_width']:.0f}",
                "" if is_plan else f"{served['mean']:+.5f} ± {served['half_width']:.5f}",
            ]
        )
    print_table(["policy", "total cost", "SLA", "cost less plan's", "SLA less plan's"], rows)
    seed = "" if report["best_seed"] is None or not many else f", seed {report['best_seed']}"
    found, less = report["objective"], report["objective_less_plan"]
    print(
        f"\n95 % intervals over {report['replications']} replications of the vectorised twin,"
        f" paired\nleast cost: {report['best']}{seed}; on luck that the choice has not met"
        f" {found['lower']:.0f} to {found['upper']:.0f},"
        f" less the plan's: {less['mean']:+.0f} ± {less['half_width']:.0f}"
    )
    if out is not None:
        print(f"\nsaved in {out}: the best network, curves, and the state of the training")
