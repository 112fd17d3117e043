"""Functions that workers run: they write down that they ran, and some die."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path


def logged_square(task):
    """Return the square of a number, noting the run in a folder."""
    number, folder, seconds = task
    time.sleep(seconds)
    note(folder, number)
    if number < 0:
        raise ValueError(f"{number} is negative")
    return number * number


def deadly_once(task):
    """As `logged_square`; the worker of number 3 dies, the first time only."""
    number, folder, seconds = task
    marker = Path(folder) / "died"
    if number == 3 and not marker.exists():
        marker.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return logged_square((number, folder, seconds))


def deadly(task):
    """As `logged_square`; the worker of number 3 dies every time."""
    if task[0] == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return logged_square(task)


def note(folder, number):
    with (Path(folder) / "runs").open("a") as file:
        file.write(f"{number}\n")


def runs(folder):
    """Return the numbers that were run, in order."""
    return sorted(int(line) for line in (Path(folder) / "runs").read_text().split())
