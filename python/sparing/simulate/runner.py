"""Hand an epoch, a policy and a range of epochs to the kernels."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from math import prod
from typing import NoReturn, Protocol, TypeAlias, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from sparing import _core
from sparing.epoch import Epoch
from sparing.policies import CallbackPolicy, Policy, RowPolicy, TablePolicy
from sparing.randomised_policy import RandomisedPolicy
from sparing.stages import (
    describe,
    flat_states,
    make_plan,
    raise_no_path,
    stage_signature,
    unflatten_states,
)

Trouble: TypeAlias = tuple[int, int, int, int, list[int], list[int]]
_RESOLVED_STATES = 1 << 20  # up to here stages are resolved for every state in advance
_CALLBACK_LANES = 1 << 16
_LANES = 128
_NETWORK_LANES = 512  # of which few may ask the network at a node
_POLICY_STREAM = 0x706F6C  # keeps the draws of a randomised policy apart from nature's


@runtime_checkable
class HandedOver(Protocol):
    """A policy that the kernels run themselves, such as a network."""

    def hand_over(self, plan: _core.RolloutPlan, epoch: Epoch) -> None:
        """Give `plan`, which is one of `epoch`, all that it needs."""


class Runner:
    """Advances all replications over ranges of epochs; plans are made once per period."""

    def __init__(
        self,
        epochs: tuple[Epoch, ...],
        policies: tuple[Policy, ...],
        weights: Mapping[str, float],
        seed: int,
        num_threads: int,
        lanes: int | None = None,
        kernel: str = "widest",
    ) -> None:
        self.epochs, self.policies = epochs, policies
        self.weights, self.kinds = weights, [*weights]
        self.seed, self.num_threads = seed, num_threads
        self.lanes = lanes  # None: by the policy; no result depends on it
        self.kernel = kernel  # "general", or for small epochs "baseline", "avx2", "avx512"
        self._plans: dict[tuple[int, int], _core.RolloutPlan] = {}

    def advance(
        self,
        states: NDArray[np.int32],
        totals: NDArray[np.float64] | None,
        first: int,
        last: int,
        *,
        weigh: bool = True,
    ) -> NDArray[np.int32]:
        """Return the states behind epochs [first, last), adding to totals [R, kinds] if given.

        `states` may be overwritten.
        """
        if len(self.epochs) == 1:
            return self._run(states, totals, 0, first, last, weigh)
        for period in range(first, last):
            states = self._run(states, totals, period, period, period + 1, weigh)
        return states

    def _run(
        self,
        states: NDArray[np.int32],
        totals: NDArray[np.float64] | None,
        period: int,
        first: int,
        last: int,
        weigh: bool,
    ) -> NDArray[np.int32]:
        epoch, policy = self.epochs[period], self.policies[min(period, len(self.policies) - 1)]
        key = id(epoch), id(policy)
        if key not in self._plans:
            self._plans[key] = _plan(epoch, policy, self.weights, self.num_threads, self.seed)
        sums = (
            np.zeros((len(states), len(epoch.kinds)))
            if totals is None
            else (np.ascontiguousarray(totals[:, [self.kinds.index(k) for k in epoch.kinds]]))
        )
        callback = not isinstance(policy, TablePolicy | RowPolicy | HandedOver)
        trouble = self._plans[key].run(
            states,
            sums,
            self.seed,
            first,
            last - first,
            0,
            self._epoch_weights(first, last) if weigh else np.empty(0),
            totals is not None,
            _CALLBACK_LANES if callback else self._lanes(policy, len(states)),
            1 if callback else self.num_threads,
            self.kernel,
        )
        if trouble is not None:
            _raise(epoch, policy, trouble)
        if totals is not None:
            totals[:, [self.kinds.index(k) for k in epoch.kinds]] = sums
        return states

    def _lanes(self, policy: Policy, replications: int) -> int:
        """Return the lanes of a block, few enough for every thread to have one."""
        if self.lanes is not None:
            return self.lanes
        if not isinstance(policy, HandedOver):
            return _LANES
        return max(1, min(_NETWORK_LANES, -(-replications // self.num_threads)))

    def _epoch_weights(self, first: int, last: int) -> NDArray[np.float64]:
        discounts = np.array([epoch.discount for epoch in self.epochs])
        if (discounts == 1.0).all():
            return np.empty(0)
        if len(discounts) == 1:
            return np.asarray(np.power(discounts[0], np.arange(first, last)))
        return np.cumprod(np.concatenate([[1.0], discounts]))[first:last]


def _plan(
    epoch: Epoch, policy: Policy, weights: Mapping[str, float], num_threads: int, seed: int
) -> _core.RolloutPlan:
    plan = make_plan(epoch, {kind: weights[kind] for kind in epoch.kinds})
    if isinstance(policy, TablePolicy):
        if stage_signature(policy.epoch) != stage_signature(epoch):
            raise ValueError("the policy is a table for the stages of another epoch.")
        plan.use_tables(policy.stages, _is_small(epoch), num_threads)
    elif isinstance(policy, RowPolicy):
        if policy.epoch is not epoch:
            raise ValueError("the policy holds rows for the Decisions of another epoch.")
        plan.use_rules(policy.thresholds())
    elif isinstance(policy, HandedOver):
        policy.hand_over(plan, epoch)
    else:
        known = policy if isinstance(policy, CallbackPolicy) else _as_callback(policy, seed)
        plan.use_callback(partial(known.post_states, epoch))
    return plan


def _as_callback(policy: Policy, seed: int) -> CallbackPolicy:
    if isinstance(policy, RandomisedPolicy):
        rng = np.random.default_rng(np.random.SeedSequence([seed, _POLICY_STREAM]))
        return CallbackPolicy(lambda stage, states: policy.draw(states, rng, stage=stage))
    return CallbackPolicy(lambda stage, states: policy.action(states, stage=stage))


def _is_small(epoch: Epoch) -> bool:
    """Whether each stage can be resolved for every state, and finds missing paths by NaN costs."""
    sizes = [prod(a.size for a in epoch.layouts[first]) for first, _ in epoch.stages]
    return bool(epoch.kinds) and sum(sizes) <= _RESOLVED_STATES


def _raise(epoch: Epoch, policy: Policy, trouble: Trouble) -> NoReturn:
    replication, time, first, last, state, goal = trouble
    start, end = epoch.layouts[first], epoch.layouts[last]
    flat = -1
    if isinstance(policy, TablePolicy) and not goal:
        flat = int(policy.stages[epoch.stages.index((first, last))][flat_states(state, start)])
        goal = unflatten_states(flat, end).tolist()
    where = f"replication {replication}, epoch {time}"
    if end and not goal:
        label = epoch.nodes[first].label
        raise ValueError(f"{where}, {label}: state {describe(state, start)} allows nothing.")
    try:
        raise_no_path(start, state, end, goal, flat)
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from None
