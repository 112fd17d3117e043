"""A network's choices on beliefs as a policy, and what they cost in simulated episodes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil, log, sqrt
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import ArrayLike, NDArray

from sparing.exact.policy_evaluation import Bounds
from sparing.learn.belief_environment import BeliefEnvironment
from sparing.learn.networks import Network, Parameters, cheapest

EPISODES = 20_480
MOST_PERIODS = 2_000_000  # of all episodes, where there is no end
LANES = 2_048  # episodes at a time
NEGLIGIBLE = 1e-6  # weight of what follows an episode without an end
FRESH_SEED = 1 << 20  # keys are also split in another way than those of training
NORMAL = 1.96  # thousands of episodes: Student's t is the normal distribution

Choose: TypeAlias = Callable[[jax.Array], jax.Array]


@dataclass(frozen=True, eq=False)
class BeliefNetworkPolicy:
    """The greedy choices of a network that sees beliefs."""

    environment: BeliefEnvironment
    network: Network
    parameters: Parameters

    def choose(self, states: jax.Array) -> jax.Array:
        """Return the choices [B] in states [B, W] of the environment."""
        mask = self.environment.mask(states)
        values = self.network.apply(self.parameters, self.environment.features(states), mask)
        return cheapest(values, mask)

    def act(self, beliefs: ArrayLike, period: int = 0) -> NDArray[np.int32]:
        """Return the option of each component, shape (batch, components), at beliefs.

        Parameters
        ----------
        beliefs
            Shape (batch, states of all components side by side).
        period
            Which period it is, if the horizon is finite.

        Raises
        ------
        ValueError
            If the shape or the period does not fit.
        """
        given = np.asarray(beliefs, dtype=np.float32)
        width, last = sum(self.environment.widths), self.environment.problem.periods
        if given.ndim != 2 or given.shape[1] != width:
            raise ValueError(f"beliefs must have shape (batch, {width}); got {given.shape}.")
        if last is not None and not 0 <= period < last:
            raise ValueError(f"period must be at least 0 and below {last}; got {period}.")
        states = self.environment.states_at(given, 0 if last is None else period)
        found = []
        for place, component in enumerate(self.environment.problem.components):
            chosen = self.choose(states)
            states = states.at[:, 0].set(place + 1).at[:, 2 + place].set(chosen)
            names = [self.environment.choices[k] for k in np.asarray(chosen)]
            found.append([component.options.index(name) for name in names])
        return np.array(found, dtype=np.int32).T.reshape(len(given), -1)


def simulated_costs(
    environment: BeliefEnvironment,
    choose: Choose,
    *,
    episodes: int = EPISODES,
    seed: int = FRESH_SEED,
) -> NDArray[np.float64]:
    """Return the discounted costs [episodes] of choices, from all new.

    An infinite horizon is cut where what follows has a weight of a millionth; fewer episodes are
    then simulated, so that they have two million periods in all.
    """
    problem = environment.problem
    periods = problem.periods or ceil(log(NEGLIGIBLE) / log(problem.discount))
    if problem.periods is None:
        episodes = max(256, min(episodes, MOST_PERIODS // periods))
    lanes = min(LANES, episodes)
    per_period = len(problem.components)

    def advance(carry: Any, key: jax.Array) -> tuple[Any, None]:
        states, weight, cost = carry
        found = environment.step(key, states, choose(states))
        return (found.states, weight * found.discount, cost + weight * found.cost), None

    @jax.jit
    def run(key: jax.Array) -> jax.Array:
        start = environment.initial(key, lanes), jnp.ones(lanes), jnp.zeros(lanes)
        keys = jax.random.split(jax.random.fold_in(key, 1), periods * per_period)
        return jax.lax.scan(advance, start, keys)[0][2]

    key = jax.random.key(seed)
    batches = range(-(-episodes // lanes))
    found = [np.asarray(run(jax.random.fold_in(key, n)), np.float64) for n in batches]
    return np.concatenate(found)[:episodes]


def interval(costs: NDArray[np.float64]) -> Bounds:
    """Return the 95 % confidence interval of the mean of independent costs."""
    half = NORMAL * float(costs.std(ddof=1)) / sqrt(len(costs))
    return Bounds(lower=float(costs.mean()) - half, upper=float(costs.mean()) + half)
