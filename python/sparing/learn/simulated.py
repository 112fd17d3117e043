"""What a network's greedy choices cost in the long run, by simulation in the environment."""

from __future__ import annotations

from math import ceil, log, sqrt
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from sparing.exact.policy_evaluation import Bounds
from sparing.large.fresh_rollouts import fresh_rollouts
from sparing.learn.environment import Environment
from sparing.learn.evaluation import Goal
from sparing.learn.networks import Network, Parameters, cheapest
from sparing.policies import Policy
from sparing.simulate.results import SimulationResult

LANES, EPOCHS, WARM_UP = 256, 1000, 200
FRESH_SEED = 1 << 20  # keys are also split in another way than those of training
NEGLIGIBLE = 1e-6  # weight of what follows a discounted simulation
STUDENT = 1.9693  # the .975 quantile of Student's t with 255 degrees of freedom


def rolled_out(goal: Goal, policy: Policy) -> SimulationResult:
    """Return what a policy costs in C++ rollouts, on draws that training has not seen.

    They are those on which `sparing.large` compares control limits with a lookahead.
    """
    return fresh_rollouts(goal.epoch, policy, weights=goal.costs, start=goal.initial)


def simulated_objective(
    environment: Environment, network: Network, parameters: Parameters, discount: float
) -> Bounds:
    """Return a 95 % confidence interval, on random numbers that training has not seen.

    Average cost (discount 1): each of `LANES` lanes runs `WARM_UP` epochs from the start and then
    `EPOCHS` more; its estimate is its cost by its duration. Discounted cost: the total from the
    start until what follows is negligible. Lanes are independent, so that Student's t applies.
    """
    average = discount == 1.0
    first = WARM_UP if average else 0
    last = first + EPOCHS if average else ceil(log(NEGLIGIBLE) / log(discount))

    def going(carry: Any) -> jax.Array:
        return jnp.any(carry[2] < last)

    def choose(carry: Any) -> Any:
        key, states, epochs, weight, cost, duration = carry
        key, part = jax.random.split(key)
        mask = environment.mask(states)
        values = network.apply(parameters, environment.features(states), mask)
        found = environment.step(part, states, cheapest(values, mask))
        counts = weight * ((epochs >= first) & (epochs < last))
        epochs = epochs + found.epoch_ended
        cost, duration = cost + counts * found.cost, duration + counts * found.duration
        if not average:
            weight = weight * found.discount
        return key, found.states, epochs, weight, cost, duration

    @jax.jit
    def run(seed: jax.Array) -> tuple[jax.Array, jax.Array]:
        key = jax.random.key(seed)
        states = environment.initial(jax.random.fold_in(key, 1), LANES)
        zero, none = jnp.zeros(LANES, jnp.float32), jnp.zeros(LANES, jnp.int32)
        start = key, states, none, zero + 1.0, zero, zero
        found = jax.lax.while_loop(going, choose, start)
        return found[4], found[5]

    cost, duration = (np.asarray(x, np.float64) for x in run(jnp.uint32(FRESH_SEED)))
    each = cost / duration if average else cost
    half = STUDENT * each.std(ddof=1) / sqrt(LANES)
    return Bounds(lower=float(each.mean() - half), upper=float(each.mean() + half))
