"""Small networks for the twin's tests."""

from __future__ import annotations

import tomllib
from pathlib import Path

from sparing.models.network_location import Location
from sparing.models.network_values import GammaPrior
from sparing.models.spare import GammaLeadTime
from sparing.models.spares_network import Part, SparesNetwork
from sparing.models.spares_network_files import spares_network

DATA = Path(__file__).parents[1] / "data"


def known(name):
    """The network of a case file among the tests' data."""
    text = (DATA / f"known_spares_{name}.toml").read_text(encoding="utf-8")
    return spares_network(tomllib.loads(text), name)


def one_site(*, exposure=1.0, periods=50, lead=1, initial=5, **fields):
    """One site below the external supplier, with room for any number of backorders."""
    site = Location(
        name="site",
        capacity=1000,
        backorders=1000,
        initial=initial,
        exposure=exposure,
        lead_time=lead,
        emergency_cost=0.0,
        **fields,
    )
    part = Part(name="part", prior=GammaPrior(shape=2.0, rate=2.0), truncate=50, locations=(site,))
    return SparesNetwork(parts=(part,), periods=periods, period_hours=100.0)


def depot_and_sites(*, rate, ship, depot, periods, sites=2, depot_stock=0, site_stock=0):
    """A depot that supplies alike sites; times in periods of ten hours."""
    locations = [
        Location(
            name="depot",
            capacity=1000,
            lead_time=depot,
            initial=depot_stock,
            holding_cost=1.0,
            order_unit=2.0,
        ),
        *(
            Location(
                name=f"site {i + 1}",
                supplier="depot",
                capacity=1000,
                backorders=1000,
                initial=site_stock,
                exposure=rate,
                lead_time=ship,
                emergency_cost=0.0,
                holding_cost=1.0,
                downtime_cost=20.0,
            )
            for i in range(sites)
        ),
    ]
    part = Part(
        name="part",
        prior=GammaPrior(shape=1.0, rate=1.0),
        truncate=50,
        locations=tuple(locations),
    )
    return SparesNetwork(parts=(part,), periods=periods, period_hours=10.0)


__all__ = ["GammaLeadTime", "depot_and_sites", "known", "one_site"]
