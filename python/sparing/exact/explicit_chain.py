"""Many policies of one small epoch, evaluated exactly and quickly: matrices behind its stage.

All that a policy changes is which post-decision state follows which state; the rest of the epoch
is a sparse matrix that is made once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import breadth_first_order
from scipy.sparse.linalg import splu

from sparing.epoch import Epoch, layout_after, resolve_to
from sparing.exact.policy_evaluation import Bounds
from sparing.exact.semi_markov import DURATION
from sparing.lowering import offsets_of, size_of, size_of_named
from sparing.model_error import ModelError
from sparing.nodes import Chance, Cost, Layout
from sparing.stages import pair_costs

MAX_REACHED = 4096  # states of one policy's chain, solved at once


@dataclass(frozen=True, kw_only=True, eq=False)
class ExplicitChain:
    """What follows each post-decision state of an epoch with one stage at its start.

    Parameters
    ----------
    epoch
        The epoch.
    following
        Shape (post-decision states, states), CSR: the probability of the next state.
    cost
        Per kind the expected cost [post-decision states] behind the stage; inf: not allowed.
    error
        As in `solve_semi_markov`.
    """

    epoch: Epoch
    following: sparse.csr_matrix
    cost: Mapping[str, NDArray[np.float64]]
    error: ModelError

    @classmethod
    def of(cls, epoch: Epoch, *, error: ModelError | None = None) -> ExplicitChain:
        """Multiply the nodes behind the stage out.

        Raises
        ------
        ValueError
            If the epoch does not have its one stage at the start.
        """
        if len(epoch.stages) != 1 or epoch.stages[0][0] != 0:
            raise ValueError(f"the epoch must have one stage, at its start; got {epoch.stages}.")
        last = epoch.stages[0][1]
        size = size_of(epoch.layouts[last])
        reached = sparse.identity(size, format="csr")
        cost = {kind: np.zeros(size) for kind in epoch.kinds}
        for node, layout in zip(epoch.nodes[last:], epoch.layouts[last:-1], strict=True):
            if isinstance(node, Cost):
                forbidden = np.isinf(node.values).any()
                values = _spread(node, layout)
                # Infinite values never meet an average: such a Cost comes before any draw.
                added = values if reached.nnz == size and forbidden else reached @ values
                cost[node.kind] = cost[node.kind] + added
            else:
                assert isinstance(node, Chance)
                matrix, expected = _matrices(node, layout)
                for kind, values in expected.items():
                    cost[kind] = cost[kind] + reached @ values
                reached = (reached @ matrix).tocsr()
        return cls(epoch=epoch, following=reached, cost=cost, error=error or ModelError())

    def reached(self, posts: NDArray[np.integer], *, start: int = 0) -> NDArray[np.int64]:
        """Return the states that a table of post-decision states leads to from `start`."""
        chain = self.following[posts.astype(np.int64)]
        return breadth_first_order(chain, start, return_predecessors=False).astype(np.int64)

    def gain(
        self, posts: NDArray[np.integer], weights: Mapping[str, float], *, start: int = 0
    ) -> Bounds:
        """Return bounds of the cost per unit of time under a table of post-decision states.

        The linear equations of a policy are solved on the states that it reaches from `start`
        [flat]; the residual of the solution gives the bounds, as in `solve_semi_markov`.

        Parameters
        ----------
        posts
            Shape (states,): flat post-decision state of each state.
        weights
            Weight per kind of cost.
        """
        table = np.ascontiguousarray(posts, dtype=np.int64)
        whole = self.following[table]
        states = self.reached(table, start=start)
        if states.size > MAX_REACHED:
            raise MemoryError(
                f"the policy reaches {states.size:,} states; at most {MAX_REACHED:,} are solved"
                " at once. Use evaluate_semi_markov."
            )
        chain = whole[states][:, states].tocsc()
        posts_here = table[states]
        decided = pair_costs(self.epoch, 0, states, posts_here, num_threads=1)
        cost = np.zeros(states.size)
        for kind, weight in weights.items():
            if kind in decided:
                cost += weight * (decided[kind] + self.cost[kind][posts_here])
        duration = self.cost[DURATION][posts_here]
        if not np.isfinite(cost).all():
            raise ValueError("the policy leads to a post-decision state that is not allowed.")
        return _solved(chain, cost, duration, self.error, weights)


def _solved(
    chain: sparse.csc_matrix,
    cost: NDArray[np.float64],
    duration: NDArray[np.float64],
    error: ModelError,
    weights: Mapping[str, float],
) -> Bounds:
    """Solve h = cost - g duration + chain h with h = 0 in the first state, and bound g."""
    size = cost.size
    others = (sparse.identity(size, format="csc") - chain)[:, 1:]
    first = sparse.csc_matrix(duration[:, None])  # g has the place of h[0]
    equations = sparse.hstack([first, others]).tocsc()
    found = splu(equations).solve(cost)
    gain, value = float(found[0]), np.concatenate([[0.0], found[1:]])
    residual = cost - gain * duration + chain @ value - value
    magnitude = float(np.abs(cost).max() + abs(gain) * duration.max() + 2.0 * np.abs(value).max())
    slack = (size + 8) * float(np.finfo(np.float64).eps) * magnitude + error.of_sweep(
        float(np.ptp(value)), {**weights, DURATION: weights.get(DURATION, 0.0) - gain}
    )
    shortest = duration.min() - error.cost.get(DURATION, 0.0)
    return Bounds(
        lower=float(gain + min(residual.min() - slack, 0.0) / shortest),
        upper=float(gain + max(residual.max() + slack, 0.0) / shortest),
    )


def _spread(node: Cost, layout: Layout) -> NDArray[np.float64]:
    """Return the values of a Cost on every state [states] of `layout`."""
    index = []
    shape = tuple(axis.size for axis in layout)
    place = {axis.name: position for position, axis in enumerate(layout)}
    for name in node.axes:
        states = node.groups.get(name, np.arange(shape[place[name]]))
        index.append(
            states.reshape([-1 if position == place[name] else 1 for position in range(len(shape))])
        )
    return np.broadcast_to(node.values[tuple(index)], shape).ravel()


def _matrices(
    node: Chance, layout: Layout
) -> tuple[sparse.csr_matrix, dict[str, NDArray[np.float64]]]:
    """Return a Chance as a matrix from the states before to those behind, and its costs."""
    behind, read = layout_after(node, layout), (*node.context, *node.axes)
    table, rows = node.table, node.table.rows()
    riders = [axis.name for axis in layout if axis.name not in read]
    per_context = table.num_rows // size_of_named(node.context, layout)
    start = offsets_of(read, layout)[rows]
    end = offsets_of([axis.name for axis in resolve_to(node, layout)], behind)[table.to]
    end = end + offsets_of(node.context, behind)[rows // per_context]
    from_ = np.add.outer(start, offsets_of(riders, layout)).ravel()
    to = np.add.outer(end, offsets_of(riders, behind)).ravel()
    assert table.probability is not None
    count = from_.size // rows.size
    probability = np.repeat(table.probability, count)
    shape = size_of(layout), size_of(behind)
    matrix = sparse.coo_matrix((probability, (from_, to)), shape=shape).tocsr()
    expected: dict[str, Any] = {
        kind: np.bincount(from_, probability * np.repeat(values, count), shape[0])
        for kind, values in table.cost.items()
    }
    return matrix, expected
