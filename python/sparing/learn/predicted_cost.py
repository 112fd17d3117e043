"""An agent trained on a cost that a network predicts from records, judged on the true one.

What the agent is shown is the model with one change: bringing the states found to the states left
costs what the network says. Wear and reliability are the model's own, as in section 4.4 of
Jimenez Gonzalez (2021).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sparing.epoch import Axis, Cost, Decision, Epoch
from sparing.evaluate.policy_comparison import PolicyRow, optimal_policy, policy_row
from sparing.exact.options import Options
from sparing.exact.policy_evaluation import evaluate_policy
from sparing.exact.value_iteration import value_iteration
from sparing.learn.cost_network import CostNetwork, CostSettings, fit_cost
from sparing.learn.result import TrainingResult
from sparing.learn.train import train
from sparing.models.multi_component import MultiComponentProblem
from sparing.policies import Policy, TablePolicy
from sparing.records.cost_records import CostRecords, check_costed, inspection_cost
from sparing.table import Table

MOST_PAIRS = 1 << 20  # of states found and left
PREDICTED = "predicted"


@dataclass(frozen=True, kw_only=True, eq=False)
class PredictedCostResult:
    """What was learned on a predicted cost, and what that comes to.

    Attributes
    ----------
    cost_network
        With its error on records held out.
    pair_rmse
        Its error over all pairs of states found and left that are allowed, each once.
    training
        On the predicted cost: its objective, optimum and gap are predicted ones.
    rows
        Long-run averages per inspection: "predicted" (the agent, at the predicted cost), and at
        the true cost "agent", "planned" (the optimum of the predicted cost) and "optimum".
    """

    cost_network: CostNetwork
    pair_rmse: float
    training: TrainingResult
    rows: dict[str, PolicyRow]

    @property
    def gap(self) -> float:
        """How far the agent's true objective is above the optimum, as a share of that."""
        best, found = (self._objective(key) for key in ("optimum", "agent"))
        return (found - best) / abs(best)

    def _objective(self, key: str) -> float:
        row = self.rows[key]
        return row.cost if row.reward is None else -row.reward


def predicted_epoch(problem: MultiComponentProblem, cost_network: CostNetwork) -> Epoch:
    """Return `problem` with one joint decision that costs what the network predicts.

    Its objective is the sum of its costs, all kinds at weight one.

    Raises
    ------
    ValueError
        If the system is of another kind.
    MemoryError
        If there are too many pairs of states found and left.
    """
    pairs = allowed_pairs(problem)
    return _epoch(problem, pairs, cost_network(*_coordinates(problem, pairs)))


def allowed_pairs(problem: MultiComponentProblem) -> NDArray[np.int64]:
    """Return the pairs [pairs, 2] of flat states found and left, in order.

    Raises
    ------
    ValueError, MemoryError
        As in `predicted_epoch`.
    """
    check_costed(problem)
    count = int(np.prod([c.entries()[0].size for c in problem.components], dtype=float))
    if count > MOST_PAIRS:
        raise MemoryError(
            f"a predicted cost is listed for all pairs of states found and left; {count:,} are"
            f" too many, at most {MOST_PAIRS:,} are."
        )
    found: NDArray[np.int64] = np.zeros((1, 2), dtype=np.int64)
    for component in problem.components:
        own = np.stack(component.entries(), axis=1)
        found = (found[:, None] * component.num_states + own).reshape(-1, 2)
    if problem.restore_when_down:
        before, after = _coordinates(problem, found)
        failed = np.array([c.failed for c in problem.components])
        up = problem.works[tuple((before < failed).astype(int).T)]
        found = found[up | ~((before == failed) & (after == failed)).any(axis=1)]
    return found[np.lexsort((found[:, 1], found[:, 0]))]


