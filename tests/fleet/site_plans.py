"""A small fleet of site folders, and a worker that dies once."""

from __future__ import annotations

import os
import signal

import numpy as np

SETTINGS = """
[plan]
period = 10
draws = 20
[system]
kind = "multi-component"
structure = "pump"
setup_cost = 7
downtime_cost = 50
[[component]]
name = "pump"
states = 3
renewals = ["replace"]
maintenance_cost = [[0, 0, 0], [5, 0, 0], [9, inf, inf]]
"""


def write_fleet(folder, num):
    """Write a plan.toml for all, and sites with inspections of their own."""
    rng = np.random.default_rng(0)
    folder.mkdir()
    (folder / "plan.toml").write_text(SETTINGS)
    for site in range(num):
        rows = ["Unit,Component,Time,State"]
        for unit in "ab":
            state = 0
            for time in range(0, 60, 10):
                rows.append(f"{unit},pump,{time},{state}")
                state = min(2, state + int(rng.random() < 0.3))
        (folder / f"site {site}").mkdir()
        (folder / f"site {site}" / "inspections.csv").write_text("\n".join(rows) + "\n")
    return folder


def noted_plan(task):
    """Make the plan of a site, noting that it was made."""
    from sparing.fleet.planning import plan_site

    found = plan_site(task)
    with (_notes(task) / "planned").open("a") as file:
        file.write(f"{task.name.split()[1]}\n")
    return found


def _notes(task):
    """Return the folder in which the fleet's plans are."""
    return task.out.parents[2]


def deadly_once(task):
    """As `noted_plan`; the worker of "site 3" dies before it is done, the first time only."""
    marker = _notes(task) / "died"
    if task.name == "site 3" and not marker.exists():
        marker.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return noted_plan(task)
