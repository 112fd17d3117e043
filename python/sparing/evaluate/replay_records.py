"""Records for replays that a digital twin makes."""

from __future__ import annotations

from dataclasses import replace

from sparing.evaluate.network_tuning import Told
from sparing.models.network_values import check_whole
from sparing.records.failures import FailureRecord
from sparing.simulate.twin import Twin
from sparing.simulate.twin_levels import default_rule
from sparing.simulate.twin_runs import run_twin


def twin_records(
    twin: Twin,
    *,
    num_sets: int,
    periods: int | None = None,
    seed: int = 0,
    told: Told = lambda _: None,
) -> list[tuple[FailureRecord, ...]]:
    """Return the failure records of so many fleets, each with its own true rates and weather.

    Stocks are run by rule of thumb meanwhile; failures depend on them only as units that are down
    do not fail.

    Parameters
    ----------
    periods
        Of each set; default twice those of the case.
    """
    check_whole("num_sets", num_sets, 1)
    network = twin.network
    longer = replace(network, periods=2 * network.periods if periods is None else periods)
    one_for_one = twin.clock == "continuous" and twin.orders == "free"
    rule = default_rule("one-for-one" if one_for_one else "min-max", longer, 0.98)
    fleet = replace(twin, network=longer)
    found = []
    for number in range(num_sets):
        told(f"records: set {number + 1} of {num_sets}")
        found.append(run_twin(fleet, rule, num_replications=1, seed=seed + number).records)
    return found
