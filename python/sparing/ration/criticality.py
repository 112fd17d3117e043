"""Dynamic criticality: the batch rule of Jimenez et al. (2019)."""

from __future__ import annotations

import numpy as np

from sparing import _core
from sparing.ration.day import Day, Rationing


def criticality(day: Day) -> Rationing:
    """Decide the orders of the whole day, at its end, in the order of their criticality.

    Of the orders left, the one of least C_i = (sum_j e_j d_ij) / p_i comes next, with
    e_j = (demand for j of the orders left) / (stock left of j); it is served if it fits
    (Jiménez González 2021, sec. 3.3.1, eq. 1-3). e_j is infinite where no stock is left, and so is
    C_i where p_i is not positive; ties go to the earliest arrival.
    """
    num_orders = len(day.orders)
    own = np.zeros(num_orders, np.bool_)
    sequence = np.zeros(num_orders, np.int32)
    _core.ration_criticality(
        *day.orders.parts, *day.orders.askers, day.own_margin, day.stock.copy(), own, sequence
    )
    return Rationing(rule="criticality", day=day, own=own, sequence=sequence)
