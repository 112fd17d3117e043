"""A certain lower bound of the least average cost: types apart, joined by prices on counts.

The chance of being down is the only thing, beside the set-up, that joins the types. For any price
held[type, state] of a component left in a state, and any shares of the set-up that sum to one,

    sum over types of gain(type alone, paying its share of the set-up and held)
      + min over all counts x of ( price P(down | x) - sum of held . x )

is at most the least average cost (weak duality of Lagrangian relaxation, Hawkins 2003): a joint
policy is a policy for each type, the set-up is paid whenever a type is maintained, and x is
somewhere. The second term is computed exactly by looking at all counts; the prices are chosen by
cutting planes (Kelley 1960), as the bound is concave in them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from math import comb, prod

import numpy as np
from numpy.typing import NDArray

from sparing.large.crew_system import CrewSystem
from sparing.large.lumped_type import LumpedType, TypeSolution
from sparing.models.component_types import structure_groups

MOST_COUNTS = 3_000_000_000  # combinations of counts that are all looked at
MOST_OF_A_TYPE = 3_000  # counts of one type; its wear is a square matrix of so many rows
ROUNDS = 25
BLOCK = 1 << 22  # numbers at a time
STEP = 0.25  # first trust region, as a share of the largest price

Heard = Callable[[int, float], object]  # told the round and the bound so far


@dataclass(frozen=True, kw_only=True, eq=False)
class TypeBound:
    """A lower bound of the least long-run average objective, and the prices that prove it."""

    lower: float
    held: NDArray[np.float64]  # [pairs]
    shares: NDArray[np.float64]  # [types] of the set-up
    num_rounds: int


def bound_refused(system: CrewSystem) -> str | None:
    """Return why no bound is computed, or None."""
    if system.discount < 1.0:
        return "the bound is for long-run averages"
    sizes = [
        comb(len(members) + kind.num_states - 1, kind.num_states - 1)
        for members, kind in zip(system.members, system.kinds, strict=True)
    ]
    if max(sizes) > MOST_OF_A_TYPE or prod(sizes) > MOST_COUNTS:
        return "there are too many combinations of counts per type and state"
    return None


def type_bound(
    system: CrewSystem,
    *,
    start: NDArray[np.float64],
    rounds: int = ROUNDS,
    tol: float = 1e-3,
    progress: Heard | None = None,
) -> TypeBound:
    """Return the best bound found in `rounds` evaluations of it.

    Parameters
    ----------
    start
        Mean counts [pairs] left by a good policy; the first prices are those at its margin.
    tol
        Share of the bound by which it may fall short of the best of its kind.

    Raises
    ------
    ValueError
        If it cannot be computed; see `bound_refused`.
    """
    why = bound_refused(system)
    if why is not None:
        raise ValueError(f"no lower bound: {why}.")
    return _CuttingPlanes(system, start, tol).run(rounds, progress)


class _CuttingPlanes:
    """Prices [pairs] and shares [types] as one vector, and the cuts seen so far."""

    def __init__(self, system: CrewSystem, start: NDArray[np.float64], tol: float) -> None:
        self.system, self.tol = system, tol
        self.coupling = Coupling(system)
        self.types = self.coupling.types
        self.values: list[NDArray[np.float64] | None] = [None] * len(self.types)
        self.point = np.concatenate([self.coupling.margin(start), self._first_shares(start)])
        # Per function (types, then the coupling) its cuts: constant + slope . vector.
        self.cuts: list[list[tuple[float, NDArray[np.float64]]]] = [
            [] for _ in range(len(self.types) + 1)
        ]

    def _first_shares(self, start: NDArray[np.float64]) -> NDArray[np.float64]:
        sizes = np.array([len(members) for members in self.system.members], dtype=float)
        return np.asarray(sizes / sizes.sum())

    def run(self, rounds: int, progress: Heard | None) -> TypeBound:
        lower, best = -np.inf, self.point
        scale = max(1.0, float(np.abs(self.point[: self.system.num_pairs]).max()))
        radius, number = STEP, 0
        point = self.point
        for number in range(1, rounds + 1):
            found = self.evaluate(point)
            if found > lower:
                radius = min(1.0, 1.5 * radius) if np.isfinite(lower) else radius
                lower, best = found, point
            else:
                radius *= 0.5
            if progress is not None:
                progress(number, lower + self.system.constant)
            point, upper = self.next_point(best, radius * scale, radius)
            if upper - lower <= self.tol * abs(lower) and number > 1:
                break
        pairs = self.system.num_pairs
        return TypeBound(
            lower=lower + self.system.constant,
            held=best[:pairs],
            shares=best[pairs:],
            num_rounds=number,
        )

    def evaluate(self, point: NDArray[np.float64]) -> float:
        """Return the bound at `point` and keep what it shows of its neighbourhood."""
        pairs, total = self.system.num_pairs, 0.0
        held, shares = point[:pairs], point[pairs:]
        for number, (kind, at) in enumerate(zip(self.types, self._slices(), strict=True)):
            share = shares[number] * self.system.setup_cost
            tol = 1e-5 * (1.0 + self.system.price)
            solution, self.values[number] = kind.solved(
                held[at], share, tol=tol, start=self.values[number]
            )
            total += solution.gain
            self.cuts[number].append(self._type_cut(solution, number, at, point))
        least, counts = self.coupling.least(held)
        slope = np.zeros(len(point))
        slope[:pairs] = -counts
        self.cuts[-1].append((least + float(counts @ held), slope))
        return total + least

    def _type_cut(
        self, solution: TypeSolution, number: int, at: slice, point: NDArray[np.float64]
    ) -> tuple[float, NDArray[np.float64]]:
        """Return constant and slope of the average cost of a policy, linear in prices and share."""
        slope = np.zeros(len(point))
        slope[at] = solution.counts
        slope[self.system.num_pairs + number] = solution.sent * self.system.setup_cost
        return solution.paid, slope

    def _slices(self) -> Iterator[slice]:
        for begin, end in zip(self.system.offsets[:-1], self.system.offsets[1:], strict=True):
            yield slice(int(begin), int(end))

    def next_point(
        self, centre: NDArray[np.float64], price_radius: float, share_radius: float
    ) -> tuple[NDArray[np.float64], float]:
        """Maximise the least of the cuts near `centre`; returns the point and the cuts' value."""
        from scipy.optimize import linprog

        size, functions = len(centre), len(self.cuts)
        rows, right = [], []
        for number, cuts in enumerate(self.cuts):
            for constant, slope in cuts:  # height[number] <= constant + slope . point
                height = np.zeros(functions)
                height[number] = 1.0
                rows.append(np.concatenate([-slope, height]))
                right.append(constant)
        pairs = self.system.num_pairs
        radius = np.where(np.arange(size) < pairs, price_radius, share_radius)
        low, high = centre - radius, centre + radius
        low[pairs:], high[pairs:] = low[pairs:].clip(0.0), high[pairs:].clip(max=1.0)
        bounds = [*zip(low, high, strict=True), *[(None, None)] * functions]
        whole = np.concatenate([np.zeros(pairs), np.ones(size - pairs), np.zeros(functions)])
        found = linprog(
            -np.concatenate([np.zeros(size), np.ones(functions)]),
            A_ub=np.array(rows), b_ub=np.array(right),
            A_eq=whole[None], b_eq=[1.0], bounds=bounds,
        )  # fmt: skip
        if found.status != 0 or found.x is None or found.fun is None:
            return centre, np.inf
        point = np.array(found.x[:size])
        point[pairs:] = np.clip(point[pairs:], 0.0, 1.0)
        point[pairs:] /= max(1.0, point[pairs:].sum())  # in rounding too, no more than the set-up
        return point, -float(found.fun)


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

    def least(self, held: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        """Return min over x of price P(down | x) - held . x, and that x [pairs].

        Every combination of counts is looked at, in float32 with what that may round away taken
        off the result.
        """
        offsets, types = self.system.offsets, self.types
        states = [kind.states for kind in types]
        rent = [s @ held[a:b] for s, a, b in zip(states, offsets[:-1], offsets[1:], strict=True)]
        price = self.system.price
        order = np.argsort([len(s) for s in states])[::-1]  # the largest last, for long products
        *outer, last = order[::-1]
        working = [kind.working for kind in types]
        down = np.moveaxis(self.down.astype(np.float64), [*outer, last], range(len(types)))
        best, place = np.inf, [0] * len(types)
        inner = np.ascontiguousarray((price * working[last].T), dtype=np.float32)
        rest = rent[last].astype(np.float32)
        for block, chance, paid in _outer_blocks(outer, working, rent, down, len(rest)):
            cost = chance.astype(np.float32) @ inner
            cost -= rest
            cheapest = cost.argmin(axis=1)
            value = cost[np.arange(len(cost)), cheapest] - paid
            at = int(value.argmin())
            if value[at] < best:
                best = float(value[at])
                place = [0] * len(types)
                for kind, index in zip(outer, block(at), strict=True):
                    place[kind] = index
                place[last] = int(cheapest[at])
        counts = np.concatenate([s[i] for s, i in zip(states, place, strict=True)])
        size = price + sum(float(np.abs(r).max()) for r in rent)
        rounding = 1e-6 * size  # of float32 sums of up to a few dozen terms of at most this size
        return best - rounding, counts.astype(np.float64)


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
    rows = max(1, BLOCK // (width * many))
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
