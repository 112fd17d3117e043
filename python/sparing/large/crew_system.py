"""A system of many components as the kernels of `sparing.large` see it: types, counts, groups."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from sparing import _core
from sparing.models.component import Component
from sparing.models.component_types import (
    component_places,
    component_types,
    structure_groups,
)
from sparing.models.multi_component import MultiComponentProblem


@dataclass(frozen=True, eq=False)
class CrewSystem:
    """A multi-component problem whose components count by type and state.

    Pairs are the (type, state), type by type: arrays "[pairs]" run over them.

    Raises
    ------
    ValueError
        If the problem has spares or random results, or names a component twice in its structure.
    """

    problem: MultiComponentProblem

    def __post_init__(self) -> None:
        refusal = refused(self.problem)
        if refusal is not None:
            raise ValueError(refusal)

    @cached_property
    def type_of(self) -> NDArray[np.int64]:
        """The type of each component."""
        return component_types(self.problem)

    @cached_property
    def members(self) -> list[NDArray[np.int32]]:
        """Per type the positions of its components."""
        return [
            np.flatnonzero(self.type_of == kind).astype(np.int32)
            for kind in range(int(self.type_of.max()) + 1)
        ]

    @cached_property
    def kinds(self) -> list[Component]:
        """Per type one of its components."""
        return [self.problem.components[members[0]] for members in self.members]

    @cached_property
    def offsets(self) -> NDArray[np.int64]:
        """Where the pairs of each type begin, and their number."""
        return np.cumsum([0, *(kind.num_states for kind in self.kinds)])

    @property
    def num_pairs(self) -> int:
        """Number of (type, state)."""
        return int(self.offsets[-1])

    @cached_property
    def costs(self) -> list[NDArray[np.float64]]:
        """Per type the cost [found, left] of maintenance in the objective; inf: not possible."""
        weights = self.problem.weights
        found = []
        for kind in self.kinds:
            cost = weights.get("maintenance", 0.0) * _finite(kind.maintenance_cost)
            for name, matrix in kind.criteria.items():
                cost = cost + weights.get(name, 0.0) * _finite(matrix)
            allowed = np.tril(np.isfinite(kind.maintenance_cost))
            found.append(np.ascontiguousarray(np.where(allowed, cost, np.inf)))
        return found

    @property
    def setup_cost(self) -> float:
        """What sending the crew adds to the objective."""
        return self.problem.weights.get("set-up", 0.0) * self.problem.setup_cost

    @property
    def discount(self) -> float:
        """Weight of the next inspection, 1 for a long-run average."""
        return self.problem.discount

    @property
    def price(self) -> float:
        """What it adds to the objective to be down at the next inspection, over being up."""
        weights = self.problem.weights
        downtime = weights.get("downtime", 0.0) * self.problem.downtime_cost
        return self.discount * downtime - weights.get("reliability", 0.0)

    @property
    def constant(self) -> float:
        """What every inspection adds to the objective: goals, and the reliability of being up."""
        problem = self.problem
        goals = sum(
            (1.0 if measure == "reliability" else -1.0) * goal.weight * goal.goal / goal.divisor
            for measure, goal in problem.goals.items()
        )
        return goals + problem.weights.get("reliability", 0.0)

    @cached_property
    def working(self) -> NDArray[np.float64]:
        """The chance [pairs] that a component left in a state works at the next inspection."""
        return np.concatenate([1.0 - kind.transition[:, kind.failed] for kind in self.kinds])

    @cached_property
    def working_later(self) -> NDArray[np.float64]:
        """The same at the inspection after the next, if nothing is done in between."""
        return np.concatenate(
            [1.0 - (kind.transition @ kind.transition)[:, kind.failed] for kind in self.kinds]
        )

    @cached_property
    def core(self) -> _core.CrewSystem:
        """The kernels' form."""
        groups = structure_groups(self.problem.parsed_structure)
        places = component_places(self.problem)
        number = {id(group): n for n, group in enumerate(groups)}
        names = self.problem.names
        held = [places[names[members[0]]] for members in self.members]
        return _core.CrewSystem(
            list(zip(self.members, self.costs, strict=True)),
            [
                (
                    group.required,
                    [kind for kind, place in enumerate(held) if n in place],
                    [number[id(part)] for part in group.parts if not part.component],
                )
                for n, group in enumerate(groups)
            ],
            self.setup_cost,
            self.problem.restore_when_down,
        )

    def pair_of(self, states: NDArray[np.int32]) -> NDArray[np.int64]:
        """Return the pair of each component in states [..., components]."""
        return self.offsets[self.type_of] + states

    def counts(self, states: NDArray[np.int32]) -> NDArray[np.float64]:
        """Return how many components of states [B, components] are in each pair, [B, pairs]."""
        flat = self.pair_of(states) + self.num_pairs * np.arange(len(states))[:, None]
        size = len(states) * self.num_pairs
        return np.bincount(flat.ravel(), minlength=size).reshape(len(states), -1) * 1.0

    def maintenance(
        self, states: NDArray[np.int32], post: NDArray[np.int32]
    ) -> NDArray[np.float64]:
        """Return what going from states to post [B, components] costs, set-up included."""
        paid = np.zeros(len(states))
        for members, cost in zip(self.members, self.costs, strict=True):
            paid += cost[states[:, members], post[:, members]].sum(axis=1)
        return paid + self.setup_cost * (states != post).any(axis=1)


def refused(problem: MultiComponentProblem) -> str | None:
    """Return why the rules of this room do not fit `problem`, or None if they do."""
    if problem.spares:
        return "rules for many components are for problems without spares."
    if problem.result != "chosen":
        return "rules for many components need result = 'chosen'; got 'uniform'."
    for name, places in component_places(problem).items():
        if len(places) > 1:
            return (
                "rules for many components need a structure that names each component once;"
                f" {name!r} stands in it {len(places)} times."
            )
    return None


def _finite(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(np.isfinite(matrix), matrix, 0.0)
