"""The usual rules and today's beside the policy of a large problem, all on the same luck."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sparing import _core
from sparing.epoch import Epoch
from sparing.evaluate.policy_comparison import PolicyRow
from sparing.large.crew_policies import CrewLimits, CrewPolicy
from sparing.large.crew_simulation import CrewSimulation
from sparing.large.crew_system import CrewSystem
from sparing.models.multi_component import MultiComponentProblem
from sparing.policies import CallbackPolicy, Policy, TablePolicy
from sparing.simulate.results import Difference, SimulationResult, half_width
from sparing.simulate.rollouts import simulate

REPLICATIONS, EPOCHS, WARM_UP = 256, 1000, 200
SEED = 1 << 21  # draws that neither tuning nor the choice among the tuned policies has seen
CONFIDENCE = 0.95
CORRECTIVE = "corrective: failed components are renewed"
Limits = tuple[int, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class SimulatedRow(PolicyRow):
    """A policy's long-run averages per inspection, by simulation.

    Parameters
    ----------
    half_width, reliability_half_width
        Of the 95 % intervals of cost and reliability.
    difference
        Its objective less that of the recommended policy, replication by replication on the same
        luck; None for the recommended one.
    """

    half_width: float
    reliability_half_width: float
    difference: Difference | None


def compared_by_simulation(
    problem: MultiComponentProblem,
    policies: Mapping[str, tuple[str, Policy]],
    *,
    today: Mapping[str, int] | None,
    refused: list[str],
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[dict[str, SimulatedRow], SimulatedRow | None]:
    """Return rows of `policies` and of the usual rules by key, and that of today's rule.

    Parameters
    ----------
    policies
        Name and policy by key; the first is the recommended one.
    today
        Per component the limit that the records come closest to; None where they show none.
    refused
        Takes why a rule is left out.
    """
    average = replace(problem, criterion="average", discount=1.0)
    asked: dict[str, tuple[str, Callable[[], Any]]] = {
        key: (name, partial(_same, policy)) for key, (name, policy) in policies.items()
    }
    asked |= _rules(average, today, refused, seed)
    rows = dict[str, SimulatedRow]()
    first: SimulationResult | None = None
    for key, (name, make) in asked.items():
        try:
            policy = make()
            found = _simulated(average, policy, seed)
        except ValueError as error:
            refused.append(f"{key} is left out: {error}")
            if not rows:
                return {}, None  # there is nothing to compare with
            continue
        rows[key] = _row(average, found, first, key=key, name=name or str(policy), policy=policy)
        first = first or found
        if progress is not None:
            progress(len(rows), len(asked))
    return rows, rows.pop("today", None)


def _same(policy: Policy) -> Policy:
    return policy


def _rules(
    problem: MultiComponentProblem, today: Mapping[str, int] | None, refused: list[str], seed: int
) -> dict[str, tuple[str, Callable[[], Any]]]:
    """Return per key a name (empty: the policy's own) and what makes the rule."""
    try:
        system = CrewSystem(problem)
    except ValueError as error:
        return _rules_apart(problem, today, refused, str(error))
    found: dict[str, tuple[str, Callable[[], Any]]] = {
        "plain": ("", lambda: tuned_plain_limits(CrewSimulation(system=system, seed=seed))),
        "corrective": (
            CORRECTIVE,
            lambda: _limits(system, tuple(kind.failed for kind in system.kinds)),
        ),
    }
    if today is not None:
        found["today"] = (
            f"today: control limits {_shortened(problem, today)}",
            lambda: _limits(system, _limits_by_type(system, today)),
        )
    return found


def _rules_apart(
    problem: MultiComponentProblem, today: Mapping[str, int] | None, refused: list[str], reason: str
) -> dict[str, tuple[str, Callable[[], Any]]]:
    """Return the rules that decide on each component alone, where those of crews do not fit."""
    if problem.spares or problem.result != "chosen":
        refused.append(f"Usual rules and today's are not simulated: {reason}")
        return {}
    refused.append(f"Control limits are not tuned: {reason}")
    failed = {component.name: component.failed for component in problem.components}
    asked = {"corrective": (CORRECTIVE, failed)}
    if today is not None:
        asked["today"] = (f"today: control limits {_shortened(problem, today)}", dict(today))
    return {
        key: (name, partial(_renewals, [limits[name] for name in problem.names]))
        for key, (name, limits) in asked.items()
    }


def _renewals(limits: Sequence[int]) -> Policy:
    """Return the policy that renews every component at or beyond its limit."""
    return CallbackPolicy(lambda _, states: np.where(states >= np.array(limits), 0, states))


def _limits_by_type(system: CrewSystem, today: Mapping[str, int]) -> Limits:
    names = system.problem.names
    found = [{today[names[i]] for i in members} for members in system.members]
    for kind, limits in zip(system.kinds, found, strict=True):
        if len(limits) > 1:
            raise ValueError(
                f"{kind.name!r} and components that wear and cost like it were renewed from"
                f" different states on, {sorted(limits)}; give them one kind in plan.toml."
            )
    return tuple(limits.pop() for limits in found)


def tuned_plain_limits(simulation: CrewSimulation) -> CrewLimits:
    """Return the best control limits found, one a type: type after type as long as it helps."""
    system = simulation.system
    rated = dict[Limits, float]()

    def rate(limits: Limits) -> float:
        if limits not in rated:
            try:
                policy = _limits(system, limits)
            except ValueError:  # something from there on cannot be renewed
                rated[limits] = np.inf
            else:
                rated[limits] = float(simulation.objectives(policy).mean())
        return rated[limits]

    worst = [kind.failed for kind in system.kinds]
    best = min((tuple(min(n, w) for w in worst) for n in range(1, max(worst) + 1)), key=rate)
    before = None
    while best != before:
        before = best
        for kind, most in enumerate(worst):
            others = [(*best[:kind], limit, *best[kind + 1 :]) for limit in range(1, most + 1)]
            best = min([best, *others], key=rate)
    return _limits(system, best)


def _limits(system: CrewSystem, limits: Limits) -> CrewLimits:
    """Return plain control limits: whoever is at or beyond them is renewed."""
    return CrewLimits(system, limits, limits)


def _shortened(problem: MultiComponentProblem, limits: Mapping[str, int]) -> str:
    """Return the limits of the components in their order, runs of equal ones together."""
    runs = list[list[int]]()
    for component in problem.components:
        if runs and runs[-1][0] == limits[component.name]:
            runs[-1][1] += 1
        else:
            runs.append([limits[component.name], 1])
    return ",".join(
        f"{limit}" if count == 1 else f"{limit} ({count} times)" for limit, count in runs
    )


def _simulated(problem: MultiComponentProblem, policy: Policy, seed: int) -> SimulationResult:
    return simulate(
        problem.epoch,
        transferred(policy, problem),
        num_epochs=WARM_UP + EPOCHS,
        num_replications=REPLICATIONS,
        warm_up=WARM_UP,
        seed=SEED + seed,
        start=problem.initial_state,
        weights=problem.weights,
        confidence=CONFIDENCE,
    )


def _row(
    problem: MultiComponentProblem,
    found: SimulationResult,
    first: SimulationResult | None,
    *,
    key: str,
    name: str,
    policy: Policy,
) -> SimulatedRow:
    kinds = list(found.mean)
    paid = [kinds.index(kind) for kind in problem.cost_kinds if kind in kinds]
    cost = found.samples[:, paid].sum(axis=1)
    difference = None
    if first is not None:
        gaps = found.objectives - first.objectives
        difference = Difference(
            mean=float(gaps.mean()), half_width=half_width(gaps, found.confidence)
        )
    return SimulatedRow(
        key=key,
        name=name,
        reward=-found.objective if problem.goals else None,
        cost=float(cost.mean()),
        reliability=found.mean["reliability"],
        policy=policy,
        half_width=half_width(cost, found.confidence),
        reliability_half_width=found.half_widths["reliability"],
        difference=difference,
    )


@dataclass(frozen=True, eq=False)
class _Transferred:
    """A policy made for other transitions; what it decides does not depend on the epoch."""

    policy: CrewPolicy

    def action(self, state: ArrayLike, *, stage: int = 0) -> NDArray[np.int32]:
        return self.policy.action(state, stage=stage)

    def hand_over(self, plan: _core.RolloutPlan, epoch: Epoch) -> None:
        plan.use_rule(self.policy.rule)


def transferred(policy: Policy, problem: MultiComponentProblem) -> Policy:
    """Return `policy`, made for a problem of the same states, as a policy of `problem`."""
    if isinstance(policy, CrewPolicy):
        return _Transferred(policy)
    if isinstance(policy, TablePolicy):
        return TablePolicy(problem.epoch, policy.stages)
    if hasattr(policy, "environment"):  # a network, which rollouts run in its own epoch alone
        from sparing.learn.views import environment_of

        own: Any = policy
        moved: Policy = replace(own, environment=environment_of(problem))
        return moved
    return CallbackPolicy(lambda stage, states: policy.action(states, stage=stage))
