"""sparing train --cost-records: the cost is learned from records, and the agent on that cost."""

from __future__ import annotations

from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sparing.commands.output import print_table
from sparing.commands.problems import multi_component

if TYPE_CHECKING:
    from sparing.learn.predicted_cost import PredictedCostResult
    from sparing.models.multi_component import MultiComponentProblem
    from sparing.records.cost_records import CostRecords


class CostPresetName(StrEnum):
    """How the network of the cost is made and fitted."""

    default = "default"
    thesis = "thesis"


def cost_records_of(problem: Any, given: str) -> tuple[MultiComponentProblem, CostRecords]:
    """Return `problem` and its records: those of a file, or so many simulated ones.

    Raises
    ------
    ValueError
        If there is no such file, its records are wrong, or the problem is of another kind.
    """
    from sparing.records.cost_records import read_cost_records, simulated_records

    system = multi_component(problem)
    if given.isdigit():
        return system, simulated_records(system, int(given))
    if not Path(given).exists():
        raise ValueError(
            f"--cost-records {given}: no such file; give a CSV or Parquet file, or the number of"
            " records to simulate."
        )
    return system, read_cost_records(given, system)


def save_records(given: tuple[MultiComponentProblem, CostRecords], out: Path) -> None:
    """Write the records that the cost was learned from."""
    from sparing.records.cost_records import write_cost_records

    problem, records = given
    write_cost_records(out / "records.csv", records, problem)


def predicted_report(result: PredictedCostResult) -> dict[str, Any]:
    """Return what `--json` adds: the fit of the cost, and the agent judged on the true one."""
    network = result.cost_network
    return {
        "predicted_cost": {
            "records": network.num_train + network.num_test,
            "held_out": network.num_test,
            "rmse": network.train_rmse,
            "held_out_rmse": network.test_rmse,
            "rmse_of_all_pairs": result.pair_rmse,
            "settings": {
                k: [*v] if isinstance(v, tuple) else v for k, v in asdict(network.settings).items()
            },
        },
        "judged": {
            key: {"reward": row.reward, "cost": row.cost, "reliability": row.reliability}
            for key, row in result.rows.items()
        },
        "true_gap": result.gap,
    }


def print_judged(result: PredictedCostResult) -> None:
    """Print the fit of the cost and the agent beside the optima."""
    network = result.cost_network
    layers = "-".join(str(width) for width in network.settings.hidden)
    print(
        f"\ncost network {layers} on {network.num_train:,} records: root mean squared error"
        f" {network.train_rmse:.3g}, on {network.num_test:,} held out {network.test_rmse:.3g},"
        f" on all pairs of states {result.pair_rmse:.3g}\n"
    )
    rows = []
    for row in result.rows.values():
        reward = "-" if row.reward is None else f"{row.reward:.4f}"
        rows.append([row.name, reward, f"{row.cost:.3f}", f"{row.reliability:.4f}"])
    print_table(["long run, per inspection", "reward", "cost", "reliability"], rows)
    print(f"\ntrue gap of the agent {100.0 * result.gap:.4f} %; all figures exact")
