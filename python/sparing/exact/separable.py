"""Recognising separable epochs, which the engine sweeps in two passes over memory.

An epoch is separable if, in this order, it has costs, decisions that each rewrite one axis (plain,
or in a Branch beside "do nothing"), costs, draws that each rewrite one axis, and costs:

    TV = start + min(W + keep, branch_cost + D_1 ... D_N W),  W = post + E_1 ... E_N (d V + next).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from sparing import _core
from sparing.epoch import Epoch
from sparing.exact.sweeps import Certificate, Value
from sparing.lowering import Real
from sparing.nodes import Branch, Chance, Cost, Decision, Node

CostTerm: TypeAlias = tuple[list[int], list[NDArray[np.int32] | None], NDArray[np.float64]]
Matrix: TypeAlias = NDArray[np.float64]

LARGEST_AXIS = 32
RELAXED_FROM, RELAXED_TO = 1 << 22, 1 << 26  # states whose sweeps may be relaxed: below, memory
# has to be touched for too few sweeps, above, there is none to spare
LEAN_FROM = 1 << 28  # states from which a float32 certificate gives its memory to the policy


@dataclass(eq=False)
class SeparableForm:
    """The arguments of the engine's separable sweep."""

    sizes: list[int]
    chance: list[Matrix | None]
    decision: list[Matrix | None]
    discount: float
    branch_cost: float | None = None
    start: list[CostTerm] = field(default_factory=list)
    post: list[CostTerm] = field(default_factory=list)
    next: list[CostTerm] = field(default_factory=list)
    keep: list[CostTerm] = field(default_factory=list)


def separable_form(epoch: Epoch, weights: Mapping[str, float]) -> SeparableForm | None:
    """Return `epoch` in separable form under `weights`, or None if it has another shape."""
    if not epoch.axes or epoch.num_states >= 2**32:
        return None
    if any(axis.size > LARGEST_AXIS for axis in epoch.axes):
        return None
    reader = _Reader(epoch, weights)
    return reader.form if all(reader.read(node) for node in epoch.nodes) else None


class _Reader:
    """Takes the nodes in order; `read` is False at the first that does not fit."""

    def __init__(self, epoch: Epoch, weights: Mapping[str, float]) -> None:
        self.weights = weights
        self.place = {axis.name: i for i, axis in enumerate(epoch.axes)}
        sizes = [axis.size for axis in epoch.axes]
        self.form = SeparableForm(
            sizes=sizes,
            chance=[None] * len(sizes),
            decision=[None] * len(sizes),
            discount=epoch.discount,
        )
        self.phase = 0  # 0 start costs, 1 plain decisions, 2 costs behind them, 3 draws, 4 next

    def read(self, node: Node) -> bool:
        if isinstance(node, Cost):
            self.phase = {1: 2, 3: 4}.get(self.phase, self.phase)
            terms = {0: self.form.start, 2: self.form.post, 4: self.form.next}[self.phase]
            return self._cost(node, terms, forbids=False)
        if isinstance(node, Branch):
            fits = self.phase == 0 and self._branch(node)
            self.phase = 2
            return fits
        if isinstance(node, Decision):
            fits = self.phase <= 1 and self._decision(node)
            self.phase = 1
            return fits
        fits = self.phase <= 3 and self._chance(node)
        self.phase = 3
        return fits

    def _axis_of(self, node: Decision | Chance, used: Sequence[Matrix | None]) -> int | None:
        """Return the one axis that `node` rewrites, if it is square and not yet `used`."""
        if len(node.axes) != 1 or node.context or len(node.to) != 1:
            return None
        to, axis = node.to[0], self.place[node.axes[0]]
        name, size = (to, self.form.sizes[axis]) if isinstance(to, str) else (to.name, to.size)
        same = name == node.axes[0] and size == self.form.sizes[axis]
        return axis if same and used[axis] is None else None

    def _decision(self, node: Decision) -> bool:
        axis = self._axis_of(node, self.form.decision)
        if axis is None:
            return False
        table, size = node.table, self.form.sizes[axis]
        matrix = np.full((size, size), np.inf)
        np.minimum.at(matrix, (table.rows(), table.to), table.weighted_cost(self.weights))
        self.form.decision[axis] = matrix
        return True

    def _chance(self, node: Chance) -> bool:
        axis, probability = self._axis_of(node, self.form.chance), node.table.probability
        if axis is None or probability is None:
            return False
        table, size = node.table, self.form.sizes[axis]
        matrix = np.zeros((size, size))
        np.add.at(matrix, (table.rows(), table.to), probability)
        self.form.chance[axis] = matrix
        cost = np.zeros(size)
        np.add.at(cost, table.rows(), probability * table.weighted_cost(self.weights))
        if cost.any():  # the draws of other axes leave what depends on this one as it is
            self.form.post.append(([axis], [None], cost))
        return True

    def _branch(self, node: Branch) -> bool:
        if len(node.alternatives) != 2:
            return False
        nothing, something = node.alternatives
        self.form.branch_cost = self._entry_cost(something.cost)
        waiting = self._entry_cost(nothing.cost)
        if waiting != 0.0:
            self.form.keep.append(self._constant(waiting))
        return all(
            isinstance(n, Cost) and self._cost(n, self.form.keep, forbids=True)
            for n in nothing.nodes
        ) and all(isinstance(n, Decision) and self._decision(n) for n in something.nodes)

    def _entry_cost(self, cost: Mapping[str, float]) -> float:
        return sum(self.weights.get(kind, 0.0) * value for kind, value in cost.items())

    def _cost(self, node: Cost, terms: list[CostTerm], *, forbids: bool) -> bool:
        forbidden = np.isinf(node.values)
        if forbidden.any() and not forbids:
            return False
        weight = self.weights.get(node.kind, 0.0)
        if weight == 0.0 and not forbidden.any():
            return True
        values = np.where(forbidden, np.inf, weight * np.where(forbidden, 0.0, node.values))
        if not node.axes:
            terms.append(self._constant(float(values)))
            return True
        groups = [
            node.groups[name].astype(np.int32) if name in node.groups else None
            for name in node.axes
        ]
        terms.append(([self.place[name] for name in node.axes], groups, values))
        return True

    def _constant(self, value: float) -> CostTerm:
        """Return a constant as a cost on one group of the first axis."""
        return [0], [np.zeros(self.form.sizes[0], dtype=np.int32)], np.array([value])


