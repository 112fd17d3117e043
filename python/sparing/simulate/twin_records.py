"""The records that a twin leaves behind, as an operator would keep them."""

from __future__ import annotations

from datetime import datetime, timedelta

from sparing.records.defects import DefectRecord
from sparing.records.failures import FailureRecord
from sparing.simulate.twin import Twin
from sparing.simulate.twin_ledger import Ledger
from sparing.simulate.twin_store import Store

SHIFTS = "ABCD"
SHIFT_HOURS = 6


def failure_records(ledger: Ledger, periods: int | None = None) -> tuple[FailureRecord, ...]:
    """Return failures with exposure by part, site and period; climates are means over it.

    Of the first so many `periods`, or of all.
    """
    twin, found = ledger.twin, []
    last = twin.network.periods if periods is None else periods
    for number, of_part in enumerate(ledger.stores):
        for store in of_part:
            if store.units is None:
                continue
            around = ledger.around[store.location.name]
            for period in range(last):
                climate = {}
                if around.temperature is not None and around.humidity is not None:
                    climate["temperature"] = round(float(around.temperature[period]), 3)
                    climate["humidity"] = round(float(around.humidity[period]), 3)
                record = FailureRecord(
                    component=store.part.name,
                    location=store.location.name,
                    start=_time(twin, period * twin.period_hours),
                    failures=int(ledger.failures[number, store.index, period]),
                    exposure=float(ledger.exposure[number, store.index, period]),
                    **climate,
                )
                found.append(record)
    return tuple(found)


def defect_records(ledger: Ledger) -> tuple[DefectRecord, ...]:
    """Return one record a unit that failed or is in service at the end, by damage date."""
    twin, found = ledger.twin, []
    for hour, store, unit, installed in ledger.damages or ():
        found.append(_defect(twin, ledger, store, unit, installed, hour))
    for of_part in ledger.stores:
        for store in of_part:
            if store.units is None:
                continue
            for unit, installed in enumerate(store.units.installed):
                if store.units.up[unit]:
                    found.append(_defect(twin, ledger, store, unit, installed, None))
    return tuple(found)


def _defect(
    twin: Twin, ledger: Ledger, store: Store, unit: int, installed: float, hour: float | None
) -> DefectRecord:
    heat = damp = float("nan")
    when = None if hour is None else _time(twin, hour)
    if hour is not None:
        heat, damp = ledger.around[store.location.name].at(hour)
    return DefectRecord(
        component=store.part.name,
        installation_date=_time(twin, installed).date(),
        manufacturer="",
        damage_date=None if when is None else when.date(),
        design_life=float("nan"),
        temperature=round(heat, 1),
        humidity=round(damp, 1),
        location=store.location.name,
        interval=f"{store.part.name}-{unit + 1:03d}",
        shift="" if when is None else SHIFTS[when.hour // SHIFT_HOURS],
    )


def _time(twin: Twin, hour: float) -> datetime:
    return (twin.start + timedelta(hours=hour)).replace(second=0, microsecond=0)
