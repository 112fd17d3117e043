"""Checks that name the place, the rule and the value."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any, TypeGuard

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

ROW_SUM_TOLERANCE = 1e-9


class Frozen:
    """A frozen object that can be pickled and deep-copied, read-only mappings and arrays too."""

    def __getstate__(self) -> dict[str, Any]:
        return {
            name: dict(value) if isinstance(value, MappingProxyType) else value
            for name, value in vars(self).items()
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        for name, value in state.items():
            held = list(value.values()) if isinstance(value, dict) else [value]
            for array in held:
                if isinstance(array, np.ndarray):
                    array.setflags(write=False)
            frozen = MappingProxyType(value) if isinstance(value, dict) else value
            object.__setattr__(self, name, frozen)


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
    wanted = np.dtype(dtype)
    try:
        given = np.asarray(values)
    except ValueError as error:  # rows of different length
        raise ValueError(f"{name} must be an array of {wanted.name}: {error}.") from None
    if given.dtype.kind not in "biuf":
        raise ValueError(f"{name} must be an array of {wanted.name}; got {_shown(given)}.")
    if wanted.kind == "i":
        _check_whole(name, given, wanted)
    if shape is not None and given.shape != shape:
        raise ValueError(f"{name} must have shape {shape}; got {given.shape}.")
    return read_only(np.array(given, dtype=wanted, order="C"))


def read_only(array: NDArray[Any]) -> NDArray[Any]:
    """Return `array`, no longer writeable."""
    array.setflags(write=False)
    return array


def check_stochastic(name: str, matrix: NDArray[np.float64]) -> None:
    """Raise unless every row of `matrix` [rows, columns] is a probability distribution."""
    for i, j in np.argwhere(~(matrix >= 0.0))[:1]:
        raise ValueError(f"{name}: entry [{i}, {j}] must be a probability; got {matrix[i, j]:g}.")
    sums = matrix.sum(axis=1)
    for i in np.flatnonzero(~(np.abs(sums - 1.0) <= ROW_SUM_TOLERANCE))[:1]:
        raise ValueError(f"{name}: row {i} sums to {sums[i]:.9g}, not 1.")


def is_number(value: object) -> TypeGuard[float]:
    """Whether `value` is a real number, NaN and infinities included."""
    return isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)


def is_whole(value: object) -> bool:
    """Whether `value` is an integer, of Python or NumPy."""
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def check_number(
    name: str, value: float, *, at_least: float = -np.inf, below: float = np.inf
) -> float:
    """Return `value` as a float, or raise unless it is finite and ``at_least <= value < below``."""
    if not is_number(value):
        raise ValueError(f"{name} must be a number; got {value!r}.")
    if not np.isfinite(value):
        raise ValueError(f"{name} must be finite; got {float(value)}.")
    if not at_least <= value < below:
        bounds = f"at least {at_least:g}" + (f" and below {below:g}" if below < np.inf else "")
        raise ValueError(f"{name} must be {bounds}; got {value:g}.")
    return float(value)


def _check_whole(name: str, given: NDArray[Any], wanted: np.dtype[Any]) -> None:
    """Raise if turning `given` into integers would change a number."""
    limits = np.iinfo(wanted)
    wrong = (given < limits.min) | (given > limits.max)
    if given.dtype.kind == "f":
        wrong |= ~(np.floor(given) == given)  # NaN too
    for place in np.argwhere(wrong)[:1]:
        raise ValueError(
            f"{name} must be whole numbers ({wanted.name}); got {given[tuple(place)]:g} at"
            f" {place.tolist()}."
        )


def _shown(array: NDArray[Any]) -> str:
    text = repr(array.tolist())
    return text if len(text) <= 60 else f"{text[:57]}..."