class SeparableSweep:
    """The engine's separable sweep behind the common protocol."""

    name = "separable"

    def __init__(self, form: SeparableForm, *, dtype: Real, num_threads: int) -> None:
        make = _core.SeparableSweep64 if dtype is np.float64 else _core.SeparableSweep32
        self._sweep: Any = make(
            form.sizes,
            form.chance,
            form.decision,
            form.discount,
            form.branch_cost,
            form.start,
            form.post,
            form.next,
            form.keep,
        )
        self._sweep.num_threads = num_threads
        size = int(np.prod(form.sizes, dtype=np.int64))
        self.certify_consumes = dtype is np.float32 and size >= LEAN_FROM
        self.relaxes = RELAXED_FROM <= size <= RELAXED_TO

    @property
    def state(self) -> Value:
        """The iterated tensor [states]: V averaged along the leading axes."""
        state: Value = self._sweep.state.reshape(-1)
        return state

    def load(self, value: Value | None) -> None:
        """Start from `value` (None: zero)."""
        self._sweep.load(value)

    def advance(
        self, num_sweeps: int, span_tol: float, shift: float, extra: float = 0.0
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
        """Sweep until the span is at most `span_tol`; return lower and upper per sweep, shift.

        `extra` is the part of each change that is added once more.
        """
        lower, upper, shift = self._sweep.advance(num_sweeps, span_tol, shift, True, extra)
        return lower, upper, shift

    def value(self, shift: float) -> Value:
        """Return the value that the sweeps have come to [states]; the state is lost."""
        out = np.empty_like(self.state)
        self._sweep.finish(out, shift)
        return out

    def certify(
        self, probe: int, shift: float, *, keep_value: bool, keep_policy: bool
    ) -> Certificate:
        """Measure TV - V over all states and take the greedy policy.

        Where `certify_consumes`, the policy takes the memory of the state, which is lost.
        """
        state = self.state
        value = np.empty_like(state) if keep_value else None
        policy = None
        if keep_policy:
            consume = self.certify_consumes and not keep_value
            policy = state.view(np.uint32) if consume else np.empty(state.size, dtype=np.uint32)
        lower, upper, at, rounding = self._sweep.certify(policy, value, probe, shift)
        return Certificate(
            lower=lower,
            upper=upper,
            probe=at,
            rounding=rounding,
            value=value,
            posts=(policy,) if policy is not None else (),
        )
