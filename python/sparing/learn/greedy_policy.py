"""A trained network as a `Policy`, in the form that suits the model's size and features."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sparing.learn.epoch_environment import EpochEnvironment
from sparing.learn.features import OneHot
from sparing.learn.networks import Network, Parameters
from sparing.learn.policy import post_states, table_policy
from sparing.policies import CallbackPolicy, Policy


def greedy_policy(
    environment: EpochEnvironment, network: Network, parameters: Parameters, *, as_table: bool
) -> Policy:
    """Return the greedy policy: a table of all states, or the network itself.

    Rollouts run a network on one-hot features themselves; on other features JAX is asked.
    """
    if as_table:
        return table_policy(environment, network.apply, parameters)
    if isinstance(environment.encoder, OneHot):
        from sparing.learn.network_policy import NetworkPolicy

        return NetworkPolicy(environment, parameters, network.apply)

    def decide(stage: int, states: NDArray[np.int32]) -> NDArray[np.int32]:
        return post_states(
            environment, network.apply, parameters, states.astype(np.int64), stage=stage
        )

    return CallbackPolicy(decide)
