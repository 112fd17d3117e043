"""Backward sweeps over an epoch, with bounds: what the solvers iterate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from sparing import _core
from sparing.epoch import Epoch
from sparing.lowering import Lowering, Real, size_of

Value = NDArray[Any]  # [states], float32 or float64


@dataclass(frozen=True, kw_only=True, eq=False)
class Certificate:
    """What one exact sweep of a value V proves.

    Parameters
    ----------
    lower, upper
        Minimum and maximum of TV - V over all states, widened by the rounding error of TV.
    probe
        TV in the state asked for, as it was computed.
    rounding
        Bound on the rounding error of TV in any state.
    value
        TV [states], if it was kept.
    posts
        Per stage the post-decision state [states at its start] of the policy greedy to V.
    """

    lower: float
    upper: float
    probe: float
    rounding: float
    value: Value | None
    posts: tuple[NDArray[np.uint32], ...]


class Sweep(Protocol):
    """An iteration V <- TV - shift that measures the change of its state in every sweep."""

    name: str
    certify_consumes: bool  # whether a certificate with the policy overwrites the state
    relaxes: bool  # whether relaxed sweeps pay

    @property
    def state(self) -> Value:
        """The array that, saved and restored, continues to the identical result."""
        ...

    def load(self, value: Value | None) -> None:
        """Start from `value` (None: zero)."""
        ...

    def advance(
        self, num_sweeps: int, span_tol: float, shift: float, extra: float = 0.0
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
        """Sweep until the span is at most `span_tol`; return lower and upper per sweep, shift."""
        ...

    def value(self, shift: float) -> Value:
        """Return the value that the sweeps have come to [states]; the state is lost."""
        ...

    def certify(
        self, probe: int, shift: float, *, keep_value: bool, keep_policy: bool
    ) -> Certificate:
        """Measure TV - V over all states and take the greedy policy."""
        ...


RELAXED_FROM = 1 << 16  # states from which a sweep is worth its own call


class GeneralSweep:
    """Sweeps of any epoch that ends on the axes it starts from, node by node.

    Raises
    ------
    ValueError
        If the epoch ends on other axes, or on more post-decision states than 32 bits can number.
    """

    name = "general"
    certify_consumes = False

    def __init__(
        self, epoch: Epoch, weights: Mapping[str, float], *, dtype: Real, num_threads: int
    ) -> None:
        check_repeats(epoch)
        self._lowering = Lowering(epoch, weights, dtype=dtype, num_threads=num_threads)
        self._stages = [size_of(epoch.layouts[first]) for first, _ in epoch.stages]
        self._num_threads = num_threads
        self.state = np.zeros(epoch.num_states, dtype=dtype)
        self._next = np.empty_like(self.state)
        self.relaxes = epoch.num_states >= RELAXED_FROM

    def load(self, value: Value | None) -> None:
        """Start from `value` (None: zero)."""
        self.state[...] = 0.0 if value is None else value

    def advance(
        self, num_sweeps: int, span_tol: float, shift: float, extra: float = 0.0
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
        """Sweep until the span is at most `span_tol`; return lower and upper per sweep, shift."""
        ranges = []
        for _ in range(num_sweeps):
            self._lowering.program.run(self.state, self._next, [])
            lower, upper = _core.range_of_difference(self._next, self.state, self._num_threads)
            _core.subtract(self._next, shift, self._num_threads)
            if extra:
                self._next += extra * (self._next - self.state)
            self.state, self._next = self._next, self.state
            ranges.append((lower, upper))
            shift = (lower + upper) / 2.0
            if not upper - lower > span_tol:
                break
        lowers, uppers = np.array(ranges).T
        return lowers, uppers, shift

    def value(self, shift: float) -> Value:
        """Return the value that the sweeps have come to [states]; the state is lost."""
        return self.state

    def certify(
        self, probe: int, shift: float, *, keep_value: bool, keep_policy: bool
    ) -> Certificate:
        """Measure TV - V over all states and take the greedy policy."""
        posts = [np.empty(n, dtype=np.uint32) for n in self._stages] if keep_policy else []
        self._lowering.program.run(self.state, self._next, posts)
        lower, upper = _core.range_of_difference(self._next, self.state, self._num_threads)
        largest = float(np.abs(self.state).max())
        slack = self._lowering.rounding_error(largest)
        return Certificate(
            lower=lower - slack,
            upper=upper + slack,
            probe=float(self._next[probe]),
            rounding=slack,
            value=self._next.copy() if keep_value else None,
            posts=tuple(posts),
        )


def check_repeats(epoch: Epoch) -> None:
    """Raise unless `epoch` ends on the axes it starts from, so that it can follow itself."""
    start, end = ([(a.name, a.size) for a in axes] for axes in (epoch.axes, epoch.end_axes))
    if start != end:
        raise ValueError(
            f"an epoch that repeats must end on the axes it starts from; it starts on {start}"
            f" and ends on {end}."
        )
    for first, last in epoch.stages:
        if size_of(epoch.layouts[last]) > 2**32:
            raise ValueError(
                f"the stage of nodes {first} to {last - 1} ends on"
                f" {size_of(epoch.layouts[last])} states; a policy can number 2^32."
            )
