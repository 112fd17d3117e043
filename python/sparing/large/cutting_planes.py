"""The best prices of a lower bound, by cutting planes (Kelley 1960)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sparing.large.coupling import Coupling
from sparing.large.crew_system import CrewSystem
from sparing.large.lumped_type import TypeSolution

STEP = 0.25  # first trust region, as a share of the largest price

Heard = Callable[[int, float], object]  # told the round and the bound so far


@dataclass(frozen=True, kw_only=True, eq=False)
class TypeBound:
    """A lower bound of the least long-run average objective, and the prices that prove it."""

    lower: float
    held: NDArray[np.float64]  # [pairs]
    shares: NDArray[np.float64]  # [types] of the set-up
    num_rounds: int


class CuttingPlanes:
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
        """Return the best bound found in `rounds` evaluations, or when little can be gained."""
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
        values, counts = self.coupling.least(held)
        for value, left in zip(values, counts, strict=True):
            slope = np.zeros(len(point))
            slope[:pairs] = -left
            self.cuts[-1].append((float(value + left @ held), slope))
        return total + float(values[0])

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
