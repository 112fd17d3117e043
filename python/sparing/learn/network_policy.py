"""A trained network as a policy that the C++ rollouts run themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sparing import _core
from sparing.epoch import Epoch
from sparing.forward import ForwardProgram, lower
from sparing.learn.counted_observation import hand_over_counts
from sparing.learn.epoch_environment import EpochEnvironment
from sparing.learn.features import OneHot
from sparing.learn.flow import Fork, Place, Rows, Segment
from sparing.learn.policy import Apply, post_states
from sparing.learn.typed_counts import TypedCounts
from sparing.stages import check_states, pair_costs, stage_ends

COLUMNS = 16  # widths are padded to a multiple of it
MOST_ALTERNATIVES = 8
Reads: TypeAlias = list[tuple[int, int, NDArray[np.int64]]]
Padded: TypeAlias = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class NetworkPolicy:
    """The greedy policy of a network: the allowed choice of the lowest value.

    In rollouts the kernels run the network (weights are handed over once): hidden layers with
    LayerNorm and relu, or relu alone, and one output per choice. Of a dueling head the value and
    the mean change no choice, so the advantages alone are computed.

    Parameters
    ----------
    environment
        The view it was trained on.
    parameters
        ``{"layers": [{"weight" [inputs, outputs], "bias", "scale", "offset"}, ...], "head":
        {"weight", "bias"}}``; scale and offset are left out without LayerNorm. A head of one more
        output than there are choices is a dueling one, its first output the value.
    apply
        ``apply(parameters, features, mask)`` in JAX, for single actions.
    period
        Of a finite horizon, whose policies are one per period.

    Raises
    ------
    ValueError
        If a width does not fit.
    """

    environment: EpochEnvironment
    parameters: Any
    apply: Apply
    period: int = 0

    def __post_init__(self) -> None:
        environment = self.environment
        layers = [*self.parameters["layers"], self.parameters["head"]]
        inputs = environment.num_features
        for number, layer in enumerate(layers):
            found = np.shape(layer["weight"])
            if found[:1] != (inputs,):
                raise ValueError(
                    f"layer {number} must have {inputs} inputs; its weight has shape {found}."
                )
            inputs = found[1]
        if inputs not in (environment.num_actions, environment.num_actions + 1):
            raise ValueError(
                f"the head must have {environment.num_actions} outputs (one more if it is"
                f" dueling); got {inputs}."
            )

    def action(self, state: ArrayLike, *, stage: int = 0) -> NDArray[np.int32]:
        """Return post-decision states, decided by JAX."""
        epoch = self._segment.epoch
        start, _ = stage_ends(epoch, stage)
        states = check_states(state, start)
        batch = np.atleast_2d(states)
        found = post_states(
            self.environment, self.apply, self.parameters, batch, stage=stage, period=self.period
        )
        return found if states.ndim == 2 else found[0]

    def hand_over(self, plan: _core.RolloutPlan, epoch: Epoch) -> None:
        """Give a rollout's plan the weights, and what is allowed where the network is asked."""
        if epoch is not self._segment.epoch:
            raise ValueError("the network was trained on another epoch.")
        hidden, head = self.parameters["layers"], self.parameters["head"]
        skip = np.shape(head["weight"])[1] - self.environment.num_actions
        layers = [_layer(layer) for layer in hidden] + [_layer(head, skip)]
        is_joint = self.environment.view == "flat"
        plan.use_network(is_joint, layers[0][2], layers)
        program = lower(epoch)
        if is_joint:
            for stage in range(len(epoch.stages)):
                self._add_stage(plan, program, stage)
            return
        if isinstance(self.environment.encoder, TypedCounts):
            first = self._segment.first
            hand_over_counts(plan, self.environment, program, first=first)
        code = self.environment.interpreter.flow.code
        for pc in range(self._segment.first, self._segment.last):
            step = code[pc]
            if isinstance(step, Fork):
                self._add_fork(plan, program, pc, step)
            elif isinstance(step, Rows) and step.choice is not None:
                self._add(plan, program, pc, step, step.sources)

    @property
    def _segment(self) -> Segment:
        flow = self.environment.interpreter.flow
        return flow.segments[flow.segment_of[self.period]]

    def _add(
        self,
        plan: _core.RolloutPlan,
        program: ForwardProgram,
        pc: int,
        step: Rows,
        entries: NDArray[np.int64],
    ) -> None:
        assert step.choice is not None
        plan.add_network_point(
            pc - self._segment.first,
            self._reads(program, step.reads),
            np.ascontiguousarray(step.indptr, dtype=np.int64),
            step.choice.astype(np.int32),
            np.ascontiguousarray(entries, dtype=np.int64),
            *self._features(program, pc),
            [],
            np.empty(0, dtype=np.int32),
            np.empty(0),
        )

    def _add_fork(
        self, plan: _core.RolloutPlan, program: ForwardProgram, pc: int, fork: Fork
    ) -> None:
        count = len(fork.targets)
        if count > MOST_ALTERNATIVES:
            raise ValueError(
                f"{fork.label}: rollouts of networks take {MOST_ALTERNATIVES} alternatives at"
                f" most; got {count}."
            )
        allowed = [[a for a in range(count) if mask >> a & 1] for mask in range(1 << count)]
        choice = np.array([a for row in allowed for a in row])
        checks = [
            [(self._reads(program, f.places), f.alive.ravel().astype(np.uint8)) for f in factors]
            for factors in self.environment.interpreter.checks[pc]
        ]
        plan.add_network_point(
            pc - self._segment.first,
            [],
            np.cumsum([0, *(len(row) for row in allowed)]).astype(np.int64),
            choice.astype(np.int32),
            choice.astype(np.int64),
            *self._features(program, pc),
            checks,
            np.empty(0, dtype=np.int32),
            np.empty(0),
        )

    def _add_stage(self, plan: _core.RolloutPlan, program: ForwardProgram, stage: int) -> None:
        segment, epoch = self._segment, self._segment.epoch
        pc = segment.node_start[epoch.stages[stage][0]]
        step = self.environment.interpreter.flow.code[pc]
        assert isinstance(step, Rows)
        assert step.choice is not None
        post = np.zeros(step.choice.size, dtype=np.int64)
        for column, place in enumerate(step.writes):
            post = post * place.size + step.to[:, column]
        weights = {kind: self.environment.process.weights[kind] for kind in epoch.kinds}
        costs = pair_costs(epoch, stage, step.row_of_entries(), post, weights)
        plan.add_network_point(
            stage,
            self._reads(program, step.reads),
            np.ascontiguousarray(step.indptr, dtype=np.int64),
            step.choice.astype(np.int32),
            np.arange(step.choice.size, dtype=np.int64),
            *self._features(program, pc),
            [],
            np.ascontiguousarray(step.to, dtype=np.int32),
            np.ascontiguousarray(np.stack([costs[kind] for kind in epoch.kinds])),
        )

    def _reads(self, program: ForwardProgram, places: Sequence[Place]) -> Reads:
        names = {slot: name for name, slot in self.environment.interpreter.flow.slots.items()}
        found: Reads = []
        stride = 1
        for place in reversed(places):
            slot = program.slots[names[place.slot]]
            found.append((slot, stride, np.empty(0, dtype=np.int64)))
            stride *= place.size
        return found

    def _features(self, program: ForwardProgram, pc: int) -> tuple[Padded, list[tuple[int, int]]]:
        """Return what the first layer sums in any case at a point, and where coordinates count."""
        environment, encoder = self.environment, self.environment.encoder
        _, _, rows, base, _, _ = _layer(self.parameters["layers"][0])
        numbers = {point.pc: number for number, point in enumerate(environment.points)}
        if pc not in numbers:  # never asked: a single choice is left in every state
            return base, []
        if not isinstance(encoder, OneHot):  # a first layer on counts looks nothing up
            return base, []
        names = {slot: name for name, slot in environment.interpreter.flow.slots.items()}
        base, lookups, live = base.copy(), [], encoder.live[numbers[pc]]
        for column, (source, value) in enumerate(zip(encoder.source, encoder.value, strict=True)):
            if (source, value) in ((-2, numbers[pc]), (-1, self.period)):
                base += rows.reshape(-1, base.size)[column]
            elif source >= 0 and value == 0 and live[column]:
                lookups.append((program.slots[names[int(source)]], column))
        return base, lookups


def _layer(layer: Any, skip: int = 0) -> tuple[int, int, Padded, Padded, Padded, Padded]:
    """Return inputs, outputs, weight, bias, scale and offset, flat and padded by zeros."""
    weight = np.asarray(layer["weight"], dtype=np.float32)[:, skip:]
    inputs, outputs = weight.shape
    padded = -(-outputs // COLUMNS) * COLUMNS

    def wide(values: ArrayLike) -> Padded:
        array = np.zeros((*np.shape(values)[:-1], padded), dtype=np.float32)
        array[..., :outputs] = values
        return array.ravel()

    none = np.empty(0, dtype=np.float32)
    has_norm = "scale" in layer
    return (
        inputs,
        outputs,
        wide(weight),
        wide(np.asarray(layer["bias"])[skip:]),
        wide(layer["scale"]) if has_norm else none,
        wide(layer["offset"]) if has_norm else none,
    )
