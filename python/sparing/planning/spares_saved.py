"""The saved stock policy of a plan, to be asked what to order for any stock."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sparing._files import write_atomically
from sparing.evaluate.closed_loop import Standing, state_of
from sparing.evaluate.network_plan import PartPlan
from sparing.models.network_nodes import NetworkNodes
from sparing.models.network_rules import StockRules
from sparing.models.spares_network import SparesNetwork
from sparing.models.spares_network_files import spares_network, spares_network_table
from sparing.policies import TablePolicy

if TYPE_CHECKING:
    from sparing.planning.spares_plan import SparesPlan

FORMAT = "sparing-stock-policy-1"


@dataclass(frozen=True, kw_only=True)
class StockAnswer:
    """What to order of a part.

    Parameters
    ----------
    stock, ordered, orders
        By location: the net stock and the units on order that were asked about, and the answer.
    """

    part: str
    stock: Mapping[str, int]
    ordered: Mapping[str, int]
    orders: Mapping[str, int]


def save_stock_policy(spares: SparesPlan, folder: Path) -> None:
    """Write the network, the rules, and the tables of the first review of exact plans.

    Beside them goes the policy in force as it was solved, with the tables of all its reviews.
    """
    folder.mkdir()
    tables, rules = dict[str, Any](), dict[str, dict[str, list[int]]]()
    for number, part in enumerate(spares.network.parts):
        policy = spares.policy.policies[part.name]
        if isinstance(policy, PartPlan):
            tables[f"part{number}"] = np.asarray(policy.policies[0].stages[0])
        elif isinstance(policy, StockRules):
            rules[part.name] = {"order_up_to": policy.order_up_to[0].tolist()}
            rules[part.name]["reorder_at"] = policy.reorder_at[0].tolist()
    record = {
        "format": FORMAT,
        "network": spares_network_table(spares.network),
        "rules": rules,
        "standing": {
            part.name: {
                x.location: [x.standing.net, x.standing.ordered, x.standing.age]
                for x in spares.levels
                if x.part == part.name
            }
            for part in spares.network.parts
        },
    }
    write_atomically(folder / "stock_policy.json", json.dumps(record, indent=1) + "\n")
    np.savez(folder / "first_review.npz", **tables)
    spares.solved.save(folder)


def stock_answer(
    folder: Path,
    part_name: str | None,
    stock: Mapping[str, int],
    ordered: Mapping[str, tuple[int, int]],
) -> StockAnswer:
    """Return what the plan in `folder` orders of a part, for a stock.

    Parameters
    ----------
    part_name
        None: the only part there is.
    stock
        Net stock by location; that of the plan's day where a location is not named.
    ordered
        By location units on order and the reviews since; if no stock and no order is named, that
        of the plan's day.

    Raises
    ------
    ValueError
        If a part or location is unknown, or a stock is not possible.
    """
    record = json.loads((folder / "stock_policy.json").read_text(encoding="utf-8"))
    network = spares_network(record["network"], "plan")
    names = [part.name for part in network.parts]
    if part_name is None and len(names) == 1:
        part_name = names[0]
    if part_name not in names:
        raise ValueError(f"--part must be one of {', '.join(names)}; got {part_name!r}.")
    number = names.index(part_name)
    part = network.parts[number]
    for option, given in (("--stock", stock), ("--ordered", ordered)):
        for name in given:
            if name not in part.names:
                raise ValueError(
                    f"{option}: {name!r} is no location; there are {', '.join(part.names)}."
                )
    standing = record["standing"][part_name]
    net = {name: stock.get(name, standing[name][0]) for name in part.names}
    coming = {
        name: (standing[name][1], standing[name][2])
        if not stock and not ordered
        else ordered.get(name, (0, 0))
        for name in part.names
    }
    if part_name in record["rules"]:
        rule = record["rules"][part_name]
        orders = {
            name: rule_order(net[name] + coming[name][0], reorder, upto)
            for name, reorder, upto in zip(
                part.names, rule["reorder_at"], rule["order_up_to"], strict=True
            )
        }
    else:
        orders = _looked_up(folder, network, number, net, coming, asked=tuple(stock))
    return StockAnswer(
        part=part_name,
        stock=net,
        ordered={name: quantity for name, (quantity, _) in coming.items()},
        orders=orders,
    )


def rule_order(position: int, reorder_at: int, order_up_to: int) -> int:
    """Return what a rule orders where on hand and on order, less backordered, are `position`."""
    return max(order_up_to - position, 0) if position <= reorder_at else 0


def _looked_up(
    folder: Path,
    network: SparesNetwork,
    number: int,
    net: Mapping[str, int],
    coming: Mapping[str, tuple[int, int]],
    asked: tuple[str, ...],
) -> dict[str, int]:
    """Return what the exact plan orders at its first review; stocks not asked for are clipped."""
    part, held = network.parts[number], dict[str, int]()
    for location in part.locations:
        low, value = -location.backorders, net[location.name]
        if location.name in asked and not low <= value <= location.capacity:
            raise ValueError(
                f"--stock {location.name}: must be in {low}..{location.capacity} (backorders,"
                f" capacity); got {value}."
            )
        held[location.name] = min(max(value, low), location.capacity)
    with np.load(folder / "first_review.npz") as tables:
        table = tables[f"part{number}"]
    epoch = NetworkNodes(network, part, last=1).epochs()[0]
    plan = PartPlan(
        part=part,
        nodes=NetworkNodes(network, part),
        lower=0.0,
        upper=0.0,
        policies=(TablePolicy(epoch, (table,)),),
    )
    standing = Standing(
        period=0,
        net=tuple(held.values()),
        ordered=tuple(
            max(min(quantity, x.largest_order, x.capacity - max(held[x.name], 0)), 0)
            for (quantity, _), x in zip(coming.values(), part.locations, strict=True)
        ),
        age=tuple(age for _, age in coming.values()),
        age_bins=(0,) * len(part.names),
        failures=0,
        exposure=0.0,
    )
    quantities = plan.orders(0, state_of(network, plan, standing)).tolist()
    return dict(zip(part.names, quantities, strict=True))
