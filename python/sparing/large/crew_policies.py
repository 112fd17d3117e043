"""Policies for systems of many components, which the C++ rollouts run themselves."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sparing import _core
from sparing._checks import frozen_array
from sparing.epoch import Epoch
from sparing.large.crew_system import CrewSystem
from sparing.stages import check_states, stage_ends, thread_count

PARALLEL = 1 << 12  # component states from which several threads decide


@dataclass(frozen=True, eq=False)
class CrewPolicy(ABC):
    """What the policies of this room share: they decide for all components at once."""

    system: CrewSystem

    @property
    @abstractmethod
    def rule(self) -> _core.CrewRule:
        """The kernel that decides."""

    def action(self, state: ArrayLike, *, stage: int = 0) -> NDArray[np.int32]:
        """Return the post-decision state of `state` [components], or those of [B, components]."""
        start, _ = stage_ends(self.system.problem.epoch, stage)
        return self.decide(check_states(state, start).astype(np.int32))

    def decide(self, states: NDArray[np.int32], *, num_threads: int = 0) -> NDArray[np.int32]:
        """Return `action` of states that are known to be in range."""
        post = np.empty_like(states)
        threads = thread_count(num_threads) if states.size >= PARALLEL else 1
        self.rule.decide(np.ascontiguousarray(states), post, threads)
        return post

    def hand_over(self, plan: _core.RolloutPlan, epoch: Epoch) -> None:
        """Give a rollout's plan the kernel that decides."""
        if epoch is not self.system.problem.epoch:
            raise ValueError("the policy was made for another problem's epoch.")
        plan.use_rule(self.rule)


@dataclass(frozen=True, eq=False)
class CrewLimits(CrewPolicy):
    """Control limits with a call: per type a limit to renew at and one to call the crew at.

    The crew is sent if `callers` components or more are at or beyond their type's `call`, if the
    system is down, or if a component must not stay as it is. It renews the components at or
    beyond their type's `renew`. With ``call = renew`` and one caller these are plain control
    limits; ``renew < call`` are preventive limits with opportunistic ones (van der Duyn Schouten
    & Vanneste 1990).

    Parameters
    ----------
    renew, call
        Per type a state in 1..m + 1; m + 1 (beyond failed) stands for never.
    callers
        At least 1.

    Raises
    ------
    ValueError
        If a limit is out of range, or some state from a limit on cannot be renewed.
    """

    renew: tuple[int, ...]
    call: tuple[int, ...]
    callers: int = 1

    def __post_init__(self) -> None:
        kinds = self.system.kinds
        for name, limits in (("renew", self.renew), ("call", self.call)):
            if len(limits) != len(kinds):
                raise ValueError(
                    f"{name} needs a limit per type of component, {len(kinds)}; got {limits}."
                )
            for kind, cost, limit in zip(kinds, self.system.costs, limits, strict=True):
                if not (isinstance(limit, int) and 1 <= limit <= kind.num_states):
                    raise ValueError(
                        f"{name}: the limit of the type of {kind.name!r} must be in"
                        f" 1..{kind.num_states}; got {limit!r}."
                    )
                must = np.isinf(np.diag(cost))
                must[kind.failed] |= self.system.problem.restore_when_down
                must[limit:] = True
                for state in np.flatnonzero(must & np.isinf(cost[:, 0]))[:1]:
                    raise ValueError(
                        f"{name}: the type of {kind.name!r} cannot be renewed from state {state},"
                        f" as its maintenance_cost[{state}, 0] is inf."
                    )
        if not (isinstance(self.callers, int) and self.callers >= 1):
            raise ValueError(f"callers must be a whole number of 1 or more; got {self.callers!r}.")

    @cached_property
    def rule(self) -> _core.CrewRule:
        """The kernel that decides."""
        return _core.LimitRule(self.system.core, self.renew, self.call, self.callers)

    def __str__(self) -> str:
        """Put the limits in words."""
        renew, call = (
            ", ".join(
                "never" if limit == kind.num_states else str(limit)
                for kind, limit in zip(self.system.kinds, limits, strict=True)
            )
            for limits in (self.renew, self.call)
        )
        text = f"control limits {renew}"
        if self.call != self.renew or self.callers > 1:
            text += f"; crew called by {self.callers} at or beyond {call}"
        return text


@dataclass(frozen=True, eq=False)
class LookaheadPolicy(CrewPolicy):
    """One step ahead exactly, beyond it by a value per type and state.

    It goes to a state x of low set-up + maintenance + sum of value[type, state left] +
    price P(down at the next inspection | x) + later_price P(down at the one after, if nothing is
    done | x). The chances are exact (Poisson-binomial, group by group of the structure).

    Parameters
    ----------
    value
        Shape [pairs], as in `CrewSystem`: what follows the next inspection, per component.
    price, later_price
        Of being down, at least 0.
    """

    value: NDArray[np.float64]
    price: float
    later_price: float = 0.0

    def __post_init__(self) -> None:
        shape = (self.system.num_pairs,)
        object.__setattr__(self, "value", frozen_array("value", self.value, shape=shape))
        if not np.isfinite(self.value).all():
            raise ValueError("value must be finite.")
        for name in ("price", "later_price"):
            if not 0.0 <= getattr(self, name) < np.inf:
                raise ValueError(f"{name} must be at least 0; got {getattr(self, name)}.")

    @cached_property
    def rule(self) -> _core.LookaheadRule:
        """The kernel that decides."""
        outlooks = [(self.price, self.system.working)]
        if self.later_price > 0.0:
            outlooks.append((self.later_price, self.system.working_later))
        return _core.LookaheadRule(self.system.core, self.value, outlooks)

    def chance_down(self, post: NDArray[np.int32], *, num_threads: int = 0) -> NDArray[np.float64]:
        """Return P(down at the next inspection) [B] of post-decision states [B, components]."""
        down = np.empty(len(post))
        threads = thread_count(num_threads) if post.size >= PARALLEL else 1
        self.rule.chance_down(np.ascontiguousarray(post), down, threads)
        return down
