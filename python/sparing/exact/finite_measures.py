"""Exact evaluation of a policy over a finite horizon: any measures, period by period backward."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from sparing._threads import default_num_threads
from sparing.epoch import Epoch
from sparing.exact.policy_evaluation import Bounds
from sparing.lowering import Lowering, size_of
from sparing.policies import TablePolicy
from sparing.stages import stage_costs

Values = dict[str, NDArray[np.float64]]


def evaluate_finite_horizon(
    epochs: Sequence[Epoch],
    policies: Sequence[TablePolicy],
    measures: Mapping[str, Mapping[str, float]],
    *,
    initial: tuple[int, ...],
    weights: Mapping[str, float] | None = None,
    num_threads: int = 0,
) -> dict[str, Bounds]:
    """Return bounds of each measure from `initial` under a policy of one table per period.

    Parameters
    ----------
    measures
        Per measure the weights of the kinds of cost it adds up, each period by the discounts
        before it.
    weights
        Per kind, to tell which path to a post-decision state is cheapest; default 1 each.

    Raises
    ------
    ValueError
        If the numbers of epochs and policies differ, or a policy is for other axes.
    """
    if len(epochs) != len(policies):
        raise ValueError(f"a policy per period is needed, {len(epochs)}; got {len(policies)}.")
    run = _Backward(measures, weights, num_threads or default_num_threads())
    end = size_of(epochs[-1].end_axes)
    values: Values = {name: np.zeros(end) for name in measures}
    slack = dict.fromkeys(measures, 0.0)
    for epoch, policy in zip(reversed(epochs), reversed(policies), strict=True):
        values = run.period(epoch, policy, values, slack)
    at = int(np.ravel_multi_index(initial, epochs[0].shape))
    return {
        name: Bounds(lower=float(v[at]) - slack[name], upper=float(v[at]) + slack[name])
        for name, v in values.items()
    }


class _Backward:
    def __init__(
        self,
        measures: Mapping[str, Mapping[str, float]],
        weights: Mapping[str, float] | None,
        num_threads: int,
    ) -> None:
        self.measures, self.weights, self.num_threads = measures, weights, num_threads

    def period(
        self, epoch: Epoch, policy: TablePolicy, values: Values, slack: dict[str, float]
    ) -> Values:
        """Return the values at the start of a period; `slack` takes up what rounding can hide."""
        for name in values:
            values[name] = epoch.discount * values[name]
            slack[name] *= epoch.discount
        position = len(epoch.nodes)
        for stage in reversed(range(len(epoch.stages))):
            first, last = epoch.stages[stage]
            values = self._nodes(epoch, last, position, values, slack)
            values = self._stage(epoch, policy, stage, values)
            position = first
        return self._nodes(epoch, 0, position, values, slack)

    def _nodes(
        self, epoch: Epoch, first: int, last: int, values: Values, slack: dict[str, float]
    ) -> Values:
        if first == last:
            return values
        part = Epoch(axes=epoch.layouts[first], nodes=epoch.nodes[first:last])
        found = {}
        for name, kinds in self.measures.items():
            lowering = Lowering(part, kinds, num_threads=self.num_threads)
            found[name] = np.empty(part.num_states)
            lowering.program.run(np.ascontiguousarray(values[name]), found[name], [])
            slack[name] += lowering.rounding_error(float(np.abs(values[name]).max()))
        return found

    def _stage(self, epoch: Epoch, policy: TablePolicy, stage: int, values: Values) -> Values:
        table = policy.stages[stage]
        weights = {k: w for k, w in (self.weights or {}).items() if k in epoch.kinds}
        paid = stage_costs(
            epoch,
            stage,
            table,
            weights if self.weights is not None else None,
            num_threads=self.num_threads,
        )
        found = {}
        for name, kinds in self.measures.items():
            found[name] = values[name][table]
            for kind, weight in kinds.items():
                if weight and kind in paid:
                    found[name] += weight * paid[kind]
        return found
