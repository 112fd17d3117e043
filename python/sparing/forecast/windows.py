"""Rolling origin: what each method would have said earlier, from what was known then."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sparing.forecast.methods import Settings, point_means, work_of
from sparing.forecast.progress import Meter

NUM_WINDOWS = 6
LEAST_HISTORY = 6  # periods before the first origin


@dataclass(frozen=True, kw_only=True, eq=False)
class Window:
    """One origin: the forecasts made there, and what came.

    Parameters
    ----------
    origin
        Periods known when the forecasts were made.
    rows
        Shape (R,), the series of which something was known.
    history
        Shape (R, T), demand up to the origin, in front of it NaN so that all windows are as wide.
    means
        Per method, shape (R, H).
    actual
        Shape (R, H), what came; NaN where missing or not yet known.
    """

    origin: int
    rows: NDArray[np.int64]
    history: NDArray[np.float64]
    means: Mapping[str, NDArray[np.float64]]
    actual: NDArray[np.float64]


def origins_of(length: int, horizon: int, num_windows: int = NUM_WINDOWS) -> list[int]:
    """Return the origins of the windows, latest first.

    A third of the horizon apart up to one horizon back, then half of it. The latest windows are
    not over yet when the last period is: what they lack is left out. The earlier ones are, and
    what stock does can be replayed in them.
    """
    origins, step = [], 0
    for number in range(num_windows):
        wanted = horizon * (number + 1) // 3 if number < 3 else horizon * number // 2
        step = max(step + 1, wanted)
        origins.append(length - step)
    return [origin for origin in origins if origin >= LEAST_HISTORY]


def rolling_windows(
    demand: NDArray[np.float64],
    horizon: int,
    names: Sequence[str],
    settings: Settings,
    *,
    covariates: NDArray[np.float64] | None = None,
    num_windows: int = NUM_WINDOWS,
    meter: Meter | None = None,
) -> list[Window]:
    """Forecast from each origin with each method.

    Parameters
    ----------
    demand
        Shape (S, T).
    covariates
        Shape (S, T + H, C); at each origin only what lies up to H periods after it is used.
    meter
        Counts the work: that of `methods.work_of` in each window.
    """
    windows, meter = [], meter or Meter()
    origins = origins_of(demand.shape[1], horizon, num_windows)
    for number, origin in enumerate(origins, start=1):
        rows = np.flatnonzero(~np.isnan(demand[:, :origin]).all(axis=1))
        history = padded(demand[rows, :origin], demand.shape[1])
        known = None
        if covariates is not None:
            wide = demand.shape[1] + horizon
            known = padded(covariates[rows, : origin + horizon], wide, edge=True)
        actual = np.full((len(rows), horizon), np.nan)
        came = demand[rows, origin : origin + horizon]
        actual[:, : came.shape[1]] = came
        report = meter.part(f"past window {number} of {len(origins)}", work_of(names, len(demand)))
        means = point_means(names, history, horizon, settings, known, report)
        windows.append(
            Window(origin=origin, rows=rows, history=history, means=means, actual=actual)
        )
    return windows


def padded(past: NDArray[np.float64], length: int, *, edge: bool = False) -> NDArray[np.float64]:
    """Put missing values in front, so that one compiled program serves every window.

    With `edge` the first value is repeated instead.
    """
    missing = length - past.shape[1]
    widths = [(0, 0), (missing, 0), *[(0, 0)] * (past.ndim - 2)]
    return (
        np.pad(past, widths, mode="edge") if edge else np.pad(past, widths, constant_values=np.nan)
    )
