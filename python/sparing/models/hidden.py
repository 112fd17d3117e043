"""System 6: components whose degradation is hidden between inspections.

Each period, in this order: `downtime_cost` is paid if the structure is false at the true states;
nothing, repair or inspection is chosen for every component; the components degrade; each new state
is observed, after an inspection by the inspection's channel and otherwise only as failed or not.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from sparing._checks import Frozen, check_number, check_stochastic, frozen_array, read_only
from sparing.models.structure import Structure, parse_structure

MAX_COMPONENTS = 20
Numbers = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class HiddenComponent(Frozen):
    """One component: how it degrades, what can be done and what is seen.

    Parameters
    ----------
    name
        As the structure names it.
    transition
        Shape (states, states), rows sum to one: one period's degradation. State 0 is new and the
        last one is failed, which always shows.
    repair_cost, repair_success
        A repair costs this and makes the component new with that probability; otherwise it changes
        nothing. Cost None: it cannot be repaired.
    inspection_cost, observation
        An inspection costs this and shows the state after the period's degradation by
        ``observation`` of shape (states, observations). The last observation means failed: only
        the last state has it. Both None: it cannot be inspected.
    """

    name: str
    transition: Numbers
    repair_cost: float | None = None
    repair_success: float = 1.0
    inspection_cost: float | None = None
    observation: Numbers | None = None

    def __post_init__(self) -> None:
        transition = frozen_array("transition", self.transition)
        if transition.ndim != 2 or transition.shape[0] != transition.shape[1]:
            raise ValueError(f"transition must be square; got shape {transition.shape}.")
        if len(transition) < 2:
            raise ValueError("transition must have 2 states or more: new and failed.")
        check_stochastic("transition", transition)
        object.__setattr__(self, "transition", transition)
        if self.repair_cost is not None:
            check_number("repair cost", self.repair_cost, at_least=0.0)
        check_number("repair success", self.repair_success, at_least=0.0)
        if not self.repair_success <= 1.0:
            raise ValueError(f"repair success must be at most 1; got {self.repair_success:g}.")
        if (self.inspection_cost is None) != (self.observation is None):
            raise ValueError("inspection needs both a cost and an observation matrix.")
        if self.inspection_cost is not None:
            check_number("inspection cost", self.inspection_cost, at_least=0.0)
            self._check_observation()

    def _check_observation(self) -> None:
        states = self.num_states
        observation = frozen_array("observation", self.observation)  # type: ignore[arg-type]
        if observation.ndim != 2 or len(observation) != states or observation.shape[1] < 2:
            raise ValueError(
                f"observation must have {states} rows, one a state, and 2 columns or more; got"
                f" shape {observation.shape}."
            )
        check_stochastic("observation", observation)
        for i in np.flatnonzero(observation[:-1, -1] > 0.0)[:1]:
            raise ValueError(
                f"observation[{i}, {observation.shape[1] - 1}] must be 0, as the last observation"
                f" means failed and state {i} is not; got {observation[i, -1]:g}."
            )
        if not observation[-1, -1] == 1.0:
            raise ValueError(
                f"observation[{states - 1}, {observation.shape[1] - 1}] must be 1, as a failure"
                f" always shows; got {observation[-1, -1]:g}."
            )
        object.__setattr__(self, "observation", observation)

    @property
    def num_states(self) -> int:
        """States from new to failed."""
        return len(self.transition)

    @cached_property
    def options(self) -> tuple[str, ...]:
        """What can be done, in the order of the option numbers: nothing, repair, inspect."""
        repair = () if self.repair_cost is None else ("repair",)
        inspect = () if self.inspection_cost is None else ("inspect",)
        return ("nothing", *repair, *inspect)

    @cached_property
    def option_cost(self) -> Numbers:
        """Cost of each option, shape (options,)."""
        cost = {"nothing": 0.0, "repair": self.repair_cost, "inspect": self.inspection_cost}
        return read_only(np.array([cost[name] for name in self.options], dtype=np.float64))

    @cached_property
    def option_success(self) -> Numbers:
        """Chance that an option makes the component new, shape (options,)."""
        chances = [self.repair_success if name == "repair" else 0.0 for name in self.options]
        return read_only(np.array(chances))

    @cached_property
    def channel(self) -> Numbers:
        """Chance of each observation by option and new state: (options, states, observations).

        Without an inspection, observation 0 means not failed and the last one failed.
        """
        seen = 2 if self.observation is None else self.observation.shape[1]
        failed_or_not = np.zeros((self.num_states, seen))
        failed_or_not[:-1, 0] = 1.0
        failed_or_not[-1, -1] = 1.0
        tables = [self.observation if o == "inspect" else failed_or_not for o in self.options]
        return read_only(np.array(tables))


@dataclass(frozen=True, kw_only=True, eq=False)
class HiddenProblem(Frozen):
    """When to inspect and repair components whose degradation does not show; costs are minimised.

    Parameters
    ----------
    components
        All of them start new.
    structure
        When the system works, such as ``c1 & (c2 | c3)`` or ``2-of(c1, c2, c3)``.
    downtime_cost
        Per period that starts with the structure false.
    periods
        Length of the horizon; None: infinite, with a discount below 1.
    discount
        Weight of the next period's cost.
    """

    components: tuple[HiddenComponent, ...]
    structure: str
    downtime_cost: float = 0.0
    periods: int | None = None
    discount: float = 1.0
    name: str = "hidden-multi-component"

    def __post_init__(self) -> None:
        object.__setattr__(self, "components", tuple(self.components))
        if not 1 <= len(self.components) <= MAX_COMPONENTS:
            raise ValueError(
                f"components must be 1 to {MAX_COMPONENTS}; got {len(self.components)}."
            )
        names = [component.name for component in self.components]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"components: {name!r} is given twice.")
        _ = self.parsed_structure
        check_number("downtime_cost", self.downtime_cost, at_least=0.0)
        check_number("discount", self.discount)
        whole = isinstance(self.periods, int | np.integer) and not isinstance(self.periods, bool)
        if self.periods is not None and not (whole and self.periods >= 1):
            raise ValueError(
                f"periods must be a whole number, at least 1, or left out; got {self.periods!r}."
            )
        if not 0.0 < self.discount <= 1.0:
            raise ValueError(f"discount must be above 0 and at most 1; got {self.discount:g}.")
        if self.periods is None and self.discount == 1.0:
            raise ValueError(
                "discount must be below 1 where periods is left out (an infinite horizon); got 1."
            )

    @cached_property
    def parsed_structure(self) -> Structure:
        """The structure over the components' names."""
        return parse_structure(self.structure, [c.name for c in self.components])

    @cached_property
    def works(self) -> NDArray[np.bool_]:
        """Whether the system works, by whether each component does: shape (2,) * components."""
        names = [component.name for component in self.components]
        shape = (2,) * len(names)
        return np.array(np.broadcast_to(self.parsed_structure.works(names), shape))

    @property
    def num_joint_options(self) -> int:
        """Joint options of all components in a period."""
        return int(np.prod([len(c.options) for c in self.components], dtype=object))
