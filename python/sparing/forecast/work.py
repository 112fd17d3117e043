"""How much work a forecast is: one unit is one series fitted by one model."""

from __future__ import annotations

from collections.abc import Sequence

from sparing.forecast.methods import LEARNT, needed_by, work_of
from sparing.forecast.windows import NUM_WINDOWS, origins_of
from sparing.records.panel import DemandPanel

SELECTION_WORK = 0.05  # a series
CONCLUSION_WORK = 0.25  # a series, of distributions and stock of one method


def total_work(
    panel: DemandPanel,
    horizon: int,
    methods: Sequence[str],
    concluded: Sequence[str],
    num_windows: int = NUM_WINDOWS,
) -> float:
    """Return the work of `prepare` for `methods` and of `conclude` for those of `concluded`."""
    names = dict.fromkeys(name for method in methods for name in needed_by(method))
    fits = 1 + len(origins_of(panel.num_periods, horizon, num_windows))
    learnt = any(method in LEARNT for method in methods) * SELECTION_WORK
    rest = panel.num_parts * (learnt + CONCLUSION_WORK * len(concluded))
    return fits * work_of(tuple(names), panel.num_parts) + rest
