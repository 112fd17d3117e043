"""Any epoch as an environment: a flat view (joint actions) and a sequential one (node by node)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np

from sparing.learn.environment import Transition
from sparing.learn.features import Features, OneHot
from sparing.learn.flow import Place
from sparing.learn.interpreter import Interpreter, Masks, point_codes
from sparing.learn.lanes import Lanes
from sparing.learn.lookups import int32, lookup
from sparing.learn.process import Process, process_of

FeatureName = Literal["one-hot", "typed-counts"]


class EpochEnvironment:
    """A process as an `Environment`; made by `flat_environment` or `sequential_environment`.

    A state holds the point (which choice is met), the period of a finite horizon, and the
    coordinates that are live at some point; those that are dead are zero.

    A step charges the choice and all that happens until the next one: what an epoch costs before
    its first choice belongs to the last choice of the epoch before, discounted. Time that passes
    is `duration`; where the model has none it is 1 at the end of an epoch. An epoch in which
    nothing is to be chosen at all is shown once, at its last choice, with a single action.

    Attributes
    ----------
    view
        "flat" or "sequential".
    encoder
        What makes features of a state.
    feature_bounds
        The least and the largest value of any feature.
    """

    def __init__(
        self, process: Process, view: Literal["flat", "sequential"], features: FeatureName
    ) -> None:
        self.process, self.view, self.finite = process, view, process.finite
        self.interpreter = Interpreter(process, joint=view == "flat")
        self.points = self.interpreter.points
        live = {place.slot for point in self.points for place in point.live}
        self.slots = sorted(live)  # held in a state, in this order behind point and period
        self.num_actions = self.interpreter.num_actions
        self._first = 2 if process.finite else 1
        self.state_width = self._first + len(self.slots)
        self._masks = Masks(self.interpreter, self.slots)
        self.encoder = self._make_features(features)
        self.num_features = self.encoder.size
        self.feature_bounds = self.encoder.bounds

    def _make_features(self, name: FeatureName) -> Features:
        horizon = len(self.process.epochs) if self.process.finite else 0
        if name == "one-hot":
            return OneHot(self.points, self.slots, horizon)
        if name != "typed-counts":
            raise ValueError(f"features must be 'one-hot' or 'typed-counts'; got {name!r}.")
        from sparing.learn.typed_counts import TypedCounts

        return TypedCounts(self.process, self.interpreter)

    def initial(self, key: jax.Array, lanes: int) -> jax.Array:
        """Return states [lanes, W] at the first choice from the model's start."""
        first = self.interpreter.flow.segments[0]
        return self._begin(
            key, lanes, 0, list(zip(first.start_layout, self.process.initial, strict=True))
        )

    def random_states(self, key: jax.Array, lanes: int) -> jax.Array:
        """Return states [lanes, W] at the first choice of an epoch from uniform random states."""
        flow, horizon = self.interpreter.flow, len(self.process.epochs)
        key, *keys = jax.random.split(key, 2 + len(flow.slots))
        period: jax.Array | int = 0
        if self.process.finite:
            period = jax.random.randint(keys.pop(), (lanes,), 0, horizon, dtype=jnp.int32)
        sizes = np.ones((horizon, len(flow.slots)), dtype=np.int32)
        for t, number in enumerate(flow.segment_of):
            for place in flow.segments[number].start_layout:
                sizes[t, place.slot] = place.size
        found = []
        for slot, bits in zip(range(len(flow.slots)), keys, strict=False):
            size = lookup(sizes[:, slot], jnp.broadcast_to(jnp.asarray(period), (lanes,)))
            value = jax.random.randint(bits, (lanes,), 0, size, dtype=jnp.int32)
            found.append((Place(slot, 0), value))
        return self._begin(key, lanes, period, found)

    def _begin(
        self,
        key: jax.Array,
        lanes: int,
        period: jax.Array | int,
        values: Sequence[tuple[Place, Any]],
    ) -> jax.Array:
        flow = self.interpreter.flow
        coords = [jnp.zeros(lanes, dtype=jnp.int32)] * len(flow.slots)
        for place, value in values:
            coords[place.slot] = jnp.full(lanes, value, dtype=jnp.int32)
        starts = int32(np.array([flow.segments[s].first for s in flow.segment_of]))
        started = Lanes(
            pc=0 if isinstance(period, int) else lookup(starts, period),
            coords=coords,
            period=period,
            action=None,
            fresh=False,
            words=self._bits(key, self.interpreter.num_first_words, lanes),
        )
        self.interpreter.begin(started)
        return self._store(started)

    def features(self, states: jax.Array) -> jax.Array:
        """Return what a network sees, float32 [B, F]."""
        return self.encoder(states[:, 0], states[:, 1], self._coords(states))

    def mask(self, states: jax.Array) -> jax.Array:
        """Return the allowed choices, bool [B, A]."""
        return self._masks(states[:, 0], self._coords(states))

    def step(self, key: jax.Array, states: jax.Array, actions: jax.Array) -> Transition:
        """Take allowed choices [B] and run on to the next choice.

        What a choice that is not allowed leads to is not defined.
        """
        lanes = self.lanes(states, actions)
        lanes.words = self._bits(key, self.interpreter.num_words, len(states))
        self.interpreter.run(lanes)
        size = lanes.cost.shape
        return Transition(
            states=self._store(lanes),
            cost=lanes.cost,
            duration=lanes.duration,
            discount=jnp.broadcast_to(jnp.asarray(lanes.weight, jnp.float32), size),
            epoch_ended=jnp.broadcast_to(jnp.asarray(lanes.ended), size),
        )

    def lanes(self, states: jax.Array, actions: jax.Array) -> Lanes:
        """Return lanes that stand at `states` with their choices."""
        codes = point_codes(self.points)
        return Lanes(
            pc=int(codes[0]) if self.interpreter.is_uniform else lookup(codes, states[:, 0]),
            coords=self._coords(states),
            period=states[:, 1] if self.process.finite else 0,
            action=jnp.asarray(actions, jnp.int32),
            fresh=True if self.interpreter.is_uniform else jnp.ones(len(states), dtype=bool),
            words=None,
        )

    def _coords(self, states: jax.Array) -> list[jax.Array]:
        zero = jnp.zeros(states.shape[0], dtype=jnp.int32)
        coords = [zero] * len(self.interpreter.flow.slots)
        for column, slot in enumerate(self.slots):
            coords[slot] = states[:, self._first + column]
        return coords

    def _store(self, lanes: Lanes) -> jax.Array:
        size = lanes.coords[0].shape
        codes = point_codes(self.points)
        numbers = np.zeros(len(self.interpreter.flow.code), dtype=np.int32)
        numbers[codes] = np.arange(len(codes))
        if isinstance(lanes.pc, int):
            point = jnp.full(size, numbers[lanes.pc], dtype=jnp.int32)
        else:
            point = lookup(numbers, lanes.pc)
        return self.states_at(point, lanes.period, lanes.coords)

    def states_at(
        self, point: jax.Array, period: jax.Array | int, coords: Sequence[jax.Array]
    ) -> jax.Array:
        """Return the states [B, W] of lanes that stand at points [B], coordinates by slot."""
        columns = [point]
        if self.process.finite:
            columns.append(jnp.broadcast_to(jnp.asarray(period, jnp.int32), point.shape))
        for slot in self.slots:
            live = np.array([any(p.slot == slot for p in place.live) for place in self.points])
            value = coords[slot]
            if not live.all():
                value = jnp.where(lookup(live, point), value, 0)
            columns.append(value)
        return jnp.stack([column.astype(jnp.int32) for column in columns], axis=1)

    @staticmethod
    def _bits(key: jax.Array, count: int, lanes: int) -> jax.Array:
        """Return one block of random bits for a whole step."""
        return jax.random.bits(key, (count, lanes), jnp.uint32)


def flat_environment(
    model: Any,
    *,
    weights: Mapping[str, float] | None = None,
    initial: Sequence[int] | None = None,
) -> EpochEnvironment:
    """Return a small model as an environment with one masked choice among joint actions a stage.

    Parameters
    ----------
    model, weights, initial
        As for `sparing.learn.process.process_of`.

    Raises
    ------
    MemoryError
        If the model has too many joint actions to list.
    """
    return EpochEnvironment(process_of(model, weights, initial), "flat", "one-hot")


def sequential_environment(
    model: Any,
    *,
    features: FeatureName = "one-hot",
    weights: Mapping[str, float] | None = None,
    initial: Sequence[int] | None = None,
) -> EpochEnvironment:
    """Return a model as an environment that meets its Decisions and Branches one after another.

    Parameters
    ----------
    features
        ``"one-hot"``: the node and the value of every live axis. ``"typed-counts"``: of a
        `MultiComponentProblem`, how many components of each type are in which state, decided or
        not, and how far the structure is from failing: for many exchangeable components.
    model, weights, initial
        As for `sparing.learn.process.process_of`.
    """
    return EpochEnvironment(process_of(model, weights, initial), "sequential", features)
