"""The three-component case of Jimenez Gonzalez (2021), written out as nodes."""

import itertools

import numpy as np
from sparing.epoch import Alternative, Axis, Branch, Chance, Cost, Decision, Epoch
from sparing.policies import TablePolicy

INF = float("inf")
NAMES = ("c1", "c2", "c3")
TRANSITION = np.array(
    [
        [[0.35, 0.35, 0.23, 0.07], [0, 0.29, 0.42, 0.29], [0, 0, 0.5, 0.5], [0, 0, 0, 1]],
        [[0.12, 0.38, 0.38, 0.12], [0, 0.14, 0.43, 0.43], [0, 0, 0.43, 0.57], [0, 0, 0, 1]],
        [[0.28, 0.28, 0.44, 0.0], [0, 0.14, 0.43, 0.43], [0, 0, 0.29, 0.71], [0, 0, 0, 1]],
    ]
)
REPAIR = [(100, 100, 40, 120), (80, 80, 30, 90), (70, 70, 30, 80)]  # 1->0, 2->0, 2->1, 3->0
COST_WEIGHTS = {"downtime": 1.0, "maintenance": 1.0, "set-up": 1.0}


def three_component_epoch(discount=1.0):
    """Scenario 1: a failed unit must be replaced at once."""
    tables = [
        [[0, INF, INF, INF], [a, 0, INF, INF], [b, c, 0, INF], [d, INF, INF, INF]]
        for a, b, c, d in REPAIR
    ]
    failed = {name: [0, 0, 0, 1] for name in NAMES}
    down = np.zeros((2, 2, 2))
    for f1, f2, f3 in itertools.product(range(2), repeat=3):
        down[f1, f2, f3] = f1 or (f2 and f3)
    stay = [Cost(n, np.diag(t), "maintenance") for n, t in zip(NAMES, tables, strict=True)]
    crew = [Decision(n, t, "maintenance") for n, t in zip(NAMES, tables, strict=True)]
    return Epoch(
        axes=[Axis(name, 4) for name in NAMES],
        nodes=[
            Cost(NAMES, 500.0 * down, "downtime", groups=failed),
            Branch([Alternative(stay), Alternative(crew, cost={"set-up": 20.0})], name="crew?"),
            *(Chance(n, p) for n, p in zip(NAMES, TRANSITION, strict=True)),
            Cost(NAMES, 1.0 - down, "reliability", groups=failed),
        ],
        discount=discount,
    )


def corrective_table():
    """Post-decision state per state: failed units replaced, else nothing."""
    states = np.stack(np.unravel_index(np.arange(64), (4, 4, 4)), axis=1)
    after = np.where(states == 3, 0, states)
    return np.ravel_multi_index(tuple(after.T), (4, 4, 4)).astype(np.uint32)


def corrective_policy(epoch):
    return TablePolicy(epoch, (corrective_table(),))
