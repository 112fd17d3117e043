"""A vectorised twin as an environment: at each review the orders of all locations, one by one."""

from __future__ import annotations

from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np

from sparing.evaluate.location_plan import compared
from sparing.learn.environment import Transition
from sparing.learn.location_agents import LocationAgents, Sight
from sparing.learn.twin_dynamics import Dynamics
from sparing.learn.twin_state import packed, started, unpacked, width
from sparing.learn.twin_tables import STEP_HOURS, twin_tables
from sparing.simulate.twin import Twin


class TwinEnvironment:
    """A `Twin` as an `Environment`: a choice is how much one location orders of one part.

    Parts come one after another, of each the suppliers first; behind the last choice the review's
    orders are placed as in the SimPy twin with ``orders = "single"``, and the period goes by. A
    choice is the number of a quantity: all up to six, then in steps that grow by a quarter. What
    is not on the supplier's shelf or finds no storage is left out. The cost of a period is paid
    with its last choice. Lanes that are in step with each other are simulated once a review.

    A state holds the place in the sequence, the choices made, and the fleet, floats bit by bit.

    Attributes
    ----------
    feature_bounds
        The least and the largest value of any feature that bounded stocks can have.
    """

    feature_bounds = (-20.0, 20.0)
    finite = True

    def __init__(self, twin: Twin, *, step_hours: float = STEP_HOURS) -> None:
        self.tables = twin_tables(twin, step_hours=step_hours)
        self.dynamics = Dynamics(self.tables)
        parts = twin.network.parts
        shape = self.dynamics.shape
        quantities = {
            (p, i): compared(x.largest_order)
            for p, part in enumerate(parts)
            for i, x in enumerate(part.locations)
        }
        zero, one = np.zeros(shape, np.float32), np.ones(shape, np.float32)
        self.agents = LocationAgents(self.dynamics, quantities, zero, one, zero[..., None])
        self.sequence = np.array(
            [(p, i) for p, part in enumerate(parts) for i in part.top_down], np.int32
        )
        self.count = len(self.sequence)
        self.num_actions = self.agents.num_actions
        self.num_features = self.agents.num_features
        self.state_width = 1 + self.count + width(self.tables, self.dynamics.slots)

    def initial(self, key: jax.Array, lanes: int) -> jax.Array:
        """Return states [lanes, W] at the first choice, rates and ages drawn."""
        fleets = packed(started(key, self.tables, lanes, self.dynamics.slots))
        return jnp.concatenate([jnp.zeros((lanes, 1 + self.count), jnp.int32), fleets], axis=1)

    def random_states(self, key: jax.Array, lanes: int) -> jax.Array:
        """Return states at the first choice of random periods.

        Shelves hold a random share of their start's stock and half their capacity, failures so far
        are those of the true rate, and nothing is under way.
        """
        keys = jax.random.split(key, 4)
        fleets = started(keys[0], self.tables, lanes, self.dynamics.slots)
        last = self.tables.twin.network.periods
        period = jax.random.randint(keys[1], (lanes,), 0, last, dtype=jnp.int32)
        seen = jnp.asarray(self.tables.exposure_before).T[period] * fleets.rate
        failures = jax.random.poisson(keys[2], seen).astype(jnp.int32)
        most = self.tables.initial + 0.5 * self.tables.capacity
        share = jax.random.uniform(keys[3], fleets.on_hand.shape)
        on_hand = jnp.minimum(jnp.floor(share * most), self.tables.capacity).astype(jnp.int32)
        later = period.astype(jnp.float32) * jnp.float32(self.tables.twin.period_hours)
        fleets = fleets._replace(
            period=period,
            failures=failures,
            on_hand=on_hand,
            put_in=fleets.put_in + later[:, None, None, None],
        )
        head = jnp.zeros((lanes, 1 + self.count), jnp.int32)
        return jnp.concatenate([head, packed(fleets)], axis=1)

    def features(self, states: jax.Array) -> jax.Array:
        """Return what a network sees of the agent whose turn it is, float32 [B, F]."""
        return self.agents.features(self._turn(states))

    def mask(self, states: jax.Array) -> jax.Array:
        """Return the allowed choices, bool [B, A]; to order nothing is always allowed."""
        return self.agents.mask(self._turn(states))

    def step(self, key: jax.Array, states: jax.Array, actions: jax.Array) -> Transition:
        """Note choices [B]; behind the last one place the orders and let the period go by."""
        place = states[:, 0]
        ended = place == self.count - 1
        here = jnp.arange(self.count) == place[:, None]
        made = jnp.where(
            here, jnp.asarray(actions, jnp.int32)[:, None], states[:, 1 : 1 + self.count]
        )
        waiting = jnp.concatenate([place[:, None] + 1, made, states[:, 1 + self.count :]], axis=1)

        def run(_: None) -> tuple[jax.Array, jax.Array]:
            return self._period(key, waiting)

        def rest(_: None) -> tuple[jax.Array, jax.Array]:
            return waiting, jnp.zeros(len(states))

        following, cost = jax.lax.cond(ended.any(), run, rest, None)
        network = self.tables.twin.network
        is_last = ended & (self._period_of(states) == network.periods - 1)
        weight = jnp.float32(network.discount) * (ended & ~is_last)
        return Transition(
            states=jnp.where(ended[:, None], following, waiting),
            cost=jnp.where(ended, cost, 0.0),
            duration=ended.astype(jnp.float32),
            discount=jnp.where(ended, weight, 1.0),
            epoch_ended=ended,
        )

    def _period(self, key: jax.Array, states: jax.Array) -> tuple[jax.Array, jax.Array]:
        keys = jax.random.split(key)
        lanes = len(states)
        made = states[:, 1 : 1 + self.count]
        parts, places = self.sequence.T
        choices = jnp.zeros((lanes, *self.dynamics.shape), jnp.int32)
        choices = choices.at[:, parts, places].set(made)
        fleets = unpacked(states[:, 1 + self.count :], self.tables, self.dynamics.slots)
        wanted = self.agents.wanted(choices)
        fleets, counts, _ = self.dynamics.order(keys[0], fleets, wanted)
        fleets, _, cost = self.dynamics.run_period(keys[1], fleets, counts)
        last = self.tables.twin.network.periods - 1
        fleets = fleets._replace(
            period=jnp.minimum(fleets.period, last)
        )  # behind it nothing counts
        head = jnp.zeros((lanes, 1 + self.count), jnp.int32)
        return jnp.concatenate([head, packed(fleets)], axis=1), cost.sum(axis=(1, 2))

    def _period_of(self, states: jax.Array) -> jax.Array:
        fleets = unpacked(states[:, 1 + self.count :], self.tables, self.dynamics.slots)
        return fleets.period

    def _turn(self, states: jax.Array) -> Sight:
        fleets = unpacked(states[:, 1 + self.count :], self.tables, self.dynamics.slots)
        sight = self.agents.sight(fleets)
        parts, places = (jnp.asarray(column)[states[:, 0]] for column in self.sequence.T)
        rows: Sequence[jax.Array] = [x[jnp.arange(len(states)), parts, places] for x in sight]
        return Sight(*rows)
