"""Tune control limits and lookahead policies by simulation on common luck."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import product
from math import prod
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from sparing.large.crew_policies import CrewLimits, CrewPolicy, LookaheadPolicy
from sparing.large.crew_simulation import CrewSimulation
from sparing.large.crew_system import CrewSystem
from sparing.large.decomposition import decomposed_values
from sparing.large.value_fit import fitted_values

P = TypeVar("P", bound=CrewPolicy)
Tuned = Callable[[str, int], object]  # told what is tuned and how many policies have been tried

FITS = 3  # rounds of fitted values
FINALISTS = 3  # candidates that are compared once more, on LONGER times the luck
LONGER = 4
EXHAUSTIVE = 256  # combinations of limits that are all tried, with SHORTER times fewer lanes
SHORTER = 4
STARTS = 4  # of them that are looked at on all the luck
PRICES = (0.5, 1.0, 1.5, 2.5, 5.0)  # of a failed component, by what renewing one costs
FACTORS = (0.6, 1.6)  # by which the price of one type is changed
SHARES = (0.0, 0.25)  # of the set-up, that a maintained component bears


@dataclass(frozen=True, kw_only=True, eq=False)
class TunedPolicy(Generic[P]):
    """The best of `num_tried` policies on the luck of the tuning, which flatters it."""

    policy: P
    objective: float
    num_tried: int


class _Search(Generic[P]):
    """Rates candidates once each and keeps them all."""

    def __init__(self, simulation: CrewSimulation, name: str, progress: Tuned | None) -> None:
        self.simulation, self.name, self.progress = simulation, name, progress
        self.rated: dict[object, tuple[float, P]] = {}

    def rate(self, key: object, make: Callable[[], P]) -> float:
        """Return the objective of the candidate known by `key`, made only if it is new."""
        if key not in self.rated:
            policy = make()
            self.rated[key] = float(self.simulation.objectives(policy).mean()), policy
            if self.progress is not None:
                self.progress(self.name, len(self.rated))
        return self.rated[key][0]

    def best(self) -> TunedPolicy[P]:
        """Return the best of the finalists on more and other luck than theirs."""
        ranked = sorted(self.rated.values(), key=lambda found: found[0])[:FINALISTS]
        longer = replace(
            self.simulation, lanes=LONGER * self.simulation.lanes, seed=self.simulation.seed + 1
        )
        again = [(float(longer.objectives(policy).mean()), policy) for _, policy in ranked]
        objective, policy = min(again, key=lambda found: found[0])
        return TunedPolicy(policy=policy, objective=objective, num_tried=len(self.rated))


def tuned_limits(
    simulation: CrewSimulation, *, progress: Tuned | None = None
) -> TunedPolicy[CrewLimits]:
    """Return the best control limits found, with a call if that helps.

    All combinations are tried on a little luck where they are few, or else one limit for all types;
    the best are compared on more. Then type after type is changed as long as it helps, the limit
    at which the crew is called, and by how many. Limits from which a component cannot be renewed
    are left out.
    """
    system = simulation.system
    search = _Search[CrewLimits](simulation, "control limits", progress)

    def rate(limits: CrewLimits) -> float:
        return search.rate((limits.renew, limits.call, limits.callers), lambda: limits)

    choices = [_renewable(system, kind) for kind in range(len(system.kinds))]
    best = min(_starts(simulation, choices), key=rate)
    improved = True
    while improved:
        before = best
        for kind, limits in enumerate(choices):
            best = min((_with_renewal(best, kind, limit) for limit in limits), key=rate)
        for kind, limits in enumerate(choices):
            later = [limit for limit in limits if limit >= best.renew[kind]]
            best = min((_with_call(best, kind, limit) for limit in later), key=rate)
        for callers in _callers(best.callers, len(system.type_of)):
            best = min((best, replace(best, callers=callers)), key=rate)
        improved = rate(best) < rate(before)
    return search.best()


def tuned_lookahead(
    simulation: CrewSimulation, *, progress: Tuned | None = None
) -> TunedPolicy[LookaheadPolicy]:
    """Return the best lookahead found: prices are searched, then values are fitted.

    A price of a failed component, the same for all types, and a share of the set-up give values
    by decomposition; each type's price is then changed by itself as long as that helps. From
    there on values are fitted to what follows, and averaged over the rounds.
    """
    system = simulation.system
    if not system.price > 0.0:
        raise ValueError(
            "a lookahead needs a system that is better up than down; the objective's cost of being"
            f" down is {system.price:g}."
        )
    search = _Search[LookaheadPolicy](simulation, "lookahead", progress)

    def rate(candidate: tuple[tuple[float, ...], float]) -> float:
        prices, share = candidate

        def make() -> LookaheadPolicy:
            return LookaheadPolicy(system, decomposed_values(system, prices, share), system.price)

        return search.rate(candidate, make)

    best = min(_price_grid(system), key=rate)
    improved = True
    while improved:
        before = best
        for kind in range(len(system.kinds)):
            prices, share = best
            others = (_changed(prices, kind, factor * prices[kind]) for factor in FACTORS)
            best = min([best, *((found, share) for found in others)], key=rate)
        improved = rate(best) < 0.999 * rate(before)
    policy = search.rated[best][1]
    for number, values in enumerate(_fits(policy, simulation)):
        search.rate(number, lambda values=values: replace(policy, value=values))  # type: ignore[misc]
    return search.best()


def _fits(policy: LookaheadPolicy, simulation: CrewSimulation) -> Iterator[NDArray[np.float64]]:
    """Yield the values of each round, and their mean with the rounds before."""
    total = np.zeros(len(policy.value))
    for number in range(FITS):
        values = fitted_values(policy, simulation, seed=simulation.seed + number)
        yield values
        total += values
        mean = total / (number + 1)
        if number > 0:
            yield mean
        policy = replace(policy, value=mean)


def _price_grid(system: CrewSystem) -> Iterable[tuple[tuple[float, ...], float]]:
    renewals = [cost[1:, 0] for cost in system.costs]
    finite = np.concatenate([cost[np.isfinite(cost)] for cost in renewals])
    unit = float(finite.max()) if finite.size and finite.max() > 0.0 else system.price
    for factor in PRICES:
        for share in SHARES if system.setup_cost > 0.0 else (0.0,):
            price = min(factor * unit, system.price)
            yield (price,) * len(system.kinds), share * system.setup_cost


def _renewable(system: CrewSystem, kind: int) -> list[int]:
    """Return the limits from which on every state of a type can be renewed; the last is never."""
    cost = system.costs[kind]
    size = len(cost)
    return [limit for limit in range(1, size + 1) if np.isfinite(cost[limit:, 0]).all()]


def _starts(simulation: CrewSimulation, choices: list[list[int]]) -> list[CrewLimits]:
    """Return limits to begin with: the best of all, or the same for all types."""
    if prod(len(limits) for limits in choices) > EXHAUSTIVE:
        widest = max(len(limits) for limits in choices)
        found = [tuple(c[min(n, len(c) - 1)] for c in choices) for n in range(widest)]
        return [CrewLimits(simulation.system, limits, limits) for limits in found]
    short = replace(
        simulation, lanes=-(-simulation.lanes // SHORTER), epochs=-(-simulation.epochs // 2)
    )
    tried = [CrewLimits(simulation.system, limits, limits) for limits in product(*choices)]
    return sorted(tried, key=lambda policy: float(short.objectives(policy).mean()))[:STARTS]


def _callers(now: int, most: int) -> list[int]:
    return [n for n in dict.fromkeys((1, now // 2, now - 1, now + 1, 2 * now)) if 1 <= n <= most]


def _with_renewal(limits: CrewLimits, kind: int, limit: int) -> CrewLimits:
    call = limits.call
    if call[kind] == limits.renew[kind] or call[kind] < limit:
        call = _changed(call, kind, limit)
    return replace(limits, renew=_changed(limits.renew, kind, limit), call=call)


def _with_call(limits: CrewLimits, kind: int, limit: int) -> CrewLimits:
    return replace(limits, call=_changed(limits.call, kind, limit))


T = TypeVar("T")


def _changed(values: tuple[T, ...], at: int, value: T) -> tuple[T, ...]:
    return (*values[:at], value, *values[at + 1 :])
