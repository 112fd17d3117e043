"""Policies of a training on a twin, compared on the same luck."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sparing.learn.location_learning import cautious_orders
from sparing.learn.location_start import Start
from sparing.learn.networks import Parameters
from sparing.learn.twin_dynamics import Dynamics
from sparing.learn.twin_lanes import FleetResult, FleetRunner, Wanted

FRESH_SEED = 1 << 20  # of the comparison, on luck that learning has not seen
UNSEEN_SEED = FRESH_SEED + 1  # of the policy that was chosen, on luck that choosing has not seen


@dataclass(frozen=True, kw_only=True, eq=False)
class TwinPolicy:
    """A policy of the comparison and what it costs on the twin.

    Attributes
    ----------
    seed
        Of its training; None: the belief plan itself.
    days
        Simulated days of each fleet that it has learned from; None: the belief plan.
    parameters
        Of the network; None: the belief plan.
    """

    name: str
    seed: int | None
    days: float | None
    parameters: Parameters | None
    result: FleetResult


class Judge:
    """Runs policies on the same luck, each kind compiled once."""

    def __init__(
        self,
        dynamics: Dynamics,
        rule: Wanted,
        start: Start,
        num_replications: int,
        told: Callable[[str], None],
    ) -> None:
        self.num_replications, self.told = num_replications, told
        self.planned = FleetRunner(dynamics, lambda _, fleets: rule(fleets))
        self.learned = FleetRunner(dynamics, cautious_orders(start.agents, start.network, rule))

    def run(self, parameters: Parameters | None, margin: float | None, seed: int) -> FleetResult:
        """Return what a network costs with its margin, or without one the plan."""
        options: dict[str, int] = {"num_replications": self.num_replications, "seed": seed}
        if parameters is None:
            return self.planned.run(None, **options)
        return self.learned.run((parameters, margin), **options)

    def of_plan(self) -> TwinPolicy:
        """Return the belief plan with its cost."""
        name = "belief plan by location"
        self.told(f"comparing: {name}")
        found = self.run(None, None, FRESH_SEED)
        return TwinPolicy(name=name, seed=None, days=None, parameters=None, result=found)

    def of_seed(
        self, start: Start, seed: int, networks: Mapping[float, Parameters]
    ) -> tuple[TwinPolicy, ...]:
        """Return the start and the `networks`, by simulated days, with their costs."""
        found = []
        for days, parameters in ({0.0: start.parameters} | dict(networks)).items():
            name = f"after {days:g} days" if days else "network fitted to it"
            self.told(f"comparing: {name}, seed {seed}")
            result = self.run(parameters, start.margin, FRESH_SEED)
            found.append(
                TwinPolicy(name=name, seed=seed, days=days, parameters=parameters, result=result)
            )
        return tuple(found)
