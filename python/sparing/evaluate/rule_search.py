"""The best threshold rules of a load-sharing problem, by exact evaluation of every parameter."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

from sparing.evaluate.search_log import SizeAndInterval
from sparing.evaluate.sizing import SizingSolution
from sparing.exact.explicit_chain import MAX_REACHED, ExplicitChain
from sparing.exact.policy_evaluation import Bounds
from sparing.models.load_sharing import IntervalRange
from sparing.models.load_sharing_policies import Position, ThresholdRule
from sparing.models.load_sharing_system import LoadSharingSystem

NEAR = 0.03  # share of an interval within which another is not looked at for rules
FAMILIES: tuple[tuple[Position, bool], ...] = (
    ("plain", False),
    ("demand-aware", False),
    ("plain", True),
    ("demand-aware", True),
)


@dataclass(frozen=True, kw_only=True, eq=False)
class BestRule:
    """The cheapest rule of one family over all parameters, sizes and intervals.

    Attributes
    ----------
    cost
        Bounds of its cost per unit of time.
    num_evaluated, num_cells
        Rules evaluated, and sizes and intervals looked at; in the others already the optimum
        costs more.
    """

    rule: ThresholdRule
    system: LoadSharingSystem
    cost: Bounds
    num_evaluated: int
    num_cells: int

    @property
    def name(self) -> str:
        """The family in words."""
        family = "(m_p, m_o, s, S)" if self.rule.is_opportunistic else "(m, s, S)"
        return f"{family}, {self.rule.position} position"


def rules_of(
    system: LoadSharingSystem, position: Position, *, opportunistic: bool
) -> Iterator[ThresholdRule]:
    """Yield the rules of a family that differ; a reorder level below all positions: no orders."""
    failed, capacity = system.problem.num_conditions - 1, system.problem.capacity
    lowest = -1 if position == "plain" else -system.size - 1
    for replace_at, join_at in product(range(1, failed + 1), repeat=2):
        if (join_at < replace_at) if opportunistic else (join_at == replace_at):
            for reorder_at in range(lowest, capacity):
                levels = range(reorder_at + 1, capacity + 1)
                for order_up_to in levels[:1] if reorder_at == lowest else levels:
                    yield ThresholdRule(
                        replace_at=replace_at,
                        join_at=join_at,
                        reorder_at=reorder_at,
                        order_up_to=order_up_to,
                        position=position,
                    )


def best_rules(found: SizingSolution) -> list[BestRule]:
    """Return the best rule of every family over the sizes and intervals that were solved.

    No rule costs less than the optimum of its size and interval, so these are taken in the
    order of their lower bounds until even that exceeds what a family has reached. A family that
    does not exist (opportunistic with two conditions) is left out. Where intervals are searched
    continuously, the best rule's interval is refined between its neighbours.

    Raises
    ------
    MemoryError
        If the systems are too large for an evaluation of many rules.
    """
    problem = found.problem
    largest = max(problem.num_states(size) for size in problem.positions)
    if largest > 8 * MAX_REACHED:
        raise MemoryError(
            f"rules are optimised up to {8 * MAX_REACHED:,} states; there are {largest:,}."
        )
    cells = sorted(found.cells, key=lambda cell: cell.lower)
    if isinstance(problem.inspection_interval, IntervalRange):
        cells = _apart(cells)
    chains: dict[tuple[int, float], tuple[LoadSharingSystem, ExplicitChain]] = {}
    rules = (_best(found, cells, chains, *family) for family in FAMILIES)
    return [rule for rule in rules if rule is not None]


def _apart(cells: list[SizeAndInterval]) -> list[SizeAndInterval]:
    """Return the cells without those whose interval hardly differs from that of an earlier one.

    A continuous search crowds around its minimum; rules need no more than its neighbourhood.
    """
    kept: list[SizeAndInterval] = []
    for cell in cells:
        near = NEAR * cell.inspection_interval
        if not any(
            other.positions == cell.positions
            and abs(other.inspection_interval - cell.inspection_interval) < near
            for other in kept
        ):
            kept.append(cell)
    return kept


def _best(
    found: SizingSolution,
    cells: list[SizeAndInterval],
    chains: dict[tuple[int, float], tuple[LoadSharingSystem, ExplicitChain]],
    position: Position,
    opportunistic: bool,
) -> BestRule | None:
    best: tuple[ThresholdRule, LoadSharingSystem, Bounds] | None = None
    num_evaluated = num_cells = 0
    for cell in cells:
        if best is not None and cell.lower >= best[2].upper:
            break
        num_cells += 1
        key = cell.positions, cell.inspection_interval
        if key not in chains:
            system = LoadSharingSystem(found.problem, *key)
            chains[key] = system, ExplicitChain.of(system.epoch, error=system.error)
        system, chain = chains[key]
        for rule in rules_of(system, position, opportunistic=opportunistic):
            cost = chain.gain(rule.posts(system), system.weights)
            num_evaluated += 1
            if best is None or cost.value < best[2].value:
                best = rule, system, cost
    if best is None:
        return None
    if isinstance(found.problem.inspection_interval, IntervalRange):
        best = _refined(found, *best)
    rule, system, cost = best
    return BestRule(
        rule=rule, system=system, cost=cost, num_evaluated=num_evaluated, num_cells=num_cells
    )


def _refined(
    found: SizingSolution, rule: ThresholdRule, system: LoadSharingSystem, cost: Bounds
) -> tuple[ThresholdRule, LoadSharingSystem, Bounds]:
    """Return the rule at its best interval between the neighbours of the one that was tried."""
    from scipy.optimize import minimize_scalar

    given = found.problem.inspection_interval
    assert isinstance(given, IntervalRange)
    best = rule, system, cost

    def value(interval: float) -> float:
        nonlocal best
        trial = LoadSharingSystem(found.problem, system.size, float(interval))
        chain = ExplicitChain.of(trial.epoch, error=trial.error)
        bounds = chain.gain(rule.posts(trial), trial.weights)
        if bounds.value < best[2].value:
            best = rule, trial, bounds
        return bounds.value

    tried = {cell.inspection_interval for cell in found.cells if cell.positions == system.size}
    below = [interval for interval in tried if interval < system.interval]
    above = [interval for interval in tried if interval > system.interval]
    ends = max(below, default=given.shortest), min(above, default=given.longest)
    minimize_scalar(value, bounds=ends, method="bounded", options={"xatol": given.tolerance / 2.0})
    return best
