"""Chains in continuous time that never go back, seen after some time: rows and what they lack."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sparing import _core
from sparing._checks import Frozen, read_only
from sparing._threads import default_num_threads

TOLERANCE = 1e-17  # of the Poisson tail that is left out


@dataclass(frozen=True, kw_only=True, eq=False)
class ForwardChain(Frozen):
    """Moves of a chain whose states are numbered so that it never goes back.

    Parameters
    ----------
    indptr
        Shape (N + 1,), int64: state i has the moves ``indptr[i]:indptr[i + 1]``; none: absorbing.
    to
        Shape (moves,), int32: the state reached, above the one left.
    rate
        Shape (moves,): moves per unit of time, above 0.
    """

    indptr: NDArray[np.int64]
    to: NDArray[np.int32]
    rate: NDArray[np.float64]

    @property
    def num_states(self) -> int:
        """Number of states."""
        return self.indptr.size - 1

    @property
    def is_absorbing(self) -> NDArray[np.bool_]:
        """Per state whether it has no moves."""
        return np.asarray(np.diff(self.indptr) == 0)


@dataclass(frozen=True, kw_only=True)
class TransientError:
    """How far computed rows can be from exact ones.

    Parameters
    ----------
    num_steps
        Steps of the uniformised chain that were taken.
    missing_mass, missing_time
        The probability and the time (in the chain's unit) beyond the last step: the truncation.
    rounding
        Bound on the sum of absolute rounding errors of a row.
    """

    num_steps: int
    missing_mass: float
    missing_time: float
    rounding: float

    @property
    def row(self) -> float:
        """Bound on the sum of absolute errors of a normalised row."""
        return 2.0 * (self.missing_mass + self.rounding)


@dataclass(frozen=True, kw_only=True, eq=False)
class TransientRows(Frozen):
    """Where the chain is after `time`, and how long it moved before it was absorbed.

    While it moves, the chain is marked once, at a rate of its own (such as a delivery); "early"
    is what is not marked yet.

    Parameters
    ----------
    indptr, to
        CSR rows, one per start; shape (N + 1,) int64 and (entries,) int32.
    early, marked
        Shape (entries,): probabilities; a row of both sums to one.
    time_early, time_marked
        Shape (N,): expected time before absorption, not marked and marked.
    error
        What these numbers lack.
    """

    indptr: NDArray[np.int64]
    to: NDArray[np.int32]
    early: NDArray[np.float64]
    marked: NDArray[np.float64]
    time_early: NDArray[np.float64]
    time_marked: NDArray[np.float64]
    error: TransientError

    @property
    def rows(self) -> NDArray[np.int64]:
        """The start of each entry."""
        return np.repeat(np.arange(self.indptr.size - 1), np.diff(self.indptr))


def transient_rows(
    chain: ForwardChain,
    time: float,
    mark_rate: float = 0.0,
    *,
    tolerance: float = TOLERANCE,
    num_threads: int = 0,
) -> TransientRows:
    """Return the rows of `chain` after `time` by uniformisation (Jensen 1953), in the kernels.

    Every start is swept over the states it can reach alone. Nothing cancels, as all terms are
    at least 0.
    """
    threads = num_threads or default_num_threads()
    lengths = np.empty(chain.num_states, dtype=np.int64)
    parts = chain.indptr, chain.to, chain.rate
    _core.count_reachable(*parts, lengths, threads)
    indptr = np.concatenate([[0], np.cumsum(lengths)])
    to = np.empty(indptr[-1], dtype=np.int32)
    early, marked = np.empty((2, to.size))
    time_early, time_marked = np.empty((2, chain.num_states))
    found = _core.transient_rows(
        *parts,
        time,
        mark_rate,
        tolerance,
        indptr,
        to,
        early,
        marked,
        time_early,
        time_marked,
        threads,
    )
    return TransientRows(
        indptr=read_only(indptr),
        to=read_only(to),
        early=read_only(early),
        marked=read_only(marked),
        time_early=read_only(time_early),
        time_marked=read_only(time_marked),
        error=TransientError(
            num_steps=found[0],
            missing_mass=found[1],
            missing_time=found[2],
            rounding=found[3],
        ),
    )
