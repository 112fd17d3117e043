"""What joins the types of components: the chance of being down, over all counts of all types."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from math import prod

import numpy as np
from numpy.typing import NDArray

from sparing.large.crew_system import CrewSystem
from sparing.large.lumped_type import LumpedType
from sparing.models.component_types import structure_groups

BLOCK = 1 << 22  # numbers at a time
OTHERS = 24  # parts of the space of counts from which a round takes a cut, beside the best


@dataclass(frozen=True, eq=False)
class Coupling:
    """The chance of being down as a function of the counts of all types."""

    system: CrewSystem

    @cached_property
    def types(self) -> list[LumpedType]:
        """Each type by itself."""
        return _counts(self.system)

    @cached_property
    def down(self) -> NDArray[np.float32]:
        """Whether the system is down [count + 1 of each type] by how many of each type work."""
        axes = np.ogrid[tuple(slice(len(m) + 1) for m in self.system.members)]
        groups = structure_groups(self.system.problem.parsed_structure)
        names = self.system.problem.names
        first = [names[members[0]] for members in self.system.members]
        works: dict[int, NDArray[np.bool_]] = {}
        for group in reversed(groups):
            held = {part.component for part in group.parts if part.component}
            count = sum(
                (axes[kind] for kind, name in enumerate(first) if name in held),
                start=np.zeros(1, dtype=np.int64),
            )
            for part in group.parts:
                if not part.component:
                    count = count + works[id(part)].astype(np.int64)
            works[id(group)] = count >= group.required
        shape = tuple(len(members) + 1 for members in self.system.members)
        return np.broadcast_to(~works[id(groups[0])], shape).astype(np.float32)

    def margin(self, counts: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return price times the derivative [pairs] of P(down) at mean counts [pairs]."""
        rule = self.system
        left = np.concatenate(
            [
                _rounded(counts[a:b])
                for a, b in zip(rule.offsets[:-1], rule.offsets[1:], strict=True)
            ]
        )
        gains = np.zeros(rule.num_pairs)
        for kind in range(len(self.types)):
            a, b = rule.offsets[kind], rule.offsets[kind + 1]
            at = int(a + left[a:b].argmax())
            chance = []
            for works in (1.0, 0.0):
                survive = [
                    np.repeat(rule.working[p:q], left[p:q])
                    for p, q in zip(rule.offsets[:-1], rule.offsets[1:], strict=True)
                ]
                survive[kind][left[a:at].sum()] = works
                chance.append(self._chance([_number_working(p) for p in survive]))
            gains[a:b] = rule.price * (chance[1] - chance[0])
        return gains * (1.0 - rule.working)

    def _chance(self, distributions: list[NDArray[np.float64]]) -> float:
        result = self.down.astype(np.float64)
        for distribution in distributions:
            result = np.tensordot(distribution, result, axes=(0, 0))
        return float(result)

    def least(self, held: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return min over x of price P(down | x) - held . x, and that x.

        Every combination of counts is looked at, in float32 with what that may round away taken
        off the results. Behind the least stand those of some other parts of the space, as values
        [K] and counts [K, pairs].
        """
        offsets, types = self.system.offsets, self.types
        states = [kind.states for kind in types]
        rent = [s @ held[a:b] for s, a, b in zip(states, offsets[:-1], offsets[1:], strict=True)]
        price = self.system.price
        *outer, last = np.argsort([len(s) for s in states]).tolist()  # long products at the end
        down = np.moveaxis(self.down.astype(np.float64), [*outer, last], range(len(types)))
        working = [kind.working for kind in types]
        inner = np.ascontiguousarray((price * working[last].T), dtype=np.float32)
        rest = rent[last].astype(np.float32)
        found: list[tuple[float, list[int]]] = []
        for numbers, chance, paid in _outer_blocks(outer, working, rent, down, len(rest)):
            cost = chance.astype(np.float32) @ inner
            cost -= rest
            cheapest = cost.argmin(axis=1)
            value = cost[np.arange(len(cost)), cheapest] - paid
            at = int(value.argmin())
            place = [0] * len(types)
            for kind, index in zip(outer, numbers(at), strict=True):
                place[kind] = index
            place[last] = int(cheapest[at])
            found.append((float(value[at]), place))
        best = min(found)
        chosen = [best, *found[:: -(-len(found) // OTHERS)]]
        counts = [
            np.concatenate([s[i] for s, i in zip(states, place, strict=True)])
            for _, place in chosen
        ]
        size = price + sum(float(np.abs(r).max()) for r in rent)
        rounding = 1e-6 * size  # of float32 sums of up to a few dozen terms of at most this size
        return np.array([value for value, _ in chosen]) - rounding, np.array(counts) * 1.0


Block = tuple[Callable[[int], list[int]], NDArray[np.float64], NDArray[np.float64]]


def _outer_blocks(
    outer: list[int],
    working: list[NDArray[np.float64]],
    rent: list[NDArray[np.float64]],
    down: NDArray[np.float64],
    width: int,
) -> Iterator[Block]:
    """Yield P(down | counts of the outer types, working of the last) [B, count + 1], and rents.

    With each block comes a function from its row to the counts' numbers.
    """
    if not outer:
        yield (lambda _: []), down[None], np.zeros(1)
        return
    first, *others = outer
    sizes = [len(rent[kind]) for kind in others]
    many = prod(sizes)
    few = len(rent[first]) // OTHERS  # rows a block, so that there are some parts to cut from
    rows = max(1, min(BLOCK // (width * many), few))
    paid_others = np.zeros(1)
    for kind in others:
        paid_others = np.add.outer(paid_others, rent[kind]).ravel()
    for begin in range(0, len(rent[first]), rows):
        part = np.arange(begin, min(begin + rows, len(rent[first])))
        chance = np.tensordot(working[first][part], down, axes=(1, 0))
        for position, kind in enumerate(others):
            chance = np.moveaxis(
                np.tensordot(chance, working[kind], axes=(position + 1, 1)), -1, position + 1
            )
        flat = chance.reshape(len(part) * many, -1)
        paid = np.add.outer(rent[first][part], paid_others).ravel()
        step = max(1, BLOCK // width)
        for start in range(0, len(flat), step):

            def numbers(at: int, begin: int = begin, start: int = start) -> list[int]:
                head, tail = divmod(start + at, many)
                return [begin + head, *(int(n) for n in np.unravel_index(tail, sizes or (1,)))][
                    : 1 + len(sizes)
                ]

            yield numbers, flat[start : start + step], paid[start : start + step]


def _counts(system: CrewSystem) -> list[LumpedType]:
    return [
        LumpedType(len(members), kind.transition, cost)
        for members, kind, cost in zip(system.members, system.kinds, system.costs, strict=True)
    ]


def _rounded(counts: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return whole numbers of the same sum near `counts`."""
    whole = np.floor(counts).astype(np.int64)
    missing = round(float(counts.sum())) - int(whole.sum())
    whole[np.argsort(whole - counts)[:missing]] += 1
    return whole


def _number_working(chances: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the distribution [n + 1] of how many of independent components work."""
    reached = np.ones(1)
    for p in chances:
        reached = np.convolve(reached, [1.0 - p, p])
    return reached
