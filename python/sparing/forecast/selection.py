"""Which forecast a series gets: a pool of all methods, or one of them, by past windows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sparing.forecast.demand_classes import CLASSES, DemandClasses
from sparing.forecast.methods import BASELINES, MODELS, POOLED
from sparing.forecast.windows import Window

RIDGE = 0.03  # pull of the pool's weights towards equal ones, as a share of the mean square
POWER = 0.5  # of what is expected, by whose inverse the pool weighs squared errors
TRUSTS = (30.0, 100.0, 300.0, np.inf)  # peers' values; at infinity one candidate serves all series
LEAST_EARLIER = 2  # windows from which a choice is tried out on a later one
LEAST_EXPECTED = 0.01  # units a period, where next to nothing is expected
Means = Mapping[str, NDArray[np.float64]]


@dataclass(frozen=True, kw_only=True, eq=False)
class Selection:
    """What was learnt from the windows.

    Parameters
    ----------
    weights
        Of each method in the pool; never negative, summing to about 1.
    choice
        Per series, shape (S,), the candidate that `auto` takes.
    scores
        Pooled root mean squared error over the windows of each candidate and of `auto`, `select`.
    trust
        How strongly peers count in `choice`; see `select`.
    best_single
        Per series, shape (S,): the single method of least error over its own windows.
    """

    weights: Mapping[str, float]
    choice: NDArray[np.str_]
    scores: Mapping[str, float]
    trust: float
    best_single: NDArray[np.str_]

    def take(self, rows: NDArray[np.int64]) -> Selection:
        """Return the selection for some of the series."""
        return replace(self, choice=self.choice[rows], best_single=self.best_single[rows])

    def apply(self, name: str, means: Means) -> NDArray[np.float64]:
        """Return the forecast [S, H] of ``pool``, ``auto`` or ``select`` from the methods'."""
        if name == "pool":
            return pooled(self.weights, means)
        chosen = self.choice if name == "auto" else self.best_single
        every = {**means, "pool": pooled(self.weights, means)}
        out = np.zeros_like(every["pool"])
        for candidate in np.unique(chosen):
            rows = chosen == candidate
            out[rows] = every[str(candidate)][rows]
        return out


def pooled(weights: Mapping[str, float], means: Means) -> NDArray[np.float64]:
    """Return the weighted sum of the methods' forecasts."""
    return np.asarray(sum(weight * means[name] for name, weight in weights.items()))


def pool_weights(windows: Sequence[Window], singles: Sequence[str] = ()) -> dict[str, float]:
    """Return non-negative weights of least squared error over all windows, drawn to equal ones.

    Bates and Granger (1969); non-negative least squares of what came on what the methods said, over
    all series at once. Each value is weighed by the inverse root of what was expected, so that a
    few large series do not settle it alone. Where the plain squared error over the windows would
    then exceed that of one of `singles`, the weights move towards those of plain least squares,
    just as far as it no longer does.
    """
    names = tuple(name for name in POOLED if all(name in w.means for w in windows))
    gram, moment = _moments(windows, names, POWER)
    if not np.trace(gram) > 0.0:
        return dict.fromkeys(names, 1.0 / len(names))
    pull = RIDGE * np.trace(gram) / len(names)
    weights = _non_negative(gram, moment, pull)
    plain = _moments(windows, names, 0.0)
    gain = max((_explained(windows, name) for name in singles), default=-np.inf)
    least = _non_negative(*plain, 1e-9 * np.trace(plain[0]))
    return dict(zip(names, map(float, _moved(weights, least, plain, gain)), strict=True))


