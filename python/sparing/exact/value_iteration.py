"""Value iteration with certified bounds: discounted and long-run average cost."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from sparing._threads import default_num_threads
from sparing.epoch import Epoch
from sparing.exact.checkpoint import Checkpoint, Position, fingerprint
from sparing.exact.engine import make_sweep
from sparing.exact.interrupts import deferred_interrupt
from sparing.exact.progress import Progress, ProgressHook
from sparing.exact.solution import Solution
from sparing.exact.sweeps import Certificate, Sweep

Criterion = Literal["average", "discounted"]
Precision = Literal["float64", "float32", "mixed"]

PATIENCE = 200  # sweeps without progress before the iteration is damped, and before it stops


@dataclass(frozen=True, kw_only=True)
class Options:
    """When to stop, and in which precision.

    Parameters
    ----------
    tol
        Wanted distance of the bounds of the objective, in the units of the costs.
    relative_tol
        Wanted distance as a share of the objective; the larger of the two is aimed at.
    max_sweeps
        Sweeps after which to stop without having converged.
    dtype
        ``"mixed"`` sweeps in float32 as far as that carries and finishes in float64.
    num_threads
        0: all processors. The result does not depend on it.
    keep_value, keep_policy
        Whether the solution holds the value tensor and the policy.
    path
        ``"auto"``, or ``"general"`` to keep the engine from taking a fast path.
    """

    tol: float = 1e-6
    relative_tol: float = 0.0
    max_sweeps: int = 100_000
    dtype: Precision = "float64"
    num_threads: int = 0
    keep_value: bool = True
    keep_policy: bool = True
    path: Literal["auto", "general"] = "auto"

    def __post_init__(self) -> None:
        if not self.tol > 0.0:
            raise ValueError(f"tol must be > 0; got {self.tol}.")
        if not self.relative_tol >= 0.0:
            raise ValueError(f"relative_tol must be >= 0; got {self.relative_tol}.")
        if not self.max_sweeps >= 1:
            raise ValueError(f"max_sweeps must be at least 1; got {self.max_sweeps}.")
        if not self.num_threads >= 0:
            raise ValueError(f"num_threads must be at least 0; got {self.num_threads}.")
        if self.dtype not in ("float64", "float32", "mixed"):
            raise ValueError(f"dtype must be float64, float32 or mixed; got {self.dtype!r}.")


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
        Where to save the state now and then, and on Ctrl-C; a saved state of the same problem is
        taken up.

    Raises
    ------
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
    with deferred_interrupt(defer=checkpoint_dir is not None) as run.interrupted:
        return run.solve()


def checked_weights(epoch: Epoch, weights: Mapping[str, float] | None) -> dict[str, float]:
    """Return the weight of each kind, or raise if `weights` names a kind that does not occur."""
    if weights is None:
        return dict.fromkeys(epoch.kinds, 1.0)
    for kind, weight in weights.items():
        if kind not in epoch.kinds:
            raise ValueError(f"weights: no cost of kind {kind!r}; kinds: {list(epoch.kinds)}.")
        if not np.isfinite(weight):
            raise ValueError(f"weights: the weight of {kind!r} must be finite; got {weight}.")
    return dict(weights)


def check_criterion(epoch: Epoch, criterion: str) -> None:
    """Raise unless `criterion` fits the epoch's discount."""
    if criterion not in ("average", "discounted"):
        raise ValueError(f"criterion must be 'average' or 'discounted'; got {criterion!r}.")
    if criterion == "discounted" and not epoch.discount < 1.0:
        raise ValueError(f"a discounted solve needs a discount below 1; got {epoch.discount}.")
    if criterion == "average" and epoch.discount != 1.0:
        raise ValueError(f"an average-cost solve needs discount 1; got {epoch.discount}.")


