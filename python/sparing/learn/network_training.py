"""Training on exact spares networks: what the greedy orders cost, and the optimum, both exactly."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sparing.evaluate.network_plan import SolveOptions, largest_states, solve_part
from sparing.exact.policy_evaluation import Bounds
from sparing.learn.judging import Verdict, train_and_judge
from sparing.learn.learners import Centre
from sparing.learn.network_environment import NetworkEnvironment
from sparing.learn.network_tables import plan_of
from sparing.learn.networks import Network, Parameters
from sparing.learn.result import TrainingResult
from sparing.learn.run_records import RunOptions
from sparing.learn.settings import DEFAULTS, Settings
from sparing.learn.warm_start import own_values
from sparing.models.spares_network import SparesNetwork

LARGEST = 1 << 20  # states of a period up to which policies are evaluated


def network_settings(learner: str) -> Settings:
    """Return the default settings of a learner on an exact spares network.

    The objective is that of one start, so few lanes are sent to random states, most of which no
    policy would meet. A period's failures are rare and dear: what one transition tells of a choice
    is far noisier than the choices differ, so learners with a replay get more transitions, of more
    lanes, and keep more of them.
    """
    settings = replace(DEFAULTS[learner], restart=0.05)
    if settings.uses_rollouts:
        return settings
    return replace(settings, lanes=512, steps=4 * settings.steps, buffer=1 << 20)


def train_on_network(
    problem: SparesNetwork, settings: Settings, options: RunOptions, *, warm_start: Any = None
) -> TrainingResult:
    """Train on the one part of `problem`, evaluate the greedy orders exactly, solve beside it.

    Raises
    ------
    ValueError
        If the network is too large to be evaluated, has several parts or limits, or the settings
        or the start do not fit; before anything is trained.
    """
    check_trainable(problem)
    if settings.penalty is not None or settings.discount is not None:
        raise ValueError(
            "spares networks have a mask and a discount of their own; leave penalty and discount"
            " (or the preset) out."
        )
    start = own_values(warm_start, "a spares network")
    environment = NetworkEnvironment(problem)

    def judge(network: Network, parameters: Parameters) -> Verdict:
        plan = plan_of(environment, network, parameters)
        return Verdict(plan, Bounds(lower=plan.lower, upper=plan.upper))

    judged = train_and_judge(
        environment,
        settings,
        judge,
        centre=Centre.none,
        name=_name(problem),
        options=options,
        warm_start=start,
    )
    best = solve_part(problem, environment.part, SolveOptions(num_threads=1))
    return TrainingResult(
        model=problem,
        network=judged.network,
        settings=settings,
        view="sequential",
        seeds=judged.seeds,
        optimum=Bounds(lower=best.lower, upper=best.upper),
        exact=True,
        seconds=judged.seconds,
    )


def check_trainable(problem: SparesNetwork) -> None:
    """Raise unless `problem` is one part, without limits, that fits into tables."""
    if len(problem.parts) > 1:
        names = ", ".join(part.name for part in problem.parts)
        raise ValueError(f"{problem.name}: training takes one part at a time; got {names}.")
    limits = {"sla": problem.sla, "budget": problem.budget, "rolling": problem.rolling}
    for name, value in limits.items():
        if value is not None:
            raise ValueError(f"{problem.name}: training knows no {name}; leave it out.")
    states = largest_states(problem)
    if states > LARGEST:
        raise ValueError(
            f"{problem.name}: {states:,} states a period; a network's orders are evaluated up to"
            f" {LARGEST:,}."
        )


def _name(problem: SparesNetwork) -> str:
    """Return what tells runs on different problems apart: a digest of the case."""
    import json
    from hashlib import sha256

    from sparing.models.spares_network_files import spares_network_table

    named = replace(problem, name="spares-network")
    content = json.dumps(spares_network_table(named), sort_keys=True, default=str)
    return f"{problem.name} orders {sha256(content.encode()).hexdigest()[:16]}"
