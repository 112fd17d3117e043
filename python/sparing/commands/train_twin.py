"""sparing train for a fleet of spares: learning on its twin, from the belief plan on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from sparing._files import write_atomically
from sparing.commands.output import finite, note, print_json, print_table
from sparing.models.spares_network import SparesNetwork

MEASURES = ("total", "sla", "orders_per_year", "down_hours_per_year")


def is_for_twin(problem: object) -> bool:
    """Whether `problem` is a network that is learned on its twin, as no table holds it."""
    if not isinstance(problem, SparesNetwork):
        return False
    from sparing.evaluate.network_plan import largest_states
    from sparing.learn.network_training import LARGEST

    return len(problem.parts) > 1 or largest_states(problem) > LARGEST


def train_twin(
    case: str,
    *,
    days: list[float],
    parts: list[str],
    fleets: int | None,
    replications: int,
    device: str | None,
    out: Path | None,
    as_json: bool,
) -> None:
    """Learn on the twin of a case, compare with the belief plan, and print the table."""
    from dataclasses import replace

    from sparing.learn.location_start import LocationSettings
    from sparing.learn.run import device_scope
    from sparing.learn.saved import save_network
    from sparing.learn.twin_training import DAYS, train_on_twin, with_parts
    from sparing.simulate.twin_files import load_twin

    settings = LocationSettings()
    if fleets is not None:
        settings = replace(settings, fleets=fleets)
    twin = with_parts(load_twin(case), parts)
    with device_scope(device):
        result = train_on_twin(
            twin, settings, days=days or DAYS, num_replications=replications, told=note
        )
    report = twin_report(case, result)
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        learned = [policy for policy in result.policies if policy.parameters is not None]
        best = min(learned, key=lambda policy: policy.result.mean("total"))
        save_network(out / "network.safetensors", result.start.network, best.parameters)
        write_atomically(
            out / "training.json", json.dumps(finite(report), indent=1, allow_nan=False) + "\n"
        )
    if as_json:
        print_json(report)
    else:
        _print(report, out)


def twin_report(case: str, result: Any) -> dict[str, Any]:
    """Return what `sparing train --json` prints of a fleet."""
    rows = []
    for policy in result.policies:
        row: dict[str, Any] = {"policy": policy.name, "days": policy.days}
        for measure in MEASURES:
            mean, half = policy.result.mean(measure), policy.result.half_width(measure)
            row[measure] = {"mean": mean, "half_width": half}
        for measure in ("total", "sla"):
            difference = result.paired(policy, measure)
            row[f"{measure}_less_plan"] = {
                "mean": difference.mean,
                "half_width": difference.half_width,
            }
        rows.append(row)
    best = result.best.result
    mean, half = best.mean("total"), best.half_width("total")
    return {
        "case": case,
        "parts": [part.name for part in result.twin.network.parts],
        "learner": "pqn, from the belief plan by location",
        "env_steps": result.env_steps,
        "fleets": result.settings.fleets,
        "seconds": result.seconds,
        "objective": {"lower": mean - half, "upper": mean + half},
        "objective_is": "a confidence interval of 95 %",
        "optimum": None,
        "gap": None,
        "best": result.best.name,
        "replications": len(best.samples),
        "agreement_of_start": result.start.agreement,
        "policies": rows,
    }


def _print(report: dict[str, Any], out: Path | None) -> None:
    print(
        f"{report['case']}: {len(report['parts'])} parts, {report['fleets']} fleets side by side,"
        f" {report['env_steps']:,} choices of locations in {report['seconds']:.0f} s\n"
    )
    rows = []
    for row in report["policies"]:
        total, sla = row["total"], row["sla"]
        less, served = row["total_less_plan"], row["sla_less_plan"]
        is_plan = row["days"] is None
        rows.append(
            [
                row["policy"],
                f"{total['mean']:.0f} ± {total['half_width']:.0f}",
                f"{sla['mean']:.5f} ± {sla['half_width']:.5f}",
                "" if is_plan else f"{less['mean']:+.0f} ± {less['half_width']:.0f}",
                "" if is_plan else f"{served['mean']:+.5f} ± {served['half_width']:.5f}",
            ]
        )
    print_table(["policy", "total cost", "SLA", "cost less plan's", "SLA less plan's"], rows)
    print(
        f"\n95 % intervals over {report['replications']} replications of the vectorised twin,"
        f" paired; least cost: {report['best']}"
    )
    if out is not None:
        print(f"\nsaved in {out}: the best network")
