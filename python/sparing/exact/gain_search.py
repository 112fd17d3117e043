"""The search on the gain per unit of time: sweeps at one gain, then the next."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from sparing._threads import default_num_threads
from sparing.epoch import Epoch
from sparing.exact.checkpoint import Checkpoint
from sparing.exact.interrupts import PendingInterrupt
from sparing.exact.options import Options
from sparing.exact.progress import Progress, ProgressHook
from sparing.exact.semi_markov_solution import SemiMarkovSolution
from sparing.exact.sweeps import Certificate, GeneralSweep
from sparing.lowering import size_of
from sparing.model_error import ModelError
from sparing.nodes import Chance, Decision

DURATION = "duration"  # the kind of cost that is the length of an epoch
CLOSE = 0.1  # of the distance from 0 at which the gain for one g is known well enough to move g
MAX_GAINS = 50  # the secant needs half a dozen; more, and rounding is what keeps the bounds apart
PARALLEL_FROM = 1 << 20  # table entries of a sweep, riders counted
PATIENCE = 60  # sweeps without progress before the iteration is damped, and before it stops
PROGRESS = 0.999


@dataclass(frozen=True, kw_only=True)
class Position:
    """Where a search stands, next to the values of its sweep."""

    gain: float
    num_gains: int = 1
    num_sweeps: int = 0
    shift: float = 0.0  # about the gain per epoch of cost - g duration
    span: float = float("inf")
    best_span: float = float("inf")
    best_at: int = 0
    damped: bool = False
    previous: tuple[float, float] | None = None  # the last g and its shift


def _threads_that_pay(epoch: Epoch) -> int:
    """Return the threads for one sweep: a short one is quickest with one."""
    entries = 0
    for node, layout in zip(epoch.nodes, epoch.layouts[:-1], strict=True):
        if isinstance(node, Decision | Chance):
            entries += node.table.to.size * (size_of(layout) // node.table.num_rows)
    return default_num_threads() if entries >= PARALLEL_FROM else 1


class GainSearch:
    """One solve: sweeps at a gain, then the next gain, until the bounds are close.

    The arguments are those of `solve_semi_markov`, checked.
    """

    def __init__(
        self,
        epoch: Epoch,
        weights: Mapping[str, float],
        initial: tuple[int, ...],
        error: ModelError,
        options: Options,
        progress: ProgressHook | None,
    ) -> None:
        self.epoch, self.weights, self.initial = epoch, weights, initial
        self.error, self.options, self.progress = error, options, progress
        self.num_threads = options.num_threads or _threads_that_pay(epoch)
        self.probe = int(np.ravel_multi_index(initial, epoch.shape)) if epoch.axes else 0
        self.checkpoint: Checkpoint | None = None
        self.started = self.saved_at = time.monotonic()
        self.pending = PendingInterrupt()
        self.shortest, self.longest = self._durations()
        self.batch = int(np.clip(2**22 // epoch.num_states, 1, 16))

    def _sweep(self, gain: float) -> GeneralSweep:
        """Return the sweep of cost - gain duration."""
        return GeneralSweep(
            self.epoch, self._weights(gain), dtype=np.float64, num_threads=self.num_threads
        )

    def _weights(self, gain: float) -> dict[str, float]:
        return {**self.weights, DURATION: self.weights.get(DURATION, 0.0) - gain}

    def _durations(self) -> tuple[float, float]:
        """Return bounds on the expected length of an epoch, from one sweep of each sign."""
        bounds = []
        for sign in (1.0, -1.0):
            sweep = GeneralSweep(
                self.epoch, {DURATION: sign}, dtype=np.float64, num_threads=self.num_threads
            )
            found = sweep.certify(0, 0.0, keep_value=False, keep_policy=False)
            bounds.append(found.lower - self.error.cost.get(DURATION, 0.0))
        shortest, longest = bounds[0], -bounds[1]
        if not (shortest > 0.0 and np.isfinite(longest)):
            raise ValueError(
                "every epoch must be expected to last longer than 0 and not for ever; the"
                f" shortest lasts {shortest:g}, the longest {longest:g}."
            )
        return shortest, longest

    def solve(self, position: Position) -> SemiMarkovSolution:
        """Search from `position`, or from where a checkpoint stands."""
        saved = self.checkpoint.load() if self.checkpoint else None
        value = None
        if saved is not None:
            position, value = saved
        sweep = self._sweep(position.gain)
        sweep.load(value)
        while True:
            position = self._settle(sweep, position)
            certificate = self._certify(sweep, position, last=False)
            low, high = self._bounds(certificate, position.gain)
            if high - low <= self._tol(position.gain) or self._is_over(position):
                break
            position = self._next_gain(position)
            state = sweep.state
            sweep = self._sweep(position.gain)
            sweep.load(state)
        certificate = self._certify(sweep, position, last=True)
        if self.checkpoint is not None:
            self.checkpoint.clear()
        return self._solution(position, certificate)

    def _settle(self, sweep: GeneralSweep, position: Position) -> Position:
        """Sweep at one gain until its distance from the best one is clear, or too small to see."""
        while not self._is_settled(position) and not self._is_over(position):
            position = self._advance(sweep, position)
        return position

    def _is_settled(self, position: Position) -> bool:
        enough = 0.4 * self._tol(position.gain) * self.shortest
        return position.span <= max(CLOSE * abs(position.shift), enough)

    def _advance(self, sweep: GeneralSweep, position: Position) -> Position:
        count = 1 if position.damped else self.batch
        count = min(count, self.options.max_sweeps - position.num_sweeps)
        before = sweep.state.copy() if position.damped else None
        enough = 0.4 * self._tol(position.gain) * self.shortest
        lowers, uppers, shift = sweep.advance(count, enough, position.shift)
        span, num_sweeps = float(uppers[-1] - lowers[-1]), position.num_sweeps + len(lowers)
        if not np.isfinite(span):
            raise FloatingPointError(f"the values are no longer finite: {lowers}, {uppers}.")
        position = replace(position, num_sweeps=num_sweeps, shift=shift, span=span)
        if before is not None and not self._is_settled(position):
            sweep.state[...] = (before + sweep.state) / 2  # the aperiodicity transformation
        if span < PROGRESS * position.best_span:
            position = replace(position, best_span=span, best_at=num_sweeps)
        elif num_sweeps - position.best_at >= PATIENCE and not position.damped:
            position = replace(position, damped=True, best_at=num_sweeps)
        self._report(position, float(lowers[-1]), float(uppers[-1]))
        self._save(sweep, position)
        return position

    def _next_gain(self, position: Position) -> Position:
        """Move the gain by a secant step, or by a cautious one from the first."""
        duration = self.longest
        if position.previous is not None and position.previous[0] != position.gain:
            gain, shift = position.previous
            slope = (position.shift - shift) / (position.gain - gain)
            duration = float(np.clip(-slope, self.shortest, self.longest))
        following = position.gain + position.shift / duration
        if following == position.gain:  # nothing to move: only sweeps can help
            return replace(position, span=float("inf"))
        return replace(
            position,
            gain=following,
            num_gains=position.num_gains + 1,
            shift=0.0,
            span=float("inf"),
            best_span=float("inf"),
            best_at=position.num_sweeps,
            previous=(position.gain, position.shift),
        )

    def _certify(self, sweep: GeneralSweep, position: Position, *, last: bool) -> Certificate:
        keep = self.options
        found = sweep.certify(
            self.probe,
            position.shift,
            keep_value=last and keep.keep_value,
            keep_policy=last and keep.keep_policy,
        )
        span = float(np.ptp(sweep.state))
        slack = self.error.of_sweep(span, self._weights(position.gain))
        return replace(found, lower=found.lower - slack, upper=found.upper + slack)

    def _bounds(self, found: Certificate, gain: float) -> tuple[float, float]:
        """Return the bounds of the gain per unit of time that TV - V proves."""
        low = found.lower / (self.longest if found.lower >= 0.0 else self.shortest)
        high = found.upper / (self.shortest if found.upper >= 0.0 else self.longest)
        unit = 4.0 * float(np.finfo(np.float64).eps)
        return (
            gain + low - unit * (abs(gain) + abs(low)),
            gain + high + unit * (abs(gain) + abs(high)),
        )

    def _tol(self, gain: float) -> float:
        return max(self.options.tol, self.options.relative_tol * abs(gain))

    def _is_over(self, position: Position) -> bool:
        stalled = position.damped and position.num_sweeps - position.best_at >= PATIENCE
        used_up = position.num_sweeps >= self.options.max_sweeps
        return stalled or used_up or position.num_gains >= MAX_GAINS

    def _report(self, position: Position, lower: float, upper: float) -> None:
        if self.progress is None:
            return
        low, high = (x / self.shortest for x in (min(lower, 0.0), max(upper, 0.0)))
        self.progress(
            Progress(
                num_sweeps=position.num_sweeps,
                lower=position.gain + low,
                upper=position.gain + high,
                tol=self._tol(position.gain),
                seconds=time.monotonic() - self.started,
                note=f"gain {position.num_gains}" + (", damped" if position.damped else ""),
            )
        )

    def _save(self, sweep: GeneralSweep, position: Position) -> None:
        due = time.monotonic() - self.saved_at
        if self.checkpoint is not None and (
            self.pending.requested or due >= self.checkpoint.every_s
        ):
            self.checkpoint.save(position, sweep.state)
            self.saved_at = time.monotonic()
        if self.pending.requested:
            raise KeyboardInterrupt

    def _solution(self, position: Position, found: Certificate) -> SemiMarkovSolution:
        lower, upper = self._bounds(found, position.gain)
        converged = upper - lower <= self._tol(position.gain)
        value = None
        if found.value is not None:
            value = found.value.reshape(self.epoch.shape)
            value = value - value.flat[self.probe]
        return SemiMarkovSolution(
            epoch=self.epoch,
            criterion="average",
            lower=lower,
            upper=upper,
            initial=self.initial,
            posts=found.posts,
            value=value,
            value_slack=0.0,
            num_sweeps=position.num_sweeps,
            seconds=time.monotonic() - self.started,
            converged=converged,
            message="" if converged else self._reason(position, upper - lower),
            dtype="float64",
            path="general",
            num_gains=position.num_gains,
            shortest=self.shortest,
            longest=self.longest,
        )

    def _reason(self, position: Position, gap: float) -> str:
        if position.num_sweeps >= self.options.max_sweeps:
            return f"Stopped at max_sweeps = {self.options.max_sweeps} with a gap of {gap:.3g}."
        return (
            f"Stopped with a gap of {gap:.3g} as the bounds came no closer: the precision is used"
            " up, or the gain differs between states (several recurrent classes)."
        )
