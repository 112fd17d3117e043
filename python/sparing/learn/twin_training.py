"""Learning on a twin that starts from its belief plan, and what both cost on the same luck."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from sparing._checks import check_number
from sparing.evaluate.belief_prices import priced_plan
from sparing.learn.location_learning import cautious_orders, refined
from sparing.learn.location_start import LocationSettings, Start, start_from_plans
from sparing.learn.networks import Parameters
from sparing.learn.twin_dynamics import Dynamics
from sparing.learn.twin_lanes import LANES, FleetResult, FleetRunner, location_orders, run_fleets
from sparing.learn.twin_tables import STEP_HOURS, twin_tables
from sparing.simulate.results import Difference
from sparing.simulate.twin import Twin

DAYS = (30.0, 60.0, 90.0)
FRESH_SEED = 1 << 20  # of the comparison, on luck that learning has not seen
BEYOND = 16  # periods that plans look past the end


@dataclass(frozen=True, kw_only=True, eq=False)
class TwinPolicy:
    """A policy of the comparison and what it costs on the twin.

    Attributes
    ----------
    days
        Simulated days of each fleet that it has learned from; None: the belief plan itself.
    parameters
        Of the network; None: the belief plan.
    """

    name: str
    days: float | None
    parameters: Parameters | None
    result: FleetResult


@dataclass(frozen=True, kw_only=True, eq=False)
class TwinTrainingResult:
    """The belief plan, the network fitted to it, and what learning on the twin made of that.

    Attributes
    ----------
    policies
        The belief plan, the start after 0 days, and the network after some days each.
    env_steps
        Choices made by all locations of all fleets while learning.
    """

    twin: Twin
    start: Start
    settings: LocationSettings
    policies: tuple[TwinPolicy, ...]
    env_steps: int
    seconds: float

    @property
    def best(self) -> TwinPolicy:
        """The policy of the least mean total cost."""
        return min(self.policies, key=lambda policy: policy.result.mean("total"))

    def paired(self, policy: TwinPolicy, measure: str = "total") -> Difference:
        """Return a policy's measure less the belief plan's, replication by replication."""
        return policy.result.less(self.policies[0].result, measure)


def with_parts(twin: Twin, names: Sequence[str]) -> Twin:
    """Return the twin of some parts alone; all if none are named.

    Raises
    ------
    ValueError
        If a part is not there.
    """
    parts = twin.network.parts
    known = [part.name for part in parts]
    for name in names:
        if name not in known:
            raise ValueError(f"unknown part {name!r}; known: {', '.join(known)}.")
    chosen = tuple(part for part in parts if not names or part.name in names)
    return replace(twin, network=replace(twin.network, parts=chosen))


def train_on_twin(
    twin: Twin,
    settings: LocationSettings | None = None,
    *,
    days: Sequence[float] = DAYS,
    num_replications: int = LANES,
    seed: int = 0,
    step_hours: float = STEP_HOURS,
    told: Callable[[str], None] = lambda text: None,
) -> TwinTrainingResult:
    """Start from the belief plan by location, learn on the twin, and compare on the same luck.

    Every location orders at reviews, one order under way. The policies after so many simulated
    days of every fleet (whole rollouts, rounded down) are compared over the whole horizon.

    Raises
    ------
    ValueError
        If the twin has something that the array program does not know, or a number does not fit,
        before anything is solved.
    """
    chosen = settings or LocationSettings()
    twin = replace(twin, orders="single")
    rollout = chosen.reviews * twin.period_hours / 24.0
    for value in days:
        check_number("days", value, at_least=rollout)
    if num_replications < 2:
        raise ValueError(f"replications must be at least 2; got {num_replications}.")
    tables = twin_tables(twin, step_hours=step_hours)
    started = time.monotonic()
    dynamics = Dynamics(tables)
    plans = {
        part.name: priced_plan(twin.network, part, beyond=BEYOND, seed=seed, told=told)
        for part in twin.network.parts
    }
    rule = location_orders(dynamics, {name: plan.orders for name, plan in plans.items()})
    start = start_from_plans(
        dynamics,
        {name: plan.planner for name, plan in plans.items()},
        {name: (1.0, plan.warehouse_price) for name, plan in plans.items()},
        rule,
        chosen,
        seed=seed,
        told=told,
    )
    runner = FleetRunner(dynamics, cautious_orders(start))
    options: dict[str, int] = {"num_replications": num_replications, "seed": FRESH_SEED + seed}

    def judged(name: str, lived: float, parameters: Parameters) -> TwinPolicy:
        told(f"comparing: {name}")
        found = runner.run(parameters, **options)
        return TwinPolicy(name=name, days=lived, parameters=parameters, result=found)

    told("comparing: belief plan by location")
    plan = TwinPolicy(
        name="belief plan by location",
        days=None,
        parameters=None,
        result=run_fleets(tables, rule, **options),
    )
    policies = [
        plan,
        judged("network fitted to it", 0.0, start.parameters),
    ]
    marks = sorted({int(value // rollout) for value in days})
    most, steps = marks[-1] * rollout, 0
    for lived, parameters, _ in refined(start, chosen, days=most, seed=seed):
        steps += chosen.reviews * chosen.fleets * int(np.prod(dynamics.shape))
        if round(lived / rollout) in marks:
            policies.append(judged(f"after {lived:g} days", lived, parameters))
    return TwinTrainingResult(
        twin=twin,
        start=start,
        settings=chosen,
        policies=tuple(policies),
        env_steps=steps,
        seconds=time.monotonic() - started,
    )
