"""Stress scenarios: a twin in, a changed twin out, and tables of what each does."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from sparing._checks import check_number
from sparing.models.network_location import EXTERNAL
from sparing.simulate.results import Difference
from sparing.simulate.twin import Twin
from sparing.simulate.twin_disruptions import Disruption
from sparing.simulate.twin_rules import OrderRule
from sparing.simulate.twin_runs import TwinResult, run_twin

FACTORS = (0.5, 0.75, 1.0, 1.25, 1.5)


@dataclass(frozen=True, kw_only=True)
class StressRow:
    """One scenario: its result, and what it differs from the twin as planned, paired."""

    scenario: str
    result: TwinResult
    cost: Difference
    sla: Difference


def failure_burst(
    twin: Twin,
    *,
    factor: float = 4.0,
    first_hour: float | None = None,
    hours: float | None = None,
    sites: Sequence[str] = (),
) -> Twin:
    """Return the twin with hazards times `factor` for a while; default the middle tenth."""
    start, end = _window(twin, first_hour, hours, 0.45, 0.1)
    return twin.with_disruptions(
        Disruption(
            kind="burst", first_hour=start, last_hour=end, factor=factor, locations=tuple(sites)
        )
    )


def prolonged_lead_times(
    twin: Twin,
    *,
    factor: float = 2.0,
    first_hour: float | None = None,
    hours: float | None = None,
    locations: Sequence[str] = (),
) -> Twin:
    """Return the twin with lead times times `factor`; default of what ships in the middle half."""
    start, end = _window(twin, first_hour, hours, 0.25, 0.5)
    return twin.with_disruptions(
        Disruption(
            kind="delay", first_hour=start, last_hour=end, factor=factor, locations=tuple(locations)
        )
    )


def lost_hub(
    twin: Twin,
    hub: str | None = None,
    *,
    first_hour: float | None = None,
    hours: float | None = None,
    stock_lost: bool = True,
) -> Twin:
    """Return the twin with a hub that loses its stock and ships nothing for a while.

    Default: the supplier of the most locations below the central ones, else of the most at all,
    for a quarter of the horizon.

    Raises
    ------
    ValueError
        If no location supplies another.
    """
    start, end = _window(twin, first_hour, hours, 0.4, 0.25)
    return twin.with_disruptions(
        Disruption(
            kind="closed",
            first_hour=start,
            last_hour=end,
            locations=(hub or busiest_hub(twin),),
            stock_lost=stock_lost,
        )
    )


def wrong_prior(twin: Twin, factor: float) -> Twin:
    """Return the twin whose true failure rates are `factor` times those believed."""
    return replace(twin, rate_factor=twin.rate_factor * check_number("factor", factor))


def busiest_hub(twin: Twin) -> str:
    """Return the location that supplies the most others, one below a central one if there is."""
    locations = twin.network.locations
    suppliers = [x.supplier for x in locations if x.supplier != EXTERNAL]
    if not suppliers:
        raise ValueError("no location supplies another, so there is no hub to lose.")
    hubs = [x.name for x in locations if x.supplier != EXTERNAL and x.name in suppliers]
    return max(hubs or dict.fromkeys(suppliers), key=suppliers.count)


def scenarios(twin: Twin) -> dict[str, Twin]:
    """Return the twin as planned and under each stress, by name."""
    found = {
        "as planned": twin,
        "failures x 4 for a tenth": failure_burst(twin),
        "lead times x 2 for a half": prolonged_lead_times(twin),
    }
    if any(x.supplier != EXTERNAL for x in twin.network.locations):
        found[f"{busiest_hub(twin)} lost for a quarter"] = lost_hub(twin)
    return found


def stress_table(
    twins: Mapping[str, Twin],
    rule: OrderRule,
    *,
    num_replications: int,
    seed: int = 0,
    progress: Callable[[str], None] | None = None,
) -> tuple[StressRow, ...]:
    """Run each twin under common random numbers; differences are from the first.

    Parameters
    ----------
    progress
        Called with the name of each scenario before it runs.
    """
    rows, base = [], None
    for name, twin in twins.items():
        if progress is not None:
            progress(name)
        result = run_twin(twin, rule, num_replications=num_replications, seed=seed)
        base = base or result
        rows.append(
            StressRow(
                scenario=name,
                result=result,
                cost=result.less(base),
                sla=result.less(base, "sla"),
            )
        )
    return tuple(rows)


def rate_sensitivity(
    twin: Twin,
    rule: OrderRule,
    *,
    factors: Sequence[float] = FACTORS,
    num_replications: int,
    seed: int = 0,
    progress: Callable[[str], None] | None = None,
) -> tuple[StressRow, ...]:
    """Run the rule where the true rates are wrong by each of `factors`, beside the right ones."""
    twins = {"rate as believed": twin}
    twins |= {f"rate x {f:g}": wrong_prior(twin, f) for f in factors if f != 1.0}
    return stress_table(
        twins, rule, num_replications=num_replications, seed=seed, progress=progress
    )


def _window(
    twin: Twin, first_hour: float | None, hours: float | None, first: float, share: float
) -> tuple[float, float]:
    counted = twin.counted_hours
    start = twin.warm_up_hours + first * counted if first_hour is None else first_hour
    return start, start + (share * counted if hours is None else hours)
