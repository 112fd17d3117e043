"""Checks of the numbers of a load-sharing problem."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sparing._checks import check_number, frozen_array


def check_whole(name: str, value: int, at_least: int) -> None:
    """Raise unless `value` is a whole number, `at_least` that much."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < at_least:
        raise ValueError(f"{name} must be a whole number, at least {at_least}; got {value!r}.")


def checked_positions(given: int | Sequence[int], required: int) -> tuple[int, ...]:
    """Return the sizes to choose from, each at least `required`."""
    sizes = tuple(given) if isinstance(given, tuple | list) else (given,)
    if not sizes:
        raise ValueError("positions must be a number or a list of one or more; got none.")
    for size in sizes:
        check_whole("positions", size, 1)
        if size < required:
            raise ValueError(f"positions must be at least required = {required}; got {size}.")
        if sizes.count(size) > 1:
            raise ValueError(f"positions: {size} is given twice.")
    return tuple(int(size) for size in sizes)


def checked_intervals(given: float | Sequence[float]) -> tuple[float, ...]:
    """Return the inspection intervals to choose from, each above 0."""
    intervals = tuple(given) if isinstance(given, tuple | list) else (given,)
    if not intervals:
        raise ValueError("inspection_interval must be a number or a list of one or more; got none.")
    for interval in intervals:
        check_number("inspection_interval", interval)
        if not interval > 0.0:
            raise ValueError(f"inspection_interval must be above 0; got {interval:g}.")
        if intervals.count(interval) > 1:
            raise ValueError(f"inspection_interval: {interval:g} is given twice.")
    return tuple(float(interval) for interval in intervals)


def checked_rates(given: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the rates, read-only: upper triangular, with a way out of all but the last row."""
    rates: NDArray[np.float64] = frozen_array("rates", given)
    if rates.ndim != 2 or rates.shape[0] != rates.shape[1] or len(rates) < 2:
        raise ValueError(
            f"rates must be square with 2 conditions or more; got shape {rates.shape}."
        )
    for i, j in np.argwhere(~((rates >= 0.0) & (rates < np.inf)))[:1]:
        raise ValueError(f"rates[{i}, {j}] must be at least 0 and finite; got {rates[i, j]:g}.")
    for i, j in np.argwhere(np.tril(rates) > 0.0)[:1]:
        raise ValueError(
            f"rates[{i}, {j}] must be 0, as components only get worse; got {rates[i, j]:g}."
        )
    for i in np.flatnonzero(rates[:-1].sum(axis=1) == 0.0)[:1]:
        raise ValueError(f"rates[{i}] must have a rate above 0, as condition {i} is not failed.")
    return rates
