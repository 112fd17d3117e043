"""The digital twin of a fleet: a spares network with the realism that no exact model holds.

Hours are its time. What is switched off falls back to the exact model: see `Twin.plain`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType
from typing import Literal

import numpy as np

from sparing._checks import Frozen, check_number
from sparing.models.network_values import check_whole
from sparing.models.spares_network import SparesNetwork
from sparing.simulate.twin_disruptions import Disruption
from sparing.simulate.twin_environment import Climate, LoadProfile

MONTH_HOURS = 730.0  # length of a period where the case gives none
YEAR_HOURS = 8760.0


@dataclass(frozen=True, kw_only=True)
class Ageing:
    """Hazard that rises with a unit's age: times (age / life)^(shape - 1), capped.

    Parameters
    ----------
    shape
        Of the Weibull distribution, >= 1; 1: no ageing.
    life_hours
        Age at which the factor is 1.
    largest
        Most that the factor can be.
    oldest_hours
        Ages at the start are uniform between 0 and this.
    """

    shape: float
    life_hours: float
    largest: float = 5.0
    oldest_hours: float = 0.0

    def __post_init__(self) -> None:
        check_number("ageing shape", self.shape, at_least=1.0)
        for name in ("life_hours", "largest"):
            if not check_number(f"ageing {name}", getattr(self, name)) > 0.0:
                raise ValueError(f"ageing {name} must be > 0; got {getattr(self, name):g}.")
        check_number("ageing oldest_hours", self.oldest_hours, at_least=0.0)

    def factor(self, age_hours: float) -> float:
        """Return what the hazard of a unit of that age is multiplied by."""
        return float(min((age_hours / self.life_hours) ** (self.shape - 1.0), self.largest))


@dataclass(frozen=True, kw_only=True)
class Crew:
    """People at each site who put units in, one at a time each.

    Parameters
    ----------
    size
        Repairs of a site that can go on at once.
    hours, shape
        Mean and shape of the Gamma distribution of a repair's duration.
    """

    size: int
    hours: float
    shape: float = 2.0

    def __post_init__(self) -> None:
        check_whole("crew size", self.size, 1)
        for name in ("hours", "shape"):
            if not check_number(f"crew {name}", getattr(self, name)) > 0.0:
                raise ValueError(f"crew {name} must be > 0; got {getattr(self, name):g}.")


@dataclass(frozen=True, kw_only=True, eq=False)
class Twin(Frozen):
    """A fleet to simulate: a spares network, and what it has beyond the exact model.

    Parameters
    ----------
    clock
        "continuous": orders arrive and costs run at any hour. "review": an order arrives behind a
        review's decisions, costs are paid on the stock at a period's end, and failures of a site
        beyond `truncate` in a period are left out, as in the exact model.
    orders
        "free": any number under way, and what a supplier lacks waits there in turn. "single": at
        most one order a location and part under way, of no more than the supplier has on hand.
    rate
        True failure rates: "prior", drawn anew in each replication; "mean", those of the prior;
        or a number per part.
    rate_factor
        What the true rates are times those believed: 1 unless the prior is wrong.
    units
        Installed units of each part at a site, by site or for all; default the exposure of a
        period, rounded. They share the site's exposure.
    down_units_fail
        Whether exposure stays the same while units are down, as in the exact model.
    effects
        Logarithm of the factor on the hazard per 10 degrees ("temperature"), per 10 percent
        ("humidity"), and the exponent of the load relative to its mean ("load").
    storage
        Most volume on hand and on order, per location; what does not fit is not ordered.
    disruptions
        Bursts of failures, delays of orders, closed locations.
    start
        The calendar's time at hour 0.
    initial_stock
        "case": stocks and orders under way at the start are the case's. "levels": every location
        holds what its rule fills up to (its base stock, its maximum), and nothing is under way.
    warm_up
        Periods at the beginning that are simulated and not counted: no cost, no service; what a
        policy learns in them it knows.
    """

    network: SparesNetwork
    clock: Literal["continuous", "review"] = "continuous"
    orders: Literal["free", "single"] = "free"
    rate: Literal["prior", "mean"] | Mapping[str, float] = "prior"
    rate_factor: float = 1.0
    units: int | Mapping[str, int] | None = None
    down_units_fail: bool = False
    climate: Climate | None = None
    load: LoadProfile | None = None
    effects: Mapping[str, float] = field(default_factory=dict)
    ageing: Ageing | None = None
    crew: Crew | None = None
    storage: Mapping[str, float] = field(default_factory=dict)
    disruptions: tuple[Disruption, ...] = ()
    start: datetime = datetime(2024, 1, 1)
    initial_stock: Literal["case", "levels"] = "case"
    warm_up: int = 0

    def __post_init__(self) -> None:
        if not isinstance(self.network, SparesNetwork):
            raise ValueError(f"network must be a SparesNetwork; got {self.network!r}.")
        choices = {
            "clock": ("continuous", "review"),
            "orders": ("free", "single"),
            "initial_stock": ("case", "levels"),
        }
        for name, known in choices.items():
            if getattr(self, name) not in known:
                raise ValueError(
                    f"{name} must be {' or '.join(known)}; got {getattr(self, name)!r}."
                )
        if not check_number("rate_factor", self.rate_factor) > 0.0:
            raise ValueError(f"rate_factor must be > 0; got {self.rate_factor:g}.")
        if check_whole("warm_up", self.warm_up, 0) >= self.network.periods:
            raise ValueError(
                f"warm_up must be below the periods of the horizon, {self.network.periods}; got"
                f" {self.warm_up}."
            )
        self._check_rate()
        self._check_units()
        self._check_effects()
        names = [location.name for location in self.network.locations]
        for name, volume in self.storage.items():
            if name not in names:
                raise ValueError(f"storage: unknown location {name!r}; known: {', '.join(names)}.")
            check_number(f"storage of {name!r}", volume, at_least=0.0)
        if self.climate is not None:
            self.climate.check_sites(self.sites)
        for disruption in self.disruptions:
            disruption.check(names, self.sites)
        if self.clock == "review" and self.crew is not None:
            raise ValueError("crew needs clock = 'continuous': reviews see no hours of repair.")
        for name in ("effects", "storage"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))
        object.__setattr__(self, "disruptions", tuple(self.disruptions))

    @classmethod
    def plain(cls, network: SparesNetwork) -> Twin:
        """Return the twin without any realism of its own: it has the exact model's costs."""
        return cls(network=network, clock="review", orders="single", down_units_fail=True)

    @property
    def period_hours(self) -> float:
        """Length of a review period [h]."""
        return self.network.period_hours or MONTH_HOURS

    @property
    def hours(self) -> float:
        """Length of the horizon [h]."""
        return self.network.periods * self.period_hours

    @property
    def warm_up_hours(self) -> float:
        """Length of the warm-up [h]."""
        return self.warm_up * self.period_hours

    @property
    def counted_hours(self) -> float:
        """Length of the horizon without the warm-up [h]."""
        return self.hours - self.warm_up_hours

    @property
    def sites(self) -> tuple[str, ...]:
        """Names of the locations where some part fails, in file order."""
        failing = {site.name for part in self.network.parts for site in part.sites}
        return tuple(x.name for x in self.network.locations if x.name in failing)

    def units_at(self, site: str, exposure: float) -> int:
        """Return how many units of a part are installed at a site with that exposure a period."""
        if self.units is None:
            return max(round(exposure), 1)
        return self.units if isinstance(self.units, int) else self.units[site]

    def with_disruptions(self, *disruptions: Disruption) -> Twin:
        """Return this twin with further disruptions."""
        return replace(self, disruptions=(*self.disruptions, *disruptions))

    def _check_rate(self) -> None:
        if isinstance(self.rate, str):
            if self.rate not in ("prior", "mean"):
                raise ValueError(
                    f"rate must be prior, mean, or a number per part; got {self.rate!r}."
                )
            return
        parts = [part.name for part in self.network.parts]
        if {*self.rate} != {*parts}:
            raise ValueError(f"rate must name the parts {parts}; got {[*self.rate]}.")
        for name, value in self.rate.items():
            check_number(f"rate of {name!r}", value, at_least=0.0)
        object.__setattr__(self, "rate", MappingProxyType(dict(self.rate)))

    def _check_units(self) -> None:
        if self.units is None:
            return
        if isinstance(self.units, int | np.integer):
            check_whole("units", self.units, 1)
            return
        if {*self.units} != {*self.sites}:
            raise ValueError(f"units must name the sites {list(self.sites)}; got {[*self.units]}.")
        for name, value in self.units.items():
            check_whole(f"units of {name!r}", value, 1)
        object.__setattr__(self, "units", MappingProxyType(dict(self.units)))

    def _check_effects(self) -> None:
        needs = {"temperature": self.climate, "humidity": self.climate, "load": self.load}
        for name, value in self.effects.items():
            if name not in needs:
                raise ValueError(f"effects: unknown {name!r}; known: {', '.join(needs)}.")
            check_number(f"effects of {name!r}", value)
            if needs[name] is None:
                missing = "load profile" if name == "load" else "climate"
                raise ValueError(f"effects: {name} needs a {missing}, which the twin has not.")
