"""Exact evaluation of any policy: its long-run or discounted costs and side measures.

A policy applied to an epoch is an epoch without decisions: each stage becomes one Chance from the
states at its start to the post-decision states, at the cost of the cheapest path. So the operator
that solves also evaluates, and bounds come with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from sparing.epoch import Epoch
from sparing.exact.policy_rows import stage_rows
from sparing.exact.progress import Parts, ProgressHook
from sparing.exact.value_iteration import Criterion, Options, value_iteration
from sparing.nodes import Chance, Node
from sparing.policies import Policy
from sparing.stages import pair_costs
from sparing.table import Table


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """A number known to lie in [lower, upper]."""

    lower: float
    upper: float

    @property
    def value(self) -> float:
        """The middle."""
        return (self.lower + self.upper) / 2.0


def epoch_under(epoch: Epoch, policy: Policy, weights: Mapping[str, float] | None = None) -> Epoch:
    """Return `epoch` with every stage replaced by what `policy` does in it.

    Parameters
    ----------
    weights
        Per kind, to tell which path to a post-decision state is cheapest; default 1 each.
    """
    nodes: list[Node] = []
    position = 0
    for stage, (first, last) in enumerate(epoch.stages):
        nodes += epoch.nodes[position:first]
        start, end = epoch.layouts[first], epoch.layouts[last]
        rows = stage_rows(policy, epoch, stage)
        states = np.repeat(np.arange(rows.indptr.size - 1), np.diff(rows.indptr))
        cost = pair_costs(epoch, stage, states, rows.post, weights)
        table = Table(indptr=rows.indptr, to=rows.post, probability=rows.probability, cost=cost)
        names = [axis.name for axis in start]
        nodes.append(Chance(names, table, to=end, name=f"policy of stage {stage}"))
        position = last
    nodes += epoch.nodes[position:]
    return Epoch(axes=epoch.axes, nodes=nodes, discount=epoch.discount)


def evaluate_policy(
    epoch: Epoch,
    policy: Policy,
    measures: Mapping[str, Mapping[str, float]],
    *,
    weights: Mapping[str, float] | None = None,
    criterion: Criterion = "average",
    initial: tuple[int, ...] | None = None,
    tol: float = 1e-9,
    num_threads: int = 0,
    progress: ProgressHook | None = None,
) -> dict[str, Bounds]:
    """Return bounds of each measure under `policy`: long-run averages or discounted totals.

    Parameters
    ----------
    measures
        Per measure the weights of the kinds of cost it adds up.
    weights
        The weights under which paths are cheapest, as in `epoch_under`.
    tol
        Wanted distance of the bounds; wider where rounding or several recurrent classes demand.
    progress
        Called with the reports of every measure's solve, whose part is the measure's name.
    """
    parts = Parts(progress)
    chain = epoch_under(epoch, policy, weights)
    options = Options(tol=tol, keep_value=False, keep_policy=False, num_threads=num_threads)
    found = {}
    for name, kinds in measures.items():
        present = {kind: weight for kind, weight in kinds.items() if kind in chain.kinds}
        solution = value_iteration(
            chain,
            present,
            criterion=criterion,
            initial=initial,
            options=options,
            progress=parts.named(name),
        )
        found[name] = Bounds(lower=solution.lower, upper=solution.upper)
    return found
