"""What each instruction does to the lanes that stand at it; all others pass unchanged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from sparing.forward import NEVER, draw_thresholds
from sparing.learn.feasible import Factors
from sparing.learn.flow import End, Flow, Fork, Pay, Place, Rows
from sparing.learn.lanes import Lanes
from sparing.learn.lookups import both, float32, int32, lookup, select

LINEAR_SEARCH = 8  # entries of a row up to which thresholds are compared one after another


class Step(Protocol):
    """One instruction, or several that are done together."""

    pc: int
    num_words: int

    def run(self, lanes: Lanes) -> None:
        """Move the lanes that stand here on."""
        ...


@dataclass(eq=False)
class PayStep:
    """A cost of the present state."""

    pc: int
    pay: Pay
    num_words: int = 0

    def run(self, lanes: Lanes) -> None:
        """Charge the lanes that stand here."""
        here = lanes.at(self.pc)
        if here is False:
            return
        if float32(self.pay.cost).any() or self.pay.duration.any():
            index = jnp.zeros_like(lanes.coords[0])
            for place, offsets in zip(self.pay.reads, self.pay.offsets, strict=True):
                index = index + lookup(int32(offsets), lanes.coords[place.slot])
            _charge(lanes, here, self.pay.cost, self.pay.duration, index)
        lanes.go(here, self.pay.next)


@dataclass(eq=False)
class MoveStep:
    """Rows of a single entry."""

    pc: int
    rows: Rows
    num_words: int = 0

    def run(self, lanes: Lanes) -> None:
        """Go where the row leads."""
        here = lanes.at(self.pc)
        if here is False:
            return
        row = lanes.row(self.rows.reads)
        _charge(lanes, here, self.rows.cost, self.rows.duration, row)
        _write(lanes, here, self.rows.writes, Packed.of(self.rows.writes, self.rows.to), row)
        lanes.go(here, self.rows.next)


class DrawStep:
    """Rows of several entries, of which nature draws one: inverse distribution function."""

    num_words = 1

    def __init__(self, pc: int, rows: Rows) -> None:
        assert rows.probability is not None
        self.pc, self.rows = pc, rows
        self.thresholds = draw_thresholds(rows.indptr, rows.probability)
        self.packed = Packed.of(rows.writes, rows.to)
        self.width = int(np.diff(rows.indptr).max())

    def run(self, lanes: Lanes) -> None:
        """Draw an entry and go there."""
        here, draw = lanes.at(self.pc), lanes.draw(1)[0]
        if here is False:
            return
        row = lanes.row(self.rows.reads)
        first = lookup(int32(self.rows.indptr[:-1]), row)
        entry = self._linear(row, first, draw) if self.width <= LINEAR_SEARCH else None
        if entry is None:
            entry = self._halving(first, lookup(int32(self.rows.indptr[1:] - 1), row), draw)
        _charge(lanes, here, self.rows.cost, self.rows.duration, entry)
        _write(lanes, here, self.rows.writes, self.packed, entry)
        lanes.go(here, self.rows.next)

    def _linear(self, row: jax.Array, first: jax.Array, draw: jax.Array) -> jax.Array:
        table = np.full((self.rows.num_rows, self.width), NEVER, dtype=np.uint32)
        rows = self.rows.row_of_entries()
        table[rows, np.arange(rows.size) - self.rows.indptr[rows]] = self.thresholds
        for column in range(self.width - 1):
            first = first + (draw >= lookup(table[:, column], row)).astype(jnp.int32)
        return first

    def _halving(self, low: jax.Array, high: jax.Array, draw: jax.Array) -> jax.Array:
        for _ in range(int(np.ceil(np.log2(self.width)))):
            middle = (low + high) // 2
            beyond = draw >= lookup(self.thresholds, middle)
            low = jnp.where(beyond & (low < high), middle + 1, low)
            high = jnp.where(beyond, high, middle)
        return low


class ChooseStep:
    """Rows of entries of which a learner picks one; a single entry is taken unasked.

    Attributes
    ----------
    last
        Whether an epoch without a choice is shown here, so that every step ends.
    """

    num_words = 0

    def __init__(self, pc: int, rows: Rows, last: bool) -> None:
        assert rows.choice is not None
        self.pc, self.rows, self.last = pc, rows, last
        self.entries = dense_entries(rows)
        self.forced = forced_choices(rows)
        flat = np.maximum(self.entries, 0).ravel()
        self.packed = Packed.of(rows.writes, rows.to[flat])
        self.cost, self.duration = rows.cost[flat], rows.duration[flat]

    def run(self, lanes: Lanes) -> None:
        """Take the choice of lanes that came to choose, pass where one is left, else stop."""
        here = lanes.at(self.pc)
        if here is False:
            return
        row, choice = lanes.row(self.rows.reads), lanes.action
        if not self.rows.always or choice is None:
            forced = lookup(int32(self.forced), row)
            go = forced >= 0
            if self.rows.always:
                go = jnp.zeros_like(go)
            if self.last:
                go = go & ~jnp.asarray(lanes.ended)
            if choice is None:
                choice, moves = forced, both(here, go)
            else:
                choice = jnp.where(lanes.fresh, choice, forced)
                moves = both(here, go | lanes.fresh)
        else:
            moves = both(here, lanes.fresh)
            if moves is False:
                return
        index = row * np.int32(self.entries.shape[1]) + choice
        _charge(lanes, moves, self.cost, self.duration, index)
        _write(lanes, moves, self.rows.writes, self.packed, index)
        lanes.go(moves, self.rows.next)
        lanes.fresh = False if moves is True else lanes.fresh & ~jnp.asarray(moves)


class ForkStep:
    """A choice among alternatives."""

    num_words = 0

    def __init__(self, pc: int, fork: Fork, checks: list[Factors], last: bool) -> None:
        self.pc, self.fork, self.checks, self.last = pc, fork, checks, last

    def allowed(self, coords: list[jax.Array]) -> list[jax.Array]:
        """Return per alternative whether it is allowed, bool [B]."""
        found = []
        for factors in self.checks:
            allowed = jnp.ones(coords[0].shape, dtype=bool)
            for factor in factors:
                index = jnp.zeros_like(coords[0])
                for place in factor.places:
                    index = index * np.int32(place.size) + coords[place.slot]
                allowed = allowed & lookup(factor.alive.ravel(), index)
            found.append(allowed)
        return found

    def run(self, lanes: Lanes) -> None:
        """Enter the alternative chosen, or the only one that is allowed; else stop."""
        here = lanes.at(self.pc)
        if here is False:
            return
        allowed = jnp.stack(self.allowed(lanes.coords))
        forced = jnp.argmax(allowed, axis=0).astype(jnp.int32)
        go = allowed.sum(axis=0) == 1
        if self.last:
            go = go & ~jnp.asarray(lanes.ended)
        choice, fresh = forced, jnp.asarray(False)
        if lanes.action is not None:
            fresh = jnp.asarray(lanes.fresh)
            choice = jnp.where(fresh, lanes.action, forced)
        moves = both(here, go | fresh)
        _charge(lanes, moves, self.fork.cost, self.fork.duration, choice)
        lanes.go(moves, lookup(int32(np.array(self.fork.targets)), choice))
        lanes.fresh = lanes.fresh & ~moves


class EndStep:
    """The end of an epoch: time, discount, and the code of the next one."""

    num_words = 0

    def __init__(self, pc: int, end: End, flow: Flow, slots: list[int]) -> None:
        self.pc, self.end, self.flow, self.slots = pc, end, flow, slots

    def run(self, lanes: Lanes) -> None:
        """Begin the next epoch, or the next episode where this one has ended."""
        here, process = lanes.at(self.pc), self.flow.process
        if here is False:
            return
        starts = np.array([self.flow.segments[s].first for s in self.flow.segment_of])
        lanes.ended = True if here is True else lanes.ended | here
        if not process.has_duration:
            lanes.spend(here, jnp.ones_like(lanes.duration))
        discount = jnp.float32(self.end.discount)
        if not process.finite:
            if self.end.discount != 1.0:
                lanes.weight = lanes.weight * select(here, discount, jnp.float32(1.0))
            lanes.go(here, int(starts[0]))
            return
        after = jnp.asarray(lanes.period) + 1
        over = after >= len(process.epochs)
        discount = jnp.where(over, 0.0, discount)
        lanes.weight = lanes.weight * select(here, discount, jnp.float32(1.0))
        lanes.period = select(here, jnp.where(over, 0, after), jnp.asarray(lanes.period))
        restart = both(here, over)
        for slot, value in zip(self.slots, process.initial, strict=True):
            lanes.coords[slot] = jnp.where(restart, value, lanes.coords[slot])
        lanes.go(here, lookup(int32(starts), jnp.asarray(lanes.period)))


@dataclass(frozen=True, eq=False)
class Packed:
    """Coordinates led to, several in one word where they fit."""

    words: tuple[NDArray[np.int32], ...]
    fields: tuple[tuple[int, int, int], ...]  # per coordinate: word, shift, bits

    @classmethod
    def of(cls, places: tuple[Place, ...], to: NDArray[np.int64]) -> Packed:
        """Pack `to` [entries, places]."""
        words: list[NDArray[np.int32]] = []
        fields, shift = [], 32
        for column, place in enumerate(places):
            bits = max(1, (place.size - 1).bit_length())
            if shift + bits > 31:
                words.append(np.zeros(len(to), dtype=np.int32))
                shift = 0
            words[-1] |= int32(to[:, column]) << shift
            fields.append((len(words) - 1, shift, bits))
            shift += bits
        return cls(tuple(words), tuple(fields))


def _write(
    lanes: Lanes, condition: object, places: tuple[Place, ...], packed: Packed, index: jax.Array
) -> None:
    words = [lookup(word, index) for word in packed.words]
    for place, (word, shift, bits) in zip(places, packed.fields, strict=True):
        value = (words[word] >> shift) & np.int32((1 << bits) - 1)
        lanes.coords[place.slot] = select(condition, value, lanes.coords[place.slot])


def _charge(
    lanes: Lanes,
    condition: object,
    cost: NDArray[np.float64],
    duration: NDArray[np.float64],
    index: jax.Array,
) -> None:
    if float32(cost).any():
        lanes.pay(condition, lookup(float32(cost), index))
    if duration.any():
        lanes.spend(condition, lookup(float32(duration), index))


def dense_entries(rows: Rows) -> NDArray[np.int64]:
    """Return the entry [rows, choices] of each choice, -1 where it is not offered."""
    assert rows.choice is not None
    table = np.full((rows.num_rows, rows.num_choices), -1, dtype=np.int64)
    table[rows.row_of_entries(), rows.choice] = np.arange(rows.choice.size)
    return table


def forced_choices(rows: Rows) -> NDArray[np.int32]:
    """Return per row its choice where there is a single one, else -1 (rows never met: 0)."""
    counts = np.diff(rows.indptr)
    first = np.zeros(rows.num_rows, dtype=np.int32)
    assert rows.choice is not None
    there = counts > 0
    first[there] = rows.choice[rows.indptr[:-1][there]]
    return np.where(counts > 1, -1, first).astype(np.int32)
