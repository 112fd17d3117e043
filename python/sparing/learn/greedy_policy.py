"""A trained network as a `Policy`, in the form that suits the model's size."""

from __future__ import annotations

from sparing.learn.epoch_environment import EpochEnvironment
from sparing.learn.networks import Network, Parameters
from sparing.learn.policy import table_policy
from sparing.policies import Policy


def greedy_policy(
    environment: EpochEnvironment, network: Network, parameters: Parameters, *, as_table: bool
) -> Policy:
    """Return the greedy policy: a table of all states, or the network, which rollouts run."""
    if as_table:
        return table_policy(environment, network.apply, parameters)
    from sparing.learn.network_policy import NetworkPolicy

    return NetworkPolicy(environment, parameters, network.apply)
