"""The policy of the stocks as it was solved, saved whole, so that later days can go on by it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sparing._files import write_atomically
from sparing.evaluate.network_plan import PartPlan
from sparing.models.network_nodes import NetworkNodes
from sparing.models.network_rules import StockRules
from sparing.models.spares_network import SparesNetwork
from sparing.models.spares_network_files import spares_network, spares_network_table
from sparing.planning.spares_methods import Choice
from sparing.policies import TablePolicy
from sparing.simulate.spares_network import PartPolicy

FORMAT = "sparing-stock-in-force-1"
RECORD, TABLES = "solved.json", "solved.npz"


@dataclass(frozen=True, kw_only=True, eq=False)
class SolvedStock:
    """The policy of all parts on the day it was solved.

    Parameters
    ----------
    day
        Since 1970; its first review begins then.
    network
        Over the periods that it is for, with what was believed and what stood where.
    planned_for
        What plan.toml said, as `SpareSettings.planned_for`.
    choices, policies
        By part.
    price
        Of downtime that it was made for, in times its cost.
    expected
        What a review was expected to come to.
    """

    day: float
    network: SparesNetwork
    planned_for: Mapping[str, Any]
    choices: Mapping[str, Choice]
    policies: Mapping[str, PartPolicy]
    price: float
    expected: Mapping[str, float]

    def save(self, folder: Path) -> None:
        """Write it into a folder that is there."""
        rules = {
            name: {
                "reorder_at": policy.reorder_at[0].tolist(),
                "order_up_to": policy.order_up_to[0].tolist(),
            }
            for name, policy in self.policies.items()
            if isinstance(policy, StockRules)
        }
        record = {
            "format": FORMAT,
            "day": self.day,
            "network": spares_network_table(self.network),
            "planned_for": self.planned_for,
            "choices": {name: asdict(choice) for name, choice in self.choices.items()},
            "rules": rules,
            "price": self.price,
            "expected": dict(self.expected),
        }
        write_atomically(folder / RECORD, json.dumps(record, indent=1) + "\n")
        tables: dict[str, Any] = dict(self._tables())
        np.savez_compressed(folder / TABLES, **tables)

    def _tables(self) -> Iterator[tuple[str, NDArray[Any]]]:
        for number, part in enumerate(self.network.parts):
            plan = self.policies[part.name]
            if isinstance(plan, PartPlan):
                for review in range(self.network.periods):
                    yield (
                        f"part{number}_{review}",
                        np.diff(decided(plan, review), axis=0, prepend=0),
                    )

    @classmethod
    def load(cls, folder: Path) -> SolvedStock:
        """Read it.

        Raises
        ------
        OSError, ValueError, KeyError
            If it is not there or not whole.
        """
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        if record["format"] != FORMAT:
            raise ValueError(f"{folder}: format must be {FORMAT!r}; got {record['format']!r}.")
        network = spares_network(record["network"], "plan")
        policies = dict[str, PartPolicy]()
        with np.load(folder / TABLES, allow_pickle=False) as tables:
            for number, part in enumerate(network.parts):
                if part.name in record["rules"]:
                    rule = record["rules"][part.name]
                    policies[part.name] = StockRules.min_max(
                        np.array(rule["reorder_at"]), np.array(rule["order_up_to"])
                    )
                    continue
                nodes = NetworkNodes(network, part)
                kept = [
                    np.cumsum(tables[f"part{number}_{review}"], axis=0)
                    for review in range(network.periods)
                ]
                policies[part.name] = plan_of_tables(nodes, kept)
        return cls(
            day=float(record["day"]),
            network=network,
            planned_for=record["planned_for"],
            choices={name: Choice(**choice) for name, choice in record["choices"].items()},
            policies=policies,
            price=float(record["price"]),
            expected=record["expected"],
        )


def decided(plan: PartPlan, review: int) -> NDArray[np.int32]:
    """Return a table of a plan as what is decided of the stocks [beliefs, states of the stocks].

    The belief is the last axis and stays as it is when orders are placed.
    """
    beliefs = plan.nodes.belief_states(review)
    table = np.asarray(plan.policies[review].stages[0]).reshape(-1, beliefs)
    return np.ascontiguousarray((table // beliefs).T.astype(np.int32))


def plan_of_tables(nodes: NetworkNodes, tables: Sequence[NDArray[np.integer]]) -> PartPlan:
    """Return the plan whose tables are these, as of `decided`; its cost is not known."""
    policies = []
    for epoch, found in zip(nodes.epochs(), tables, strict=True):
        beliefs = len(found)
        posts = found.T * beliefs + np.arange(beliefs)
        policies.append(TablePolicy(epoch, (posts.ravel().astype(np.uint32),)))
    return PartPlan(
        part=nodes.part,
        nodes=nodes,
        lower=-np.inf,
        upper=np.inf,
        policies=tuple(policies),
    )
