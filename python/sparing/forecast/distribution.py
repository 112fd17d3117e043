"""Predictive distributions of counts: how often, and how much, learnt from past windows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sparing.forecast.demand_classes import CLASSES, classify

HALF_LIFE = 12.0  # periods after which a value counts half for how often there is demand
SIZE_HALF_LIFE = 36.0  # and for how much
PEER_WEIGHT = 10.0  # demands of its own that weigh as much as all of its peers
SCALE_LIMIT = 3.0  # the forecast moves the size of a demand at most by this factor
NUM_BINS = 40  # of the reliability map
LEAST_RATIOS = 200  # of a class, below which all classes stand in
LEVELS = np.concatenate(
    [np.arange(0.5, 150.0) / 150.0 * 0.97, 0.97 + np.arange(0.5, 50.0) * 0.0006]
)


@dataclass(frozen=True, kw_only=True, eq=False)
class Predictive:
    """A distribution of counts per series and step: 0, or a rounded size of at least 1.

    Parameters
    ----------
    positive
        Shape (S,), the probability of any demand.
    scale
        Shape (S, H), units; sizes are `ratios` times this.
    ratios, cumulative
        Shape (S, A), ascending, and their cumulative probabilities among the sizes.
    """

    positive: NDArray[np.float64]
    scale: NDArray[np.float64]
    ratios: NDArray[np.float64]
    cumulative: NDArray[np.float64]

    def quantile(self, level: float | NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the least count that is not exceeded with probability `level`: shape (S, H)."""
        level = np.broadcast_to(level, self.positive.shape)
        inside = (level - (1.0 - self.positive)) / np.maximum(self.positive, 1e-12)
        wanted = np.minimum(inside, 1.0 - 1e-12)
        index = np.minimum(
            (self.cumulative < wanted[:, None]).sum(axis=1), self.ratios.shape[1] - 1
        )
        size = np.take_along_axis(self.ratios, index[:, None], axis=1) * self.scale
        return np.where(inside[:, None] <= 0.0, 0.0, np.maximum(np.rint(size), 1.0))

    def below(self, counts: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return P(X < counts), for counts [S, H] without missing values."""
        out = np.empty(counts.shape)
        for step in range(counts.shape[1]):
            count = counts[:, step]
            limit = (np.maximum(np.ceil(count), 1.0) - 0.5) / self.scale[:, step]
            index = (self.ratios < limit[:, None]).sum(axis=1)
            found = np.take_along_axis(self.cumulative, np.maximum(index - 1, 0)[:, None], axis=1)
            inside = np.where((index > 0) & (count > 1.0), found[:, 0], 0.0)
            out[:, step] = np.where(count > 0.0, 1.0 - self.positive * (1.0 - inside), 0.0)
        return out

    def upto(self, counts: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return P(X <= counts)."""
        return self.below(np.floor(counts) + 1.0)

    def mean(self) -> NDArray[np.float64]:
        """Return the expectation: shape (S, H)."""
        chance = np.diff(self.cumulative, axis=1, prepend=0.0)
        sizes = np.maximum(np.rint(self.ratios[:, None, :] * self.scale[:, :, None]), 1.0)
        return np.asarray(self.positive[:, None] * np.einsum("sha,sa->sh", sizes, chance))


@dataclass(frozen=True, kw_only=True, eq=False)
class Past:
    """An earlier forecast and what came: history [R, T], mean [R, C], actual [R, C], rows [R]."""

    history: NDArray[np.float64]
    mean: NDArray[np.float64]
    actual: NDArray[np.float64]
    rows: NDArray[np.int64]
    origin: int

    def take(self, kept: NDArray[np.bool_]) -> Past:
        """Return the series for which `kept` [R] holds."""
        return Past(
            history=self.history[kept],
            mean=self.mean[kept],
            actual=self.actual[kept],
            rows=self.rows[kept],
            origin=self.origin,
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class DemandModel:
    """What past windows of all series say about frequencies and sizes.

    Demand is 0 with probability 1 - pi, else a size. The recent frequency p of a series becomes pi
    by `reliability`, an increasing map learnt from how often series of that p had demand. Sizes
    are the forecast mean over p times a ratio; the ratio is drawn from the series' own sizes and,
    with the weight of ten of them, from what its peers of the same class showed in the windows:
    the mean of a Dirichlet process (Ferguson 1973) around the peers.

    Parameters
    ----------
    frequency, reliability
        Knots of the map: p and pi.
    ratios
        Per class, the ratios seen, ascending.
    default
        Size [units] taken for series that never had a demand.
    """

    frequency: NDArray[np.float64]
    reliability: NDArray[np.float64]
    ratios: tuple[NDArray[np.float64], ...]
    default: float

    def predict(self, history: NDArray[np.float64], mean: NDArray[np.float64]) -> Predictive:
        """Return the distribution of demand after `history` [S, T] with forecast `mean` [S, H]."""
        seen = _seen(history)
        frequency, scale = _frequency_and_scale(seen, mean, self.default)
        numbers = classify(history, 1).number
        peers = np.stack([_atoms(ratios) for ratios in self.ratios])[numbers]
        own = np.where(seen.positive, history / seen.size[:, None], 0.0)
        weight = seen.positive * 0.5 ** (seen.age / SIZE_HALF_LIFE)
        total = weight.sum(axis=1, keepdims=True) + PEER_WEIGHT
        chances = np.concatenate(
            [weight / total, PEER_WEIGHT / total * np.broadcast_to(_CHANCES, peers.shape)], axis=1
        )
        values = np.concatenate([own, peers], axis=1)
        order = np.argsort(values, axis=1, kind="stable")
        return Predictive(
            positive=np.interp(frequency, self.frequency, self.reliability),
            scale=scale,
            ratios=np.take_along_axis(values, order, axis=1),
            cumulative=np.cumsum(np.take_along_axis(chances, order, axis=1), axis=1),
        )


def learn(past: Sequence[Past], history: NDArray[np.float64]) -> DemandModel:
    """Learn from earlier forecasts and what came after them.

    Parameters
    ----------
    past
        Possibly empty: then the series' own histories stand in.
    history
        Shape (S, T): all that is known; where windows are few, its sizes help out.
    """
    demands = history[np.nan_to_num(history) > 0.0]
    default = float(np.median(demands)) if len(demands) else 1.0
    frequencies, positives, ratios, numbers = [np.zeros(0)], [np.zeros(0)], [np.zeros(0)], [_NONE]
    for window in past:
        seen = _seen(window.history)
        frequency, scale = _frequency_and_scale(seen, window.mean, default)
        came = ~np.isnan(window.actual)
        shape = window.actual.shape
        frequencies.append(np.broadcast_to(frequency[:, None], shape)[came])
        positives.append((window.actual[came] > 0.0).astype(float))
        some = came & (np.where(came, window.actual, 0.0) > 0.0)
        ratios.append((window.actual / scale)[some])
        number = classify(window.history, 1).number
        numbers.append(np.broadcast_to(number[:, None], shape)[some])
    knots, reliability = _reliability(np.concatenate(frequencies), np.concatenate(positives))
    return DemandModel(
        frequency=knots,
        reliability=reliability,
        ratios=_ratios_by_class(np.concatenate(ratios), np.concatenate(numbers), history),
        default=default,
    )


_NONE = np.zeros(0, dtype=np.int64)
_CHANCES = np.concatenate([np.full(150, 0.97 / 150.0), np.full(50, 0.0006)])


@dataclass(frozen=True, kw_only=True, eq=False)
class _Seen:
    """Per series: ages [T], which values are positive [S, T], their mean size and number, p."""

    age: NDArray[np.float64]
    positive: NDArray[np.bool_]
    size: NDArray[np.float64]
    count: NDArray[np.int64]
    frequency: NDArray[np.float64]


def _seen(history: NDArray[np.float64]) -> _Seen:
    known = ~np.isnan(history)
    values = np.where(known, history, 0.0)
    positive = values > 0.0
    count = positive.sum(axis=1)
    age = np.arange(history.shape[1])[::-1].astype(float)
    weight = known * 0.5 ** (age / HALF_LIFE)
    overall = count / np.maximum(known.sum(axis=1), 1)
    frequency = ((weight * positive).sum(axis=1) + overall) / (weight.sum(axis=1) + 1.0)
    size = np.where(count > 0, values.sum(axis=1) / np.maximum(count, 1), 1.0)
    return _Seen(age=age, positive=positive, size=size, count=count, frequency=frequency)


def _frequency_and_scale(
    seen: _Seen, mean: NDArray[np.float64], default: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return p [S] and the scale of sizes [S, H]: the mean over p, near the mean size."""
    size = np.where(seen.count > 0, seen.size, default)[:, None]
    scale = mean / np.maximum(seen.frequency, 1e-9)[:, None]
    scale = np.clip(scale, size / SCALE_LIMIT, size * SCALE_LIMIT)
    return seen.frequency, np.where((seen.count > 0)[:, None], scale, size)


def _reliability(
    frequency: NDArray[np.float64], positive: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the increasing map from p to pi: shares in bins of p, pooled where they decrease."""
    if not len(frequency):
        return np.array([0.0, 1.0]), np.array([0.0, 1.0])
    edges = np.unique(np.quantile(frequency, np.linspace(0.0, 1.0, NUM_BINS + 1)))
    bins = np.clip(np.searchsorted(edges, frequency, side="right") - 1, 0, max(len(edges) - 2, 0))
    count = np.bincount(bins).astype(float)
    used = count > 0
    knots = np.bincount(bins, frequency)[used] / count[used]
    prior = 2.0  # values that say pi = p, for bins of few
    shares = (np.bincount(bins, positive)[used] + prior * knots) / (count[used] + prior)
    return knots, _increasing(shares, count[used] + prior)


def _increasing(values: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the nearest increasing sequence (pool adjacent violators, Ayer and others 1955)."""
    blocks: list[list[float]] = []  # mean, weight, length
    for value, weight in zip(values, weights, strict=True):
        blocks.append([float(value), float(weight), 1.0])
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            last, before = blocks.pop(), blocks.pop()
            weight = last[1] + before[1]
            mean = (last[0] * last[1] + before[0] * before[1]) / weight
            blocks.append([mean, weight, last[2] + before[2]])
    return np.repeat([block[0] for block in blocks], [int(block[2]) for block in blocks])


def _ratios_by_class(
    ratios: NDArray[np.float64], numbers: NDArray[np.int64], history: NDArray[np.float64]
) -> tuple[NDArray[np.float64], ...]:
    if len(ratios) < LEAST_RATIOS:
        seen = _seen(history)
        ratios = np.concatenate([ratios, (history / seen.size[:, None])[seen.positive]])
        numbers = np.full(len(ratios), -1)
    if not len(ratios):
        ratios, numbers = np.ones(1), np.full(1, -1)
    found = []
    for number in range(len(CLASSES)):
        own = ratios[numbers == number]
        found.append(np.sort(own if len(own) >= LEAST_RATIOS else ratios))
    return tuple(found)


def _atoms(ratios: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return 200 ratios for `_CHANCES`, dense at the top; the last is the greatest seen."""
    found = np.quantile(ratios, LEVELS)
    found[-1] = ratios[-1]
    return np.asarray(found)
