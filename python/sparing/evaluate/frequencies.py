"""How often a policy is found in each state in the long run."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sparing.epoch import Chance, Epoch, layout_after, resolve_to
from sparing.exact.progress import Progress, ProgressHook
from sparing.policies import TablePolicy

MAX_STEPS = 200_000
NEVER = 1e-10  # a smaller share is that of a state left for good


def state_frequencies(
    epoch: Epoch,
    policy: TablePolicy,
    *,
    tol: float = 1e-14,
    progress: ProgressHook | None = None,
) -> NDArray[np.float64]:
    """Return the long-run share [states] of epochs that start in each state, from state 0 on.

    The distribution is pushed forward, half a step at a time so that periods die out, until a
    step moves less than `tol`; what is left then of states that are never come back to is 0.
    `progress` is told what each step has moved.

    Raises
    ------
    ValueError
        If the epoch has several stages, or a draw that is not along one axis.
    """
    if len(epoch.stages) != 1:
        raise ValueError(f"frequencies need an epoch of one stage; got {len(epoch.stages)}.")
    last = epoch.stages[0][1]
    behind = epoch.layouts[last]
    shape = tuple(axis.size for axis in behind)
    posts = np.asarray(policy.stages[0], dtype=np.int64)
    draws = _draws(epoch, last)
    share: NDArray[np.float64] = np.zeros(epoch.num_states)
    share[0] = 1.0
    started = time.monotonic()
    for step in range(MAX_STEPS):
        flat = np.bincount(posts, weights=share, minlength=int(np.prod(shape)))
        pushed: NDArray[Any] = flat.reshape(shape)
        for axis, position, matrix in draws:
            pushed = np.moveaxis(np.tensordot(pushed, matrix, axes=(axis, 0)), -1, position)
        following = (share + pushed.ravel()) / 2.0
        moved, share = float(np.abs(following - share).sum()), following / following.sum()
        if progress is not None:
            seconds = time.monotonic() - started
            progress(
                Progress(num_sweeps=step + 1, lower=0.0, upper=moved, tol=tol, seconds=seconds)
            )
        if moved <= tol:
            break
    share[share < NEVER] = 0.0
    kept: NDArray[np.float64] = share / share.sum()
    return kept


def _draws(epoch: Epoch, last: int) -> list[tuple[int, int, NDArray[np.float64]]]:
    """Return per draw behind the stage its axis, where its result stands, and its matrix."""
    found = []
    for node, layout in zip(epoch.nodes[last:], epoch.layouts[last:], strict=False):
        if not isinstance(node, Chance):
            continue
        goals = resolve_to(node, layout)
        if len(node.axes) != 1 or len(goals) != 1 or node.context:
            raise ValueError(f"{node.label}: frequencies need draws along one axis each.")
        names = [axis.name for axis in layout]
        axis = names.index(node.axes[0])
        matrix = np.zeros((layout[axis].size, goals[0].size))
        assert node.table.probability is not None
        rows = np.repeat(np.arange(len(matrix)), np.diff(node.table.indptr))
        np.add.at(matrix, (rows, node.table.to), node.table.probability)
        after = [a.name for a in layout_after(node, layout)]
        found.append((axis, after.index(goals[0].name), matrix))
    return found
