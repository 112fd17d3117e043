"""What a twin's hours look like to an array program: constants by part, location and step."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import ceil
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from sparing.models.spare import GammaLeadTime
from sparing.simulate.twin import Twin
from sparing.simulate.twin_environment import Wave

Floats: TypeAlias = NDArray[np.float32]
Integers: TypeAlias = NDArray[np.int32]
QUANTILES = 4096  # of a lead time or a repair; the mean of each slice, so that means are exact
STEP_HOURS = 24.0
WEATHERS = ("temperature", "humidity")


@dataclass(frozen=True, kw_only=True, eq=False)
class TwinTables:
    """Constants of a twin; P parts, N locations, S sites, U units.

    Attributes
    ----------
    step_hours, steps
        Length of a step, which divides a period into so many.
    site_at, site_of
        Location of each site [S], and site of each location [N], -1 for none.
    supplier
        Of each location [N], -1 for external; `depths` by distance from external.
    hazard
        Failures per unit of true rate in a step at the largest ageing [P, S, steps of the
        horizon], before the weather.
    exposure_before
        Exposure that the case states until each review [P, T + 1], of all sites.
    units
        Installed units [P, S].
    quantile, quantile_of, lead_hours
        Slices of Gamma distributions of mean 1 [shapes, QUANTILES]; which of them a lead time has
        [P, N], and its mean [P, N].
    delay
        Factor on lead times of orders shipped in a step [steps of the horizon, N].
    """

    twin: Twin
    step_hours: float
    steps: int
    site_at: Integers
    site_of: Integers
    supplier: Integers
    depths: tuple[Integers, ...]
    hazard: Floats
    weather_effect: Floats  # [2] on the logarithm of the hazard, per standard deviation
    exposure_before: Floats
    units: Integers
    quantile: Floats
    quantile_of: Integers
    lead_hours: Floats
    repair_quantile: Floats | None  # [QUANTILES] hours
    delay: Floats
    bound: float
    capacity: Integers  # [P, N], as those below
    largest_order: Integers
    initial: Integers
    backorders: Integers
    holding: Floats
    downtime: Floats
    emergency: Floats
    order_fixed: Floats
    order_unit: Floats
    volume: Floats  # [P]
    storage: Floats  # [N], inf where there is no limit

    @cached_property
    def is_site(self) -> NDArray[np.bool_]:
        """Whether parts fail at a location [N]."""
        return np.asarray(self.site_of >= 0)

    @cached_property
    def above(self) -> Floats:
        """1 at [i, j] where j supplies i [N, N]."""
        supplies = self.supplier[:, None] == np.arange(len(self.supplier))
        return np.asarray(supplies, np.float32)

    @cached_property
    def behind(self) -> Floats:
        """1 at [i, j] where i is served behind j by the same supplier [N, N]."""
        same = (self.supplier[:, None] == self.supplier) & (self.supplier >= 0)
        order = np.arange(len(self.supplier))
        return np.asarray(same & (order[:, None] > order), np.float32)


def twin_tables(twin: Twin, *, step_hours: float = STEP_HOURS) -> TwinTables:
    """Return the constants of `twin` for steps of at most so many hours.

    Raises
    ------
    ValueError
        If the twin has something that the array program does not know.
    """
    check_arrays(twin, step_hours)
    network, names = twin.network, [x.name for x in twin.network.locations]
    steps = ceil(twin.period_hours / step_hours)
    length = twin.period_hours / steps
    site_at = np.array([names.index(site) for site in twin.sites], np.int32)
    site_of = np.full(len(names), -1, np.int32)
    site_of[site_at] = np.arange(len(site_at))
    supplier = np.array(network.parts[0].suppliers, np.int32)
    shapes = sorted({_shape(x.lead_time) for part in network.parts for x in part.locations})
    grid = [list(part.locations) for part in network.parts]
    exposure = np.array([[x.exposures(network.periods) for x in row] for row in grid])  # [P, N, T]

    def table(name: str, kind: type = np.float32) -> NDArray[np.generic]:
        return np.array([[getattr(x, name) or 0.0 for x in row] for row in grid], kind)

    bound = 1.0
    if twin.ageing is not None:
        bound = twin.ageing.factor(twin.ageing.oldest_hours + twin.hours)
    repair = None
    if twin.crew is not None:
        repair = (twin.crew.hours * _slices(twin.crew.shape)).astype(np.float32)
    leads = [[_mean_periods(x.lead_time) * twin.period_hours for x in row] for row in grid]
    return TwinTables(
        twin=twin,
        step_hours=length,
        steps=steps,
        site_at=site_at,
        site_of=site_of,
        supplier=supplier,
        depths=_depths(supplier),
        hazard=_hazards(twin, exposure[:, site_at], bound, steps, length),
        weather_effect=np.array([_effect(twin, name) for name in WEATHERS], np.float32),
        exposure_before=np.concatenate(
            [np.zeros((len(grid), 1)), np.cumsum(exposure.sum(axis=1), axis=1)], axis=1
        ).astype(np.float32),
        units=np.array(
            [
                [
                    twin.units_at(site, float(row[i].exposures(network.periods).mean()))
                    for site, i in zip(twin.sites, site_at, strict=True)
                ]
                for row in grid
            ],
            np.int32,
        ),
        quantile=np.stack([_slices(shape) for shape in shapes]).astype(np.float32),
        quantile_of=np.array([[shapes.index(_shape(x.lead_time)) for x in r] for r in grid]),
        lead_hours=np.array(leads, np.float32),
        repair_quantile=repair,
        delay=_delays(twin, names, steps, length),
        bound=bound,
        capacity=table("capacity", np.int32),  # type: ignore[arg-type]
        largest_order=table("largest_order", np.int32),  # type: ignore[arg-type]
        initial=table("initial", np.int32),  # type: ignore[arg-type]
        backorders=table("backorders", np.int32),  # type: ignore[arg-type]
        holding=table("holding_cost"),  # type: ignore[arg-type]
        downtime=table("downtime_cost"),  # type: ignore[arg-type]
        emergency=table("emergency_cost"),  # type: ignore[arg-type]
        order_fixed=table("order_fixed"),  # type: ignore[arg-type]
        order_unit=table("order_unit"),  # type: ignore[arg-type]
        volume=np.array([part.volume for part in network.parts], np.float32),
        storage=np.array([twin.storage.get(name, np.inf) for name in names], np.float32),
    )


def check_arrays(twin: Twin, step_hours: float) -> None:
    """Raise a ValueError if `twin` has something that the array program does not know."""
    if not 0.0 < step_hours <= twin.period_hours:
        raise ValueError(
            f"step_hours must be above 0 and at most a period, {twin.period_hours:g}; got"
            f" {step_hours:g}."
        )
    if twin.clock != "continuous":
        raise ValueError("the vectorised twin knows the continuous clock alone; use run_twin.")
    if twin.warm_up or twin.initial_stock != "case":
        raise ValueError(
            "the vectorised twin starts from the case's stock and has no warm-up; use run_twin."
        )
    if any(d.kind == "closed" for d in twin.disruptions):
        raise ValueError("the vectorised twin knows no closed locations; use run_twin.")
    if twin.ageing is not None and twin.down_units_fail:
        raise ValueError("the vectorised twin ages units only while they are up; use run_twin.")
    for part in twin.network.parts:
        for location in part.locations:
            where = f"part {part.name!r}, location {location.name!r}"
            if location.age is not None:
                raise ValueError(f"{where}: the vectorised twin knows no bins of ages.")
            if location.outstanding is not None or location.initial < 0:
                raise ValueError(
                    f"{where}: the vectorised twin starts without orders and units that wait."
                )


def _shape(lead: GammaLeadTime | int) -> float:
    return lead.shape if isinstance(lead, GammaLeadTime) else float("inf")


def _mean_periods(lead: GammaLeadTime | int) -> float:
    return lead.shape * lead.scale if isinstance(lead, GammaLeadTime) else float(lead)


def _slices(shape: float) -> NDArray[np.float64]:
    """Return the means [QUANTILES] of equally likely slices of a Gamma distribution of mean 1.

    The mean of Gamma(a, 1/a) up to x is the distribution function of Gamma(a + 1, 1/a) at x.
    """
    if np.isinf(shape):
        return np.ones(QUANTILES)
    from scipy.special import gammainc, gammaincinv

    edges = gammaincinv(shape, np.linspace(0.0, 1.0, QUANTILES + 1))
    return np.asarray(np.diff(gammainc(shape + 1.0, edges)) * QUANTILES)


def _depths(supplier: Integers) -> tuple[Integers, ...]:
    depth = np.zeros(len(supplier), np.int32)
    for i in range(len(supplier)):
        above = supplier[i]
        while above >= 0:
            depth[i], above = depth[i] + 1, supplier[above]
    return tuple(np.flatnonzero(depth == d).astype(np.int32) for d in range(depth.max() + 1))


def _effect(twin: Twin, name: str) -> float:
    if twin.climate is None:
        return 0.0
    wave: Wave = getattr(twin.climate, name)
    return twin.effects.get(name, 0.0) * wave.weather / 10.0


def _hazards(
    twin: Twin, exposure: NDArray[np.float64], bound: float, steps: int, length: float
) -> Floats:
    """Return the hazard of each step [P, S, all steps]: the mean over its quarters of an hour."""
    count = steps * twin.network.periods
    fine = max(round(length * 4.0), 4)
    middle = (np.arange(count * fine) + 0.5) / fine * length  # [h]
    hour = np.minimum(middle.astype(np.int64), ceil(twin.hours) - 1)
    found = np.empty((*exposure.shape[:2], count))
    for s, site in enumerate(twin.sites):
        factor = _factor(twin, site)[hour]
        for burst in twin.disruptions:
            if burst.kind == "burst" and burst.concerns(site):
                during = (burst.first_hour <= middle) & (middle < burst.last_hour)
                factor = np.where(during, factor * burst.factor, factor)
        by_step = factor.reshape(count, fine).mean(axis=1)
        rate = np.repeat(exposure[:, s], steps, axis=1) / twin.period_hours  # [P, all steps]
        found[:, s] = rate * length * bound * by_step
    return found.astype(np.float32)


def _factor(twin: Twin, site: str) -> NDArray[np.float64]:
    """Return the factor of season, day and load on the hazard of a site, by the hour."""
    hours = ceil(twin.hours)
    factor = np.ones(hours)
    if twin.climate is not None:
        offset = twin.climate.offset.get(site, {})
        for name in WEATHERS:
            wave: Wave = getattr(twin.climate, name)
            more = wave.values(twin.start, hours, None) + offset.get(name, 0.0) - wave.mean
            factor *= np.exp(twin.effects.get(name, 0.0) * more / 10.0)
    if twin.load is not None:
        exponent = twin.effects.get("load", 0.0)
        load = twin.load.relative(twin.start, hours)
        factor *= load**exponent if exponent != 0.0 else 1.0
    return factor


def _delays(twin: Twin, names: list[str], steps: int, length: float) -> Floats:
    count = steps * twin.network.periods
    middle = (np.arange(count) + 0.5) * length
    found = np.ones((count, len(names)), np.float32)
    for delay in twin.disruptions:
        if delay.kind == "delay":
            during = (delay.first_hour <= middle) & (middle < delay.last_hour)
            concerned = np.array([delay.concerns(name) for name in names])
            found[np.ix_(during, concerned)] *= delay.factor
    return found
