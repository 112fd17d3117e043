"""A trained network as a policy for models too large for a table of their states."""

from __future__ import annotations

from functools import partial
from typing import Any

import jax
import numpy as np
from numpy.typing import NDArray

from sparing.learn.epoch_environment import EpochEnvironment
from sparing.learn.networks import Network, Parameters
from sparing.learn.policy import _decide
from sparing.policies import CallbackPolicy


def network_policy(
    environment: EpochEnvironment, network: Network, parameters: Parameters
) -> CallbackPolicy:
    """Return the greedy policy of a network: the lowest allowed value at every choice met."""
    flow = environment.interpreter.flow
    segment = flow.segments[flow.segment_of[0]]
    stages = [
        jax.jit(partial(_decide, environment, network.apply, segment, stage, 0))
        for stage in segment.epoch.stages
    ]
    held = jax.tree_util.tree_map(jax.numpy.asarray, parameters)

    def decide(stage: int, states: NDArray[np.int32]) -> NDArray[np.integer[Any]]:
        size = 1 << max(0, len(states) - 1).bit_length()  # few sizes, so few compilations
        padded = np.concatenate([states, np.repeat(states[:1], size - len(states), axis=0)])
        columns = [jax.numpy.asarray(column) for column in padded.T]
        found = stages[stage](held, columns)
        return np.stack([np.asarray(column) for column in found], axis=1)[: len(states)]

    return CallbackPolicy(decide)
