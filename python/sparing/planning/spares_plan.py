"""Stocks of a plan: what to order now, which levels, what that costs, and how sure that is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from sparing.models.spares_network import SparesNetwork
from sparing.planning.scoring import PeriodScore
from sparing.planning.spares_change import SparesChange
from sparing.planning.spares_compare import (
    CurvePoint,
    SparesRobustness,
    StockRow,
    cost_curve_points,
    stock_robustness,
    stock_rows,
)
from sparing.planning.spares_demand import SpareDemand, spare_demand
from sparing.planning.spares_estimates import SpareEstimates, estimate_spares
from sparing.planning.spares_in_force import SolvedStock
from sparing.planning.spares_information import InformationValue, information_values
from sparing.planning.spares_input import SparesInput
from sparing.planning.spares_kept import StockDecision, StockInForce
from sparing.planning.spares_levels import StockLevel, stock_levels
from sparing.planning.spares_methods import StockPolicy, choose, plan_stock, with_belief
from sparing.planning.spares_problem import judged, network_of, standings
from sparing.planning.spares_remarks import spares_remarks
from sparing.planning.spares_scoring import ReviewRecords, chance_below, expected_reviews
from sparing.planning.spares_today import todays_levels, todays_rules

if TYPE_CHECKING:
    from sparing.planning.plan_change import PlanChange

Progress: TypeAlias = Callable[[str, int, int], None]


@dataclass(frozen=True, kw_only=True, eq=False)
class SparesPlan:
    """The plan of the stocks, with all it rests on.

    Parameters
    ----------
    network
        Over the periods that the plan is judged over, from the stock of now.
    rows
        Recommended policy and baselines on the same luck, the recommended one first.
    information
        What failure rates are worth to know, of the parts that are planned exactly in this plan.
    solved
        The policy in force as it was solved: by this plan, or by an earlier one.
    scores
        Per review on record how it did against what that policy was expected to come to.
    chance_below
        How often a review scores below `resolve_below` though all is as expected; None: not known.
    decision
        Whether an update planned anew, and why; None: nothing was planned before.
    """

    source: SparesInput
    estimates: SpareEstimates
    demand: SpareDemand | None
    network: SparesNetwork
    policy: StockPolicy
    levels: tuple[StockLevel, ...]
    rows: tuple[StockRow, ...]
    curve: tuple[CurvePoint, ...]
    robustness: SparesRobustness
    information: tuple[InformationValue, ...]
    remarks: tuple[str, ...]
    solved: SolvedStock
    scores: tuple[PeriodScore, ...]
    chance_below: float | None
    decision: StockDecision | None

    @property
    def orders(self) -> tuple[StockLevel, ...]:
        """The levels whose location has to order now."""
        return tuple(level for level in self.levels if level.order_now > 0)

    def save(
        self, folder: str | Path, *, change: PlanChange | SparesChange | None = None
    ) -> dict[str, Any]:
        """Write report.html, metrics.json and stock_policy.parquet; return the metrics.

        The folder is whole or not there; `change` is what an update changed, for the report.
        """
        from sparing.report.spares_files import save_spares_plan

        return save_spares_plan(self, folder, change=change)


def make_spares_plan(
    source: SparesInput,
    *,
    in_force: StockInForce | None = None,
    progress: Progress | None = None,
) -> SparesPlan:
    """Plan the stocks of a folder.

    Parameters
    ----------
    in_force
        The last plan, whose policy is kept unless there is a reason to plan anew.

    Raises
    ------
    sparing.records.problems.RecordsError
        If something is missing that no record says, naming the place.
    """
    settings = source.settings

    def tell(stage: str, done: int = 0, total: int = 1) -> None:
        if progress is not None:
            progress(stage, done, total)

    tell("failure rates and lead times")
    estimates = estimate_spares(source)
    tell("demand forecast")
    demand = spare_demand(source, estimates)
    standing = standings(source)
    factor = demand.factors if demand is not None and settings.demand == "forecast" else None
    today = todays_levels(source, standing)
    least = None if today is None else {key: own.order_up_to for key, own in today.items()}
    longer = network_of(source, estimates, standing, factor, least_capacity=least)
    tell("stock levels")
    decision = None if in_force is None else in_force.decide(source, longer)
    if decision is not None and (going_on := decision.going_on) is not None:
        network = longer = going_on.network
        policy = going_on.policy
    else:
        choices = choose(longer, settings.method, settings.exact_states)
        longer = with_belief(longer, choices)
        network = judged(longer, settings.periods)
        policy = plan_stock(longer, choices, settings.periods, seed=settings.seed)
    tell("comparison")
    rows = stock_rows(
        network,
        policy.policies,
        today=None if today is None else todays_rules(network, today),
        seed=settings.seed,
    )
    solved = _solved(in_force, decision, source, network, policy, rows[0])

    def count(done: int, total: int) -> None:
        tell("cost and service", done, total)

    curve = cost_curve_points(
        longer, policy, rows[0], network.periods, seed=settings.seed, progress=count
    )

    def drawn(done: int, total: int) -> None:
        tell("what is not known", done, total)

    robustness = stock_robustness(
        network, {row.key: row.policies for row in rows}, estimates, settings, progress=drawn
    )
    levels = stock_levels(network, policy, standing, today)
    targets = settings.scoring.targets(solved.expected)
    return SparesPlan(
        source=source,
        estimates=estimates,
        demand=demand,
        network=network,
        policy=policy,
        levels=levels,
        rows=rows,
        curve=curve,
        robustness=robustness,
        information=() if policy.solution is None else information_values(policy.solution),
        remarks=tuple(spares_remarks(source, estimates, network, standing, today, levels)),
        solved=solved,
        scores=ReviewRecords(source, network, solved.day).scores(targets),
        chance_below=chance_below(
            network,
            policy.policies,
            targets,
            settings.scoring.resolve_below,
            seed=settings.seed,
        ),
        decision=None if decision is None else replace(decision, going_on=None),
    )


def _solved(
    in_force: StockInForce | None,
    decision: StockDecision | None,
    source: SparesInput,
    network: SparesNetwork,
    policy: StockPolicy,
    recommended: StockRow,
) -> SolvedStock:
    """Return the policy in force: the one that was kept, or that of this plan."""
    if decision is not None and not decision.resolved:
        assert in_force is not None
        assert isinstance(in_force.solved, SolvedStock)
        return in_force.solved
    return SolvedStock(
        day=source.now,
        network=network,
        planned_for=source.settings.planned_for,
        choices=policy.choices,
        policies=policy.policies,
        price=policy.price,
        expected=expected_reviews(recommended.result, network.periods),
    )
