"""Quick estimates for the tuning of policies, all on the same luck.

`sparing.simulate` is the judge; this is the sketch pad. The chance of being down next is summed
in place of the event, which takes most of the noise away, and candidates share every draw.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from math import ceil, log

import numpy as np
from numpy.typing import NDArray

from sparing.large.crew_policies import CrewPolicy, LookaheadPolicy
from sparing.large.crew_system import CrewSystem

NEGLIGIBLE = 1e-4  # weight of what follows a discounted simulation


@dataclass(frozen=True, kw_only=True, eq=False)
class CrewSimulation:
    """How long and how often to simulate while tuning.

    Attributes
    ----------
    lanes, epochs, warm_up
        Of an average; a discounted total runs until what follows is negligible.
    seed
        The draws of lane l, epoch t and component i are the same for every policy.
    """

    system: CrewSystem
    lanes: int = 128
    epochs: int = 100
    warm_up: int = 20
    seed: int = 0
    num_threads: int = 0

    def objectives(self, policy: CrewPolicy) -> NDArray[np.float64]:
        """Return the objective [lanes] of a policy per lane."""
        weights = self._weights
        total = np.full(self.lanes, weights.sum() * self.system.constant)
        states = np.zeros((self.lanes, len(self.system.type_of)), dtype=np.int32)
        for weight, luck in zip(weights, self._luck(), strict=True):
            post = policy.decide(states, num_threads=self.num_threads)
            if weight > 0.0:
                total += weight * self.paid(states, post)
            states = self.worn(post, luck)
        return total

    def paid(self, states: NDArray[np.int32], post: NDArray[np.int32]) -> NDArray[np.float64]:
        """Return maintenance, set-up and the expected cost of being down next [B]."""
        down = self._judge.chance_down(post, num_threads=self.num_threads)
        return self.system.maintenance(states, post) + self.system.price * down

    def worn(self, post: NDArray[np.int32], luck: NDArray[np.float64]) -> NDArray[np.int32]:
        """Return the states [B, components] at the next inspection, from uniform draws."""
        states = np.empty_like(post)
        for members, reached in zip(self.system.members, self._reached, strict=True):
            drawn = luck[:, members, None] >= reached[post[:, members]]
            states[:, members] = drawn.sum(axis=2)
        return states

    @cached_property
    def _weights(self) -> NDArray[np.float64]:
        """What the cost of each epoch counts."""
        discount = self.system.discount
        if discount < 1.0:
            return np.power(discount, np.arange(ceil(log(NEGLIGIBLE) / log(discount))))
        return np.repeat([0.0, 1.0 / self.epochs], [self.warm_up, self.epochs])

    @cached_property
    def _reached(self) -> list[NDArray[np.float64]]:
        return [np.cumsum(kind.transition, axis=1)[:, :-1] for kind in self.system.kinds]

    @cached_property
    def _judge(self) -> LookaheadPolicy:
        return LookaheadPolicy(self.system, np.zeros(self.system.num_pairs), 1.0)

    def _luck(self) -> Iterator[NDArray[np.float64]]:
        rng = np.random.default_rng(self.seed)
        shape = self.lanes, len(self.system.type_of)
        return (rng.random(shape) for _ in self._weights)
