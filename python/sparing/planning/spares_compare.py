"""What a stock policy costs and achieves: beside baselines, by service, if estimates are off."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sparing.evaluate.network_solution import solve_network
from sparing.inventory.base_stock import Method
from sparing.models.network_rules import StockRules
from sparing.models.spares_network import SparesNetwork
from sparing.planning.spares_estimates import SpareEstimates
from sparing.planning.spares_methods import StockPolicy, base_stocks, first_reviews, tuned_min_max
from sparing.planning.spares_problem import judged, with_downtime, with_lead_times
from sparing.planning.spares_settings import SpareSettings
from sparing.simulate.network_results import NetworkResult
from sparing.simulate.spares_network import PartPolicy, simulate_network

Floats = NDArray[np.float64]
Counted = Callable[[int, int], None]
METHODS: tuple[tuple[str, str, Method], ...] = (
    ("base_stock", "base stock, exact thinning", "thinning"),
    ("metric", "base stock, METRIC", "metric"),
)
REPLICATIONS = 4000  # of the comparison
DRAW_REPLICATIONS = 200  # of each posterior draw
MOST_DRAWS = 100
FACTORS = (0.03, 0.1, 0.3, 1.0, 3.0, 10.0)  # on the downtime cost, for the curve
EXACT_FACTORS = (0.1, 0.3, 3.0)  # and those for which exact plans are made anew


@dataclass(frozen=True, kw_only=True, eq=False)
class StockRow:
    """One policy of the comparison.

    Parameters
    ----------
    result
        Of rollouts from the stock of now, on the same failures and lead times for every policy;
        failure rates are drawn from what is believed.
    more
        Mean cost above that of the recommended policy over the horizon, and half the width of its
        95 % interval, paired; None for that itself.
    """

    key: str
    name: str
    policies: Mapping[str, PartPolicy]
    result: NetworkResult
    more: tuple[float, float] | None


def stock_rows(
    network: SparesNetwork,
    recommended: Mapping[str, PartPolicy],
    *,
    today: Mapping[str, StockRules] | None,
    seed: int,
    num_replications: int = REPLICATIONS,
) -> tuple[StockRow, ...]:
    """Roll out the recommended policy and the baselines.

    Base stocks and min-max levels are tuned on other seeds, to the SLA where one is asked for.
    """
    stocks: dict[str, tuple[str, Mapping[str, PartPolicy]]] = {}
    for key, name, method in METHODS:
        found, reached = base_stocks(network, method, seed=seed)
        stocks[key] = (name if reached else f"{name} (short of the SLA)", found)
    chosen: dict[str, tuple[str, Mapping[str, PartPolicy]]] = {
        "recommended": ("recommended", recommended),
        **stocks,
        "min_max": ("min-max, tuned", tuned_min_max(network, seed=seed)),
    }
    if today is not None:
        chosen["today"] = ("today, by the records", today)
    rows = list[StockRow]()
    for key, (name, policies) in chosen.items():
        result = rolled_out(network, policies, num_replications, seed)
        more = result.difference(rows[0].result, "total_cost") if rows else None
        rows.append(StockRow(key=key, name=name, policies=policies, result=result, more=more))
    return tuple(rows)


def rolled_out(
    network: SparesNetwork, policies: Mapping[str, PartPolicy], num_replications: int, seed: int
) -> NetworkResult:
    """Roll policies out, the true rate of each part being drawn from its belief."""
    rng = np.random.default_rng([seed, 0x52415445])
    rates = {
        part.name: rng.gamma(part.prior.shape, 1.0 / part.prior.rate, num_replications)
        for part in network.parts
    }
    return simulate_network(
        network,
        policies,
        num_replications=num_replications,
        seed=seed,
        rates=rates,
        num_threads=1,
    )


@dataclass(frozen=True, kw_only=True)
class CurvePoint:
    """Cost and service of one kind of policy at one price of downtime.

    Parameters
    ----------
    factor
        On the downtime cost that the policy was made for.
    cost, cost_half_width
        Holding, orders and emergencies per period, without downtime, and the half width.
    """

    kind: str
    factor: float
    cost: float
    cost_half_width: float
    sla: float
    sla_half_width: float


def cost_curve_points(
    longer: SparesNetwork,
    policy: StockPolicy,
    recommended: StockRow,
    periods: int,
    *,
    seed: int,
    progress: Counted | None = None,
) -> tuple[CurvePoint, ...]:
    """Return the cost-service curve of the recommended kind of policy, of base stocks and METRIC.

    Of the recommended kind, exact plans are made anew for every point; the rules of parts too
    large for one stay, and so does a policy that was kept.
    """
    network, found = judged(longer, periods), list[CurvePoint]()
    solved = () if policy.solution is None else policy.solution.plans
    names = {plan.part.name for plan in solved}
    exact = [part for part in longer.parts if part.name in names]
    if longer.sla is None:
        found.append(_point("recommended", 1.0, recommended.result, periods))
    for number, factor in enumerate(FACTORS):
        kinds = {
            "base stock": base_stocks(network, "thinning", seed=seed, price=factor)[0],
            "METRIC": base_stocks(network, "metric", seed=seed, price=factor)[0],
        }
        if exact and factor in EXACT_FACTORS:
            dearer = with_downtime(replace(longer, parts=tuple(exact)), factor)
            plans = solve_network(dearer).plans
            kinds["recommended"] = dict(policy.policies) | {
                plan.part.name: first_reviews(plan, judged(dearer, periods), periods)
                for plan in plans
            }
        for kind, policies in kinds.items():
            result = rolled_out(network, policies, REPLICATIONS // 2, seed)
            found.append(_point(kind, factor, result, periods))
        if progress is not None:
            progress(number + 1, len(FACTORS))
    return tuple(found)


def _point(kind: str, factor: float, result: NetworkResult, periods: int) -> CurvePoint:
    paid = (result.metrics["total_cost"] - result.metrics["downtime_cost"]) / periods
    error = 1.96 * float(paid.std(ddof=1)) / np.sqrt(paid.size)
    return CurvePoint(
        kind=kind,
        factor=factor,
        cost=float(paid.mean()),
        cost_half_width=float(error),
        sla=result.mean["sla"],
        sla_half_width=result.half_widths["sla"],
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class SparesRobustness:
    """Expected cost per period and SLA of each policy under posterior draws [draws].

    Rates are drawn from their Gamma posteriors and lead times from resampled fits; each draw's
    expectation is estimated by rollouts on common random numbers, whose noise widens intervals a
    little.
    """

    cost: Mapping[str, Floats]
    sla: Mapping[str, Floats]

    def cost_interval(self, key: str) -> tuple[float, float]:
        """Return the 95 % credible interval of the cost per period."""
        low, high = np.quantile(self.cost[key], [0.025, 0.975])
        return float(low), float(high)

    def sla_interval(self, key: str) -> tuple[float, float]:
        """Return the 95 % credible interval of the SLA."""
        low, high = np.quantile(self.sla[key], [0.025, 0.975])
        return float(low), float(high)

    def better(self, key: str) -> float:
        """Return in which share of the draws the recommended policy costs less than another."""
        return float((self.cost["recommended"] < self.cost[key]).mean())


def stock_robustness(
    network: SparesNetwork,
    policies: Mapping[str, Mapping[str, PartPolicy]],
    estimates: SpareEstimates,
    settings: SpareSettings,
    *,
    progress: Counted | None = None,
) -> SparesRobustness:
    """Evaluate every policy under draws of the rates and the lead times."""
    draws = min(settings.draws, MOST_DRAWS)
    rng = np.random.default_rng([settings.seed, 0x53504152])
    rates = {
        part.name: estimates.rates[part.name].belief.sample(rng, draws) for part in network.parts
    }
    fits = {
        name: found.fit.draws[rng.integers(0, len(found.fit.draws), draws)]
        for name, found in estimates.lead_times.items()
        if found.fit is not None
    }
    cost = {key: np.empty(draws) for key in policies}
    sla = {key: np.empty(draws) for key in policies}
    for draw in range(draws):
        lead = {name: (float(row[draw, 0]), float(row[draw, 1])) for name, row in fits.items()}
        drawn = with_lead_times(network, lead, settings.period)
        true = {name: float(values[draw]) for name, values in rates.items()}
        for key, chosen in policies.items():
            result = simulate_network(
                drawn,
                chosen,
                num_replications=DRAW_REPLICATIONS,
                seed=settings.seed,
                rates=true,
                num_threads=1,
            )
            cost[key][draw] = result.mean["total_cost"] / network.periods
            sla[key][draw] = result.mean["sla"]
        if progress is not None:
            progress(draw + 1, draws)
    return SparesRobustness(cost=cost, sla=sla)
