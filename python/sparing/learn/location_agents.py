"""Every location of every fleet as an agent: what it sees, what it may order, what it pays.

One small network serves them all. It sees what the belief plan by location sees (stock, order
under way and its age, period, belief) and what that leaves out: the supplier's shelf and the stocks
below.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from sparing.learn.twin_dynamics import Dynamics
from sparing.learn.twin_lanes import net_stock
from sparing.learn.twin_state import Fleets

STOCKS_SHOWN = 20  # net stocks that are told apart by indicators
_ORDERED_SHOWN = 8


class Sight(NamedTuple):
    """What an agent's features are made of, arrays of one shape [...]."""

    part: jax.Array
    location: jax.Array
    period: jax.Array
    failures: jax.Array
    net: jax.Array
    ordered: jax.Array
    age: jax.Array
    above: jax.Array  # units on the supplier's shelf
    below: jax.Array  # net stock and orders under way of the locations below


class LocationAgents:
    """Features, masks, choices and costs of the agents of a twin.

    Parameters
    ----------
    quantities
        By part and location (file position) the units that it may order besides none.
    price
        What a warehouse is charged per period for a unit that locations below want and it has not
        [P, N]; 0 at sites.
    unit, baseline
        Costs are learned in units [P, N], less a baseline per review [P, N, reviews].
    """

    def __init__(
        self,
        dynamics: Dynamics,
        quantities: Mapping[tuple[int, int], tuple[int, ...]],
        price: NDArray[np.float32],
        unit: NDArray[np.float32],
        baseline: NDArray[np.float32],
    ) -> None:
        self.dynamics, self.tables = dynamics, dynamics.tables
        self.price, self.unit, self.baseline = price, unit, baseline
        self.num_actions = 1 + max(len(orders) for orders in quantities.values())
        self.quantities = np.zeros((*dynamics.shape, self.num_actions), np.int32)
        self.offered = np.zeros(self.quantities.shape, bool)
        for (p, i), orders in quantities.items():
            self.quantities[p, i, 1 : 1 + len(orders)] = orders
            self.offered[p, i, : 1 + len(orders)] = True
        depth = np.zeros(dynamics.shape[1], np.int32)
        for d, places in enumerate(self.tables.depths):
            depth[places] = d
        self.depth, self.num_depths = depth, len(self.tables.depths)
        self.below = self.tables.above.T  # [N, N]: row i has those it supplies
        self.exposure_share = self._shares()
        parts = self.tables.twin.network.parts
        self.prior = np.array([(part.prior.shape, part.prior.rate) for part in parts], np.float32)
        one = Sight(*(jnp.zeros(1, jnp.int32) for _ in Sight._fields))
        self.num_features = int(jax.eval_shape(self.features, one).shape[-1])

    def sight(self, fleets: Fleets) -> Sight:
        """Return what all agents of fleets see at a review [L, P, N]."""
        shape = fleets.on_hand.shape
        net, ordered = net_stock(self.dynamics, fleets), fleets.ordered.sum(axis=-1)
        period = jnp.broadcast_to(fleets.period[:, None, None], shape)
        supplier = self.tables.supplier
        above = fleets.on_hand[..., np.maximum(supplier, 0)]
        parts, locations = np.indices(self.dynamics.shape)
        return Sight(
            part=jnp.broadcast_to(jnp.asarray(parts), shape),
            location=jnp.broadcast_to(jnp.asarray(locations), shape),
            period=period,
            failures=jnp.broadcast_to(fleets.failures[..., None], shape),
            net=net,
            ordered=ordered,
            age=jnp.where(ordered > 0, period - fleets.ticket[..., 0], 0),
            above=jnp.where(supplier >= 0, above, 0),
            below=jnp.round((net + ordered) @ jnp.asarray(self.below.T)).astype(jnp.int32),
        )

    def features(self, sight: Sight) -> jax.Array:
        """Return what a network sees, float32 [..., F]."""
        p, i = sight.part, sight.location
        capacity = jnp.asarray(self.tables.capacity)[p, i].astype(jnp.float32)
        owed = jnp.asarray(self.tables.backorders)[p, i]
        prior = jnp.asarray(self.prior)[p]
        reviews = self.tables.exposure_before.shape[1]
        review = jnp.minimum(sight.period, reviews - 1)
        seen = jnp.asarray(self.tables.exposure_before)[p, review]
        mean = (prior[..., 0] + sight.failures) / (prior[..., 1] + seen)
        believed = jnp.log(mean * prior[..., 1] / prior[..., 0])
        share = jnp.asarray(self.exposure_share)[p, i]
        depth = jnp.asarray(self.depth)[i]
        sure = jnp.log(1.0 + sight.failures / prior[..., 0])
        numbers = [
            sight.net / capacity,
            sight.ordered / capacity,
            (sight.net + sight.ordered) / capacity,
            sight.age / 10.0,
            believed,
            sure,
            share,
            mean * share * 2.0,
            sight.period / 52.0,
            jnp.minimum(sight.above, 10) / 10.0,
            (sight.above == 0).astype(jnp.float32),
            sight.below / 10.0,
        ]
        indicators = [
            jax.nn.one_hot(p, self.dynamics.shape[0]),
            jax.nn.one_hot(depth, self.num_depths),
            jax.nn.one_hot(jnp.minimum(sight.net + owed, STOCKS_SHOWN - 1), STOCKS_SHOWN),
            jax.nn.one_hot(jnp.minimum(sight.ordered, _ORDERED_SHOWN - 1), _ORDERED_SHOWN),
        ]
        return jnp.concatenate(
            [jnp.stack([x.astype(jnp.float32) for x in numbers], axis=-1), *indicators], axis=-1
        )

    def mask(self, sight: Sight) -> jax.Array:
        """Return the allowed choices, bool [..., A]."""
        units = jnp.asarray(self.quantities)[sight.part, sight.location]
        room = jnp.asarray(self.tables.capacity)[sight.part, sight.location]
        room = room - jnp.maximum(sight.net, 0)
        fits = (units <= room[..., None]) & (sight.ordered == 0)[..., None]
        offered = jnp.asarray(self.offered)[sight.part, sight.location]
        return (offered & fits) | (jnp.arange(self.num_actions) == 0)

    def choices(self, units: jax.Array, mask: jax.Array) -> jax.Array:
        """Return the choices [L, P, N] of so many units; none, where they are not allowed."""
        same = mask & (jnp.asarray(self.quantities) == units[..., None])
        return same.argmax(axis=-1)

    def wanted(self, choices: jax.Array) -> jax.Array:
        """Return the units [L, P, N] of choices [L, P, N]."""
        table = jnp.broadcast_to(jnp.asarray(self.quantities), (*choices.shape, self.num_actions))
        return jnp.take_along_axis(table, choices[..., None], axis=-1)[..., 0]

    def cost(
        self, period: jax.Array, cost: jax.Array, wanted: jax.Array, ordered: jax.Array
    ) -> jax.Array:
        """Return what agents learn from [L, P, N]: their own cost, and what they did not have.

        `period` [L] is the review at which units were wanted and ordered.
        """
        missing = (wanted - ordered) @ jnp.asarray(self.tables.above)
        own = cost + jnp.asarray(self.price) * missing
        table = jnp.moveaxis(jnp.asarray(self.baseline), -1, 0)
        now, then = (jnp.minimum(period + k, len(table) - 1) for k in (0, 1))
        return (own - table[now] + table[then]) / jnp.asarray(self.unit)

    def _shares(self) -> NDArray[np.float32]:
        """Return the share of a part's exposure at or below each location [P, N]."""
        network = self.tables.twin.network
        found = np.zeros(self.dynamics.shape)
        for p, part in enumerate(network.parts):
            for i, location in enumerate(part.locations):
                if location.is_site:
                    above = i
                    while above >= 0:
                        found[p, above] += location.exposures(network.periods).mean()
                        above = part.suppliers[above]
        return np.asarray(found / found.max(axis=1, keepdims=True), np.float32)
