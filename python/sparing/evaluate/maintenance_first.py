"""First maintenance, then stock: what planners do who decide one after the other.

Maintenance is optimised as if every spare were at hand at its unit price. The stocks are then
planned for the demand that this creates: by the best (s, S) policy per type, or by the best orders
of any kind. All are evaluated exactly in the joint model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product
from math import prod

import numpy as np
from numpy.typing import NDArray

from sparing.epoch import Epoch
from sparing.exact.finite_horizon import finite_horizon
from sparing.exact.policy_evaluation import Bounds
from sparing.exact.progress import Parts, ProgressHook
from sparing.exact.solution import Solution
from sparing.exact.value_iteration import Options, value_iteration
from sparing.models.component import Component
from sparing.models.multi_component import MultiComponentProblem
from sparing.models.spare import SparePart
from sparing.nodes import Axis, Chance, Node
from sparing.policies import TablePolicy
from sparing.stages import pair_costs
from sparing.table import Table

Levels = tuple[int, int]  # (s, S): with s units left or fewer, order up to S; s = -1: never
EXHAUSTIVE = 64  # combinations of levels up to which all are tried
TOL = 1e-7
SEARCH_TOL = 1e-6  # of the objective: levels that differ by less are as good


def with_unlimited_spares(problem: MultiComponentProblem) -> MultiComponentProblem:
    """Return the system in which every spare is at hand at its unit price, when it is used.

    The unit price is part of the cost of a replacement; fixed order costs, holding costs and
    emergencies do not occur, and goals on them are left out. Its optimum is a lower bound of the
    joint one, unless an emergency unit is cheaper than an ordered one.
    """
    left_out = {*problem.cost_kinds[3:], *problem.count_kinds}
    return replace(
        problem,
        components=_priced(problem),
        spares=(),
        goals={name: goal for name, goal in problem.goals.items() if name not in left_out},
    )


@dataclass(frozen=True, kw_only=True)
class BestLevels:
    """The best (s, S) per type found; `exhaustive` tells whether all combinations were tried."""

    levels: dict[str, Levels]
    objective: Bounds
    num_evaluated: int
    exhaustive: bool


class MaintenanceFirst:
    """A rule of maintenance that does not look at stocks, in the joint model.

    Parameters
    ----------
    problem
        With spares; evaluated under its own criterion.
    rule
        ``"optimal"``: the optimum with unlimited spares. ``"corrective"``: replace failed
        components, else nothing. Where the stock lacks what the rule wants, it is bought in an
        emergency or, where that is not possible, the best is done that the stocks allow.
    relative_tol
        Wanted distance of the bounds as a share of the objective, where that is wider than the
        usual one.
    progress
        Called with the reports of every solve.
    """

    def __init__(
        self,
        problem: MultiComponentProblem,
        *,
        rule: str = "optimal",
        relative_tol: float = 0.0,
        progress: ProgressHook | None = None,
    ) -> None:
        if not problem.spares:
            raise ValueError("the case has no [[spare]]; maintenance-first needs one.")
        self.problem = problem
        self.unlimited = with_unlimited_spares(problem)
        self._valued = _corrective(self.unlimited) if rule == "corrective" else self.unlimited
        self._rule, self._relative_tol = rule, relative_tol
        self._parts = Parts(progress)
        self._known: dict[tuple[Levels, ...], Bounds] = {}

    @cached_property
    def optimum(self) -> Solution:
        """The optimum with unlimited spares."""
        return self._solve(
            self.unlimited.epoch,
            self.unlimited,
            part="unlimited spares",
            keep_value=True,
            keep_policy=True,
            relative_tol=self._relative_tol,
        )

    @cached_property
    def posts(self) -> NDArray[np.uint32]:
        """State after maintenance, with the stocks left [states], before anything is ordered.

        Greedy to the value of unlimited spares among what the stocks allow; a unit bought in an
        emergency counts as one at hand.
        """
        free = tuple(
            s if s.emergency_cost is None else replace(s, emergency_cost=0.0)
            for s in self.problem.spares
        )
        epoch = _maintenance_epoch(replace(self._valued, spares=free))
        value = np.zeros(epoch.shape)
        if self._rule == "optimal":
            assert self.optimum.value is not None
            future = self.optimum.value
            value = np.broadcast_to(future.reshape(future.shape + (1,) * len(free)), epoch.shape)
        weights = self._weights(epoch) if self._rule == "optimal" else {"maintenance": 1.0}
        found = finite_horizon([epoch], weights, terminal=value)
        (posts,) = found.posts[0]
        return np.asarray(posts)

    @cached_property
    def move(self) -> Chance:
        """What an inspection costs and the maintenance, as one node from the states found."""
        epoch = _maintenance_epoch(self.problem)
        goals = self.posts.astype(np.int64)
        costs = pair_costs(epoch, 0, None, goals, self._weights(epoch))
        table = Table.moves(goals, cost={kind: paid for kind, paid in costs.items() if paid.any()})
        names = [axis.name for axis in epoch.axes]
        return Chance(names, table, to=names, name="maintenance without a look at stocks")

    def chain(self, levels: Sequence[Levels]) -> Epoch:
        """Return the joint epoch under this maintenance and (s, S) levels per spare."""
        orders = [_order_move(s, pair) for s, pair in zip(self.problem.spares, levels, strict=True)]
        return self._epoch(orders)

    def objective(self, levels: Sequence[Levels]) -> Bounds:
        """Return the objective under (s, S) levels per spare, exactly."""
        key = tuple(levels)
        if key not in self._known:
            solution = self._solve(
                self.chain(key),
                self.problem,
                part=f"levels, no. {len(self._known) + 1}",
                relative_tol=max(SEARCH_TOL, self._relative_tol),
            )
            self._known[key] = Bounds(lower=solution.lower, upper=solution.upper)
        return self._known[key]

    def best_levels(self, *, exhaustive: int = EXHAUSTIVE) -> BestLevels:
        """Return the levels of least objective.

        All combinations are tried where they are at most `exhaustive`; else one type after
        another is improved until none can be, which may miss the best combination.
        """
        choices = [_levels(spare) for spare in self.problem.spares]
        few = prod(map(len, choices)) <= exhaustive
        if few:
            best = min(product(*choices), key=self._value)
        else:
            best = tuple(options[-1] for options in choices)
            improved = True
            while improved:
                before = best
                for i, options in enumerate(choices):
                    tried = [(*best[:i], pair, *best[i + 1 :]) for pair in options]
                    best = min([best, *tried], key=self._value)
                improved = best != before
        names = [spare.name for spare in self.problem.spares]
        return BestLevels(
            levels=dict(zip(names, best, strict=True)),
            objective=self.objective(best),
            num_evaluated=len(self._known),
            exhaustive=few,
        )

    def policy(self, levels: Mapping[str, Levels]) -> TablePolicy:
        """Return maintenance and (s, S) orders as a policy of the joint model."""
        behind = [_order_goals(s, levels[s.name]) for s in self.problem.spares]
        shape = self.problem.epoch.shape
        place = list(np.unravel_index(self.posts, shape))
        num = len(self.problem.components)
        for i, goals in enumerate(behind):
            place[num + i] = goals[place[num + i]]
        last = self.problem.epoch.stages[0][1]
        sizes = tuple(axis.size for axis in self.problem.epoch.layouts[last])
        table = np.ravel_multi_index(tuple(place), sizes).astype(np.int64)
        return TablePolicy(self.problem.epoch, (table,))

    def best_orders(self) -> TablePolicy:
        """Return this maintenance with the best orders, which may look at the components too."""
        return TablePolicy(self.problem.epoch, self.best_ordered.posts)

    @cached_property
    def best_ordered(self) -> Solution:
        """The solution in which maintenance is given and only the orders are decided."""
        return self._solve(
            self._epoch(None),
            self.problem,
            part="best orders",
            keep_policy=True,
            relative_tol=self._relative_tol,
        )

    def _value(self, levels: tuple[Levels, ...]) -> float:
        return self.objective(levels).upper  # of the worst start, where it matters for ever

    def _weights(self, epoch: Epoch) -> dict[str, float]:
        return {k: w for k, w in self.problem.weights.items() if k in epoch.kinds}

    def _epoch(self, orders: Sequence[Node] | None) -> Epoch:
        """Return the joint epoch with the maintenance fixed and, if given, the orders too."""
        joint, problem = self.problem.epoch, self.problem
        stocked = problem.nodes_stocked()
        if orders is not None:
            stocked = [*orders, *stocked[len(problem.spares) :]]
        nodes = [self.move, *stocked, *problem.nodes_degraded()]
        return Epoch(axes=joint.axes, nodes=nodes, discount=joint.discount)

    def _solve(
        self,
        epoch: Epoch,
        problem: MultiComponentProblem,
        *,
        part: str,
        keep_value: bool = False,
        keep_policy: bool = False,
        relative_tol: float = 0.0,
    ) -> Solution:
        return value_iteration(
            epoch,
            {k: w for k, w in problem.weights.items() if k in epoch.kinds},
            criterion=problem.criterion,
            initial=problem.initial_state,
            options=Options(
                tol=TOL,
                relative_tol=relative_tol,
                keep_value=keep_value,
                keep_policy=keep_policy,
            ),
            progress=self._parts.named(part),
        )


def _priced(problem: MultiComponentProblem) -> tuple[Component, ...]:
    """Return the components with the unit price of their spare in every replacement."""
    components = []
    for component in problem.components:
        spare = problem.spare_of(component)
        if spare is not None:
            cost = np.array(component.maintenance_cost)
            cost[1:, 0] += spare.order_unit
            component = replace(component, maintenance_cost=cost)
        components.append(component)
    return tuple(components)


def _corrective(problem: MultiComponentProblem) -> MultiComponentProblem:
    """Return `problem` with costs under which failed components alone are restored, if at all."""
    most = (
        1.0
        + problem.setup_cost
        + sum(c.maintenance_cost[np.isfinite(c.maintenance_cost)].max() for c in problem.components)
    )
    components = []
    for component in problem.components:
        cost = np.full_like(component.maintenance_cost, np.inf)
        stays = np.isfinite(np.diag(component.maintenance_cost))
        cost[np.diag_indices(len(cost))] = np.where(stays, 0.0, np.inf)
        forced = [s for s in range(component.failed) if not stays[s]]
        for state in (*forced, component.failed):
            row = component.maintenance_cost[state, :state]
            cost[state, :state] = np.where(np.arange(state) > 0, row + most, row)
        if stays[component.failed]:
            cost[component.failed, component.failed] = 4.0 * most
        components.append(replace(component, maintenance_cost=cost, criteria={}))
    return replace(problem, components=tuple(components), setup_cost=0.0, goals={})


def _maintenance_epoch(problem: MultiComponentProblem) -> Epoch:
    """Return one period in which stocks are drawn on but not replenished."""
    nodes = [*problem.nodes_found(), *problem.nodes_maintained(), *problem.nodes_degraded()]
    axes = [Axis(c.name, c.num_states) for c in problem.components]
    axes += [spare.axis for spare in problem.spares]
    return Epoch(axes=axes, nodes=nodes, discount=problem.discount)


def _levels(spare: SparePart) -> list[Levels]:
    """Return all (s, S) of a spare; the last orders up to the capacity whenever it can.

    Never to order is one of them where units can be bought in an emergency.
    """
    never = [(-1, 0)] if spare.emergency_cost is not None else []
    return never + [(s, S) for S in range(1, spare.capacity + 1) for s in range(S)]


def _order_goals(spare: SparePart, levels: Levels) -> NDArray[np.int64]:
    """Return the stock state behind the order [stock states found]."""
    reorder, up_to = levels
    index = {state: k for k, state in enumerate(spare.decided)}
    goals = []
    for state in spare.found:
        units = 0
        if not state.ordered and state.on_hand <= reorder:
            units = min(up_to - state.on_hand, spare.largest_order)
        if units and spare.arrives_at_once:
            goals.append(index[state._replace(on_hand=state.on_hand + units)])
        else:
            goals.append(index[state._replace(ordered=state.ordered or units)])
    return np.array(goals)


def _order_move(spare: SparePart, levels: Levels) -> Chance:
    """Return the orders of an (s, S) policy as a node."""
    goals = _order_goals(spare, levels)
    before = np.array(spare.found)[:, :2].sum(axis=1)
    units = np.array(spare.decided)[goals, :2].sum(axis=1) - before
    cost = {
        "order": spare.order_fixed * (units > 0) + spare.order_unit * units,
        f"order_rate_{spare.name}": (units > 0).astype(np.float64),
    }
    to = spare.name if spare.arrives_at_once else spare.decided_axis
    return Chance(spare.name, Table.moves(goals, cost=cost), to=to, name=f"order {spare.name}")
