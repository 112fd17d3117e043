"""Which levels of the predictive distributions cover what they promise, by past windows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from sparing.forecast.distribution import DemandModel, Past, Predictive, learn
from sparing.forecast.windows import Window

LEVELS = (0.5, 0.9, 0.95, 0.995)
LEAST_PARTS = 20  # below, there are too few to learn from one half for the other
LEAST_VALUES = 200  # below, the levels are left as they are

Coverage: TypeAlias = Literal["set", "part"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Calibrated:
    """A distribution of each part and the levels at which to read it.

    Parameters
    ----------
    predictive
        Of the coming periods, or of totals over several.
    levels
        Per kind of coverage and nominal level, the level to read. Under coverage "set" the share
        of demands, over all parts and periods of the past windows, that were at most the quantile
        so read is the nominal level, or the least share above it that counts allow (split
        conformal prediction, Vovk and others 2005). Under "part" each part's quantile is one of
        its own distribution, and what is right on average is the randomised share: of a count
        that the level falls into, only the fraction below the level counts as covered (the
        non-randomised probability transform of Czado, Gneiting and Held 2009).
    past
        What the levels were learnt from: predictions of earlier windows, and what came.
    """

    predictive: Predictive
    coverage: Coverage
    levels: Mapping[Coverage, Mapping[float, float]]
    past: Sequence[tuple[Predictive, Past]]

    def quantile(self, level: float) -> NDArray[np.float64]:
        """Return the calibrated quantile of a nominal level of `LEVELS`: shape (S, H)."""
        return self.predictive.quantile(self.levels[self.coverage][level])


def calibrate(
    demand: NDArray[np.float64],
    mean: NDArray[np.float64],
    windows: Sequence[Past],
    *,
    coverage: Coverage = "set",
) -> Calibrated:
    """Return calibrated distributions of what comes after `demand` [S, T] with `mean` [S, H]."""
    model = learn(windows, demand)
    past = _crossed(windows, demand, model)
    return Calibrated(
        predictive=model.predict(demand, mean), coverage=coverage, levels=_levels(past), past=past
    )


def past_of(
    windows: Sequence[Window], means: Sequence[NDArray[np.float64]], periods: int = 1
) -> list[Past]:
    """Return the windows with the forecasts `means` [R, H] of one method, as totals over `periods`.

    Windows in which no such total has come yet are left out.
    """
    found = []
    for window, mean in zip(windows, means, strict=True):
        actual = totals(window.actual, periods)
        if not np.isnan(actual).all() and window.history.shape[1] >= periods:
            history = totals(window.history, periods)
            kept = np.any(~np.isnan(history), axis=1)
            past = Past(
                history=history,
                mean=totals(mean, periods),
                actual=actual,
                rows=window.rows,
                origin=window.origin,
            )
            found.append(past.take(kept))
    return found


def totals(values: NDArray[np.float64], periods: int) -> NDArray[np.float64]:
    """Return the sums over each `periods` periods in a row: shape (S, T - periods + 1)."""
    if periods == 1:
        return values
    if values.shape[1] < periods:
        return np.full((len(values), 1), np.nan)
    rolled = np.lib.stride_tricks.sliding_window_view(values, periods, axis=1)
    return np.asarray(rolled.sum(axis=-1))


def _crossed(
    windows: Sequence[Past], demand: NDArray[np.float64], model: DemandModel
) -> list[tuple[Predictive, Past]]:
    """Return predictions of the windows; every other part is predicted from what the rest showed.

    So no part helps to foresee its own demand.
    """
    if len(demand) < LEAST_PARTS:
        return [(model.predict(window.history, window.mean), window) for window in windows]
    found = []
    for fold in (0, 1):
        inside = np.arange(len(demand)) % 2 == fold
        others = learn([window.take(~inside[window.rows]) for window in windows], demand[~inside])
        for window in windows:
            own = window.take(inside[window.rows])
            found.append((others.predict(own.history, own.mean), own))
    return found


def _levels(past: Sequence[tuple[Predictive, Past]]) -> dict[Coverage, dict[float, float]]:
    below, upto = [np.zeros(0)], [np.zeros(0)]
    for predictive, window in past:
        came = ~np.isnan(window.actual)
        counts = np.where(came, window.actual, 0.0)
        below.append(predictive.below(counts)[came])
        upto.append(predictive.upto(counts)[came])
    low, high = np.concatenate(below), np.concatenate(upto)
    if len(low) < LEAST_VALUES:
        return {"set": {x: x for x in LEVELS}, "part": {x: x for x in LEVELS}}
    ordered = np.sort(low)
    return {
        "set": {level: _level_of_plain_share(ordered, level) for level in LEVELS},
        "part": {level: _level_of_share(low, high, level) for level in LEVELS},
    }


def _level_of_plain_share(ordered: NDArray[np.float64], share: float) -> float:
    """Return the least level whose quantiles cover `share`: those demands of a score below it."""
    index = min(int(np.ceil(share * (len(ordered) + 1))) - 1, len(ordered) - 1)
    return float(min(ordered[index] + 1e-12, 1.0))


def _level_of_share(low: NDArray[np.float64], high: NDArray[np.float64], share: float) -> float:
    """Return the level that covers `share` when counts on its edge are covered in part."""
    width = np.maximum(high - low, 1e-12)
    below, above = 0.0, 1.0
    for _ in range(40):
        level = 0.5 * (below + above)
        covered = np.clip((level - low) / width, 0.0, 1.0).mean()
        below, above = (level, above) if covered < share else (below, level)
    return above
