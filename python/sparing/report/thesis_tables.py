"""What Jimenez Gonzalez (2021) prints in tables 9, 10 and 11, for comparison only.

H. S. Jimenez Gonzalez, A contribution to machine learning applications in logistics and
maintenance problems, doctoral thesis, Universidade Federal de Pernambuco, 2021, section 4.6:
tables 9 ("Comparison with random based and corrective based line policies for scenario 1"), 10
(the same for scenario 2) and 11 ("Comparison with the classical based line policy for scenarios 1
and 2"). Rewards and costs are per inspection.
Its costs are predicted by a network, so they stray by a few units from the exact ones. Nothing
here enters a computation.
"""

from __future__ import annotations

from dataclasses import dataclass

AGENT = "RL agent"


@dataclass(frozen=True, kw_only=True)
class Printed:
    """One printed row; `key` names the exact row beside it ("" where there is none)."""

    policy: str
    key: str
    cost: float
    reliability: float
    reward: float | None = None


@dataclass(frozen=True, kw_only=True)
class PrintedTable:
    """One printed table, or the half of table 11 that is about one scenario."""

    table: int
    scenario: int
    rows: tuple[Printed, ...]


CASES = {1: "three-component", 2: "three-component-2"}  # of each scenario
RESTRICTED = {1: "three-component-restricted", 2: "three-component-restricted-2"}
CLASSICAL_LIMITS = (2, 3, 2)  # table 11, both scenarios

TABLES = (
    PrintedTable(
        table=9,
        scenario=1,
        rows=(
            Printed(policy=AGENT, key="", reward=1.3579, cost=248.2646, reliability=0.9273),
            Printed(
                policy="random", key="random", reward=1.0553, cost=258.8799, reliability=0.7866
            ),
            Printed(
                policy="corrective",
                key="corrective",
                reward=0.7100,
                cost=284.8488,
                reliability=0.6376,
            ),
        ),
    ),
    PrintedTable(
        table=10,
        scenario=2,
        rows=(
            Printed(policy=AGENT, key="", reward=1.3716, cost=244.0583, reliability=0.9300),
            Printed(
                policy="random*",
                key="random-half",
                reward=0.9711,
                cost=269.8184,
                reliability=0.7555,
            ),
            Printed(
                policy="corrective*",
                key="corrective-half",
                reward=0.5921,
                cost=301.8333,
                reliability=0.5980,
            ),
        ),
    ),
    PrintedTable(
        table=11,
        scenario=1,
        rows=(
            Printed(policy=f"{AGENT}, restricted", key="", cost=234.8613, reliability=0.8291),
            Printed(
                policy="control limits 2,3,2", key="classical", cost=246.1056, reliability=0.7682
            ),
        ),
    ),
    PrintedTable(
        table=11,
        scenario=2,
        rows=(
            Printed(policy=f"{AGENT}, restricted", key="", cost=229.6096, reliability=0.8405),
            Printed(
                policy="control limits 2,3,2*", key="classical", cost=256.2817, reliability=0.7335
            ),
        ),
    ),
)
