"""What a site lives in: temperature and humidity by season and hour, and its load profile."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from sparing._checks import Frozen, check_number

Floats: TypeAlias = NDArray[np.float64]
WARMEST_HOUR = 15.0  # of the day
MEMORY = 0.8  # correlation of the weather of a day with that of the day before


@dataclass(frozen=True, kw_only=True)
class Wave:
    """A quantity by season, hour and weather.

    Parameters
    ----------
    mean
        Over the year.
    season, day
        Half the difference of its highest and lowest month, and hour of the day.
    weather
        Standard deviation of what a day differs from that, within three of them.
    peak_month
        Month, 1 to 12, in the middle of which the season is highest.
    """

    mean: float
    season: float = 0.0
    day: float = 0.0
    weather: float = 0.0
    peak_month: float = 7.0

    def __post_init__(self) -> None:
        for name in ("mean", "season", "day"):
            check_number(name, getattr(self, name))
        check_number("weather", self.weather, at_least=0.0)
        check_number("peak_month", self.peak_month, at_least=1.0, below=13.0)

    def values(
        self, start: datetime, num_hours: int, generator: np.random.Generator | None
    ) -> Floats:
        """Return its values [num_hours], those of the hours from `start` on."""
        first = (start - datetime(start.year, 1, 1)).total_seconds() / 3600.0
        hours = first + np.arange(num_hours)
        year = 365.25 * 24.0
        peak = (self.peak_month - 0.5) / 12.0 * year
        found = self.mean + self.season * np.cos(2.0 * np.pi * (hours - peak) / year)
        found += self.day * np.cos(2.0 * np.pi * (hours - WARMEST_HOUR) / 24.0)
        if self.weather > 0.0 and generator is not None:
            days = ((hours - hours[0]) // 24.0).astype(np.int64)
            found += self.weather * _weather(generator, int(days[-1]) + 1)[days]
        return np.asarray(found)


@dataclass(frozen=True, kw_only=True, eq=False)
class Climate(Frozen):
    """Temperature [degrees Celsius] and humidity [percent] of the sites.

    Parameters
    ----------
    offset
        Per site what it is warmer and more humid than the waves say: ``{"temperature": 3.0}``.
    """

    temperature: Wave
    humidity: Wave = field(default_factory=lambda: Wave(mean=60.0))
    offset: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not 0.0 <= self.humidity.mean <= 100.0:
            raise ValueError(f"humidity mean must be from 0 to 100; got {self.humidity.mean:g}.")
        for site, values in self.offset.items():
            for name, value in values.items():
                if name not in ("temperature", "humidity"):
                    raise ValueError(
                        f"offset of {site!r}: unknown {name!r}; known: temperature, humidity."
                    )
                check_number(f"offset of {site!r}: {name}", value)
        fixed = {site: MappingProxyType(dict(values)) for site, values in self.offset.items()}
        object.__setattr__(self, "offset", fixed)

    def __getstate__(self) -> dict[str, object]:
        return {**vars(self), "offset": {site: dict(v) for site, v in self.offset.items()}}

    def check_sites(self, sites: Sequence[str]) -> None:
        """Raise if an offset is of a site that is not there."""
        for site in self.offset:
            if site not in sites:
                raise ValueError(
                    f"climate offset: unknown site {site!r}; known: {', '.join(sites)}."
                )

    def of_site(
        self, site: str, start: datetime, num_hours: int, generator: np.random.Generator
    ) -> tuple[Floats, Floats]:
        """Return temperature and humidity [num_hours] at a site."""
        offset = self.offset.get(site, {})
        heat = self.temperature.values(start, num_hours, generator)
        damp = self.humidity.values(start, num_hours, generator)
        heat += offset.get("temperature", 0.0)
        return heat, np.clip(damp + offset.get("humidity", 0.0), 0.0, 100.0)


@dataclass(frozen=True, kw_only=True)
class LoadProfile:
    """Load by hour of the day, relative to its mean over the week.

    Parameters
    ----------
    profile
        24 numbers >= 0, in any unit.
    weekend
        What the load of Saturdays and Sundays is multiplied by.
    """

    profile: tuple[float, ...]
    weekend: float = 1.0

    def __post_init__(self) -> None:
        given = self.profile
        if isinstance(given, str) or not isinstance(given, Sequence) or len(given) != 24:
            raise ValueError(f"load profile must be 24 numbers, one an hour; got {given!r}.")
        for hour, value in enumerate(given):
            check_number(f"load profile[{hour}]", value, at_least=0.0)
        check_number("load weekend", self.weekend, at_least=0.0)
        if not sum(given) > 0.0:
            raise ValueError("load profile must be above 0 in one hour or more.")
        object.__setattr__(self, "profile", tuple(float(value) for value in given))

    def relative(self, start: datetime, num_hours: int) -> Floats:
        """Return load over mean load [num_hours], from `start` on."""
        hours = start.hour + np.arange(num_hours)
        profile = np.array(self.profile)
        weekday = (start.weekday() + hours // 24) % 7
        load = profile[hours % 24] * np.where(weekday >= 5, self.weekend, 1.0)
        return np.asarray(load / (profile.mean() * (5.0 + 2.0 * self.weekend) / 7.0))


def _weather(generator: np.random.Generator, num_days: int) -> Floats:
    """Return a stationary first-order autoregression [num_days] of deviation 1, within 3."""
    shocks = generator.standard_normal(num_days)
    found = np.empty(num_days)
    found[0] = shocks[0]
    for day in range(1, num_days):
        found[day] = MEMORY * found[day - 1] + np.sqrt(1.0 - MEMORY**2) * shocks[day]
    return np.clip(found, -3.0, 3.0)
