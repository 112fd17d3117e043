"""Checks that name the place, the rule and the value."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

ROW_SUM_TOLERANCE = 1e-9


def frozen_array(
    name: str,
    values: ArrayLike,
    dtype: DTypeLike = np.float64,
    *,
    shape: tuple[int, ...] | None = None,
) -> NDArray[Any]:
    """Return a read-only C-ordered copy of `values`, or say which shape was wanted.

    Raises
    ------
    ValueError
        If the values are not numbers of that type or have another shape.
    """
    try:
        array = np.array(values, dtype=dtype, order="C")
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} must be an array of {np.dtype(dtype).name}: {error}.") from None
    if shape is not None and array.shape != shape:
        raise ValueError(f"{name} must have shape {shape}; got {array.shape}.")
    array.setflags(write=False)
    return array


def check_stochastic(name: str, matrix: NDArray[np.float64]) -> None:
    """Raise unless every row of `matrix` [rows, columns] is a probability distribution."""
    for i, j in np.argwhere(~(matrix >= 0.0))[:1]:
        raise ValueError(f"{name}: entry [{i}, {j}] must be a probability; got {matrix[i, j]:g}.")
    sums = matrix.sum(axis=1)
    for i in np.flatnonzero(~(np.abs(sums - 1.0) <= ROW_SUM_TOLERANCE))[:1]:
        raise ValueError(f"{name}: row {i} sums to {sums[i]:.9g}, not 1.")


def check_number(
    name: str, value: float, *, at_least: float = -np.inf, below: float = np.inf
) -> float:
    """Return `value` as a float, or raise unless ``at_least <= value < below``."""
    if isinstance(value, bool) or not isinstance(value, int | float | np.number):
        raise ValueError(f"{name} must be a number; got {value!r}.")
    if not at_least <= float(value) < below:
        bounds = f"at least {at_least:g}" + (f" and below {below:g}" if below < np.inf else "")
        bounds = bounds if at_least > -np.inf else "finite"
        raise ValueError(f"{name} must be {bounds}; got {value:g}.")
    return float(value)
