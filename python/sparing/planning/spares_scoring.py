"""What the records of each review say about how the stocks did: measures and their HyperScore."""

from __future__ import annotations

from collections.abc import Mapping
from math import floor

import numpy as np
from numpy.typing import NDArray

from sparing.evaluate.hyper_score import hyper_score_of
from sparing.models.network_values import HyperScoreTargets
from sparing.models.spares_network import SparesNetwork
from sparing.planning.scoring import PeriodScore
from sparing.planning.spares_flows import Key, Moves, net_stock_on, orders_placed
from sparing.planning.spares_input import SparesInput
from sparing.records.failure_history import UnitRecords
from sparing.simulate.network_results import NetworkResult
from sparing.simulate.spares_network import PartPolicy, network_paths

Floats = NDArray[np.float64]
ROUNDING = 1e-9
LUCK_REPLICATIONS = 250  # times the reviews of the horizon


class ReviewRecords:
    """The records of the stocks, summed by review.

    Costs are the model's, paid as it pays them: holding and downtime on the stock at the end of a
    review, and for each order placed in it. All units that wait cost downtime; that one was flown
    in is not on record.

    Parameters
    ----------
    network
        For the prices.
    since
        A day that a review begins on: that of the plan whose reviews they are.
    """

    def __init__(self, source: SparesInput, network: SparesNetwork, since: float) -> None:
        self.since, self.period = since, source.settings.period
        self.last = self.number(source.now)  # the first review that is not over
        self.first = self.last
        self._measures = dict[str, Floats]()
        self.num_sites = 0
        if source.stock is None or source.stock.time.size == 0:
            return
        begun = max(float(source.stock.time.min()), source.settings.first or -np.inf)
        self.first = min(-floor((since - begun) / self.period + ROUNDING), self.last)
        self._read(source, network)

    def number(self, day: float) -> int:
        """Return the review that a day lies in; 0 is the first one behind `since`."""
        return floor((day - self.since) / self.period + ROUNDING)

    def scores(self, targets: HyperScoreTargets) -> tuple[PeriodScore, ...]:
        """Return the scores of all reviews that are over, since stocks are on record."""
        return tuple(self.score(targets, n, n) for n in range(self.first, self.last))

    def score(self, targets: HyperScoreTargets, first: int, last: int) -> PeriodScore:
        """Return the score of the reviews `first` to `last` as a whole; none scores full."""
        known = range(max(first, self.first), min(last + 1, self.last))
        at = slice(known.start - self.first, known.stop - self.first)
        measures = {
            name: float(values[at].mean()) if known else targets.target.get(name, 0.0)
            for name, values in self._measures.items()
        }
        found = hyper_score_of(measures if known else targets.target, targets)
        return PeriodScore(
            start=self.since + first * self.period,
            end=self.since + (last + 1) * self.period,
            num_looks=self.num_sites * len(known),
            measures=measures,
            score=found.score,
        )

    def _read(self, source: SparesInput, network: SparesNetwork) -> None:
        ends = np.arange(self.first + 1, self.last + 1, dtype=np.float64) * self.period + self.since
        stock, placed = net_stock_on(source, ends), orders_placed(source)
        cost, orders, short = (np.zeros(len(ends)) for _ in range(3))
        for part in network.parts:
            for place in part.locations:
                key = part.name, place.name
                count, units = self._in_reviews(placed, key)
                orders += count
                cost += place.order_fixed * count + place.order_unit * units
                if key not in stock:
                    continue
                net = stock[key]
                cost += place.holding_cost * np.maximum(net, 0)
                if place.is_site:
                    cost += place.downtime_cost * np.maximum(-net, 0)
                    short += net < 0
                    self.num_sites += 1
        failures = np.zeros(len(ends))
        for key, own in _failures(source).items():
            failures += self._in_reviews({key: own}, key)[1]
        self._measures = {
            "cost": cost,
            "sla": 1.0 - short / max(self.num_sites, 1),
            "orders": orders,
            "failures": failures,
        }

    def _in_reviews(self, moves: Mapping[Key, Moves], key: Key) -> tuple[Floats, Floats]:
        """Return how often, and by how many units, something moved in each review."""
        count, units = np.zeros((2, self.last - self.first))
        if key in moves:
            # A review holds the days behind its begin, up to and with its end.
            at = np.ceil((moves[key][:, 0] - self.since) / self.period - ROUNDING).astype(np.int64)
            at -= self.first + 1
            inside = (at >= 0) & (at < len(count))
            np.add.at(count, at[inside], 1.0)
            np.add.at(units, at[inside], moves[key][inside, 1])
        return count, units


def _failures(source: SparesInput) -> dict[Key, Moves]:
    """Return by part and location the days of failures and how many there were."""
    history = source.failures
    if history is None:
        return {}
    if isinstance(history, UnitRecords):
        days, number = history.damaged, np.ones(len(history.damaged))
    else:
        days, number = history.start, history.failures.astype(np.float64)
    rows = dict[Key, list[tuple[float, float]]]()
    for i in np.flatnonzero(~np.isnan(days) & (number > 0)).tolist():
        key = history.part[i], history.location[i]
        rows.setdefault(key, []).append((float(days[i]), float(number[i])))
    return {key: np.array(own, dtype=np.float64) for key, own in rows.items()}


def expected_reviews(result: NetworkResult, periods: int) -> dict[str, float]:
    """Return what a plan expects of a review, by rollouts."""
    mean = result.mean
    return {
        "cost": mean["total_cost"] / periods,
        "sla": mean["sla"],
        "orders": mean["orders"] / periods,
        "failures": mean["failures"] / periods,
    }


def chance_below(
    network: SparesNetwork,
    policies: Mapping[str, PartPolicy],
    targets: HyperScoreTargets,
    threshold: float,
    *,
    seed: int,
) -> float | None:
    """Return how often one review scores below a threshold though all is as the plan expects.

    By rollouts of the policy under what is believed; None where the score is also of orders or
    failures, which they do not tell by review.
    """
    if not set(targets.metrics) <= {"cost", "sla"}:
        return None
    rng = np.random.default_rng([seed, 0x4C55434B])
    shape = LUCK_REPLICATIONS, network.periods
    cost, short, sites = np.zeros(shape), np.zeros(shape), 0
    for part in network.parts:
        rates = rng.gamma(part.prior.shape, 1.0 / part.prior.rate, LUCK_REPLICATIONS)
        paths = network_paths(
            network,
            policies[part.name],
            part=part,
            num_replications=LUCK_REPLICATIONS,
            seed=seed,
            rates=rates,
            num_threads=1,
        )
        is_site = np.array([place.is_site for place in part.locations])
        cost += paths.cost
        short += (paths.stock[:, :, is_site] < 0).sum(axis=2)
        sites += int(is_site.sum())
    below = [
        hyper_score_of({"cost": c, "sla": 1.0 - s / sites}, targets).score < threshold
        for c, s in zip(cost.ravel().tolist(), short.ravel().tolist(), strict=True)
    ]
    return float(np.mean(below))
