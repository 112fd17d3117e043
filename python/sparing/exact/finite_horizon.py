"""Finite horizon: one epoch per period, solved backward."""

from __future__ import annotations

import hashlib
import itertools
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sparing._threads import default_num_threads
from sparing.epoch import Epoch
from sparing.exact.checkpoint import Checkpoint, Position, fingerprint
from sparing.exact.engine import check_memory, general_bytes
from sparing.exact.options import check_state
from sparing.exact.progress import Progress, ProgressHook
from sparing.lowering import Lowering, Real, size_of


@dataclass(frozen=True, kw_only=True, eq=False)
class FiniteHorizonSolution:
    """The optimal cost over the periods, with ``lower <= optimum <= cost of the policy <= upper``.

    Parameters
    ----------
    lower, upper
        Bounds of the value of `initial`; they differ by what rounding can hide.
    value
        Shape of the first epoch: the value at the start of period 0.
    posts
        Per period and stage the post-decision states, or memory maps of them; empty if not kept.
    """

    epochs: tuple[Epoch, ...]
    lower: float
    upper: float
    initial: tuple[int, ...]
    value: NDArray[Any]
    posts: tuple[tuple[NDArray[np.uint32], ...], ...]
    seconds: float

    @property
    def objective(self) -> float:
        """The middle of the bounds."""
        return (self.lower + self.upper) / 2.0


def finite_horizon(
    epochs: Sequence[Epoch],
    weights: Mapping[str, float] | None = None,
    *,
    terminal: ArrayLike | None = None,
    initial: tuple[int, ...] | None = None,
    dtype: Real = np.float64,
    num_threads: int = 0,
    keep_policy: bool = True,
    policy_dir: Path | None = None,
    checkpoint_dir: Path | None = None,
    progress: ProgressHook | None = None,
) -> FiniteHorizonSolution:
    """Solve periods 0, 1, ... by backward induction (Puterman 2005, sec. 4.5).

    Parameters
    ----------
    epochs
        One per period, in time order; the same object may stand for several periods. Each ends
        on the axes that the next one starts from.
    weights
        Weight per kind of cost; default 1 each.
    terminal
        Value behind the last period, shape of its end axes; default 0.
    policy_dir
        Where to stream the policy, a file per period and stage; needed for `checkpoint_dir` if
        the policy is kept, so that a resumed solve has all of it.

    Raises
    ------
    ValueError
        If the epochs do not follow one another, or `initial` or `terminal` does not fit.
    """
    if not epochs:
        raise ValueError("a finite horizon needs at least one epoch.")
    for period, (epoch, after) in enumerate(itertools.pairwise(epochs)):
        if [(a.name, a.size) for a in epoch.end_axes] != [(a.name, a.size) for a in after.axes]:
            raise ValueError(f"period {period} ends on other axes than period {period + 1} starts.")
    if checkpoint_dir is not None and keep_policy and policy_dir is None:
        raise ValueError("a checkpoint of a solve that keeps its policy needs a policy_dir.")
    first = tuple(initial) if initial is not None else (0,) * len(epochs[0].axes)
    check_state(epochs[0], first)
    run = _Backward(
        tuple(epochs), weights, dtype, num_threads, keep_policy, policy_dir, checkpoint_dir
    )
    return run.solve(terminal, first, progress)


