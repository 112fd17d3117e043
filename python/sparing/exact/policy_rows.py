"""The distribution of the post-decision state under a policy, stage by stage."""

from __future__ import annotations

from functools import singledispatch

import numpy as np
from numpy.typing import NDArray

from sparing.epoch import Epoch, layout_after, resolve_to
from sparing.lowering import offsets_of, size_of
from sparing.nodes import Branch, Cost, Decision, Layout, PlainNode
from sparing.policies import CallbackPolicy, Policy, RowPolicy, TablePolicy
from sparing.randomised_policy import RandomisedPolicy, StageRows
from sparing.stages import unflatten_states

MAX_ENTRIES = 200_000_000


@singledispatch
def stage_rows(policy: Policy, epoch: Epoch, stage: int) -> StageRows:
    """Return what `policy` draws in every state of a stage, for exact evaluation.

    Raises
    ------
    TypeError
        If the policy is of no kind that can be evaluated exactly.
    """
    raise TypeError(f"a {type(policy).__name__} cannot be evaluated exactly; simulate it.")


@stage_rows.register
def _(policy: RandomisedPolicy, epoch: Epoch, stage: int) -> StageRows:
    return policy.stage_rows(stage)


@stage_rows.register
def _(policy: TablePolicy, epoch: Epoch, stage: int) -> StageRows:
    return _certain(policy.stages[stage].astype(np.int64))


@stage_rows.register
def _(policy: CallbackPolicy, epoch: Epoch, stage: int) -> StageRows:
    first, last = epoch.stages[stage]
    start, end = epoch.layouts[first], epoch.layouts[last]
    states = unflatten_states(np.arange(size_of(start)), start)
    posts = policy.post_states(epoch, stage, states)
    return _certain(np.ravel_multi_index(tuple(posts.T), tuple(a.size for a in end)))


@stage_rows.register
def _(policy: RowPolicy, epoch: Epoch, stage: int) -> StageRows:
    first, last = epoch.stages[stage]
    draws = _Draws(epoch.layouts[first])
    earlier = [n for n in epoch.nodes[:first] for n in _deciding(n) if isinstance(n, Decision)]
    position = len(earlier)
    for node in epoch.nodes[first:last]:
        for inner in _deciding(node):
            if isinstance(inner, Decision):
                draws.follow(inner, np.asarray(policy.rows[position]))
                position += 1
            elif not isinstance(inner, Cost):
                draws.follow(inner, np.ones(inner.table.to.size))
    return draws.rows(size_of(epoch.layouts[first]))


def _certain(post: NDArray[np.int64]) -> StageRows:
    return StageRows(indptr=np.arange(post.size + 1), post=post, probability=np.ones(post.size))


def _deciding(node: PlainNode | Branch) -> tuple[PlainNode, ...]:
    """Return the node, or those of a Branch's one alternative with Decisions."""
    if not isinstance(node, Branch):
        return (node,)
    lists = [a.nodes for a in node.alternatives]
    return next((nodes for nodes in lists if any(isinstance(n, Decision) for n in nodes)), lists[0])


class _Draws:
    """All that a run of independent draws can lead to, from every state at once."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.origin = np.arange(size_of(layout))  # [paths] the state it started in
        self.at = self.origin  # [paths] flat over the present layout
        self.probability = np.ones(self.at.size)

    def follow(self, node: PlainNode, probability: NDArray[np.float64]) -> None:
        """Split every path by the entries of its row of `node` that can be drawn."""
        assert not isinstance(node, Cost)
        behind, table = layout_after(node, self.layout), node.table
        coordinates = unflatten_states(self.at, self.layout)
        place = {
            axis.name: coordinates[:, i].astype(np.int64) for i, axis in enumerate(self.layout)
        }
        sizes = {axis.name: axis.size for axis in self.layout}
        row = np.zeros(self.at.size, dtype=np.int64)
        for name in (*node.context, *node.axes):
            row = row * sizes[name] + place[name]
        count = np.diff(table.indptr)[row]
        if int(count.sum()) > MAX_ENTRIES:
            raise MemoryError(
                f"evaluating this policy exactly needs {int(count.sum()):,} pairs of states;"
                f" at most {MAX_ENTRIES:,} are tried. Simulate it instead."
            )
        path = np.repeat(np.arange(self.at.size), count)
        within = np.arange(path.size) - np.repeat(np.cumsum(count) - count, count)
        entry = table.indptr[row][path] + within
        drawn = probability[entry] > 0.0
        path, entry = path[drawn], entry[drawn]
        to = offsets_of([axis.name for axis in resolve_to(node, self.layout)], behind)
        staying = [axis for axis in self.layout if axis.name not in node.axes]
        flat = to[table.to[entry]]
        for axis in staying:
            flat = flat + offsets_of([axis.name], behind)[place[axis.name][path]]
        self.origin, self.at, self.layout = self.origin[path], flat, behind
        self.probability = self.probability[path] * probability[entry]

    def rows(self, num_states: int) -> StageRows:
        """Return the paths as rows; different paths to one state stay entries of their own."""
        order = np.argsort(self.origin, kind="stable")
        return StageRows(
            indptr=np.searchsorted(self.origin[order], np.arange(num_states + 1)),
            post=self.at[order],
            probability=self.probability[order],
        )