def _moments(
    windows: Sequence[Window], names: Sequence[str], power: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the sums of products of the methods with each other, and with what came."""
    gram, moment = np.zeros((len(names), len(names))), np.zeros(len(names))
    for window in windows:
        came = ~np.isnan(window.actual)
        columns = np.stack([window.means[name] for name in names])
        expected = columns.mean(axis=(0, 2)) + LEAST_EXPECTED
        weight = np.broadcast_to(expected[:, None] ** -power, came.shape)[came]
        columns = columns[:, came]
        gram += (columns * weight) @ columns.T
        moment += (columns * weight) @ window.actual[came]
    return gram, moment


def _non_negative(
    gram: NDArray[np.float64], moment: NDArray[np.float64], pull: float
) -> NDArray[np.float64]:
    """Return the non-negative w of least w'Gw - 2 m'w, drawn to equal ones by `pull`."""
    from scipy.optimize import nnls

    root = np.linalg.cholesky(gram + pull * np.eye(len(gram)))
    return np.asarray(nnls(root.T, np.linalg.solve(root, moment + pull / len(gram)))[0])


def _explained(windows: Sequence[Window], name: str) -> float:
    """Return by how much the squared error of a method is below that of zero."""
    total = 0.0
    for window in windows:
        came = ~np.isnan(window.actual)
        mean = window.means[name][came]
        total += float(2.0 * mean @ window.actual[came] - mean @ mean)
    return total


def _moved(
    weights: NDArray[np.float64],
    least: NDArray[np.float64],
    plain: tuple[NDArray[np.float64], NDArray[np.float64]],
    gain: float,
) -> NDArray[np.float64]:
    """Return the first point from `weights` to `least` that explains `gain`; else `least`."""
    gram, moment = plain
    for share in np.linspace(0.0, 1.0, 101):
        found = weights + share * (least - weights)
        if 2.0 * found @ moment - found @ gram @ found >= gain:
            return np.asarray(found)
    return least


def select(windows: Sequence[Window], classes: DemandClasses) -> Selection:
    """Choose a candidate per series: the pool, a model or a baseline.

    The score of a candidate on a series is its mean squared error over the series' own windows,
    drawn towards that of its peers, which are the series of the same class (ADI, CV2) and
    seasonality, relative to the scale of each: (n own + trust peers) / (n + trust). How much the
    peers count, and whether there is to be a choice per series at all rather than one candidate
    for all, is settled by rolling origin again: what the earlier windows would have chosen with
    what was known at the origin of a later one, against what came there. Where the outcome is
    worse over all windows than one candidate for all series, that one is taken, so that `auto` is
    never worse there than the best single method.
    """
    size = len(classes.number)
    singles = tuple(n for n in (*MODELS, *BASELINES) if all(n in w.means for w in windows))
    names = ("pool", *singles)
    group = classes.number * 2 + classes.seasonal
    trust = _validated(windows, names, group)
    weights = pool_weights(windows, singles)
    squares, counts = _squares(windows, names, weights, size)  # [S, M], [S]
    chosen = _choose(squares, counts, group, trust)
    overall, rows = squares.sum(axis=0), np.arange(size)
    if not squares[rows, chosen].sum() <= overall.min():
        chosen = np.full(size, overall.argmin())
    single = 1 + squares[:, 1:].argmin(axis=1)
    known = max(counts.sum(), 1.0)
    scores = {name: float(np.sqrt(overall[i] / known)) for i, name in enumerate(names)}
    for name, choice in (("auto", chosen), ("select", single)):
        scores[name] = float(np.sqrt(squares[rows, choice].sum() / known))
    return Selection(
        weights=weights,
        choice=np.array(names)[chosen],
        scores=scores,
        trust=trust,
        best_single=np.array(names)[single],
    )


def _validated(windows: Sequence[Window], names: Sequence[str], group: NDArray[np.int64]) -> float:
    """Return the trust of least squared error when earlier windows choose for later ones.

    One candidate for all series is kept unless a choice per series is better by more than two
    standard errors of the difference, parts being drawn.
    """
    rows = np.arange(len(group))
    losses = {trust: np.zeros(len(group)) for trust in TRUSTS}
    for window in windows:
        earlier = [_known_at(w, window.origin) for w in windows if w.origin < window.origin]
        if len(earlier) < LEAST_EARLIER:
            continue
        weights = pool_weights(earlier, names[1:])
        before, counts = _squares(earlier, names, weights, len(group))
        after, _ = _squares([window], names, weights, len(group))
        for trust in TRUSTS:
            chosen = _choose(before, counts, group, trust)
            losses[trust] += after[rows, chosen]
    trust = min(reversed(TRUSTS), key=lambda t: losses[t].sum())
    gain = losses[np.inf] - losses[trust]
    return trust if gain.sum() > 2.0 * gain.std() * np.sqrt(len(gain)) else np.inf


def _known_at(window: Window, origin: int) -> Window:
    """Return `window` with only what had come when `origin` periods had passed."""
    actual = window.actual.copy()
    actual[:, max(origin - window.origin, 0) :] = np.nan
    return replace(window, actual=actual)


def _squares(
    windows: Sequence[Window], names: Sequence[str], weights: Mapping[str, float], size: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the sums of squared errors [S, M] and how many values came [S]."""
    squares, counts = np.zeros((size, len(names))), np.zeros(size)
    for window in windows:
        came = ~np.isnan(window.actual)
        counts[window.rows] += came.sum(axis=1)
        for m, name in enumerate(names):
            mean = pooled(weights, window.means) if name == "pool" else window.means[name]
            error = np.where(came, mean - np.where(came, window.actual, 0.0), 0.0)
            squares[window.rows, m] += (error**2).sum(axis=1)
    return squares, counts


def _choose(
    squares: NDArray[np.float64],
    counts: NDArray[np.float64],
    group: NDArray[np.int64],
    trust: float,
) -> NDArray[np.int64]:
    """Return the candidate of least score per series: shape (S,); of infinite trust one for all."""
    if trust == np.inf:
        return np.full(len(group), squares.sum(axis=0).argmin())
    scale = squares.mean(axis=1, keepdims=True)
    relative = squares / np.where(scale > 0.0, scale, 1.0) * counts[:, None]
    peers = np.zeros_like(relative)
    for number in np.unique(group):
        rows = group == number
        peers[rows] = relative[rows].sum(axis=0) / max(counts[rows].sum(), 1.0)
    return np.asarray((relative + trust * peers).argmin(axis=1))


def describe(classes: DemandClasses, choice: NDArray[np.str_]) -> list[dict[str, object]]:
    """Return per class how many series there are and what they got."""
    found = []
    for number, name in enumerate(CLASSES):
        rows = classes.number == number
        if rows.any():
            taken, counts = np.unique(choice[rows], return_counts=True)
            chosen = {str(t): int(c) for t, c in zip(taken, counts, strict=True)}
            found.append({"class": name, "series": int(rows.sum()), "chosen": chosen})
    return found
