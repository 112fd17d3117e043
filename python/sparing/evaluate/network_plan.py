"""The optimal plan of a spares network: per part and period one table of what to order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sparing.exact.engine import check_memory
from sparing.exact.finite_horizon import FiniteHorizonSolution, finite_horizon
from sparing.exact.progress import Parts, ProgressHook
from sparing.lowering import Real
from sparing.models.network_nodes import NetworkNodes
from sparing.models.spares_network import Part, SparesNetwork
from sparing.policies import TablePolicy
from sparing.stages import check_states

LARGEST_TABLE = 2**32  # post-decision states that a policy can number


@dataclass(frozen=True, kw_only=True)
class SolveOptions:
    """How a network is solved.

    Parameters
    ----------
    dtype
        float64 or float32: the numbers that are swept. float32 halves the memory, and the bounds
        are widened by the rounding it can hide.
    num_threads
        0: one per processor. The result is the same for any number.
    policy_dir
        Where the tables are streamed to, a folder per part; None: they are kept in memory.
    checkpoint_dir
        Where the value is saved between periods; given again, a solve goes on from there.
    """

    dtype: Real = np.float64
    num_threads: int = 0
    policy_dir: Path | None = None
    checkpoint_dir: Path | None = None


def in_memory(options: SolveOptions) -> SolveOptions:
    """Return the options for one solve of many: nothing goes to disk."""
    return replace(options, policy_dir=None, checkpoint_dir=None)


@dataclass(frozen=True, kw_only=True, eq=False)
class PartPlan:
    """What to order of one part.

    Parameters
    ----------
    nodes
        The part's nodes, which know its axes.
    lower, upper
        Bounds of the objective from the initial state.
    policies
        One table per period.
    """

    part: Part
    nodes: NetworkNodes
    lower: float
    upper: float
    policies: tuple[TablePolicy, ...]

    def orders(self, period: int, states: ArrayLike) -> NDArray[np.int64]:
        """Return the quantities [L] or [B, L] to order in `states` [axes] or [B, axes]."""
        policy = self.policies[period]
        found = check_states(states, policy.epoch.axes)
        return self.nodes.orders(np.atleast_2d(found), np.atleast_2d(policy.action(found))).reshape(
            *found.shape[:-1], -1
        )

    @cached_property
    def first_decision(self) -> dict[str, int]:
        """Location -> quantity, from the initial state."""
        quantities = self.orders(0, self.nodes.initial_state())
        return dict(zip(self.part.names, quantities.tolist(), strict=True))


@dataclass(frozen=True, kw_only=True, eq=False)
class NetworkSolution:
    """The plans of all parts, with ``lower <= optimum <= cost of the plans <= upper``.

    Parameters
    ----------
    problem
        What was solved, at the price of downtime that was found where an `sla` was wanted.
    states
        Largest number of states of a part at a review.
    remarks
        What a reader has to know: a saturated belief, a rolling horizon, a limit that is priced.
    details
        Numbers that belong to the remarks, by name.
    """

    problem: SparesNetwork
    plans: tuple[PartPlan, ...]
    lower: float
    upper: float
    states: int
    num_sweeps: int
    seconds: float
    remarks: tuple[str, ...] = ()
    details: Mapping[str, float] = field(default_factory=dict)

    @property
    def objective(self) -> float:
        """The middle of the bounds."""
        return (self.lower + self.upper) / 2.0

    @property
    def first_decision(self) -> dict[str, object]:
        """Location -> quantity; with several parts part -> location -> quantity."""
        if len(self.plans) == 1:
            return dict(self.plans[0].first_decision)
        return {plan.part.name: plan.first_decision for plan in self.plans}


def solve_part(
    problem: SparesNetwork,
    part: Part,
    options: SolveOptions,
    *,
    weights: Mapping[str, float] | None = None,
    progress: ProgressHook | None = None,
) -> PartPlan:
    """Solve one part over all periods by backward induction on stock and belief.

    Parameters
    ----------
    weights
        Per kind of cost; default those of the problem.

    Raises
    ------
    MemoryError
        Before anything is allocated, if a period does not fit.
    ValueError
        If a table would need more post-decision states than it can number.
    """
    nodes = NetworkNodes(problem, part)
    check_size(nodes, options)
    folder = options.policy_dir
    position = problem.parts.index(part)
    found = finite_horizon(
        nodes.epochs(),
        problem.weights if weights is None else weights,
        initial=nodes.initial_state(),
        dtype=options.dtype,
        num_threads=options.num_threads,
        policy_dir=None if folder is None else folder / f"part{position}",
        checkpoint_dir=(
            None if options.checkpoint_dir is None else options.checkpoint_dir / f"part{position}"
        ),
        progress=Parts(progress).named(part.name),
    )
    return PartPlan(
        part=part,
        nodes=nodes,
        lower=found.lower,
        upper=found.upper,
        policies=policies_of(found),
    )


def policies_of(found: FiniteHorizonSolution) -> tuple[TablePolicy, ...]:
    """Return the tables of a solution as policies."""
    pairs = zip(found.epochs, found.posts, strict=False)
    return tuple(TablePolicy(epoch, posts) for epoch, posts in pairs)


def check_size(nodes: NetworkNodes, options: SolveOptions) -> None:
    """Raise, before any table is made, if a period is too large for a policy or for the memory."""
    last = nodes.last - 1
    size, states = nodes.decided_states(last), nodes.found_states(last)
    if size > LARGEST_TABLE:
        raise ValueError(
            f"part {nodes.part.name!r}: a period has up to {size:,} post-decision states; a policy"
            f" can number {LARGEST_TABLE:,}. Lower capacity, max_order, backorders, longest,"
            " truncate or belief_levels."
        )
    item = np.dtype(options.dtype).itemsize
    needed = states * (2 * item + 4) + size * 2 * (item + 4)  # values and choices, in and out
    check_memory(needed, f"part {nodes.part.name!r}: a period of {states:,} states")


def policy_bytes(problem: SparesNetwork) -> int:
    """Return what the tables of all periods and parts take [bytes]."""
    total = 0
    for part in problem.parts:
        nodes = NetworkNodes(problem, part)
        total += 4 * sum(nodes.found_states(period) for period in range(problem.periods))
    return total


def largest_states(problem: SparesNetwork) -> int:
    """Return the largest number of states of a part at a review."""
    nodes = [NetworkNodes(problem, part) for part in problem.parts]
    return max(n.found_states(t) for n in nodes for t in range(problem.periods))