def train_on_predicted_cost(
    problem: MultiComponentProblem,
    records: CostRecords,
    *,
    cost_settings: CostSettings | None = None,
    cost_seed: int = 0,
    **options: Any,
) -> PredictedCostResult:
    """Learn the cost from records, a policy on the predicted cost, and judge it on the true one.

    Parameters
    ----------
    problem
        Its wear and structure are known; its costs are used to judge alone.
    records
        Such as `sparing.records.cost_records.simulated_records` makes.
    cost_settings, cost_seed
        Of the network of the cost; see `sparing.learn.cost_network.COST_PRESETS`.
    options
        As for `sparing.learn.train.train`.

    Raises
    ------
    ValueError, MemoryError
        As in `predicted_epoch`, before anything is fitted.
    """
    pairs = allowed_pairs(problem)
    where = _coordinates(problem, pairs)
    sizes = tuple(c.num_states for c in problem.components)
    cost_network = fit_cost(records, sizes, cost_settings, seed=cost_seed)
    predicted = cost_network(*where)
    error = predicted - inspection_cost(problem, *where)
    epoch = _epoch(problem, pairs, predicted)
    options.setdefault("view", "flat")  # there is one joint decision
    training = train(epoch, **options)
    policy = training.policy
    assert isinstance(policy, TablePolicy)
    return PredictedCostResult(
        cost_network=cost_network,
        pair_rmse=float(np.sqrt(np.mean(np.square(error)))),
        training=training,
        rows=_judged(problem, epoch, policy),
    )


def _judged(
    problem: MultiComponentProblem, epoch: Epoch, policy: TablePolicy
) -> dict[str, PolicyRow]:
    """Return the agent at the predicted and at the true cost, and two optima beside it."""
    average = replace(problem, criterion="average", discount=1.0)
    planned = epoch
    if epoch.discount != 1.0:
        planned = Epoch(axes=epoch.axes, nodes=epoch.nodes)
    best = value_iteration(planned, options=Options(tol=1e-8, keep_value=False)).policy

    def true_row(key: str, name: str, posts: TablePolicy) -> PolicyRow:
        # Post-decision states are the same in both models, so one's table decides in the other.
        return policy_row(average, TablePolicy(average.epoch, posts.stages), key=key, name=name)

    agent = true_row("agent", "agent trained on the predicted cost", policy)
    factor = _weight(problem)
    cost_of = evaluate_policy(planned, policy, {"cost": {PREDICTED: 1.0}})["cost"].value / factor
    reward = None
    if problem.goals:
        everything = dict.fromkeys(planned.kinds, 1.0)
        reward = -evaluate_policy(planned, policy, {"all": everything})["all"].value
    seen = PolicyRow(
        key="predicted",
        name="the same, as predicted",
        reward=reward,
        cost=cost_of,
        reliability=agent.reliability,
        policy=policy,
    )
    rows = {
        "predicted": seen,
        "agent": agent,
        "planned": true_row("planned", "optimum of the predicted cost", best),
    }
    optimum: Policy = optimal_policy(average)
    rows["optimum"] = policy_row(average, optimum, key="optimum", name="optimum")
    return rows


def _epoch(
    problem: MultiComponentProblem, pairs: NDArray[np.int64], predicted: NDArray[np.float64]
) -> Epoch:
    axes = [Axis(c.name, c.num_states) for c in problem.components]
    found, left = pairs.T
    table = Table(
        indptr=np.searchsorted(found, np.arange(problem.num_states + 1)),
        to=left,
        choice=left.astype(np.int32),
        cost={PREDICTED: _weight(problem) * predicted},
    )
    nodes = [
        *(node for node in problem.nodes_found() if isinstance(node, Cost) and not node.axes),
        Decision(problem.names, table, name="maintain"),
        *(
            _scaled(node, problem.weights.get("reliability", 0.0))
            for node in problem.nodes_degraded()
        ),
    ]
    return Epoch(
        axes=axes,
        nodes=nodes,
        discount=problem.discount if problem.criterion == "discounted" else 1.0,
    )


def _scaled(node: Any, weight: float) -> Any:
    if not isinstance(node, Cost):
        return node
    return Cost(node.axes, weight * node.values, node.kind, groups=node.groups, name=node.name)


def _weight(problem: MultiComponentProblem) -> float:
    """Return the weight of the cost in the objective, the same for its three kinds."""
    return problem.weights.get("maintenance", 0.0)


def _coordinates(
    problem: MultiComponentProblem, pairs: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return states found and left [pairs, components] of flat ones."""
    shape = tuple(c.num_states for c in problem.components)
    before, after = (np.stack(np.unravel_index(column, shape), axis=1) for column in pairs.T)
    return before, after
