"""One type of exchangeable components as a decision process on counts."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Moves(NamedTuple):
    """Moving one component: its cost and, by rising count of those found, who goes where."""

    cost: float
    levels: list[tuple[NDArray[np.int64], NDArray[np.int64]]]


class TypeSolution(NamedTuple):
    """A lower bound of the gain of a type alone, and what a policy near it does.

    Attributes
    ----------
    gain
        Certain lower bound of the least long-run average.
    paid, sent
        Average cost of maintenance under the policy, and how often the crew is sent.
    counts
        Mean number [states] of components left in each state under it.
    """

    gain: float
    paid: float
    sent: float
    counts: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class LumpedType:
    """`count` components of one type; states are counts per component state.

    Parameters
    ----------
    count
        Number of components.
    transition, cost
        Shape (S, S): wear, and cost of maintenance (inf: not possible).
    """

    count: int
    transition: NDArray[np.float64]
    cost: NDArray[np.float64]

    @cached_property
    def states(self) -> NDArray[np.int64]:
        """Counts [M, S] of all states, in lexicographic order."""
        return compositions(self.count, len(self.transition))

    @cached_property
    def wear(self) -> NDArray[np.float64]:
        """The chance [M, M] to come from counts to counts, one component after another."""
        size = len(self.transition)
        chance = np.ones((1, 1))
        for n in range(1, self.count + 1):
            now, before = compositions(n, size), compositions(n - 1, size)
            number = {tuple(row): k for k, row in enumerate(before.tolist())}
            last = np.array([np.flatnonzero(row)[0] for row in now])  # whom a row adds
            rows = _numbers(now, last, number)
            follows = np.zeros((len(now), len(now)))
            for state in range(size):
                reached = np.flatnonzero(now[:, state])
                columns = _numbers(now[reached], np.full(len(reached), state), number)
                added = self.transition[last, state][:, None]
                follows[:, reached] += added * chance[np.ix_(rows, columns)]
            chance = follows
        return chance

    @cached_property
    def working(self) -> NDArray[np.float64]:
        """The distribution [M, count + 1] of how many work at the next inspection."""
        alive = 1.0 - self.transition[:, -1]
        reached = np.zeros((len(self.states), self.count + 1))
        reached[:, 0] = 1.0
        for state, p in enumerate(alive):
            for n in range(1, self.count + 1):
                more = self.states[:, state] >= n
                shifted = np.pad(reached[more, :-1], ((0, 0), (1, 0)))
                reached[more] = (1.0 - p) * reached[more] + p * shifted
        return reached

    def solved(
        self,
        held: NDArray[np.float64],
        setup_cost: float,
        *,
        tol: float,
        start: NDArray[np.float64] | None = None,
        max_sweeps: int = 300,
    ) -> tuple[TypeSolution, NDArray[np.float64]]:
        """Minimise maintenance + set-up + held [S] per component left in a state, on average.

        Returns the solution and the value, from which the next solve may start. The bound is
        MacQueen's (1966) and holds however many sweeps there were.
        """
        price = self.states @ held
        value = np.zeros(len(self.states)) if start is None else start
        for _ in range(max_sweeps):
            after = self._decided(price + self.wear @ value, setup_cost)
            change = after - value
            value = after - after[0]
            if np.ptp(change) <= tol:
                break
        return self._followed(float(change.min()), price, value, setup_cost), value

    def _decided(self, behind: NDArray[np.float64], setup_cost: float) -> NDArray[np.float64]:
        stay = self._cost_of_staying
        return np.minimum(behind + stay, setup_cost + self._maintained(behind)[0])

    @cached_property
    def _cost_of_staying(self) -> NDArray[np.float64]:
        diagonal = np.diag(self.cost)
        forbidden = (self.states[:, np.isinf(diagonal)] > 0).any(axis=1)
        finite = np.where(np.isinf(diagonal), 0.0, diagonal)
        return np.where(forbidden, np.inf, self.states @ finite)

    @cached_property
    def _moves(self) -> list[tuple[int, list[Moves]]]:
        """Per state found, the last first, the states that maintenance can leave it in."""
        number = {tuple(row): k for k, row in enumerate(self.states.tolist())}
        found = []
        for state in reversed(range(len(self.transition))):
            options = list[Moves]()
            for left in range(state):
                cost = float(self.cost[state, left])
                if not np.isfinite(cost):
                    continue
                levels = []
                for level in range(1, self.count + 1):
                    who = np.flatnonzero(self.states[:, state] == level)
                    goal = self.states[who].copy()
                    goal[:, state] -= 1
                    goal[:, left] += 1
                    where = np.array([number[tuple(row)] for row in goal.tolist()], dtype=np.int64)
                    levels.append((who, where))
                options.append(Moves(cost, levels))
            found.append((state, options))
        return found

    def _maintained(
        self, behind: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Return the least cost of any maintenance plus `behind` [M], and the state it leads to.

        Components found in lower states are handled first, so none is moved twice; moving one
        more costs the same whatever has been moved, so a running minimum over the count is enough.
        """
        best, goal = behind.copy(), np.arange(len(behind))
        for state, options in self._moves:
            stay = float(self.cost[state, state])
            count = self.states[:, state]
            best = best + (stay * count if np.isfinite(stay) else np.where(count > 0, np.inf, 0.0))
            for cost, levels in options:
                for who, where in levels:
                    other = cost + best[where]
                    better = other < best[who]
                    best[who] = np.where(better, other, best[who])
                    goal[who] = np.where(better, goal[where], goal[who])
        return best, goal

    def _followed(
        self, gain: float, price: NDArray[np.float64], value: NDArray[np.float64], setup_cost: float
    ) -> TypeSolution:
        """Return the averages under the policy that is greedy for `value`."""
        behind = price + self.wear @ value
        best, goal = self._maintained(behind)
        nothing = behind + self._cost_of_staying <= setup_cost + best
        goal = np.where(nothing, np.arange(len(goal)), goal)
        paid = np.where(nothing, self._cost_of_staying, best - behind[goal])
        chance = np.full(len(goal), 1.0 / len(goal))
        for _ in range(400):
            left = np.bincount(goal, weights=chance, minlength=len(goal))
            follows = left @ self.wear
            done = np.abs(follows - chance).sum() < 1e-10
            chance = follows
            if done:
                break
        left = np.bincount(goal, weights=chance, minlength=len(goal))
        sent = float(chance @ ~nothing)
        return TypeSolution(gain, float(chance @ paid), sent, np.asarray(left @ self.states))


def compositions(total: int, parts: int) -> NDArray[np.int64]:
    """Return all ways [M, parts] to write `total` as a sum of `parts` counts."""
    places = [*combinations(range(total + parts - 1), parts - 1)]
    bars = np.array(places, dtype=np.int64).reshape(len(places), parts - 1)
    edges = np.pad(bars, ((0, 0), (1, 1)), constant_values=((0, 0), (-1, total + parts - 1)))
    return np.diff(edges, axis=1) - 1


def _numbers(
    states: NDArray[np.int64], less: NDArray[np.int64], number: dict[tuple[int, ...], int]
) -> NDArray[np.int64]:
    """Return the numbers of `states` [K, S] with one component fewer in state less [K]."""
    fewer = states.copy()
    fewer[np.arange(len(states)), less] -= 1
    return np.array([number[tuple(row)] for row in fewer.tolist()], dtype=np.int64)
