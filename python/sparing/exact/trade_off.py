"""The trade-off front of two measures: all supported policies between their two optima."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from sparing.epoch import Epoch
from sparing.exact.policy_evaluation import evaluate_policy
from sparing.exact.solution import Solution
from sparing.exact.value_iteration import Options, value_iteration


@dataclass(frozen=True, kw_only=True, eq=False)
class FrontPoint:
    """One policy of the front: the long-run averages of both measures."""

    first: float
    second: float
    weight: float  # of the first measure against 1 - weight of the second
    solution: Solution


def trade_off_front(
    epoch: Epoch,
    first: Mapping[str, float],
    second: Mapping[str, float],
    *,
    tol: float = 1e-6,
    max_points: int = 100,
    initial: tuple[int, ...] | None = None,
    num_threads: int = 0,
) -> list[FrontPoint]:
    """Return the corners of the lower convex front of two minimised long-run averages.

    Between two neighbours the weights normal to their chord are solved; a policy below the chord
    is a new corner (Cohon 1978, non-inferior set estimation). Mixtures of neighbours reach all
    between them, so the front is complete when no chord has anything below it.

    Parameters
    ----------
    first, second
        Weights of the kinds of cost in each measure; a reliability has a negative weight.
    tol
        A corner lies at least this far below the chord, in the weighted sum.
    """

    def solve(weight: float) -> FrontPoint:
        weights = {
            kind: weight * first.get(kind, 0.0) + (1.0 - weight) * second.get(kind, 0.0)
            for kind in (*first, *second)
        }
        options = Options(tol=tol / 10, keep_value=False, num_threads=num_threads)
        solution = value_iteration(epoch, weights, initial=initial, options=options)
        found = evaluate_policy(
            epoch,
            solution.policy,
            {"first": first, "second": second},
            weights=weights,
            initial=initial,
            tol=tol / 10,
            num_threads=num_threads,
        )
        values = found["first"].value, found["second"].value
        return FrontPoint(first=values[0], second=values[1], weight=weight, solution=solution)

    # The ends weigh the other measure a little, so that ties fall on the front.
    points = [solve(1.0 - 1e-6), solve(1e-6)]
    position = 0
    while position + 1 < len(points) and len(points) < max_points:
        left, right = points[position], points[position + 1]
        rise, run = left.second - right.second, right.first - left.first
        if not (rise > tol and run > tol):
            position += 1
            continue
        weight = float(np.clip(rise / (rise + run), 1e-9, 1.0 - 1e-9))
        between = solve(weight)
        chord = weight * left.first + (1.0 - weight) * left.second
        if weight * between.first + (1.0 - weight) * between.second < chord - tol:
            points.insert(position + 1, between)
        else:
            position += 1
    kept = points[:1]
    for point in points[1:]:
        if max(abs(point.first - kept[-1].first), abs(point.second - kept[-1].second)) > tol:
            kept.append(point)
    return kept
