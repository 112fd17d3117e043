"""Features of many exchangeable components: how many of each type are in which state."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from sparing.learn.flow import Fork, Rows
from sparing.learn.interpreter import Interpreter
from sparing.learn.lookups import float32, lookup_each
from sparing.learn.process import Process
from sparing.models.component import Component
from sparing.models.component_types import component_types
from sparing.models.multi_component import MultiComponentProblem
from sparing.models.structure import Structure

EXACT_PARTS = 16  # up to which the number of working parts has its exact distribution


class TypedCounts:
    """Counts of components by type, state and whether they are decided, and reliability margins.

    Components are of one type if wear, costs and place in the structure are the same. Columns:
    the sort of choice; type and state of the component that is decided now; the share of each
    type in each state, decided and still to be decided apart; and per node of the structure how
    many parts work beyond those required, whether it works, the chance that it works after the
    wear, and how many standard deviations that is from failing.
    """

    bounds = (-2.0, 2.0)

    def __init__(self, process: Process, interpreter: Interpreter) -> None:
        problem = process.model
        if not isinstance(problem, MultiComponentProblem) or problem.spares:
            raise ValueError(
                "features = 'typed-counts' needs a multi-component problem without spares; use"
                " 'one-hot'."
            )
        if problem.result != "chosen":
            raise ValueError("features = 'typed-counts' needs result = 'chosen'; use 'one-hot'.")
        self.structure, self.names = problem.parsed_structure, problem.names
        components = problem.components
        self.slots = [interpreter.flow.slots[name] for name in self.names]
        self.num_states = max(c.num_states for c in components)
        self.type_of = component_types(problem)
        num_types = int(self.type_of.max()) + 1
        self._number_points(interpreter)
        self.working = self._table([_working(c) for c in components])
        self.survival = self._table([1.0 - c.transition[:, c.failed] for c in components])
        # share[n, s, t * S + s]: one of its type's components
        sizes = np.bincount(self.type_of)
        share = np.zeros((len(components), self.num_states, num_types, self.num_states))
        for n, kind in enumerate(self.type_of):
            share[n, :, kind] = np.eye(self.num_states) / sizes[kind]
        width = num_types * self.num_states
        self.share = float32(share.reshape(-1, width))
        self.size = int(self.sort.max()) + 1 + 3 * width + 4 * _num_inner(self.structure)

    def _number_points(self, interpreter: Interpreter) -> None:
        """Find per point the component that is decided (-1: none) and the sort of choice."""
        code = interpreter.flow.code
        component, sorts = list[int](), list[tuple[str, int]]()
        targets = [t for step in code if isinstance(step, Fork) for t in step.targets]
        for point in interpreter.points:
            step = code[point.pc]
            if isinstance(step, Rows):
                component.append(self.slots.index(step.writes[0].slot))
                begun = max((target for target in targets if target <= point.pc), default=-1)
                sorts.append(("alternative", begun))
            else:
                component.append(-1)
                sorts.append(("fork", point.pc))
        numbers = {sort: number for number, sort in enumerate(dict.fromkeys(sorts))}
        self.component = np.array(component, dtype=np.int32)
        self.sort = np.array([numbers[sort] for sort in sorts], dtype=np.int32)

    def _table(self, rows: list[NDArray[np.float64]]) -> NDArray[np.float32]:
        table = np.zeros((len(rows), self.num_states))
        for n, row in enumerate(rows):
            table[n, : row.size] = row
        return float32(table)

    def __call__(self, point: jax.Array, period: jax.Array, coords: list[jax.Array]) -> jax.Array:
        """Return float32 [B, size]."""
        found = jnp.stack([coords[slot] for slot in self.slots])  # [N, B]
        component, sort = jnp.asarray(self.component)[point], jnp.asarray(self.sort)[point]
        one_hot = (found.T[:, :, None] == np.arange(self.num_states)).astype(jnp.float32)
        number = np.arange(len(self.slots))
        decided = number < component[:, None]  # [B, N]; a crew not sent yet has decided nothing
        now = number == component[:, None]
        kinds = jnp.asarray((self.type_of[:, None] == np.unique(self.type_of)).astype(np.float32))
        state = (one_hot * now[:, :, None]).sum(axis=1)  # [B, S]
        kind = now.astype(jnp.float32) @ kinds  # [B, T]
        shares = [
            (one_hot * part[:, :, None]).reshape(len(point), -1) @ jnp.asarray(self.share)
            for part in (decided, ~decided)
        ]
        working, survival = lookup_each(self.working, found), lookup_each(self.survival, found)
        margins: list[jax.Array] = []
        self._margins(self.structure, working, survival, margins)
        return jnp.concatenate(
            [
                (sort[:, None] == np.arange(int(self.sort.max()) + 1)).astype(jnp.float32),
                (kind[:, :, None] * state[:, None, :]).reshape(len(point), -1),
                *shares,
                jnp.stack(margins, axis=1) if margins else jnp.zeros((len(point), 0)),
            ],
            axis=1,
        )

    def _margins(
        self,
        structure: Structure,
        working: jax.Array,
        survival: jax.Array,
        margins: list[jax.Array],
    ) -> tuple[jax.Array, jax.Array]:
        """Append the margins of all nodes; return whether this one works, and will [B]."""
        if structure.component:
            n = self.names.index(structure.component)
            return working[n], survival[n]
        parts = [self._margins(part, working, survival, margins) for part in structure.parts]
        up, chance = (jnp.stack([part[i] for part in parts]) for i in (0, 1))
        size, required = len(parts), structure.required
        spread = jnp.sqrt((chance * (1.0 - chance)).sum(axis=0) + 0.05)
        distance = (chance.sum(axis=0) - required + 0.5) / spread
        works = (up.sum(axis=0) >= required).astype(jnp.float32)
        if size <= EXACT_PARTS:
            will = _at_least(chance, required)
        else:
            will = jax.scipy.stats.norm.cdf(distance)
        margins += [
            (up.sum(axis=0) - required) / size,
            works,
            will,
            jnp.clip(distance / 2.0, -2.0, 2.0),
        ]
        return works, will


def _at_least(chance: jax.Array, required: int) -> jax.Array:
    """Return the probability [B] that `required` or more of independent parts [N, B] work."""
    counts = jnp.zeros((len(chance) + 1, chance.shape[1]), jnp.float32).at[0].set(1.0)
    for p in chance:
        one_more = jnp.concatenate([jnp.zeros_like(counts[:1]), counts[:-1]])
        counts = counts * (1.0 - p) + one_more * p
    return counts[required:].sum(axis=0)


def _working(component: Component) -> NDArray[np.float64]:
    works = np.arange(component.num_states) != component.failed
    return np.asarray(works, dtype=np.float64)


def _num_inner(structure: Structure) -> int:
    if structure.component:
        return 0
    return 1 + sum(_num_inner(part) for part in structure.parts)
