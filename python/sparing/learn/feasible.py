"""Which choices lead to a dead end: a Boolean backward walk over the code, factor by factor.

What must hold at a place is a conjunction of factors, each a table over a few coordinates, so
that fifty components need no table over all their states together.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product
from math import prod

import numpy as np
from numpy.typing import NDArray

from sparing.learn.flow import End, Flow, Fork, Instruction, Pay, Place, Rows

LARGEST = 1 << 24  # entries of a factor
MOST_FACTORS = 1 << 12


@dataclass(frozen=True, eq=False)
class Factor:
    """Allowed combinations of coordinates: `alive` has one axis per place, by rising slot."""

    places: tuple[Place, ...]
    alive: NDArray[np.bool_]


Factors = tuple[Factor, ...]


def prune(flow: Flow) -> dict[int, list[Factors]]:
    """Take dead entries out of the choices of `flow`; return the checks of its forks.

    Returns
    -------
    dict
        Per fork, by its place in the code, what each alternative needs.

    Raises
    ------
    MemoryError
        If what a choice allows depends on too many coordinates at once.
    """
    needs: list[Factors] = [()] * (len(flow.code) + 1)
    checks: dict[int, list[Factors]] = {}
    for pc in reversed(range(len(flow.code))):
        step = flow.code[pc]
        behind = () if isinstance(step, End) else needs[step.next]
        if isinstance(step, Fork):
            checks[pc] = [needs[target] for target in step.targets]
            needs[pc] = _either(checks[pc])
        elif isinstance(step, Pay):
            needs[pc] = (*behind, *_finite(step))
        elif isinstance(step, Rows):
            flow.code[pc], needs[pc] = _through(step, behind)
    return checks


def _finite(step: Pay) -> Factors:
    if np.isfinite(step.cost).all():
        return ()
    _check_size([place.size for place in step.reads], step.label)
    row = np.zeros(1, dtype=np.int64)
    for offsets in step.offsets:
        row = np.add.outer(row, offsets).ravel()
    return _made(step.reads, np.isfinite(step.cost)[row])


def _through(step: Rows, behind: Factors) -> tuple[Instruction, Factors]:
    writes = {place.slot for place in step.writes}
    touching = tuple(f for f in behind if writes & {place.slot for place in f.places})
    others = tuple(f for f in behind if f not in touching)
    if step.choice is not None:
        step, alive = _chosen(step, touching)
        return step, (*others, *alive)
    found: Factors = ()
    for factor in touching:
        alive_entries, rest = _entries_alive(step, factor)
        rows = np.ones((step.num_rows, *alive_entries.shape[1:]), dtype=bool)
        np.logical_and.at(rows, step.row_of_entries(), alive_entries)
        found += _made((*step.reads, *rest), rows.ravel())
    return step, (*others, *found)


def _chosen(step: Rows, touching: Factors) -> tuple[Rows, Factors]:
    """Return a choice without its dead entries, and in which states one is left."""
    everything = Factor((), np.ones((), dtype=bool))
    joined = _all(touching, step.label) if touching else everything
    alive, rest = _entries_alive(step, joined)
    if rest:
        step = _with_context(step, rest)
        alive = np.moveaxis(alive.reshape(alive.shape[0], -1), 1, 0).ravel()
    step = _keep(step, alive)
    return step, _made(step.reads, np.diff(step.indptr) > 0)


def _entries_alive(step: Rows, factor: Factor) -> tuple[NDArray[np.bool_], tuple[Place, ...]]:
    """Return [entries, *rest] whether `factor` holds behind an entry, and the places of `rest`."""
    column = {place.slot: i for i, place in enumerate(step.writes)}
    shape = tuple(place.size for place in step.reads)
    coordinates = np.unravel_index(step.row_of_entries(), shape) if shape else ()
    read = {place.slot: coordinates[i] for i, place in enumerate(step.reads)}
    known, rest = [], []
    for axis, place in enumerate(factor.places):
        if place.slot in column:
            known.append((axis, step.to[:, column[place.slot]]))
        elif place.slot in read:
            known.append((axis, read[place.slot]))
        else:
            rest.append(axis)
    moved = np.transpose(factor.alive, [*(axis for axis, _ in known), *rest])
    places = tuple(factor.places[axis] for axis in rest)
    if not known:
        return np.broadcast_to(moved, (step.to.shape[0], *moved.shape)), places
    return moved[tuple(values for _, values in known)], places


def _with_context(step: Rows, rest: tuple[Place, ...]) -> Rows:
    """Return `step` with further places that are read, first, and pass through."""
    copies = prod(place.size for place in rest)
    _check_size([copies, step.to.shape[0]], step.label)
    counts = np.tile(np.diff(step.indptr), copies)
    assert step.choice is not None
    return replace(
        step,
        reads=(*rest, *step.reads),
        indptr=np.concatenate([[0], np.cumsum(counts)]),
        to=np.tile(step.to, (copies, 1)),
        cost=np.tile(step.cost, copies),
        duration=np.tile(step.duration, copies),
        choice=np.tile(step.choice, copies),
        source=np.tile(step.sources, copies),
    )


def _keep(step: Rows, alive: NDArray[np.bool_]) -> Rows:
    if alive.all():
        return step
    assert step.choice is not None
    counts = np.concatenate([[0], np.cumsum(alive)])
    return replace(
        step,
        indptr=counts[step.indptr],
        to=step.to[alive],
        cost=step.cost[alive],
        duration=step.duration[alive],
        choice=step.choice[alive],
        source=step.sources[alive],
    )


def _either(alternatives: list[Factors]) -> Factors:
    """Return the factors of a disjunction of conjunctions."""
    if not all(alternatives):
        return ()
    count = prod(len(factors) for factors in alternatives)
    if count > MOST_FACTORS:
        alternatives = [(_all(factors, "a Branch"),) for factors in alternatives]
    found: Factors = ()
    for pick in product(*alternatives):
        places = _union(pick, "a Branch")
        alive = np.logical_or.reduce([_on(factor, places) for factor in pick])
        found += _made(places, np.broadcast_to(alive, [place.size for place in places]))
    return found


def _all(factors: Factors, label: str) -> Factor:
    places = _union(factors, label)
    alive = np.logical_and.reduce([_on(factor, places) for factor in factors])
    return Factor(places, np.broadcast_to(alive, [place.size for place in places]))


def _union(factors: Factors, label: str) -> tuple[Place, ...]:
    places = {place.slot: place for factor in factors for place in factor.places}
    _check_size([place.size for place in places.values()], label)
    return tuple(places[slot] for slot in sorted(places))


def _on(factor: Factor, places: tuple[Place, ...]) -> NDArray[np.bool_]:
    """Return the factor with an axis of one for each of `places` that it does not depend on."""
    held = {place.slot for place in factor.places}
    return factor.alive.reshape([place.size if place.slot in held else 1 for place in places])


def _made(places: tuple[Place, ...], alive: NDArray[np.bool_]) -> Factors:
    """Return a factor with its axes by rising slot, without those that do not matter."""
    alive = alive.reshape([place.size for place in places])
    if alive.all():
        return ()
    order = sorted(range(len(places)), key=lambda i: places[i].slot)
    alive, places = alive.transpose(order), tuple(places[i] for i in order)
    for axis in reversed(range(len(places))):
        first = alive.take([0], axis=axis)
        if (alive == first).all():
            alive = first.squeeze(axis)
            places = (*places[:axis], *places[axis + 1 :])
    return (Factor(places, alive),)


def _check_size(sizes: list[int], label: str) -> None:
    if prod(sizes) > LARGEST:
        raise MemoryError(
            f"{label}: what is allowed here depends on {prod(sizes):,} combinations of"
            f" coordinates, at most {LARGEST:,} are listed."
        )
