"""Checks of an explicit model's arrays: each names the place, the rule and the value."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sparing import _core

ROW_SUM_TOLERANCE = 1e-9


def available_memory() -> int | None:
    """Bytes of memory free for new arrays, or None where the system does not tell."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return None
    free = (line.split()[1] for line in lines if line.startswith("MemAvailable:"))
    return 1024 * int(next(free, "0")) or None


def require_memory(num_bytes: int, what: str) -> None:
    """Raise MemoryError now if `num_bytes` will not fit, before any work is done."""
    free = available_memory()
    if free is not None and num_bytes > free:
        raise MemoryError(f"{what} need {num_bytes / 1e9:.3g} GB; {free / 1e9:.3g} GB are free.")


def csr(name: str, matrix: Any) -> tuple[int, int]:
    """Return the shape of a sound CSR matrix; the kernels then trust its pointers."""
    import scipy.sparse as sp  # here, so that importing sparing stays quick

    is_sparse = bool(sp.issparse(matrix))
    if not is_sparse or matrix.format != "csr":
        found = f"{type(matrix).__name__} of format {getattr(matrix, 'format', None)!r}"
        raise TypeError(f"{name} must be a scipy CSR matrix, as .tocsr() gives; got {found}.")
    if matrix.dtype != np.float64:
        raise TypeError(f"{name} must hold float64, as .astype(float) gives; got {matrix.dtype}.")
    kinds = (matrix.indptr.dtype, matrix.indices.dtype)
    if kinds[0] != kinds[1] or kinds[0] not in (np.int32, np.int64):
        raise TypeError(
            f"{name}.indptr and {name}.indices must both be int32 or both int64; got {kinds[0]} "
            f"and {kinds[1]}."
        )
    for part in ("indptr", "indices", "data"):
        if not getattr(matrix, part).flags.c_contiguous:
            raise ValueError(f"{name}.{part} must be contiguous; got a strided view.")
    num_rows, num_states = matrix.shape
    if num_states < 1 or num_states >= 2**31:
        raise ValueError(f"{name} must have 1 to 2^31 - 1 columns (states); got {num_states}.")
    indptr, nnz = matrix.indptr, min(matrix.indices.size, matrix.data.size)
    if indptr.size != num_rows + 1 or indptr[0] != 0 or indptr[-1] > nnz:
        raise ValueError(
            f"{name}.indptr must have {num_rows + 1} entries from 0 to at most {nnz}; got "
            f"{indptr.size} from {indptr[0]} to {indptr[-1]}."
        )
    falls = np.flatnonzero(indptr[1:] < indptr[:-1])
    if falls.size:
        r = falls[0]
        raise ValueError(
            f"{name}.indptr must not fall; got {indptr[r]} at {r}, {indptr[r + 1]} at {r + 1}."
        )
    return num_rows, num_states


def costs(cost: ArrayLike) -> NDArray[np.float64]:
    """Return a read-only copy [K] of finite costs."""
    values = _frozen(cost, np.float64)
    if values.ndim != 1 or values.size == 0:
        raise ValueError(f"cost must have shape (K,), K >= 1; got {values.shape}.")
    wrong = np.flatnonzero(~np.isfinite(values))
    if wrong.size:
        k = wrong[0]
        raise ValueError(f"cost[{k}] must be finite; got {values[k]}. Leave out forbidden pairs.")
    return values


def state_indptr(indptr: ArrayLike, num_states: int, num_pairs: int) -> NDArray[np.int64]:
    """Return a read-only copy [S + 1]; every state owns at least one pair."""
    values = _integers("state_indptr", indptr, np.int64)
    if values.shape != (num_states + 1,):
        raise ValueError(f"state_indptr must have shape ({num_states + 1},); got {values.shape}.")
    if values[0] != 0 or values[-1] != num_pairs:
        raise ValueError(
            f"state_indptr must run from 0 to {num_pairs}, the number of pairs; got {values[0]} "
            f"to {values[-1]}."
        )
    bare = np.flatnonzero(values[1:] <= values[:-1])
    if bare.size:
        s = bare[0]
        more = f", as have {bare.size - 1} more states" if bare.size > 1 else ""
        raise ValueError(
            f"Each state must have an action; state {s} has {values[s + 1] - values[s]}{more}."
        )
    return values


