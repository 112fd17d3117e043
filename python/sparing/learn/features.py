"""What a network sees of a state."""

from __future__ import annotations

from typing import Protocol

import jax
import jax.numpy as jnp
import numpy as np

from sparing.learn.interpreter import Point


class Features(Protocol):
    """A function of point, period and coordinates by slot.

    Attributes
    ----------
    size
        Number of features.
    bounds
        The least and the largest value of any.
    """

    size: int
    bounds: tuple[float, float]

    def __call__(self, point: jax.Array, period: jax.Array, coords: list[jax.Array]) -> jax.Array:
        """Return float32 [B, size]."""
        ...


class OneHot:
    """One column per point, per period, and per value of every coordinate that is live.

    Attributes
    ----------
    source, value, live
        Per column which coordinate it looks at (-2 the point, -1 the period), for which value,
        and [points, columns] at which points.
    """

    bounds = (0.0, 1.0)

    def __init__(self, points: tuple[Point, ...], slots: list[int], horizon: int) -> None:
        columns: list[tuple[int, int]] = []
        if len(points) > 1:
            columns += [(-2, number) for number in range(len(points))]
        columns += [(-1, period) for period in range(horizon)]
        sizes = {
            slot: max(p.size for point in points for p in point.live if p.slot == slot)
            for slot in slots
        }
        columns += [(slot, value) for slot in slots for value in range(sizes[slot])]
        self.source = np.array([source for source, _ in columns])
        self.value = np.array([value for _, value in columns], dtype=np.int32)
        at = [{-2, -1, *(place.slot for place in point.live)} for point in points]
        self.live = np.array([[source in here for source in self.source] for here in at])
        self.size = len(columns)

    def __call__(self, point: jax.Array, period: jax.Array, coords: list[jax.Array]) -> jax.Array:
        """Return float32 [B, size]."""
        values = [*coords, point, period]  # -2 and -1 are the last two
        seen = jnp.stack([values[source] for source in dict.fromkeys(self.source)], axis=1)
        order = {source: i for i, source in enumerate(dict.fromkeys(self.source))}
        widths = [int((self.source == source).sum()) for source in order]
        spread = jnp.repeat(
            seen, np.array(widths), axis=1, total_repeat_length=self.size
        )  # columns of one coordinate are neighbours
        found = spread == self.value
        if not self.live.all():
            found = found & jnp.asarray(self.live)[point]
        return found.astype(jnp.float32)
