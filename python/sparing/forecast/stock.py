"""What forecasts are worth: a replay of order-up-to stock, and levels for a fill rate."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sparing.forecast.distribution import Past, Predictive
from sparing.forecast.windows import Window

NUM_RESAMPLES = 200
LEAST_SHORTAGE = 1e-6  # no past says anything of rarer demands
LEAST_PRICE = 1e-3  # of the mean price; below, a part counts as if it cost that
LEAST_CHANCE = 0.01  # of what may be missing; no unit is stocked to be needed more rarely


@dataclass(frozen=True, kw_only=True)
class StockResult:
    """What a replay came to.

    Parameters
    ----------
    fill_rate
        Share of the demanded units that were on the shelf when asked for, over all parts.
    half_width
        Of its 95 % confidence interval, parts being drawn.
    holding_cost
        Mean value on the shelf at the end of a period [money], the sum over parts.
    units
        Mean number on the shelf [units].
    excess
        Units that no draw over the hold-out would have needed: level less the deepest draw.
    """

    fill_rate: float
    half_width: float
    holding_cost: float
    units: float
    excess: float


def replay(
    level: NDArray[np.float64],
    demand: NDArray[np.float64],
    price: NDArray[np.float64],
    lead_time: int,
) -> StockResult:
    """Replay an order-up-to policy: each period the demand is ordered again, and backorders wait.

    At the start the level [S] is on the shelf and nothing is on order. What a period asks for is
    ordered at its end and there when `lead_time` more periods have passed: period t finds the
    level less the demand of the lead_time periods before it.

    Parameters
    ----------
    demand
        Shape (S, H); missing values count as no demand.
    price
        Shape (S,).
    lead_time
        Periods from the order to its arrival, at least 0.
    """
    filled, asked, left = replay_parts(level, demand, lead_time)
    deepest = _draws(np.nan_to_num(demand), lead_time + 1).max(axis=1, initial=0.0)
    periods = max(demand.shape[1], 1)
    rate = float(filled.sum() / asked.sum()) if asked.sum() > 0.0 else 1.0
    missed = np.sqrt(((filled - rate * asked) ** 2).sum()) / max(asked.sum(), 1e-12)
    return StockResult(
        fill_rate=rate,
        half_width=float(1.96 * missed),
        holding_cost=float((left * price).sum() / periods),
        units=float(left.sum() / periods),
        excess=float(np.maximum(level - deepest, 0.0).sum()),
    )


def replay_parts(
    level: NDArray[np.float64], demand: NDArray[np.float64], lead_time: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return per part the units filled, those asked for, and the shelf's sum over periods."""
    demand = np.nan_to_num(demand)
    on_order = _draws(demand, lead_time + 1) - demand  # asked for in the lead time before
    shelf = np.maximum(level[:, None] - on_order, 0.0)
    filled = np.minimum(shelf, demand)
    return filled.sum(axis=1), demand.sum(axis=1), (shelf - filled).sum(axis=1)


def _draws(demand: NDArray[np.float64], periods: int) -> NDArray[np.float64]:
    """Return the demand of the last `periods` periods, at the end of each: shape (S, H)."""
    total = np.cumsum(demand, axis=1)
    out = total.copy()
    out[:, periods:] -= total[:, :-periods]
    return out


def price_weights(price: NDArray[np.float64] | None, num_parts: int) -> NDArray[np.float64]:
    """Return the prices relative to their mean, never quite zero; 1 each where there are none."""
    if price is None or not price.sum() > 0.0:
        return np.ones(num_parts)
    return np.asarray(np.maximum(price / price.mean(), LEAST_PRICE))


def order_up_to(
    totals: Predictive, weight: NDArray[np.float64], shortage: float, fill_rate: float = 0.99
) -> NDArray[np.float64]:
    """Return the levels [S] at which one unit more is needed with probability shortage x weight.

    Of a unit more of part i, the holding cost grows with its price and the units filled with its
    chance to be needed; where the ratio of the two is the same for all parts, no other stock fills
    as much for the same money (marginal analysis, Sherbrooke 2004, section 2.5).

    No unit is stocked to be needed with a probability below `LEAST_CHANCE` of the share that a
    fill rate leaves unfilled: so far out, a distribution is the largest demand, relative to its
    own, that any peer ever showed, and the cheapest parts would all be stocked for that.
    """
    chance = np.clip(shortage * weight, LEAST_CHANCE * (1.0 - fill_rate), 1.0)
    return totals.quantile(1.0 - chance)[:, 0]