def pair_states(states: ArrayLike, num_states: int, num_pairs: int) -> NDArray[np.int64]:
    """Return a copy [K]: states in range, in rising order."""
    values = _integers("pair_state", states, np.int64)
    if values.shape != (num_pairs,):
        raise ValueError(f"pair_state must have shape ({num_pairs},); got {values.shape}.")
    _in_range("pair_state", values, num_states)
    falls = np.flatnonzero(values[1:] < values[:-1])
    if falls.size:
        k = falls[0] + 1
        raise ValueError(
            f"pair_state must not fall; got {values[k]} at {k} after {values[k - 1]}. Sort the "
            "pairs by order = np.argsort(pair_state, kind='stable') and pass row=order."
        )
    return values


def pair_rows(row: ArrayLike | None, num_rows: int, num_pairs: int) -> NDArray[np.int32] | None:
    """Return a read-only copy [K] of rows in range; None needs as many rows as pairs."""
    if row is None:
        if num_rows != num_pairs:
            raise ValueError(
                f"Without row, transition must have one row a pair, {num_pairs}; got {num_rows}."
            )
        return None
    values = _integers("row", row, np.int64)
    if values.shape != (num_pairs,):
        raise ValueError(f"row must have shape ({num_pairs},); got {values.shape}.")
    _in_range("row", values, min(num_rows, 2**31 - 1))
    return _frozen(values, np.int32)


def labels(action: Any, num_pairs: int) -> NDArray[Any] | None:
    """Return a read-only copy [K] of action labels, or None."""
    if action is None:
        return None
    values = _frozen(action, None)
    if values.shape != (num_pairs,):
        raise ValueError(f"action must have shape ({num_pairs},); got {values.shape}.")
    return values


def probabilities(name: str, matrix: Any, row: NDArray[np.int32] | None) -> float:
    """Check every row some pair uses and return the largest ``|sum - 1|``.

    One compiled pass finds the first row at fault; only that row is looked at again to say why.
    """
    used = np.zeros(0 if row is None else matrix.shape[0], dtype=bool)
    if row is not None:
        used[row] = True
    num_rows, num_states = matrix.shape
    r, error = _core.check_rows(
        matrix.indptr, matrix.indices, matrix.data, num_states, used, ROW_SUM_TOLERANCE, 0
    )
    if r == num_rows:
        return error
    part = slice(matrix.indptr[r], matrix.indptr[r + 1])
    states, probs = matrix.indices[part], matrix.data[part]
    for j, p in zip(states, probs, strict=True):
        if not 0 <= j < num_states:
            raise ValueError(f"{name} row {r}: states must be in [0, {num_states}); got {j}.")
        if not p >= 0.0:
            raise ValueError(f"{name}[{r}, {j}] must be a probability >= 0; got {p:g}.")
    raise ValueError(f"{name} row {r} must sum to 1 within 1e-9; got {probs.sum():.12g}.")


def _frozen(values: Any, dtype: Any) -> NDArray[Any]:
    array = np.array(values, dtype=dtype, order="C")
    array.flags.writeable = False
    return array


def _integers(name: str, values: ArrayLike, dtype: Any) -> NDArray[Any]:
    array = np.asarray(values)
    if array.dtype.kind not in "iu":
        raise TypeError(f"{name} must hold integers; got {array.dtype}.")
    return _frozen(array, dtype)


def _in_range(name: str, values: NDArray[np.int64], size: int) -> None:
    wrong = np.flatnonzero((values < 0) | (values >= size))
    if wrong.size:
        k = wrong[0]
        raise ValueError(f"{name}[{k}] must be in [0, {size}); got {values[k]}.")
