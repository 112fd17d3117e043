"""The built-in case hydro-spares: defect records made in the setting of the published study.

LCD panels, CPU boards and 220 V DC power supplies (DCPS) in the excitation and relay protection
equipment of a hydropower station and its substations. The study's own records are not public;
these are drawn with a fixed seed so that demand is seasonal (hot and humid, or cold and humid),
weakly autocorrelated and, through the age of the installed base, not linear.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from sparing.records.defects import DefectRecord

NAME = "hydro-spares"
FIRST, LAST = date(2010, 1, 1), date(2021, 12, 31)
SEED = 20220712

# Normals of a subtropical river valley, January to December.
TEMPERATURE = (6.5, 8.5, 13.0, 18.5, 23.0, 26.5, 29.0, 28.5, 24.5, 19.0, 13.0, 8.0)  # [Celsius]
HUMIDITY = (74.0, 76.0, 75.0, 76.0, 78.0, 84.0, 86.0, 83.0, 80.0, 75.0, 73.0, 75.0)  # [%]


@dataclass(frozen=True, kw_only=True)
class Population:
    """One kind of component.

    Parameters
    ----------
    units
        In service at any time; a failed one is replaced on the day.
    life
        Scale of the Weibull distribution of its age at damage in a mild climate [years].
    shape
        Of that distribution; above 1 it ages.
    sensitivity
        Hazard is multiplied by exp(sensitivity x stress of the day).
    """

    component: str
    units: int
    life: float
    shape: float
    sensitivity: float
    design_life: float
    manufacturers: tuple[str, ...]


POPULATIONS = (
    Population(
        component="LCD",
        units=160,
        life=6.0,
        shape=2.0,
        sensitivity=1.1,
        design_life=8.0,
        manufacturers=("Truly", "Powertip"),
    ),
    Population(
        component="CPU",
        units=220,
        life=8.0,
        shape=1.6,
        sensitivity=0.9,
        design_life=12.0,
        manufacturers=("NARI", "Sifang", "XJ"),
    ),
    Population(
        component="DCPS",
        units=180,
        life=5.0,
        shape=2.5,
        sensitivity=1.3,
        design_life=6.0,
        manufacturers=("Hongyuan", "Tonhe"),
    ),
)


def hydro_spares(seed: int = SEED) -> tuple[DefectRecord, ...]:
    """Return the records of 2010 to 2021, by damage date; the same seed gives the same records."""
    records = []
    for number, population in enumerate(POPULATIONS):
        generator = np.random.default_rng([seed, number])
        records += _life_of(population, generator)
    return tuple(sorted(records, key=lambda r: (r.damage_date or date.max, r.component)))


def stress(temperature: float, humidity: float) -> float:
    """Return how hard a climate is on electronics: humidity, when it is hot or cold; 0 if mild."""
    extreme = max(temperature - 22.0, 0.0) / 7.0 + max(10.0 - temperature, 0.0) / 5.0
    return extreme * max(humidity - 70.0, 0.0) / 15.0


def _life_of(population: Population, generator: np.random.Generator) -> list[DefectRecord]:
    """Return the records of one kind: day by day, each unit fails with its hazard."""
    days = (LAST - FIRST).days + 1
    new_until = np.round(population.life * 365.25)
    installed = -generator.integers(0, int(new_until), population.units)  # day numbers from FIRST
    maker = generator.integers(0, len(population.manufacturers), population.units)
    records = []
    weather = generator.normal(0.0, 1.0, (days, 2))
    drift = 0.0
    scale = population.life * 365.25
    for day in range(days):
        when = FIRST + timedelta(days=day)
        drift = 0.97 * drift + 0.25 * weather[day, 0]  # weather that lasts for weeks
        temperature = TEMPERATURE[when.month - 1] + 2.0 * drift
        humidity = float(np.clip(HUMIDITY[when.month - 1] + 4.0 * weather[day, 1], 30.0, 100.0))
        age = (day - installed) / scale
        hazard = population.shape / scale * age ** (population.shape - 1.0)
        hazard *= np.exp(population.sensitivity * stress(temperature, humidity))
        for unit in map(int, np.flatnonzero(generator.random(population.units) < hazard)):
            since, by = int(installed[unit]), int(maker[unit])
            records.append(_record(population, unit, since, by, when, temperature, humidity))
            installed[unit] = day
            maker[unit] = generator.integers(0, len(population.manufacturers))
    for number in range(population.units):
        since, by = int(installed[number]), int(maker[number])
        records.append(_record(population, number, since, by, None, np.nan, np.nan))
    return records


def _record(
    population: Population,
    unit: int,
    installed: int,
    maker: int,
    damaged: date | None,
    temperature: float,
    humidity: float,
) -> DefectRecord:
    station = "DH Hydropower Station" if unit % 3 == 0 else "JC Power Supply Company"
    return DefectRecord(
        component=population.component,
        installation_date=FIRST + timedelta(days=installed),
        manufacturer=population.manufacturers[maker],
        damage_date=damaged,
        design_life=population.design_life,
        temperature=round(float(temperature), 1),
        humidity=round(float(humidity), 1),
        location=station,
        interval=f"{population.component}-{unit + 1:03d}",
        shift="ABCD"[(damaged.toordinal() if damaged else unit) % 4],
    )
