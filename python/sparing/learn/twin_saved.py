"""What a training on a twin has come to, on disk: plans, the start, and learning as it goes."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import jax
import numpy as np
from numpy.typing import NDArray

from sparing.evaluate.belief_prices import PricedPlan, priced_plan
from sparing.evaluate.location_plan import LocationPlanner
from sparing.learn.checkpoints import FILE, load_checkpoint, save_checkpoint
from sparing.learn.location_start import (
    LocationSettings,
    PlanData,
    Start,
    agents_of,
    network_of,
    start_from_plans,
)
from sparing.learn.twin_dynamics import Dynamics
from sparing.learn.twin_lanes import Wanted
from sparing.models.location_orders import LocationOrders
from sparing.models.spares_network import Part
from sparing.simulate.twin import Twin

BEYOND = 16  # periods that plans look past the end
Told = Callable[[str], None]


def digest(twin: Twin) -> str:
    """Return what tells runs on different twins apart."""
    text = json.dumps(_plain(twin), sort_keys=True)
    return f"{twin.network.name} twin {sha256(text.encode()).hexdigest()[:16]}"


def _plain(value: Any) -> Any:
    """Return a tree of dataclasses as one of JSON's types."""
    if is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    return value.isoformat() if isinstance(value, datetime) else value


def plan_or_saved(
    twin: Twin, part: Part, seed: int, *, folder: Path | None, resume: bool, told: Told
) -> PricedPlan:
    """Return the belief plan of a part: that in `folder`, or a new one, which is saved there."""
    key = {"model": digest(twin), "part": part.name, "seed": seed, "beyond": BEYOND}
    if folder is not None and resume and (folder / FILE).exists():
        planner = LocationPlanner(twin.network, part, beyond=BEYOND)
        stocks = max(x.capacity + x.backorders for x in part.locations) + 1
        shape = twin.network.periods, planner.num_beliefs, len(part.locations), stocks
        quantity, record = load_checkpoint(folder, _like(shape, np.int32), key)
        price = {int(depth): value for depth, value in record["warehouse_price"].items()}
        orders, cost = LocationOrders(quantity=quantity), record["cost"]
        return PricedPlan(planner=planner, warehouse_price=price, orders=orders, cost=cost)
    found = priced_plan(twin.network, part, beyond=BEYOND, seed=seed, told=told)
    if folder is not None:
        content = {"iteration": 0, "warehouse_price": found.warehouse_price, "cost": found.cost}
        save_checkpoint(folder, found.orders.quantity, {**key, **content})
    return found


def start_or_saved(
    dynamics: Dynamics,
    plans: Mapping[str, PricedPlan],
    rule: Wanted,
    settings: LocationSettings,
    key: dict[str, Any],
    *,
    seed: int,
    folder: Path | None,
    resume: bool,
    told: Told,
) -> tuple[Start, PlanData]:
    """Return the start of a seed: that in `folder`, or a new one, which is saved there."""
    if folder is not None and resume and (folder / FILE).exists():
        return _saved_start(dynamics, plans, rule, settings, folder, key)
    start, data = start_from_plans(dynamics, plans, rule, settings, seed=seed, told=told)
    if folder is not None:
        tree = _tree(start, data)
        figures = {name: getattr(start, name) for name in ("margin", "agreement", "regret")}
        save_checkpoint(folder, tree, {**key, "iteration": 0, "rows": len(data.goal), **figures})
    return start, data


def _tree(start: Start, data: PlanData) -> dict[str, Any]:
    agents = start.agents
    units = {"unit": agents.unit, "baseline": agents.baseline}
    return {"parameters": start.parameters, "data": data._asdict(), **units}


def _like(shape: tuple[int, ...], kind: type) -> NDArray[Any]:
    """Return something of that shape and kind, without memory for it."""
    return np.broadcast_to(np.zeros((), kind), shape)


def _saved_start(
    dynamics: Dynamics,
    plans: Mapping[str, PricedPlan],
    rule: Wanted,
    settings: LocationSettings,
    folder: Path,
    key: dict[str, Any],
) -> tuple[Start, PlanData]:
    rows = json.loads((folder / FILE).read_text(encoding="utf-8"))["rows"]
    shape, reviews = dynamics.shape, dynamics.tables.twin.network.periods + 1
    unit, baseline = np.ones(shape, np.float32), np.zeros((*shape, reviews), np.float32)
    agents = agents_of(dynamics, plans, unit, baseline)
    network = network_of(agents, settings)
    choices = rows, agents.num_actions
    like = {
        "parameters": jax.eval_shape(network.init, jax.random.key(0)),
        "data": {
            "features": _like((rows, agents.num_features), np.float32),
            "mask": _like(choices, np.bool_),
            "goal": _like(choices, np.float32),
        },
        "unit": unit,
        "baseline": baseline,
    }
    tree, record = load_checkpoint(folder, like, key)
    return Start(
        agents=agents_of(dynamics, plans, tree["unit"], tree["baseline"]),
        plan=rule,
        network=network,
        parameters=tree["parameters"],
        **{name: record[name] for name in ("margin", "agreement", "regret")},
    ), PlanData(**tree["data"])