class _Backward:
    def __init__(
        self,
        epochs: tuple[Epoch, ...],
        weights: Mapping[str, float] | None,
        dtype: Real,
        num_threads: int,
        keep_policy: bool,
        policy_dir: Path | None,
        checkpoint_dir: Path | None,
    ) -> None:
        self.epochs, self.dtype = epochs, dtype
        self.num_threads = num_threads or default_num_threads()
        self.keep_policy, self.policy_dir = keep_policy, policy_dir
        kinds = dict.fromkeys(kind for epoch in epochs for kind in epoch.kinds)
        self.weights = dict.fromkeys(kinds, 1.0) if weights is None else dict(weights)
        for kind in self.weights:
            if kind not in kinds:
                raise ValueError(f"weights: no cost of kind {kind!r}; kinds: {list(kinds)}.")
        largest = max(general_bytes(epoch, dtype) for epoch in epochs)
        check_memory(largest, f"a period of {max(e.num_states for e in epochs):,} states")
        self.posts: list[tuple[NDArray[np.uint32], ...]] = [()] * len(epochs)
        self._lowered: tuple[Epoch, Lowering] | None = None
        self.checkpoint_dir = checkpoint_dir
        self.checkpoint: Checkpoint | None = None

    def _key(self, terminal: NDArray[Any]) -> str:
        """Return what tells this solve from others: the periods in order and the value behind."""
        keys = {
            id(epoch): fingerprint(epoch, self.weights, dtype=self.dtype.__name__)
            for epoch in self.epochs
        }
        digest = hashlib.sha256(terminal.tobytes())
        for epoch in self.epochs:
            digest.update(keys[id(epoch)].encode())
        return digest.hexdigest()

    def solve(
        self, terminal: ArrayLike | None, initial: tuple[int, ...], progress: ProgressHook | None
    ) -> FiniteHorizonSolution:
        started = saved_at = time.monotonic()
        value, slack, done = self._terminal(terminal), 0.0, 0
        if self.checkpoint_dir is not None:
            self.checkpoint = Checkpoint(directory=self.checkpoint_dir, key=self._key(value))
        saved = self.checkpoint.load() if self.checkpoint else None
        if saved is not None:
            value, slack, done = np.array(saved[1]), saved[0].shift, saved[0].num_sweeps
            self._take_up_policies(done)
        for period in reversed(range(len(self.epochs) - done)):
            value, slack = self._period(period, value, slack)
            done += 1
            now = time.monotonic()
            if self.checkpoint is not None and now - saved_at >= self.checkpoint.every_s:
                self.checkpoint.save(Position(num_sweeps=done, shift=slack), value)
                saved_at = now
            if progress is not None:
                note = f"period {period} of {len(self.epochs)}"
                low, high = float(value.min()), float(value.max())
                progress(
                    Progress(
                        num_sweeps=done,
                        lower=low,
                        upper=high,
                        tol=slack,
                        seconds=now - started,
                        note=note,
                    )
                )
        if self.checkpoint is not None:
            self.checkpoint.clear()
        shaped = value.reshape(self.epochs[0].shape)
        at = float(shaped[initial])
        return FiniteHorizonSolution(
            epochs=self.epochs,
            lower=at - slack,
            upper=at + slack,
            initial=initial,
            value=shaped,
            posts=tuple(self.posts) if self.keep_policy else (),
            seconds=time.monotonic() - started,
        )

    def _terminal(self, terminal: ArrayLike | None) -> NDArray[Any]:
        end = self.epochs[-1].end_axes
        if terminal is None:
            return np.zeros(size_of(end), dtype=self.dtype)
        value = np.asarray(terminal, dtype=self.dtype)
        if value.shape != tuple(axis.size for axis in end) or not np.isfinite(value).all():
            raise ValueError(
                f"terminal must be finite and have shape {tuple(a.size for a in end)};"
                f" got {value.shape}."
            )
        return np.ascontiguousarray(value).ravel()

    def _period(self, period: int, value: NDArray[Any], slack: float) -> tuple[NDArray[Any], float]:
        epoch = self.epochs[period]
        if self._lowered is None or self._lowered[0] is not epoch:
            lowering = Lowering(epoch, self.weights, dtype=self.dtype, num_threads=self.num_threads)
            self._lowered = (epoch, lowering)
        lowering = self._lowered[1]
        start = np.empty(epoch.num_states, dtype=self.dtype)
        posts = self._new_posts(period) if self.keep_policy else []
        lowering.program.run(value, start, posts)
        self.posts[period] = tuple(posts)
        error = lowering.rounding_error(float(np.abs(value).max()))
        return start, epoch.discount * slack + error

    def _new_posts(self, period: int) -> list[NDArray[np.uint32]]:
        epoch = self.epochs[period]
        sizes = [size_of(epoch.layouts[first]) for first, _ in epoch.stages]
        if self.policy_dir is None:
            return [np.empty(size, dtype=np.uint32) for size in sizes]
        self.policy_dir.mkdir(parents=True, exist_ok=True)
        return [
            np.lib.format.open_memmap(
                self._file(period, stage), mode="w+", dtype=np.uint32, shape=(size,)
            )
            for stage, size in enumerate(sizes)
        ]

    def _take_up_policies(self, done: int) -> None:
        if not self.keep_policy:
            return
        for period in range(len(self.epochs) - done, len(self.epochs)):
            self.posts[period] = tuple(
                np.load(self._file(period, stage), mmap_mode="r")
                for stage in range(len(self.epochs[period].stages))
            )

    def _file(self, period: int, stage: int) -> Path:
        assert self.policy_dir is not None
        return self.policy_dir / f"period{period}-stage{stage}.npy"
