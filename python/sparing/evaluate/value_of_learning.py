"""What it is worth to plan with a belief that learns, against a failure rate that is plugged in.

All three costs are exact, for failures of the model (the rate drawn from the prior):

- "fixed rate": the plan for the prior's mean, as if it were certain, kept to the end;
- "updated rate": at each review the plan for the posterior's mean, as if it were certain from then
  on (certainty equivalence);
- "belief": the optimal plan, which knows what it will have learned.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sparing._checks import check_number
from sparing.evaluate.network_plan import PartPlan, SolveOptions, policies_of, solve_part
from sparing.exact.finite_horizon import finite_horizon
from sparing.exact.finite_measures import evaluate_finite_horizon
from sparing.models.network_nodes import NetworkNodes
from sparing.models.network_values import GammaPrior, check_whole
from sparing.models.spares_network import Part, SparesNetwork
from sparing.policies import TablePolicy

CERTAIN = 1e9  # shape of a prior that is as good as a known rate


@dataclass(frozen=True, kw_only=True)
class ValueOfLearning:
    """Expected costs over the horizon, from the initial state.

    Attributes
    ----------
    shape, mean
        Of the prior.
    """

    shape: float
    mean: float
    fixed_rate: float
    updated_rate: float
    belief: float

    @property
    def over_fixed(self) -> float:
        """Share of the cost of the fixed rate that the belief saves."""
        return 1.0 - self.belief / self.fixed_rate

    @property
    def over_updated(self) -> float:
        """Share of the cost of the updated rate that the belief saves."""
        return 1.0 - self.belief / self.updated_rate


def value_of_learning(network: SparesNetwork, part: Part | None = None) -> ValueOfLearning:
    """Return the expected costs of the three ways to plan one part without ages of units.

    Raises
    ------
    ValueError
        If a site counts ages: then the exposure is random and there is no single rate to update.
    """
    chosen = network.one(part)
    if any(site.age for site in chosen.sites):
        raise ValueError("the value of learning is for parts without ages of units.")
    alone = network.only(chosen)
    (chosen,) = alone.parts
    optimal = solve_part(alone, chosen, SolveOptions())
    return ValueOfLearning(
        shape=chosen.prior.shape,
        mean=chosen.prior.mean,
        fixed_rate=_cost(alone, optimal, _plugged_in(alone, optimal, updated=False)),
        updated_rate=_cost(alone, optimal, _plugged_in(alone, optimal, updated=True)),
        belief=0.5 * (optimal.lower + optimal.upper),
    )


def learning_curve(
    network: SparesNetwork,
    shapes: Sequence[float] = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0),
    *,
    progress: Callable[[float], None] | None = None,
) -> tuple[ValueOfLearning, ...]:
    """Return the value of learning for priors of these shapes and the mean of the network's own."""
    part = network.one(None)
    found = []
    for shape in shapes:
        if not check_number("shape", shape) > 0.0:
            raise ValueError(f"shapes must be > 0; got {shape:g}.")
        if progress is not None:
            progress(shape)
        prior = GammaPrior(shape=shape, rate=shape / part.prior.mean)
        changed = replace(network, parts=(replace(part, prior=prior),))
        found.append(value_of_learning(changed))
    return tuple(found)


def certain_network(network: SparesNetwork, rate: float, first: int = 0) -> SparesNetwork:
    """Return the network from period `first` on as if the failure rate were known."""
    check_whole("first", first, 0)
    (part,) = network.parts
    locations = []
    for location in part.locations:
        exposure = location.exposure
        if isinstance(exposure, tuple):
            exposure = exposure[first:]
        locations.append(replace(location, exposure=exposure))
    prior = GammaPrior(shape=CERTAIN, rate=CERTAIN / rate)
    sure = replace(part, prior=prior, locations=tuple(locations))
    return replace(network, parts=(sure,), periods=network.periods - first, belief_levels=1)


def _cost(network: SparesNetwork, plan: PartPlan, policies: tuple[TablePolicy, ...]) -> float:
    """Return the expected cost of policies under the belief's own law of failures."""
    found = evaluate_finite_horizon(
        [policy.epoch for policy in plan.policies],
        policies,
        {"cost": network.weights},
        initial=plan.nodes.initial_state(),
        weights=network.weights,
    )
    return found["cost"].value


def _plugged_in(
    network: SparesNetwork, plan: PartPlan, *, updated: bool
) -> tuple[TablePolicy, ...]:
    """Return the tables of a planner who takes the rate for certain.

    Without `updated` it is the prior's mean at all times, else the mean of what is believed.
    """
    part, periods = plan.part, network.periods
    planned = np.concatenate([[0.0], np.cumsum(sum(x.exposures(periods) for x in part.sites))])
    fixed = None if updated else _tables(certain_network(network, part.prior.mean), periods)
    policies = []
    for period, policy in enumerate(plan.policies):
        levels = policy.epoch.axes[-1].size
        columns = []
        for failures in range(levels):
            if fixed is not None:
                columns.append(fixed[period])
                continue
            rate = part.prior.posterior(failures, float(planned[period])).mean
            columns.append(_tables(certain_network(network, rate, period), 1)[0])
        posts = np.stack(columns, axis=1).astype(np.int64)  # [stocks, failures so far]
        table = posts * levels + np.arange(levels)
        policies.append(TablePolicy(policy.epoch, (table.ravel(),)))
    return tuple(policies)


def _tables(sure: SparesNetwork, count: int) -> list[NDArray[np.integer]]:
    """Return the first `count` tables [stocks] of the plan for a known rate."""
    nodes = NetworkNodes(sure, sure.parts[0])
    found = finite_horizon(nodes.epochs(), sure.weights, initial=nodes.initial_state())
    return [policy.stages[0] for policy in policies_of(found)[:count]]