def shortage_for(
    past: Sequence[tuple[Predictive, Past]],
    windows: Sequence[Window],
    weight: NDArray[np.float64],
    lead_time: int,
    *,
    fill_rate: float = 0.99,
    confidence: float = 0.8,
) -> float:
    """Return the `shortage` of `order_up_to` that reaches a fill rate over past windows.

    Where no stock reaches it, what none would have filled is left out of the account: more stock
    would cost and fill nothing.

    Parameters
    ----------
    past
        Predictions of totals over lead_time + 1 periods at the origins of `windows`.
    windows
        The windows themselves, whose demand is replayed; see `replayed_origins`.
    confidence
        Share of resamples of the parts (bootstrap) in which the fill rate must be reached: a few
        large demands decide it.
    """
    replays = _replays(past, windows)
    draws = np.random.default_rng(0).multinomial(
        len(weight), np.full(len(weight), 1.0 / len(weight)), size=NUM_RESAMPLES
    )

    def filled(shortage: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return what is filled and asked for in each resample."""
        found, asked = np.zeros(len(weight)), np.zeros(len(weight))
        for predictive, rows, demand in replays:
            level = order_up_to(predictive, weight[rows], shortage, fill_rate)
            part_filled, part_asked, _ = replay_parts(level, demand, lead_time)
            found[rows] += part_filled
            asked[rows] += part_asked
        return draws @ found, draws @ asked

    def reached(share: NDArray[np.float64], base: NDArray[np.float64]) -> bool:
        rates = share / np.maximum(base, 1e-12)
        return bool(np.quantile(np.where(base > 0.0, rates, 1.0), 1.0 - confidence) >= fill_rate)

    most, asked = filled(LEAST_SHORTAGE)
    base = asked if reached(most, asked) else most
    return _largest(lambda shortage: reached(filled(shortage)[0], base))


def replayed_origins(windows: Sequence[Window]) -> set[int]:
    """Return the origins of the windows that say what stock will do.

    Those that are over, so that the lead time and what follows it count as they will, and of which
    as much was known as half of what is now: forecasts from less are worse. If there are none,
    those that are over; else all.
    """
    over = {w.origin for w in windows if not np.isnan(w.actual).all(axis=0).any()}
    now = max((w.history.shape[1] for w in windows), default=0)
    return {o for o in over if 2 * o >= now} or over or {w.origin for w in windows}


def _replays(
    past: Sequence[tuple[Predictive, Past]], windows: Sequence[Window]
) -> list[tuple[Predictive, NDArray[np.int64], NDArray[np.float64]]]:
    wanted = replayed_origins(windows)
    demands = {w.origin: dict(zip(w.rows, w.actual, strict=True)) for w in windows}
    found = []
    for predictive, window in past:
        origin = window.origin
        if origin in wanted:
            demand = np.stack([demands[origin][row] for row in window.rows])
            found.append((predictive, window.rows, demand))
    return found


def _largest(reached: Callable[[float], bool]) -> float:
    """Return the largest shortage that reaches the target, by bisection of its logarithm."""
    low, high = LEAST_SHORTAGE, 1.0
    for _ in range(24):
        middle = float(np.sqrt(low * high))
        low, high = (middle, high) if reached(middle) else (low, middle)
    return low


def normal_levels(
    mean: NDArray[np.float64], history: NDArray[np.float64], lead_time: int, factor: float
) -> NDArray[np.float64]:
    """Return the levels of common practice: demand over the lead time and a safety factor.

    (L + 1) forecast + factor sqrt((L + 1) MSE), the MSE that of the forecast over the history.
    """
    error = np.nanmean((history - mean[:, :1]) ** 2, axis=1)
    periods = lead_time + 1
    level = periods * mean[:, 0] + factor * np.sqrt(periods * error)
    return np.asarray(np.ceil(np.maximum(level, 0.0)))


def factor_for(
    mean: NDArray[np.float64],
    history: NDArray[np.float64],
    demand: NDArray[np.float64],
    price: NDArray[np.float64],
    lead_time: int,
    fill_rate: float,
) -> float:
    """Return the least safety factor that fills `fill_rate` of `demand`; inf if 1000 does not.

    Chosen with `demand` known: an advantage no real planner has.
    """
    low, high = 0.0, 1000.0

    def filled(factor: float) -> float:
        level = normal_levels(mean, history, lead_time, factor)
        return replay(level, demand, price, lead_time).fill_rate

    if filled(high) < fill_rate:
        return np.inf
    for _ in range(40):
        middle = 0.5 * (low + high)
        low, high = (low, middle) if filled(middle) >= fill_rate else (middle, high)
    return high
