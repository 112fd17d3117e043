"""The exact spares network as an environment: orders location by location, belief and period seen.

The same model as `sparing.models.network_nodes` says in nodes: one program runs all periods, where
an interpreter of nodes would need one for each, as the belief's axis grows from period to period.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from sparing.learn.environment import Transition
from sparing.models.network_failures import failure_levels, predictive
from sparing.models.network_nodes import NetworkNodes
from sparing.models.spares_network import Part, SparesNetwork

LARGEST_TABLE = 1 << 24  # chances of failures that are held on the device
_PERIODS_SHOWN = 64  # longer horizons are seen by the share that is left alone
_COUNTS_SHOWN = 64
_HEAD = 3  # columns of a state ahead of the stocks: place in the order, period, failures so far


class NetworkEnvironment:
    """One part of a `SparesNetwork` as an `Environment`: a choice is how much a location orders.

    A state holds the place in the sequence of decisions (suppliers first), the period, the failures
    counted so far, and per location the stock, the order under way and its age. What remains of a
    supplier's shelf is seen by those who order after others. Failures follow the predictive
    distribution, so that what is learned is the Bayesian problem itself; what they cost is expected
    over it, which is the same on average and less noisy.

    Attributes
    ----------
    feature_bounds
        The least and the largest value of any feature.

    Raises
    ------
    ValueError
        If sites count ages of units, or the belief has too many levels for a table.
    """

    feature_bounds = (0.0, 1.0)
    finite = True

    def __init__(self, problem: SparesNetwork, part: Part | None = None) -> None:
        self.problem, self.part = problem, problem.one(part)
        self.nodes = NetworkNodes(problem, self.part)
        locations = self.part.locations
        if any(site.age is not None for site in self.part.sites):
            raise ValueError(
                f"part {self.part.name!r}: learners know no ages of units; sparing solve does."
            )
        self.count = len(locations)
        self._fails = np.array([x.is_site for x in locations])
        self.num_actions = 1 + max(x.largest_order for x in locations)
        self.state_width = _HEAD + 3 * self.count
        self._sequence = np.array(self.part.top_down, np.int32)
        self._longest = max(len(x.arrival) for x in locations)
        self._levels = failure_levels(problem, self.part)[-1][-1]
        size = problem.periods * len(self.part.sites) * self._levels * (self.part.truncate + 1)
        if size > LARGEST_TABLE:
            raise ValueError(
                f"part {self.part.name!r}: {self._levels:,} levels of belief in {problem.periods}"
                f" periods are too many for this view; give belief_levels."
            )
        self._chance = self._chances()
        self.num_features = self._features_of_one().shape[1]

    # -- the protocol

    def initial(self, key: jax.Array, lanes: int) -> jax.Array:
        """Return states [lanes, W] at the first choice from the case's start."""
        state = [0, 0, 0]
        orders = [x.outstanding for x in self.part.locations]
        state += [x.initial for x in self.part.locations]
        state += [order.quantity if order else 0 for order in orders]
        state += [order.age if order else 0 for order in orders]
        return jnp.tile(jnp.array(state, jnp.int32), (lanes, 1))

    def random_states(self, key: jax.Array, lanes: int) -> jax.Array:
        """Return states at the first choice of random periods: stocks and orders are uniform.

        Failures so far are binomial of a uniform share, so that rare and many are met.
        """
        keys = jax.random.split(key, 3 + self.count)
        last = self.problem.periods
        period = jax.random.randint(keys[0], (lanes,), 0, last, dtype=jnp.int32)
        most = jnp.minimum(period * len(self.part.sites) * self.part.truncate, self._levels - 1)
        share = jax.random.uniform(keys[1], (lanes,)) ** 2
        failures = jnp.floor(share * (most + 1)).astype(jnp.int32)
        columns = [jnp.zeros(lanes, jnp.int32), period, failures]
        stocks = []
        for bits, stock in zip(keys[3:], self.nodes.stocks, strict=True):
            found = stock.found
            tuples = np.stack([found.stock, found.ordered, found.age], axis=1).astype(np.int32)
            stocks.append(jnp.asarray(tuples)[jax.random.randint(bits, (lanes,), 0, len(tuples))])
        columns += [stock[:, k] for k in range(3) for stock in stocks]
        return jnp.stack(columns, axis=1)

    def features(self, states: jax.Array) -> jax.Array:
        """Return what a network sees, float32 [B, F], all within 0 and 1.

        Whose turn it is, the period, failures so far and the mean rate that they make one believe,
        and per location stock, order and age; each as indicators, counts as shares as well.
        """
        periods, period, failures = self.problem.periods, states[:, 1], states[:, 2]
        prior, seen = self.part.prior, jnp.asarray(self._exposure_before)[period]
        mean = (prior.shape + failures) / (prior.rate + seen)
        parts = [
            jax.nn.one_hot(states[:, 0], self.count),
            jnp.stack(
                [
                    (periods - period) / periods,
                    mean / (mean + prior.mean),
                    jnp.sqrt(failures / max(self._levels - 1, 1)),
                ],
                axis=1,
            ),
        ]
        if periods <= _PERIODS_SHOWN:
            parts.append(jax.nn.one_hot(period, periods))
        parts.append(jax.nn.one_hot(failures, min(self._levels, _COUNTS_SHOWN)))
        stock, ordered, age = self._stocks(states)
        for i, location in enumerate(self.part.locations):
            low, size = location.backorders, location.capacity + location.backorders + 1
            parts.append(jax.nn.one_hot(stock[:, i] + low, size))
            parts.append(((stock[:, i] + low) / (size - 1.0))[:, None])
            parts.append(jax.nn.one_hot(ordered[:, i], location.largest_order + 1))
            parts.append(jax.nn.one_hot(age[:, i], len(location.arrival)))
        return jnp.concatenate(parts, axis=1).astype(jnp.float32)

    def mask(self, states: jax.Array) -> jax.Array:
        """Return the allowed quantities, bool [B, A]; to order nothing is always allowed."""
        here = jnp.asarray(self._sequence)[states[:, 0]]
        stock, ordered, _ = self._stocks(states)
        rows = jnp.arange(len(states))
        capacity = jnp.asarray([x.capacity for x in self.part.locations])[here]
        most = capacity - jnp.maximum(stock[rows, here], 0)
        most = jnp.minimum(most, jnp.asarray([x.largest_order for x in self.part.locations])[here])
        supplier = jnp.asarray(np.array(self.part.suppliers, np.int32))[here]
        most = jnp.where(supplier < 0, most, jnp.minimum(most, stock[rows, supplier]))
        most = jnp.where(ordered[rows, here] > 0, 0, jnp.maximum(most, 0))
        return jnp.arange(self.num_actions) <= most[:, None]

    def step(self, key: jax.Array, states: jax.Array, actions: jax.Array) -> Transition:
        """Order [B] at the location whose turn it is; behind the last one the period goes by.

        What a quantity that is not allowed leads to is not defined.
        """
        decided, fee = self.ordered(states, actions)
        ended = states[:, 0] == self.count - 1
        following, paid = self._period(key, decided)
        is_last = ended & (states[:, 1] == self.problem.periods - 1)
        weight = jnp.float32(self.problem.discount) * (ended & ~is_last)
        return Transition(
            states=jnp.where(ended[:, None], following, decided.at[:, 0].add(1)),
            cost=fee + jnp.where(ended, paid, 0.0),
            duration=ended.astype(jnp.float32),
            discount=jnp.where(ended, weight, 1.0),
            epoch_ended=ended,
        )

    # -- its parts

    def ordered(self, states: jax.Array, actions: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Return the states behind the shipments and the cost of the orders [B]."""
        locations = self.part.locations
        here = jnp.asarray(self._sequence)[states[:, 0]]
        quantity = jnp.asarray(actions, jnp.int32)
        is_here = jnp.arange(self.count) == here[:, None]
        supplier = jnp.asarray(np.array(self.part.suppliers, np.int32))[here]
        is_above = jnp.arange(self.count) == supplier[:, None]
        stock, ordered, age = self._stocks(states)
        stock = stock - is_above * quantity[:, None]
        ordered = ordered + is_here * quantity[:, None]
        fixed = jnp.asarray([x.order_fixed for x in locations], jnp.float32)[here]
        unit = jnp.asarray([x.order_unit for x in locations], jnp.float32)[here]
        fee = jnp.where(quantity > 0, fixed + unit * quantity, 0.0)
        return jnp.concatenate([states[:, :_HEAD], stock, ordered, age], axis=1), fee

    def _period(self, key: jax.Array, states: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Let orders arrive and units fail; return the states a period later and the cost [B]."""
        locations, sites = self.part.locations, self.part.sites
        stock, ordered, age = self._stocks(states)
        period, failures = states[:, 1], states[:, 2]
        draws = jax.random.uniform(key, (self.count + len(sites), len(states)))
        chance = np.zeros((self.count, self._longest), np.float32)
        for i, location in enumerate(locations):
            chance[i, : len(location.arrival)] = location.arrival
        arrives = jnp.asarray(chance)[jnp.arange(self.count), age] > draws[: self.count].T
        stock = stock + jnp.where(arrives, ordered, 0)
        age = jnp.where(arrives | (ordered == 0), 0, age + 1)
        ordered = jnp.where(arrives, 0, ordered)
        holding = jnp.asarray([x.holding_cost for x in locations], jnp.float32)
        paid = jnp.maximum(stock, 0) @ jnp.where(jnp.asarray(self._fails), 0.0, holding)
        for k, site in enumerate(sites):
            i = self.part.names.index(site.name)
            row = jnp.asarray(self._chance)[period, k, failures]  # [B, truncate]
            paid += self._expected(i, stock[:, i], row)
            fails = (draws[self.count + k][:, None] >= row).sum(axis=1).astype(jnp.int32)
            stock = stock.at[:, i].set(jnp.maximum(stock[:, i] - fails, -site.backorders))
            failures = jnp.minimum(failures + fails, self._levels - 1)
        later = jnp.minimum(period + 1, self.problem.periods - 1)  # behind the end nothing counts
        head = jnp.stack([jnp.zeros_like(period), later, failures], axis=1)
        return jnp.concatenate([head, stock, ordered, age], axis=1), paid

    def _expected(self, i: int, stock: jax.Array, row: jax.Array) -> jax.Array:
        """Return what a site's failures are expected to cost [B]: less noise, the same mean."""
        location = self.part.locations[i]
        assert location.emergency_cost is not None
        chance = jnp.diff(row, prepend=0.0, append=1.0, axis=1)  # [B, truncate + 1]
        left = stock[:, None] - jnp.arange(self.part.truncate + 1)
        beyond = jnp.maximum(-location.backorders - left, 0)
        left = jnp.maximum(left, -location.backorders)
        cost = location.holding_cost * jnp.maximum(left, 0) + location.emergency_cost * beyond
        cost += location.downtime_cost * jnp.maximum(-left, 0)
        return jnp.sum(chance * cost, axis=1)

    def _stocks(self, states: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
        stock, ordered, age = jnp.split(states[:, _HEAD:], 3, axis=1)
        return stock, ordered, age

    def _chances(self) -> NDArray[np.float32]:
        """Return P(failures <= d | period, site, failures so far), d < truncate: [T, S, N, D]."""
        part, periods = self.part, self.problem.periods
        exposure = np.stack([site.exposures(periods) for site in part.sites], axis=1)  # [T, S]
        before = np.concatenate([[0.0], np.cumsum(exposure.ravel())[:-1]]).reshape(exposure.shape)
        self._exposure_before = before[:, 0].astype(np.float32)
        chance = predictive(
            part.prior.shape + np.arange(self._levels),
            part.prior.rate + before[:, :, None],
            exposure[:, :, None],
            part.truncate,
        )
        return np.cumsum(chance, axis=-1)[..., :-1].astype(np.float32)

    def _features_of_one(self) -> jax.ShapeDtypeStruct:
        state = jnp.zeros((1, self.state_width), jnp.int32)
        found: jax.ShapeDtypeStruct = jax.eval_shape(self.features, state)
        return found
