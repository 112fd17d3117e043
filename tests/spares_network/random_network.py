"""Random small spares networks: one or two sites, with or without a store above them."""

from __future__ import annotations

from sparing import (
    GammaLeadTime,
    GammaPrior,
    Location,
    OutstandingOrder,
    Part,
    SparesNetwork,
    UnitAge,
)


def random_lead_time(rng, longest=2):
    kind = rng.integers(0, 3)
    if kind == 0:
        return 0
    if kind == 1:
        return int(rng.integers(1, longest + 1))
    shape, scale = rng.uniform(0.5, 3.0), rng.uniform(0.3, 1.5)
    return GammaLeadTime(shape=shape, scale=scale, longest=int(rng.integers(1, longest + 1)))


def random_location(rng, name, supplier, periods, *, site, aged=False):
    capacity = int(rng.integers(1, 4 if site else 3))
    backorders = int(rng.integers(0, 2)) if site else 0
    lead_time = random_lead_time(rng)
    fields = {
        "name": name,
        "supplier": supplier,
        "capacity": capacity,
        "initial": int(rng.integers(-backorders, capacity + 1)),
        "max_order": int(rng.integers(1, capacity + 1)),
        "holding_cost": rng.uniform(0.0, 2.0),
        "order_fixed": rng.uniform(0.0, 4.0),
        "order_unit": rng.uniform(0.0, 3.0),
        "lead_time": lead_time,
    }
    if site:
        varies = rng.random() < 0.4
        exposure = rng.choice([0.25, 0.5, 1.0, 1.2], size=periods if varies else 1).tolist()
        fields |= {
            "exposure": tuple(exposure) if varies else exposure[0],
            "backorders": backorders,
            "downtime_cost": rng.uniform(5.0, 40.0),
            "emergency_cost": rng.uniform(10.0, 90.0),
        }
        if aged:
            multiplier = tuple(rng.integers(1, 4, size=rng.integers(1, 4)).tolist())
            initial = int(rng.integers(0, len(multiplier)))
            fields["age"] = UnitAge(multiplier=multiplier, initial=initial)
    location = Location(**fields)
    longest = len(location.arrival) - 1
    room = capacity - max(location.initial, 0)
    if longest >= 1 and room >= 1 and rng.random() < 0.4:
        order = OutstandingOrder(
            quantity=int(rng.integers(1, min(room, fields["max_order"]) + 1)),
            age=int(rng.integers(1, longest + 1)),
        )
        return Location(**fields, outstanding=order)
    return location


def random_network(rng, *, sites=1, central=False, aged=False, periods=None, capped=False):
    """Return a network; `rng` decides the rest."""
    periods = int(rng.integers(1, 4)) if periods is None else periods
    places = []
    names = [f"site{i}" for i in range(sites)]
    for i, name in enumerate(names):
        supplier = "central" if central and (i == 0 or rng.random() < 0.7) else "external"
        has_age = aged and (i == 0 or rng.random() < 0.5)
        places.append(random_location(rng, name, supplier, periods, site=True, aged=has_age))
    if central:
        store = random_location(rng, "central", "external", periods, site=rng.random() < 0.2)
        places.insert(int(rng.integers(0, len(places) + 1)), store)
    prior = GammaPrior(shape=rng.uniform(0.5, 3.0), rate=rng.uniform(0.5, 4.0))
    part = Part(name="part", prior=prior, truncate=int(rng.integers(1, 4)), locations=tuple(places))
    return SparesNetwork(
        parts=(part,),
        periods=periods,
        discount=float(rng.choice([1.0, 0.95])),
        belief_levels=int(rng.integers(1, 4)) if capped else None,
    )
