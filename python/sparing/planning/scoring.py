"""What the records of each period say about how things went: measures and their HyperScore."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import floor

import numpy as np

from sparing.evaluate.hyper_score import hyper_score_of
from sparing.models.multi_component import MultiComponentProblem
from sparing.models.network_values import HyperScoreTargets
from sparing.models.structure import Structure
from sparing.planning.folder import PlanInput


@dataclass(frozen=True, kw_only=True)
class PeriodScore:
    """What the records say about the time from `start` to `end`.

    Parameters
    ----------
    num_looks
        Inspections of units (at one time) that the figures rest on.
    measures
        Per unit and period: cost, availability, failures and actions.
    score
        The HyperScore of the measures.
    """

    start: float
    end: float
    num_looks: int
    measures: Mapping[str, float]
    score: float


@dataclass
class _Tally:
    """Sums over the records of one period."""

    looks: int = 0
    down: int = 0
    failures: int = 0
    actions: int = 0
    cost: float = 0.0
    visits: set[tuple[str, float]] = field(default_factory=set)
    units: int = 0

    def add(self, other: _Tally) -> None:
        for name in ("looks", "down", "failures", "actions", "cost", "units"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.visits |= other.visits


class PeriodRecords:
    """The records of a plan, summed by period; periods are counted from the first record.

    Costs are those on record, and the model's where a record has none; set-up is paid once per
    unit and time of work, downtime by the share of inspections that find the system down.
    """

    def __init__(self, source: PlanInput, problem: MultiComponentProblem) -> None:
        self.source, self.problem = source, problem
        times = [source.inspections.time]
        if source.maintenance is not None:
            times.append(source.maintenance.time)
        self.first = float(min((t.min() for t in times if t.size), default=0.0))
        self.tallies = defaultdict[int, _Tally](_Tally)
        self._read()

    def number(self, time: float) -> int:
        """Return the period that a time lies in, from 0 on."""
        return floor((time - self.first) / self.source.period + 1e-9)

    def scores(self, targets: HyperScoreTargets) -> tuple[PeriodScore, ...]:
        """Return the scores of all periods in which something was inspected."""
        known = sorted(n for n, tally in self.tallies.items() if tally.looks)
        return tuple(self.score(targets, n, n) for n in known)

    def score(self, targets: HyperScoreTargets, first: int, last: int) -> PeriodScore:
        """Return the score of the records of some periods as a whole; none scores full."""
        total = _Tally()
        for number in range(first, last + 1):
            if number in self.tallies:
                total.add(self.tallies[number])
        measures = self._measures(total)
        found = hyper_score_of(measures, targets)
        return PeriodScore(
            start=self.first + first * self.source.period,
            end=self.first + (last + 1) * self.source.period,
            num_looks=total.looks,
            measures=measures,
            score=found.score,
        )

    def _measures(self, total: _Tally) -> dict[str, float]:
        unit_periods = max(total.units, 1)
        down = total.down / max(total.looks, 1)
        paid = total.cost + self.problem.setup_cost * len(total.visits)
        return {
            "cost": paid / unit_periods + self.problem.downtime_cost * down,
            "availability": 1.0 - down,
            "failures": total.failures / unit_periods,
            "actions": total.actions / unit_periods,
        }

    def _read(self) -> None:
        looks, work = _by_unit(self.source)
        for unit in sorted(set(looks) | set(work)):
            self._read_unit(unit, looks.get(unit, {}), work.get(unit, {}))
        begun = sorted(
            self.number(min({*looks.get(unit, {}), *work.get(unit, {})}))
            for unit in {*looks, *work}
        )
        for number, tally in self.tallies.items():
            tally.units = int(np.searchsorted(begun, number, side="right"))

    def _read_unit(
        self,
        unit: str,
        looks: Mapping[float, Mapping[str, int]],
        work: Mapping[float, Sequence[tuple[str, str, float]]],
    ) -> None:
        """Follow a unit in time; work at the time of an inspection comes behind it."""
        failed = {c.name: c.failed for c in self.problem.components}
        renewals = {c.name: c.renewals for c in self.source.components}
        state = dict.fromkeys(failed, 0)
        for time in sorted({*looks, *work}):
            tally = self.tallies[self.number(time)]
            if time in looks:
                state.update(looks[time])
                tally.looks += 1
                tally.down += not _works(self.problem.parsed_structure, state, failed)
                tally.failures += sum(s == failed[name] for name, s in looks[time].items())
            for name, action, cost in work.get(time, ()):
                known = self._model_cost(name, state[name]) if np.isnan(cost) else cost
                tally.cost, tally.actions = tally.cost + known, tally.actions + 1
                tally.visits.add((unit, time))
                if action in renewals[name]:
                    state[name] = 0

    def _model_cost(self, name: str, state: int) -> float:
        component = self.problem.components[self.problem.names.index(name)]
        cost = float(component.maintenance_cost[state, 0])
        return cost if np.isfinite(cost) else 0.0


def _by_unit(
    source: PlanInput,
) -> tuple[
    dict[str, dict[float, dict[str, int]]], dict[str, dict[float, list[tuple[str, str, float]]]]
]:
    """Return states seen and work done by unit and time."""
    looks = defaultdict[str, dict[float, dict[str, int]]](dict)
    seen, done = source.inspections, source.maintenance
    for unit, name, time, state in zip(
        seen.unit, seen.component, seen.time.tolist(), seen.state.tolist(), strict=True
    ):
        looks[unit].setdefault(time, {})[name] = state
    work = defaultdict[str, dict[float, list[tuple[str, str, float]]]](dict)
    if done is not None:
        for unit, name, time, action, cost in zip(
            done.unit, done.component, done.time.tolist(), done.action, done.cost, strict=True
        ):
            work[unit].setdefault(time, []).append((name, action, float(cost)))
    return looks, work


def _works(structure: Structure, state: Mapping[str, int], failed: Mapping[str, int]) -> bool:
    if structure.component:
        return state[structure.component] < failed[structure.component]
    return sum(_works(part, state, failed) for part in structure.parts) >= structure.required
