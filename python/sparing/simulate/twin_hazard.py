"""When units of a site fail: candidates drawn at the highest hazard, thinned as ages ask.

Nothing here depends on how stocks are run, so two policies meet the same candidates.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from sparing.models.network_location import Location
from sparing.simulate.twin import Twin

Floats: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Surroundings:
    """What the units of a site meet over the horizon.

    Attributes
    ----------
    edges
        Hours [steps + 1] between which the hazard's factor is the same.
    factor
        Of the hazard [steps], of climate, load and bursts together.
    temperature, humidity
        Means over each period [periods]; None without a climate.
    hourly
        Both in each hour.
    """

    edges: Floats
    factor: Floats
    temperature: Floats | None
    humidity: Floats | None
    hourly: tuple[Floats, Floats] | None

    def at(self, hour: float) -> tuple[float, float]:
        """Return temperature and humidity at an hour; NaN without a climate."""
        if self.hourly is None:
            return float("nan"), float("nan")
        heat, damp = self.hourly
        place = min(int(hour), heat.size - 1)
        return float(heat[place]), float(damp[place])


@dataclass(frozen=True, kw_only=True, eq=False)
class Candidates:
    """Possible failures: a unit fails if it is up and `chance` is below its share of the bound."""

    hours: list[float]  # [N], ascending
    units: list[int]  # [N]
    chances: list[float]  # [N] in [0, 1)
    bound: float  # of the factor of ages


def surroundings(twin: Twin, site: str, generator: np.random.Generator) -> Surroundings:
    """Return climate, load and bursts of a site; the climate's weather is drawn."""
    steps = ceil(twin.hours)
    if twin.climate is None and twin.load is None:
        edges = np.arange(twin.network.periods + 1, dtype=np.float64) * twin.period_hours
        marks = [h for d in twin.disruptions for h in (d.first_hour, d.last_hour)]
        inside = [hour for hour in marks if 0.0 < hour < twin.hours]
        edges = np.unique(np.concatenate([edges, inside]))
    else:
        edges = np.arange(steps + 1, dtype=np.float64)
        edges[-1] = twin.hours
    factor = np.ones(edges.size - 1)
    heat = damp = hourly = None
    if twin.climate is not None:
        hourly = twin.climate.of_site(site, twin.start, steps, generator)
        means = (twin.climate.temperature.mean, twin.climate.humidity.mean)
        for values, mean, name in zip(hourly, means, ("temperature", "humidity"), strict=True):
            factor *= np.exp(twin.effects.get(name, 0.0) * (values - mean) / 10.0)
        heat, damp = (_by_period(twin, values) for values in hourly)
    if twin.load is not None:
        load = twin.load.relative(twin.start, steps)
        exponent = twin.effects.get("load", 0.0)
        factor *= load**exponent if exponent != 0.0 else 1.0
    for burst in twin.disruptions:
        if burst.kind == "burst" and burst.concerns(site):
            middle = 0.5 * (edges[:-1] + edges[1:])
            during = (burst.first_hour <= middle) & (middle < burst.last_hour)
            factor[during] *= burst.factor
    return Surroundings(edges=edges, factor=factor, temperature=heat, humidity=damp, hourly=hourly)


def candidates(
    twin: Twin,
    location: Location,
    around: Surroundings,
    rate: float,
    generator: np.random.Generator,
) -> Candidates:
    """Draw the candidates of one part at one site over the horizon.

    An inhomogeneous Poisson process by the inverse of its integrated hazard (Lewis and Shedler
    1979): rate x exposure of the period / its hours x factor x the largest factor of ages.
    """
    exposure = location.exposures(twin.network.periods)
    bound = 1.0
    if twin.ageing is not None:
        bound = twin.ageing.factor(twin.ageing.oldest_hours + twin.hours)
    elif location.age is not None:
        bound = float(max(location.age.multiplier))
    period = (0.5 * (around.edges[:-1] + around.edges[1:]) // twin.period_hours).astype(np.int64)
    hazard = rate * bound * exposure[period] / twin.period_hours * around.factor
    integrated = np.concatenate([[0.0], np.cumsum(hazard * np.diff(around.edges))])
    number = int(generator.poisson(integrated[-1]))
    at = np.sort(generator.random(number)) * integrated[-1]
    units = generator.integers(0, twin.units_at(location.name, float(exposure.mean())), number)
    return Candidates(
        hours=np.interp(at, integrated, around.edges).tolist(),
        units=units.tolist(),
        chances=generator.random(number).tolist(),
        bound=bound,
    )


def _by_period(twin: Twin, hourly: Floats) -> Floats:
    """Return means over the review periods of hourly values."""
    period = np.minimum(
        ((np.arange(hourly.size) + 0.5) // twin.period_hours).astype(np.int64),
        twin.network.periods - 1,
    )
    size = twin.network.periods
    count = np.bincount(period, minlength=size)
    # Periods shorter than an hour may have no hour of their own: they take the nearest one.
    sums = np.bincount(period, hourly, minlength=size)
    nearest = hourly[np.minimum((np.arange(size) * twin.period_hours).astype(int), hourly.size - 1)]
    return np.where(count > 0, sums / np.maximum(count, 1), nearest)
