"""What a policy of a load-sharing system does, in words of components and spares."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sparing.models.load_sharing_system import LoadSharingSystem


@dataclass(frozen=True, kw_only=True, eq=False)
class Actions:
    """What is replaced and ordered in every state, and what is left; just after an inspection.

    Parameters
    ----------
    replaced
        Shape (counts, stocks): components replaced.
    replaced_by_condition
        Shape (counts, stocks, conditions): the same by the condition found.
    ordered, emergency
        Shape (counts, stocks): spares ordered, and bought at once.
    """

    system: LoadSharingSystem
    replaced: NDArray[np.int64]
    replaced_by_condition: NDArray[np.int64]
    ordered: NDArray[np.int64]
    emergency: NDArray[np.int64]

    def describe(self, state: tuple[int, ...]) -> dict[str, Any]:
        """Return the state and what is done there, ready for JSON."""
        counts, stock = state[-2:]
        hand, order = self.system.stocks[stock].tolist()
        return {
            "counts": self.system.counts.vectors[counts].tolist(),
            "on_hand": hand,
            "on_order": order,
            "replace": int(self.replaced[counts, stock]),
            "replace_by_condition": self.replaced_by_condition[counts, stock].tolist(),
            "emergency": int(self.emergency[counts, stock]),
            "order": int(self.ordered[counts, stock]),
        }


def actions(system: LoadSharingSystem, posts: NDArray[np.integer]) -> Actions:
    """Read the actions out of a table of post-decision states [states], flat."""
    vectors, num_stocks = system.counts.vectors, len(system.stocks)
    shape = len(vectors), num_stocks
    post = posts[: len(vectors) * num_stocks].astype(np.int64).reshape(shape)
    after, stock = vectors[post // num_stocks], post % num_stocks
    by_condition = np.maximum(vectors[:, None, :] - after, 0)
    replaced = by_condition.sum(axis=2)
    hand, order = system.stocks.T
    return Actions(
        system=system,
        replaced=replaced,
        replaced_by_condition=by_condition,
        ordered=order[stock] - order[None, :],
        emergency=np.maximum(replaced - hand[None, :], 0),
    )
