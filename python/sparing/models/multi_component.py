"""System 1: condition-based maintenance of a multi-component system (Jimenez Gonzalez 2021).

At every inspection the component states are seen, downtime is paid if the structure is down, a
post-maintenance vector is decided, and each component degrades by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from math import prod
from types import MappingProxyType
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sparing._checks import Frozen, check_number, is_number
from sparing.epoch import Axis, Chance, Cost, Epoch, Node
from sparing.models.component import COST_KINDS, Component
from sparing.models.goal import Goal
from sparing.models.spare import SparePart
from sparing.models.structure import Structure, parse_structure
from sparing.models.structure_nodes import LARGEST_TABLE, counted_structure_cost

__all__ = ["COST_KINDS", "Component", "Goal", "MultiComponentProblem"]


@dataclass(frozen=True, kw_only=True, eq=False)
class MultiComponentProblem(Frozen):
    """When to maintain which components, and how far.

    Parameters
    ----------
    components
        Their states are the axes, in this order.
    structure
        When the system works, e.g. ``"c1 & (c2 | c3)"``.
    setup_cost, downtime_cost
        Paid once if anything is maintained, and per inspection that finds the system down.
    criterion, discount
        ``"average"`` cost per inspection, or ``"discounted"`` with a discount below 1.
    goals
        Per measure ("reliability", "cost" or a kind of cost) a `Goal`; empty: plain cost.
    result
        ``"chosen"``: maintenance reaches the state decided; ``"uniform"``: one only decides
        whether to maintain, and the result is uniform on 0..s-1 (a failed unit's result is 0).
    restore_when_down
        Whether a failed unit must not be left failed while the structure is down.
    spares
        Types of spare parts that replacements draw on; their stocks are further axes, behind the
        components. Empty: every replacement finds what it needs.
    """

    components: tuple[Component, ...]
    structure: str
    setup_cost: float = 0.0
    downtime_cost: float = 0.0
    criterion: Literal["average", "discounted"] = "average"
    discount: float = 1.0
    goals: Mapping[str, Goal] = field(default_factory=dict)
    result: Literal["chosen", "uniform"] = "chosen"
    restore_when_down: bool = False
    spares: tuple[SparePart, ...] = ()
    name: str = "multi-component"

    def __post_init__(self) -> None:
        object.__setattr__(self, "components", tuple(self.components))
        if not self.components:
            raise ValueError("a system needs at least one component.")
        for name in self.names:
            if self.names.count(name) > 1:
                raise ValueError(f"component {name!r} is defined twice.")
        check_number("setup_cost", self.setup_cost, at_least=0.0)
        check_number("downtime_cost", self.downtime_cost, at_least=0.0)
        self.parsed_structure  # noqa: B018 - parsed now, so that a wrong one cannot exist
        if self.criterion not in ("average", "discounted"):
            raise ValueError(
                f"criterion must be 'average' or 'discounted'; got {self.criterion!r}."
            )
        self._check_discount()
        self._check_result()
        object.__setattr__(self, "goals", MappingProxyType(dict(self.goals)))
        object.__setattr__(self, "spares", tuple(self.spares))
        if self.spares:
            from sparing.models.spare_checks import check_spares

            check_spares(self)
        known = {"cost", "reliability", *self.cost_kinds, *self.own_kinds, *self.count_kinds}
        for measure in self.goals:
            if measure not in known:
                raise ValueError(f"objective: unknown measure {measure!r}; known: {sorted(known)}.")

    def _check_discount(self) -> None:
        if self.criterion == "discounted":
            if not (is_number(self.discount) and 0.0 < self.discount < 1.0):
                raise ValueError(
                    "discount must be above 0 and below 1 for a discounted objective;"
                    f" got {self.discount!r}."
                )
        elif not (is_number(self.discount) and self.discount == 1.0):
            raise ValueError(
                f"an average objective has no discount; got {self.discount!r}. Use criterion ="
                " 'discounted' for one."
            )

    def _check_result(self) -> None:
        if self.result not in ("chosen", "uniform"):
            raise ValueError(f"result must be 'chosen' or 'uniform'; got {self.result!r}.")
        if not isinstance(self.restore_when_down, bool):
            raise ValueError(
                f"restore_when_down must be true or false; got {self.restore_when_down!r}."
            )
        if self.result == "uniform":
            if self.restore_when_down:
                raise ValueError("restore_when_down needs result = 'chosen'; got 'uniform'.")
            self.nodes_maintained()  # refuses costs of inf that a random result may reach
        for component in self.components if self.restore_when_down else ():
            if np.isinf(component.maintenance_cost[component.failed, : component.failed]).all():
                raise ValueError(
                    f"component {component.name!r}: restore_when_down needs a finite"
                    f" maintenance_cost out of its failed state {component.failed}."
                )

    @property
    def names(self) -> list[str]:
        """Names of the components."""
        return [component.name for component in self.components]

    @property
    def own_kinds(self) -> list[str]:
        """The kinds of cost that components bring along."""
        return list(dict.fromkeys(kind for c in self.components for kind in c.criteria))

    @property
    def cost_kinds(self) -> tuple[str, ...]:
        """The kinds of cost that the measure "cost" adds up."""
        if not self.spares:
            return COST_KINDS
        bought = any(spare.emergency_cost is not None for spare in self.spares)
        return (*COST_KINDS, "holding", "order", *(["emergency"] if bought else []))

    @property
    def count_kinds(self) -> tuple[str, ...]:
        """The counts per inspection of each spare type: orders, emergency units, on hand."""
        return tuple(kind for spare in self.spares for kind in spare.count_kinds)

    def spare_of(self, component: Component) -> SparePart | None:
        """Return the type of spare that a replacement of `component` takes, if any."""
        return next((s for s in self.spares if component.name in s.used_by), None)

    @cached_property
    def parsed_structure(self) -> Structure:
        """The structure as a tree."""
        return parse_structure(self.structure, self.names)

    @cached_property
    def works(self) -> NDArray[np.bool_]:
        """Whether the system works, shape (2,) * N by component (0 down, 1 up)."""
        return np.broadcast_to(self.parsed_structure.works(self.names), (2,) * len(self.names))

    @property
    def num_states(self) -> int:
        """Number of states at an inspection."""
        return prod(c.num_states for c in self.components) * prod(
            len(spare.found) for spare in self.spares
        )

    @property
    def initial_state(self) -> tuple[int, ...]:
        """All components new, the initial stocks on hand, nothing on order."""
        return (*(0,) * len(self.components), *(spare.initial for spare in self.spares))

    @property
    def measures(self) -> dict[str, dict[str, float]]:
        """The measures that results state, each as weights of kinds of cost."""
        cost = dict.fromkeys(self.cost_kinds, 1.0)
        single = [*self.own_kinds, *(self.cost_kinds if self.spares else ()), *self.count_kinds]
        own = {kind: {kind: 1.0} for kind in single}
        return {"cost_rate": cost, "reliability": {"reliability": 1.0}, **own}

    @property
    def weights(self) -> dict[str, float]:
        """Weights of the kinds of cost in the objective, which is minimised.

        With goals it is minus the reward of eq. (21)-(23): sum over costs of
        weight (x - goal) / scale less that of the reliability.
        """
        if not self.goals:
            return dict.fromkeys(self.cost_kinds, 1.0)
        weights = {"goal": 1.0}
        for measure, goal in self.goals.items():
            sign = -1.0 if measure == "reliability" else 1.0
            for kind in self.cost_kinds if measure == "cost" else (measure,):
                weights[kind] = weights.get(kind, 0.0) + sign * goal.weight / goal.divisor
        return weights

    @cached_property
    def epoch(self) -> Epoch:
        """The problem as a list of nodes."""
        return Epoch(
            axes=[
                *(Axis(c.name, c.num_states) for c in self.components),
                *(spare.axis for spare in self.spares),
            ],
            nodes=[
                *self.nodes_found(),
                *self.nodes_maintained(),
                *self.nodes_stocked(),
                *self.nodes_degraded(),
            ],
            discount=self.discount if self.criterion == "discounted" else 1.0,
        )

    @property
    def up_groups(self) -> dict[str, NDArray[np.int64]]:
        """Per component 1 for the states in which it works, 0 for the failed one."""
        return {c.name: np.array([1] * c.failed + [0], dtype=np.int64) for c in self.components}

    def _structure_cost(self, up: float, down: float, kind: str) -> list[Node]:
        if len(self.names) > LARGEST_TABLE:
            return counted_structure_cost(self.parsed_structure, self.up_groups, up, down, kind)
        values = np.where(self.works, up, down)
        return [Cost(self.names, values, kind, groups=self.up_groups, name=kind)]

    def nodes_found(self) -> list[Node]:
        """Return what is paid for what an inspection finds."""
        constant = -sum(
            (-1.0 if measure == "reliability" else 1.0) * goal.weight * goal.goal / goal.divisor
            for measure, goal in self.goals.items()
        )
        goal = [Cost((), constant, "goal")] if self.goals else []
        return [*goal, *self._structure_cost(0.0, self.downtime_cost, "downtime")]

    def nodes_maintained(self) -> list[Node]:
        """Return the decision on maintenance."""
        from sparing.models.maintenance_nodes import maintenance_nodes

        return maintenance_nodes(self)

    def nodes_stocked(self) -> list[Node]:
        """Return an order per spare, then arrivals and holding costs."""
        from sparing.models.spare_nodes import order_node, stock_nodes

        orders = [order_node(spare) for spare in self.spares]
        return [*orders, *(node for spare in self.spares for node in stock_nodes(spare))]

    def nodes_degraded(self) -> list[Node]:
        """Return the wear up to the next inspection."""
        wear: list[Node] = [
            Chance(c.name, c.transition, name=f"wear {c.name}") for c in self.components
        ]
        return [*wear, *self._structure_cost(1.0, 0.0, "reliability")]
