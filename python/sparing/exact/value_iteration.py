"""Value iteration with certified bounds: discounted and long-run average cost."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from sparing.epoch import Epoch
from sparing.exact.checkpoint import Checkpoint, Position, fingerprint
from sparing.exact.engine import check_memory, make_sweep
from sparing.exact.interrupts import PendingInterrupt, deferred_interrupt
from sparing.exact.options import (
    Criterion,
    Options,
    Precision,
    check_criterion,
    check_state,
    checked_weights,
)
from sparing.exact.progress import Progress, ProgressHook
from sparing.exact.relaxation import Relaxation
from sparing.exact.solution import Solution
from sparing.exact.sweeps import Certificate, Sweep, Value

__all__ = ["Criterion", "Options", "Precision", "value_iteration"]

PATIENCE = 200  # sweeps without progress before the iteration is damped, and before it stops
PROGRESS = 0.999  # a gap that is not below this share of the best one is none
BATCH_STATES = 1 << 22  # about as many states are swept in a batch
CAUTIOUS_AIM = 0.5  # where a certificate that fails costs the state, which has to be made again
DRAFT_ROUNDINGS = 64  # of the largest value: below that a float32 draft learns little
LEAST_AIM = 0.1  # below this share of the wanted gap it is the rounding that is too wide


def value_iteration(
    epoch: Epoch,
    weights: Mapping[str, float] | None = None,
    *,
    criterion: Criterion = "average",
    initial: tuple[int, ...] | None = None,
    options: Options | None = None,
    progress: ProgressHook | None = None,
    checkpoint_dir: Path | None = None,
) -> Solution:
    """Solve an epoch that repeats for ever.

    Stops when the certified bounds of the objective are at most ``tol`` apart: the gain lies in
    [min, max] of TV - V (Odoni 1969; Puterman 2005, theorem 8.5.5), a discounted value in
    TV + discount / (1 - discount) [min, max] (MacQueen 1966). Both hold after any sweep. If the
    bounds do not come closer (a periodic chain), the iteration is damped; if that does not help
    (several recurrent classes, or the precision is used up), it stops and says so.

    Parameters
    ----------
    epoch
        Must end on the axes it starts from.
    weights
        Weight per kind of cost in the objective; default 1 for each.
    criterion
        ``"discounted"`` needs an epoch with discount < 1, ``"average"`` one with discount 1.
    initial
        The state [axes] whose value is the objective; default all zeros.
    progress
        Called after each batch of sweeps.
    checkpoint_dir
        Where to save the state now and then, and when interrupted by Ctrl-C; a saved state of
        the same problem and options is taken up, and the result is the identical one.

    Raises
    ------
    KeyboardInterrupt
        After the batch of sweeps that was running when Ctrl-C came, with the state saved.
    ValueError
        If criterion and discount do not fit, `weights` names an unknown kind, or `initial` is
        no state.
    """
    options = options or Options()
    weights = checked_weights(epoch, weights)
    check_criterion(epoch, criterion)
    first = tuple(initial) if initial is not None else (0,) * len(epoch.axes)
    check_state(epoch, first)
    run = _Run(epoch, weights, criterion, first, options, progress, checkpoint_dir)
    with deferred_interrupt() as run.pending:
        return run.solve()


class _Run:
    """One solve: sweeps, certificates, checkpoints."""

    def __init__(
        self,
        epoch: Epoch,
        weights: Mapping[str, float],
        criterion: Criterion,
        initial: tuple[int, ...],
        options: Options,
        progress: ProgressHook | None,
        checkpoint_dir: Path | None,
    ) -> None:
        self.epoch, self.weights, self.criterion = epoch, weights, criterion
        self.options, self.progress, self.initial = options, progress, initial
        what = f"a solve of {epoch.num_states:,} states"
        check_memory(2 * epoch.num_states * (8 if options.dtype == "float64" else 4), what)
        self.probe = int(np.ravel_multi_index(initial, epoch.shape)) if epoch.axes else 0
        discount = epoch.discount
        self.scale = 1.0 if criterion == "average" else discount / (1.0 - discount)
        self.horizon = 1.0 if criterion == "average" else 1.0 / (1.0 - discount)
        self.checkpoint = None
        if checkpoint_dir is not None:
            same = replace(options, num_threads=0)  # the threads do not change the result
            key = fingerprint(epoch, weights, criterion=criterion, options=same)
            self.checkpoint = Checkpoint(directory=checkpoint_dir, key=key)
        # A batch is a fixed number of sweeps, so that cutting a run never changes its numbers.
        self.batch = int(np.clip(BATCH_STATES // epoch.num_states, 1, 64))
        self.started = self.saved_at = time.monotonic()
        self.pending = PendingInterrupt()

    def solve(self) -> Solution:
        """Sweep in the first precision and, if mixed, go on in float64."""
        first_dtype = "float32" if self.options.dtype == "mixed" else self.options.dtype
        position = Position(dtype=first_dtype)
        saved = self.checkpoint.load() if self.checkpoint else None
        if saved is not None:
            position = saved[0]
        sweep = self._sweep(position.dtype)
        sweep.load(None)
        if saved is not None:
            sweep.state[...] = saved[1]
            del saved
        if self._is_draft(position):
            position = self._sweep_draft(sweep, position)
            draft = sweep.state.copy()
            del sweep  # before the next one needs its memory
            sweep = self._sweep("float64")
            sweep.state[...] = draft
            del draft
            position = Position(
                num_sweeps=position.num_sweeps,
                dtype="float64",
                shift=position.shift,
            )
        position, certificate = self._converge(sweep, position)
        if self.checkpoint is not None:
            self.checkpoint.clear()
        return self._solution(position, certificate, sweep)

    def _sweep(self, dtype: str) -> Sweep:
        real = np.float32 if dtype == "float32" else np.float64
        return make_sweep(
            self.epoch,
            self.weights,
            dtype=real,
            num_threads=self.options.num_threads,
            path=self.options.path,
        )

    def _converge(self, sweep: Sweep, position: Position) -> tuple[Position, Certificate]:
        """Sweep until a certificate is as tight as asked, or nothing more is to be gained."""
        if sweep.certify_consumes:  # an estimate that is surely good enough is worth a sweep
            position = replace(position, aim=min(position.aim, CAUTIOUS_AIM))
        while True:
            position = self._sweep_until_close(sweep, position)
            certificate = self._certificate(sweep, position)
            gap = self.scale * (certificate.upper - certificate.lower)
            if self.criterion == "discounted":
                gap += 2.0 * certificate.rounding
            if gap <= self._tol(position.shift) or self._is_over(position):
                return position, certificate
            # The estimate was too good: rounding, or states that are not watched.
            aim = position.aim / 2.0
            if sweep.certify_consumes:
                if 2.0 * self.scale * certificate.rounding > self._tol(position.shift):
                    return position, certificate
                sweep.load(None)
                position = Position(num_sweeps=position.num_sweeps, dtype=position.dtype)
            position = replace(position, aim=aim)

    def _sweep_draft(self, sweep: Sweep, position: Position) -> Position:
        """Sweep in float32 until rounding is about to hide what a sweep changes."""
        while not (self._is_over(position) or self._is_draft_good(sweep, position)):
            position = self._advance(sweep, position)
        return position

    def _is_draft_good(self, sweep: Sweep, position: Position) -> bool:
        some = sweep.state[:: max(1, sweep.state.size >> 16)]  # its magnitude is all that matters
        largest = float(np.abs(some).max())
        rounding = DRAFT_ROUNDINGS * float(np.finfo(np.float32).eps) * largest * self.scale
        return position.gap <= max(rounding, self._tol(position.shift))

    def _sweep_until_close(self, sweep: Sweep, position: Position) -> Position:
        def gap() -> float:
            # A certificate is a sweep further on; where it costs the state nothing is taken for
            # granted.
            return position.gap if sweep.certify_consumes else position.expected_gap

        while gap() > position.aim * self._tol(position.shift):
            if self._is_over(position):
                break
            position = self._advance(sweep, position)
        return position

    def _advance(self, sweep: Sweep, position: Position) -> Position:
        """Do one batch of sweeps and return where it ended."""
        before = sweep.state.copy() if position.damped else None
        count = 1 if position.damped or sweep.relaxes else self.batch
        count = min(count, self.options.max_sweeps - position.num_sweeps)
        span_tol = position.aim * self._tol(position.shift) / self.scale
        relaxation = position.relaxation
        lowers, uppers, shift = sweep.advance(count, span_tol, position.shift, relaxation.extra)
        lower, upper = float(lowers[-1]), float(uppers[-1])
        if not np.isfinite(upper - lower):
            raise FloatingPointError(f"the values are no longer finite: [{lower}, {upper}].")
        gap, num_sweeps = self.scale * (upper - lower), position.num_sweeps + len(lowers)
        last = self.scale * float(uppers[-2] - lowers[-2]) if len(lowers) > 1 else position.gap
        rate = gap / last if gap < last < np.inf else 1.0
        if relaxation.extra != 0.0:
            rate = relaxation.rate
        expected_gap = gap if position.damped else gap * rate
        if sweep.relaxes and before is None:
            relaxation = relaxation.after(gap)
        position = replace(
            position,
            num_sweeps=num_sweeps,
            shift=shift,
            gap=gap,
            expected_gap=expected_gap,
            relaxation=relaxation if before is None else Relaxation(),
        )
        if before is not None and gap > position.aim * self._tol(shift):
            sweep.state[...] = (before + sweep.state) / 2  # the aperiodicity transformation
        if gap < PROGRESS * position.best_gap:
            position = replace(position, best_gap=gap, best_at=num_sweeps)
        elif self._has_stalled(position) and not (position.damped or self._is_draft(position)):
            position = replace(position, damped=True, best_at=num_sweeps)
        self._report(position, lower, upper)
        self._save(sweep, position)
        return position

    def _tol(self, gain: float) -> float:
        """Return the wanted distance of the bounds, when the gain per epoch is about `gain`."""
        return max(self.options.tol, self.options.relative_tol * abs(gain) * self.horizon)

    def _is_draft(self, position: Position) -> bool:
        """Whether this is the float32 part of a mixed solve, which needs no certificate."""
        return position.dtype != self.options.dtype and position.dtype == "float32"

    def _patience(self, position: Position) -> int:
        if self._is_draft(position):
            return PATIENCE // 40
        return PATIENCE if position.dtype == "float64" else PATIENCE // 10

    def _is_over(self, position: Position) -> bool:
        if position.num_sweeps >= self.options.max_sweeps or position.aim < LEAST_AIM:
            return True
        return self._has_stalled(position) and (position.damped or self._is_draft(position))

    def _has_stalled(self, position: Position) -> bool:
        """Whether the bounds have not come closer for as long as one should be patient."""
        return position.num_sweeps - position.best_at >= self._patience(position)

    def _certificate(self, sweep: Sweep, position: Position) -> Certificate:
        return sweep.certify(
            self.probe,
            position.shift,
            keep_value=self.options.keep_value,
            keep_policy=self.options.keep_policy,
        )

    def _report(self, position: Position, lower: float, upper: float) -> None:
        if self.progress is None:
            return
        self.progress(
            Progress(
                num_sweeps=position.num_sweeps,
                lower=lower * self.horizon,
                upper=upper * self.horizon,
                tol=self._tol(position.shift),
                seconds=time.monotonic() - self.started,
                note="damped" if position.damped else "",
            )
        )

    def _save(self, sweep: Sweep, position: Position) -> None:
        due = time.monotonic() - self.saved_at
        checkpoint = self.checkpoint
        if checkpoint is not None and (self.pending.requested or due >= checkpoint.every_s):
            checkpoint.save(position, sweep.state)
            self.saved_at = time.monotonic()
        if self.pending.requested:
            raise KeyboardInterrupt

    def _solution(self, position: Position, certificate: Certificate, sweep: Sweep) -> Solution:
        low, high = self.scale * certificate.lower, self.scale * certificate.upper
        offset = 0.0
        if self.criterion == "discounted":
            offset, low, high = (
                certificate.probe,
                low - certificate.rounding,
                high + certificate.rounding,
            )
        lower, upper = offset + low, offset + high
        gain = (certificate.lower + certificate.upper) / 2.0
        converged = upper - lower <= self._tol(gain)
        value, slack = self._value(certificate, low, high)
        return Solution(
            epoch=self.epoch,
            criterion=self.criterion,
            lower=lower,
            upper=upper,
            initial=self.initial,
            posts=certificate.posts,
            value=value,
            value_slack=slack,
            num_sweeps=position.num_sweeps,
            seconds=time.monotonic() - self.started,
            converged=converged,
            message="" if converged else self._reason(position, upper - lower),
            dtype=self.options.dtype,
            path=sweep.name,
        )

    def _value(
        self, certificate: Certificate, low: float, high: float
    ) -> tuple[Value | None, float]:
        """Return the value in the shape of the epoch, and how far off it can be."""
        if certificate.value is None:
            return None, 0.0
        value = certificate.value.reshape(self.epoch.shape)
        if self.criterion == "average":
            return value - value.flat[self.probe], 0.0
        value = value + value.dtype.type((low + high) / 2.0)
        rounded = float(np.finfo(value.dtype).eps) * float(np.abs(value).max())
        return value, (high - low) / 2.0 + rounded

    def _reason(self, position: Position, gap: float) -> str:
        """Say why the bounds are no closer."""
        if position.num_sweeps >= self.options.max_sweeps:
            return f"Stopped at max_sweeps = {self.options.max_sweeps} with a gap of {gap:.3g}."
        causes = (
            "the precision of float32 is used up"
            if position.dtype == "float32"
            else (
                "the precision is used up, or the gain differs between states (several recurrent"
                " classes) and the bounds are those of the smallest and the largest gain"
            )
        )
        return f"Stopped with a gap of {gap:.3g} as the bounds came no closer: {causes}."
