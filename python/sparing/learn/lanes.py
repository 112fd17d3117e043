"""Many copies of a process side by side, while a step is traced."""

from __future__ import annotations

from dataclasses import dataclass, field

import jax
import jax.numpy as jnp
import numpy as np

from sparing.forward import NEVER
from sparing.learn.flow import Place
from sparing.learn.lookups import Condition, select


@dataclass(eq=False)
class Lanes:
    """The state of all lanes as instructions change it.

    Attributes
    ----------
    pc
        Where each lane is in the code [B]; a plain number where all are at the same place.
    coords
        Per slot int32 [B].
    action
        int32 [B], used up by the choice at which a lane stands; None: nothing is chosen.
    fresh
        Whether the action is still to be used.
    weight
        float32 [B]: what a cost counts, which falls by the discount at the end of an epoch.
    words
        Random bits [draws, B], taken from the front.
    """

    pc: jax.Array | int
    coords: list[jax.Array]
    period: jax.Array | int
    action: jax.Array | None
    fresh: Condition
    words: jax.Array | None
    cost: jax.Array = field(init=False)
    duration: jax.Array = field(init=False)
    weight: jax.Array | float = 1.0
    ended: Condition = False
    used: int = 0

    def __post_init__(self) -> None:
        size = self.coords[0].shape[0]
        self.cost = jnp.zeros(size, dtype=jnp.float32)
        self.duration = jnp.zeros(size, dtype=jnp.float32)

    def at(self, pc: int) -> Condition:
        """Return which lanes are at `pc`; True or False if known of all."""
        if isinstance(self.pc, int):
            return self.pc == pc
        return self.pc == pc

    def go(self, condition: Condition, target: int | jax.Array) -> None:
        """Send the lanes of `condition` to `target`."""
        if condition is True:
            self.pc = target
        else:
            self.pc = jnp.where(condition, target, self.pc)

    def pay(self, condition: Condition, cost: jax.Array) -> None:
        """Charge `cost` [B]."""
        amount = cost if isinstance(self.weight, float) else self.weight * cost
        self.cost = self.cost + select(condition, amount, jnp.float32(0.0))

    def spend(self, condition: Condition, duration: jax.Array) -> None:
        """Let time pass."""
        self.duration = self.duration + select(condition, duration, jnp.float32(0.0))

    def draw(self, count: int) -> jax.Array:
        """Return the next `count` words [count, B] as draws, which are below `NEVER`."""
        assert self.words is not None
        words = self.words[self.used : self.used + count]
        self.used += count
        return jnp.minimum(words, jnp.uint32(NEVER - 1))

    def row(self, places: tuple[Place, ...]) -> jax.Array:
        """Return the flat index [B] of the coordinates of `places`, C order."""
        index = jnp.zeros_like(self.coords[0])
        for place in places:
            index = index * np.int32(place.size) + self.coords[place.slot]
        return index

    def stacked(self, slots: list[int]) -> jax.Array:
        """Return the coordinates of `slots` [N, B]."""
        return jnp.stack([self.coords[slot] for slot in slots])
