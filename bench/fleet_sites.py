"""Write a folder of many small sites, each with a plan.toml and records of its own.

    python bench/fleet_sites.py sites --num 200
    sparing plan sites

Sites have 3 to 12 units of a pump and a valve, two to three years of inspections at irregular
times, wear and costs of their own, and crews that renew from one state or another on. Every
twentieth keeps a spare on a shelf.
"""

from __future__ import annotations

import argparse
from datetime import date, timedelta
from pathlib import Path

import numpy as np

FIRST = date(2023, 1, 2)
SETTINGS = """\
[plan]
period = 30
draws = 40
seed = {seed}
[system]
kind = "multi-component"
structure = "pump & valve"
setup_cost = {setup}
downtime_cost = {downtime}
"""
COMPONENT = """
[[component]]
name = "{name}"
states = 4
renewals = ["replacement"]
maintenance_cost = [
  [0, 0, 0, 0],
  [{worn}, 0, 0, 0],
  [{worn}, {worn}, 0, 0],
  [{failed}, inf, inf, inf],
]
"""
SPARES = """
[spares]
period = 30
periods = 6
first = 2023-01-02
[[spares.location]]
name = "store"
supplier = "external"
capacity = 3
[[spares.part]]
name = "pump"
holding_cost = 20
downtime_cost = 900
emergency_cost = 1500
"""


def write_sites(folder: Path, num: int, *, seed: int = 0, stocks: bool = True) -> Path:
    """Write so many sites; the same seed gives the same files."""
    for number in range(num):
        rng = np.random.default_rng([seed, number])
        site = folder / f"site {number:03}"
        site.mkdir(parents=True)
        has_store = stocks and number % 20 == 0
        (site / "plan.toml").write_text(_settings(number, rng) + (SPARES if has_store else ""))
        seen, done = _records(rng)
        (site / "inspections.csv").write_text(
            "\n".join(["Unit,Component,Time,State", *seen]) + "\n"
        )
        (site / "maintenance.csv").write_text(
            "\n".join(["Unit,Component,Time,Action,Cost", *done]) + "\n"
        )
        if has_store:
            _write_store(site, rng)
    return folder


def _settings(number: int, rng: np.random.Generator) -> str:
    text = SETTINGS.format(
        seed=number, setup=int(rng.integers(100, 600)), downtime=int(rng.integers(800, 5000))
    )
    for name in ("pump", "valve"):
        worn = int(rng.integers(200, 900))
        text += COMPONENT.format(name=name, worn=worn, failed=int(worn * rng.uniform(1.5, 3.0)))
    return text


def _records(rng: np.random.Generator) -> tuple[list[str], list[str]]:
    """Return the lines of inspections and of replacements."""
    seen, done = list[str](), list[str]()
    worse = {name: rng.uniform(0.04, 0.12) / 30.0 for name in ("pump", "valve")}  # a day
    limit = {name: int(rng.integers(1, 4)) for name in worse}
    days = int(rng.integers(730, 1095))
    for unit in range(int(rng.integers(3, 13))):
        for name, rate in worse.items():
            state, day = 0, int(rng.integers(0, 30))
            while day < days:
                when = (FIRST + timedelta(days=day)).isoformat()
                seen.append(f"unit {unit},{name},{when},{state}")
                if state >= limit[name] and day < days - 45:
                    done.append(f"unit {unit},{name},{when},replacement,")
                    state = 0
                gap = int(rng.integers(20, 41))
                state, day = min(3, state + int(rng.poisson(rate * gap))), day + gap
    return seen, done


def _write_store(site: Path, rng: np.random.Generator) -> None:
    """A pump that fails some six times a year, counted each month and ordered one by one."""
    failures = ["Component Name,Location,Start,Failures,Exposure"]
    stock = ["Part,Location,Time,On Hand"]
    orders = ["Part,Location,Quantity,Ordered,Received"]
    for month in range(24):
        start = date(2023 + month // 12, month % 12 + 1, 1)
        failed = int(rng.poisson(0.5))
        failures.append(f"pump,store,{start},{failed},10")
        stock.append(f"pump,store,{start},{rng.integers(0, 3)}")
        for _ in range(max(failed, int(month % 8 == 0))):
            ordered = start + timedelta(days=3)
            arrived = ordered + timedelta(days=int(rng.integers(10, 24)))
            orders.append(f"pump,store,1,{ordered},{arrived}")
    for name, lines in (("failures", failures), ("stock", stock), ("orders", orders)):
        _write(site / f"{name}.csv", lines)


def _write(path: Path, lines: list[str]) -> None:
    path.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--num", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    write_sites(given.folder, given.num, seed=given.seed)
    print(f"wrote {given.num} sites into {given.folder}; next: sparing plan {given.folder}")
