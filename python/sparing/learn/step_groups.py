"""Neighbouring instructions of one coordinate each, done together: few fat operations."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from sparing.forward import NEVER, draw_thresholds
from sparing.learn.flow import Rows
from sparing.learn.lanes import Lanes
from sparing.learn.lookups import float32, lookup_each, select
from sparing.learn.steps import dense_entries, forced_choices


class CountGroup:
    """Moves that add to one coordinate what others say, up to its largest value."""

    num_words = 0

    def __init__(self, pc: int, group: list[Rows]) -> None:
        self.pc, self.next, self.count = pc, group[-1].next, group[0].writes[0]
        self.slots = [rows.reads[0].slot for rows in group]
        self.added = np.zeros((len(group), max(rows.reads[0].size for rows in group)), np.int32)
        for n, rows in enumerate(group):
            self.added[n, : rows.reads[0].size] = _added(rows)

    def run(self, lanes: Lanes) -> None:
        """Add all up at once."""
        here = lanes.at(self.pc)
        if here is False:
            return
        added = lookup_each(self.added, lanes.stacked(self.slots)).sum(axis=0)
        before = lanes.coords[self.count.slot]
        after = jnp.minimum(before + added, np.int32(self.count.size - 1))
        lanes.coords[self.count.slot] = select(here, after, before)
        lanes.go(here, self.next)

    @staticmethod
    def fits(rows: Rows) -> bool:
        """Whether a move is of that simple sort."""
        if len(rows.reads) != 2 or rows.writes != rows.reads[1:] or not rows.is_move:
            return False
        if rows.cost.any() or rows.duration.any() or rows.choice is not None:
            return False
        size = rows.writes[0].size
        reached = np.minimum(np.add.outer(_added(rows), np.arange(size)), size - 1)
        return bool((_added(rows) >= 0).all() and (rows.to[:, 0] == reached.ravel()).all())


def _added(rows: Rows) -> NDArray[np.int64]:
    """Return per value of the coordinate read first what is added to 0."""
    return np.asarray(rows.to[:: rows.reads[1].size, 0])


class DrawGroup:
    """Draws of one coordinate each, in place, whose rows lead upward in order."""

    def __init__(self, pc: int, group: list[Rows]) -> None:
        self.pc, self.next, self.num_words = pc, group[-1].next, len(group)
        self.slots = [rows.reads[0].slot for rows in group]
        size = max(rows.reads[0].size for rows in group)
        # columns[j, n, a]: the draw from which row a of coordinate n goes beyond state j.
        self.columns = np.full((size - 1, len(group), size), NEVER, dtype=np.uint32)
        for n, rows in enumerate(group):
            assert rows.probability is not None
            thresholds = draw_thresholds(rows.indptr, rows.probability)
            for a in range(rows.num_rows):
                begin, end = rows.indptr[a : a + 2]
                reached = np.searchsorted(rows.to[begin:end, 0], np.arange(size - 1), side="right")
                low = np.concatenate([[0], thresholds[begin:end]])
                self.columns[:, n, a] = low[reached]

    def run(self, lanes: Lanes) -> None:
        """Draw all coordinates of the lanes that stand here."""
        here, draw = lanes.at(self.pc), lanes.draw(len(self.slots))
        if here is False:
            return
        found = lanes.stacked(self.slots)
        after = jnp.zeros_like(found)
        for column in self.columns:
            after = after + (draw >= lookup_each(column, found)).astype(jnp.int32)
        for n, slot in enumerate(self.slots):
            lanes.coords[slot] = select(here, after[n], lanes.coords[slot])
        lanes.go(here, self.next)

    @staticmethod
    def fits(rows: Rows) -> bool:
        """Whether a draw is of that simple sort."""
        if rows.probability is None or rows.is_move or rows.cost.any() or rows.duration.any():
            return False
        if rows.writes != rows.reads or len(rows.reads) != 1 or rows.reads[0].size > 16:
            return False
        rises = np.diff(rows.to[:, 0]) > 0
        return bool(np.all(rises | (np.diff(rows.row_of_entries()) > 0)))


class ChooseGroup:
    """Choices of one coordinate each, in place, met one after another."""

    num_words = 0

    def __init__(self, pc: int, group: list[Rows]) -> None:
        self.pc, self.next, self.count = pc, group[-1].next, len(group)
        self.slots = [rows.reads[0].slot for rows in group]
        size = max(rows.num_rows for rows in group)
        self.width = width = max(rows.num_choices for rows in group)
        self.forced = np.zeros((len(group), size), dtype=np.int32)
        self.to = np.zeros((len(group), size, width), dtype=np.int32)
        self.cost, self.duration = np.zeros(self.to.shape), np.zeros(self.to.shape)
        for n, rows in enumerate(group):
            entries = dense_entries(rows)
            there = entries >= 0
            shape = np.s_[n, : rows.num_rows, : rows.num_choices]
            self.forced[n, : rows.num_rows] = forced_choices(rows)
            self.to[shape] = np.where(there, rows.to[entries, 0], 0)
            self.cost[shape] = np.where(there, rows.cost[entries], 0.0)
            self.duration[shape] = np.where(there, rows.duration[entries], 0.0)

    def run(self, lanes: Lanes) -> None:
        """Go from one to the next until there is something to choose."""
        place = jnp.asarray(lanes.pc) - self.pc
        inside = (place >= 0) & (place < self.count)
        number = np.arange(self.count, dtype=np.int32)[:, None]
        found = lanes.stacked(self.slots)
        forced = lookup_each(self.forced, found)
        fresh, choice = jnp.asarray(False), forced
        if lanes.action is not None:
            fresh = inside & lanes.fresh
            chosen = fresh & (number == place)
            choice = jnp.where(chosen, lanes.action, forced)
            lanes.fresh = lanes.fresh & ~inside
        else:
            chosen = jnp.zeros_like(found, dtype=bool)
        stops = (number >= place) & (forced < 0) & ~chosen
        stop = jnp.min(jnp.where(stops, number, self.count), axis=0)
        passed = inside & (number >= place) & (number < stop)
        index = found * np.int32(self.width) + choice
        flat = self.to.reshape(self.count, -1)
        after = jnp.where(passed, lookup_each(flat, index), found)
        for values, charge in ((self.cost, lanes.pay), (self.duration, lanes.spend)):
            if values.any():
                paid = lookup_each(float32(values).reshape(self.count, -1), index)
                charge(True, jnp.sum(jnp.where(passed, paid, 0.0), axis=0))
        for n, slot in enumerate(self.slots):
            lanes.coords[slot] = after[n]
        lanes.go(inside, jnp.where(stop == self.count, self.next, self.pc + stop))

    @staticmethod
    def fits(rows: Rows) -> bool:
        """Whether a choice is of that simple sort."""
        simple = rows.writes == rows.reads and len(rows.reads) == 1
        return rows.choice is not None and not rows.always and simple and rows.num_rows <= 32
