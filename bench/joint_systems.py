"""N unlike components that draw on two stocks of spares."""

import numpy as np
from sparing.models.multi_component import Component, MultiComponentProblem
from sparing.models.spare import GammaLeadTime, SparePart

SIZES = {  # components, states of each, capacity of each stock, longest lead time
    "N=4": (4, 4, 3, 2),
    "N=6, 3 states": (6, 3, 3, 2),
    "N=6": (6, 4, 3, 2),
    "N=6, larger stocks": (6, 4, 4, 3),
    "N=8": (8, 4, 3, 2),
}


def joint_system(num_components, num_states=4, capacity=3, longest=2, *, spares=True):
    """Return a system whose first half uses rotors and whose second half uses seals.

    Rotors cannot be had in an emergency, seals can.
    """
    names = [f"c{i + 1}" for i in range(num_components)]
    components = tuple(
        Component(
            name=name,
            transition=_wear(num_states, 0.25 + 0.04 * i),
            maintenance_cost=_costs(num_states, 30.0 + 6.0 * i),
        )
        for i, name in enumerate(names)
    )
    half = num_components // 2
    lead_time = GammaLeadTime(shape=2.0, scale=0.8, longest=longest)
    shared = {"capacity": capacity, "initial": 2, "lead_time": lead_time}
    rotor = SparePart(
        name="rotor",
        used_by=tuple(names[:half]),
        holding_cost=2.0,
        order_fixed=15.0,
        order_unit=40.0,
        **shared,
    )
    seal = SparePart(
        name="seal",
        used_by=tuple(names[half:]),
        holding_cost=1.0,
        order_fixed=10.0,
        order_unit=20.0,
        emergency_cost=150.0,
        **shared,
    )
    return MultiComponentProblem(
        components=components,
        structure=f"c1 & 2-of({', '.join(names[1:-1])}) & ({names[-2]} | {names[-1]})",
        setup_cost=20.0,
        downtime_cost=800.0,
        spares=(rotor, seal) if spares else (),
    )


def _wear(num_states, step):
    chance = np.zeros((num_states, num_states))
    for i in range(num_states - 1):
        weights = step ** np.arange(num_states - i)
        chance[i, i:] = weights / weights.sum()
    chance[-1, -1] = 1.0
    return chance


def _costs(num_states, price):
    cost = np.full((num_states, num_states), np.inf)
    np.fill_diagonal(cost, 0.0)
    cost[1:, 0] = price
    cost[-1, 0] = 1.4 * price
    cost[2:-1, 1] = 0.4 * price
    return cost