def check_state(epoch: Epoch, state: tuple[int, ...]) -> None:
    """Raise unless `state` [axes] is a state of `epoch`, naming the axis."""
    if len(state) != len(epoch.axes):
        raise ValueError(
            f"a state has {len(epoch.axes)} numbers, one per axis"
            f" {[a.name for a in epoch.axes]}; got {state}."
        )
    for axis, index in zip(epoch.axes, state, strict=True):
        if not (isinstance(index, int | np.integer) and 0 <= index < axis.size):
            raise ValueError(
                f"state {axis.name} = {index!r} is out of range; it must be an integer from 0 to"
                f" {axis.size - 1}."
            )


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
        self.probe = int(np.ravel_multi_index(initial, epoch.shape)) if epoch.axes else 0
        discount = epoch.discount
        self.scale = 1.0 if criterion == "average" else discount / (1.0 - discount)
        self.horizon = 1.0 if criterion == "average" else 1.0 / (1.0 - discount)
        self.checkpoint = None
        if checkpoint_dir is not None:
            key = fingerprint(epoch, weights, criterion=criterion, options=options)
            self.checkpoint = Checkpoint(directory=checkpoint_dir, key=key)
        self.interrupted: Callable[[], bool] = lambda: False
        # A batch is a fixed number of sweeps, so that cutting a run never changes its numbers.
        self.batch = int(np.clip(2**22 // epoch.num_states, 1, 64))
        self.started = self.saved_at = time.monotonic()

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
        position, certificate = self._converge(sweep, position)
        left = position.num_sweeps < self.options.max_sweeps
        if position.dtype == "float32" and self.options.dtype == "mixed" and left:
            value = sweep.certify(0, keep_value=True, keep_policy=False).value
            sweep = self._sweep("float64")
            sweep.load(value)
            position = Position(num_sweeps=position.num_sweeps, dtype="float64")
            position, certificate = self._converge(sweep, position)
        if self.interrupted():
            raise KeyboardInterrupt
        if self.checkpoint is not None:
            self.checkpoint.clear()
        return self._solution(position, certificate, sweep)

    def _sweep(self, dtype: str) -> Sweep:
        real = np.float32 if dtype == "float32" else np.float64
        threads = self.options.num_threads or default_num_threads()
        return make_sweep(
            self.epoch, self.weights, dtype=real, num_threads=threads, path=self.options.path
        )

    def _converge(self, sweep: Sweep, position: Position) -> tuple[Position, Certificate]:
        """Sweep until a certificate is as tight as asked, or nothing more is to be gained."""
        while True:
            position, gap, tol = self._advance(sweep, position)
            over = self._is_over(position)
            if gap > position.aim * tol and not over:
                self._save(sweep, position)  # only where sweeps go on, so that none is added
                continue
            certificate = self._certificate(sweep)
            done = self.scale * (certificate.upper - certificate.lower) <= tol
            if done or over:
                return position, certificate
            # The estimate was too good: rounding, or tiles that are not watched.
            position = replace(position, aim=position.aim * 0.5)

    def _advance(self, sweep: Sweep, position: Position) -> tuple[Position, float, float]:
        """Do one batch of sweeps; return where it ended, the gap there and the gap wanted."""
        before = sweep.state.copy() if position.damped else None
        count = 1 if position.damped else self.batch
        count = min(count, self.options.max_sweeps - position.num_sweeps)
        span_tol = position.aim * self._tol(position.shift) / self.scale
        lowers, uppers, shift = sweep.advance(count, span_tol, position.shift)
        lower, upper = float(lowers[-1]), float(uppers[-1])
        if not np.isfinite(upper - lower):
            raise FloatingPointError(f"the values are no longer finite: [{lower}, {upper}].")
        gap, num_sweeps = self.scale * (upper - lower), position.num_sweeps + len(lowers)
        tol = self._tol(shift)
        if before is not None and gap > position.aim * tol:  # the aperiodicity transformation
            sweep.state[...] = (before + sweep.state) / 2
        position = replace(position, num_sweeps=num_sweeps, shift=shift)
        if gap < 0.9 * position.best_gap:
            position = replace(position, best_gap=gap, best_at=num_sweeps)
        elif num_sweeps - position.best_at >= self._patience(position) and not position.damped:
            position = replace(position, damped=True, best_at=num_sweeps)
        self._report(position, lower, upper, tol)
        return position, gap, tol

    def _tol(self, gain: float) -> float:
        """Return the wanted distance of the bounds, when the gain per epoch is about `gain`."""
        return max(self.options.tol, self.options.relative_tol * abs(gain) * self.horizon)

    def _patience(self, position: Position) -> int:
        return PATIENCE if position.dtype == "float64" else PATIENCE // 10

    def _is_over(self, position: Position) -> bool:
        stalled = position.num_sweeps - position.best_at >= self._patience(position)
        return position.num_sweeps >= self.options.max_sweeps or (position.damped and stalled)

    def _certificate(self, sweep: Sweep) -> Certificate:
        return sweep.certify(
            self.probe, keep_value=self.options.keep_value, keep_policy=self.options.keep_policy
        )

    def _report(self, position: Position, lower: float, upper: float, tol: float) -> None:
        if self.progress is None:
            return
        self.progress(
            Progress(
                num_sweeps=position.num_sweeps,
                lower=lower * self.horizon,
                upper=upper * self.horizon,
                tol=tol,
                seconds=time.monotonic() - self.started,
                note="damped" if position.damped else "",
            )
        )

    def _save(self, sweep: Sweep, position: Position) -> None:
        if self.checkpoint is None:
            return
        interrupted = self.interrupted()
        if interrupted or time.monotonic() - self.saved_at >= self.checkpoint.every_s:
            self.checkpoint.save(position, sweep.state)
            self.saved_at = time.monotonic()
        if interrupted:
            raise KeyboardInterrupt

    def _solution(self, position: Position, certificate: Certificate, sweep: Sweep) -> Solution:
        low, high = self.scale * certificate.lower, self.scale * certificate.upper
        offset = 0.0 if self.criterion == "average" else certificate.probe
        lower, upper = offset + low, offset + high
        gain = (certificate.lower + certificate.upper) / 2.0
        converged = upper - lower <= self._tol(gain)
        value, slack = certificate.value, 0.0
        if value is not None:
            value = value.reshape(self.epoch.shape)
            if self.criterion == "discounted":
                value, slack = value + value.dtype.type((low + high) / 2.0), (high - low) / 2.0
            else:
                value = value - value.flat[self.probe]
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
