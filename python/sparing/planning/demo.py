"""An example folder: storage units with a battery rack, an inverter and cooling, and spares."""

from __future__ import annotations

import csv
import io
from datetime import date, timedelta
from pathlib import Path

import numpy as np

from sparing._files import replaced_folder, write_atomically
from sparing.planning.spares_demo import simulate_spares, spare_settings

NUM_UNITS, NUM_DAYS, FIRST_DAY = 24, 1460, date(2022, 1, 10)
INSPECTED_EVERY = (20, 45)  # days between inspections, at least and at most
RATES = {  # per 30 days, to the next state and to the failed one
    "rack": ((0.055, 0.002), (0.08, 0.006), (0.0, 0.11)),
    "inverter": ((0.04, 0.006), (0.07, 0.012), (0.0, 0.14)),
    "cooling": ((0.10, 0.004), (0.12, 0.02), (0.0, 0.18)),
}
TODAY = {"rack": 3, "inverter": 3, "cooling": 2}  # states from which the crew replaces
COSTS = {"rack": (5200.0, 2600.0, 8400.0), "inverter": (3100.0, 1400.0, 4300.0)}
COSTS["cooling"] = (900.0, 450.0, 1500.0)
SETTINGS = """\
# An invented fleet of storage units: what a plan needs to know beside the records.
[plan]
period = 30        # days between two decisions
draws = 200        # from the posterior, for the intervals

[system]
kind = "multi-component"
structure = "rack & inverter & cooling"
setup_cost = 650.0       # EUR a crew visit
downtime_cost = 5400.0   # EUR a period in which the unit does not work
"""
COMPONENT = """
[[component]]
name = "{name}"
states = 4
renewals = ["replacement"]
maintenance_cost = [
  [0, 0, 0, 0],
  [{worn}, 0, 0, 0],
  [{worn}, {part}, 0, 0],
  [{failed}, inf, inf, inf],
]
"""


def write_demo(folder: str | Path, *, seed: int = 0, spares: bool = True) -> Path:
    """Write the example folder: plan.toml and records of all kinds.

    Inspections and maintenance of the units; with `spares` also failures, stock and orders of
    their spare parts.

    Raises
    ------
    ValueError
        If the folder is there already and not empty.
    """
    folder = Path(folder)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ValueError(f"{folder}: exists; give a new or empty folder.")
    rng = np.random.default_rng(seed)
    inspections, maintenance = list[list[object]](), list[list[object]]()
    for number in range(1, NUM_UNITS + 1):
        _simulate_unit(f"ESS-{number:02}", rng, inspections, maintenance)
    with replaced_folder(folder) as part:
        text = SETTINGS + "".join(
            COMPONENT.format(name=name, worn=worn, part=part_cost, failed=failed)
            for name, (worn, part_cost, failed) in COSTS.items()
        )
        write_atomically(part / "plan.toml", text + (spare_settings(FIRST_DAY) if spares else ""))
        _write(part / "inspections.csv", ("Unit", "Component", "Time", "State"), inspections)
        header: tuple[str, ...] = ("Unit", "Component", "Time", "Action", "Cost")
        _write(part / "maintenance.csv", header, maintenance)
        stocks = simulate_spares(FIRST_DAY, NUM_DAYS, seed=seed) if spares else {}
        for name, (header, rows) in stocks.items():
            _write(part / name, header, rows)
    return folder


def _simulate_unit(
    unit: str,
    rng: np.random.Generator,
    inspections: list[list[object]],
    maintenance: list[list[object]],
) -> None:
    """Let a unit wear day by day, be inspected now and then, and be repaired by today's rule."""
    state = dict.fromkeys(RATES, 0)
    due = int(rng.integers(*INSPECTED_EVERY))
    for day in range(NUM_DAYS):
        for name, rates in RATES.items():
            if state[name] < 3:
                worse, failed = np.array(rates[state[name]]) / 30.0
                draw = rng.random()
                if draw < failed:
                    state[name] = 3
                elif draw < failed + worse:
                    state[name] += 1
        if day != due:
            continue
        due = day + int(rng.integers(*INSPECTED_EVERY))
        when = (FIRST_DAY + timedelta(days=day)).isoformat()
        for name in RATES:
            inspections.append([unit, name, when, state[name]])
            if state[name] >= TODAY[name] and day < NUM_DAYS - 60:
                worn, _, failed = COSTS[name]
                cost = failed if state[name] == 3 else worn
                spread = float(rng.normal(1.0, 0.05))
                maintenance.append([unit, name, when, "replacement", f"{cost * spread:.2f}"])
                state[name] = 0


def _write(path: Path, header: tuple[str, ...], rows: list[list[object]]) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    write_atomically(path, text.getvalue())
