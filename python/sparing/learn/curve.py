"""How good the policy is on the way: exact figures of what it does while it learns.

Many times in a training the network is made a policy, once as it acts (with exploration) and once
greedy, and both are evaluated exactly. The curves are those of figures 8 to 10 of Jimenez Gonzalez
(2021), which were averaged over 25 episodes each, without their noise.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from sparing.exact.policy_evaluation import evaluate_policy
from sparing.learn.epoch_environment import EpochEnvironment
from sparing.learn.evaluation import LARGEST
from sparing.learn.flow import Rows
from sparing.learn.networks import Network
from sparing.learn.run_records import Snapshot
from sparing.learn.steps import dense_entries
from sparing.models.multi_component import MultiComponentProblem
from sparing.policies import Policy, TablePolicy
from sparing.randomised_policy import RandomisedPolicy

Figures: TypeAlias = dict[str, float]  # objective, cost_rate, reliability: long run, per inspection


@dataclass(frozen=True, kw_only=True)
class CurvePoint:
    """A moment of a training.

    Attributes
    ----------
    acting, greedy
        Long-run averages per inspection, "objective" (minus the reward), "cost_rate" and
        "reliability": of the policy that explores, and of its greedy choices under the mask. A
        penalty for forbidden choices is no part of them.
    """

    seed: int
    env_steps: int
    epsilon: float
    acting: Figures
    greedy: Figures


class CurveRecorder:
    """Adds a `CurvePoint` to `points` for every snapshot of a network that it is called with.

    Parameters
    ----------
    masked
        Whether forbidden choices are masked while learning; else the first allowed choice is done
        in place of one.

    Raises
    ------
    ValueError
        If the problem is of another kind, the view is not flat, or there are too many states.
    """

    def __init__(self, problem: Any, environment: EpochEnvironment, *, masked: bool) -> None:
        if not isinstance(problem, MultiComponentProblem) or problem.spares:
            raise ValueError("curves are of multi-component systems without stocked spares.")
        if environment.view != "flat" or len(environment.points) != 1:
            raise ValueError("curves need one joint choice per inspection; give view 'flat'.")
        self.problem = replace(problem, criterion="average", discount=1.0)
        self.measures = {"objective": problem.weights, **problem.measures}
        self.points: list[CurvePoint] = []
        states, self.post = _posts(environment)
        allowed = np.asarray(environment.mask(states))
        self.allowed = allowed
        self.open = allowed if masked else np.ones_like(allowed)
        self.features = environment.features(states)
        first = allowed.argmax(axis=1)[:, None]
        done = np.where(allowed, np.arange(allowed.shape[1]), first)  # what is done instead
        self.done_post = np.take_along_axis(self.post, done, axis=1)

    def __call__(self, snapshot: Snapshot, network: Network) -> None:
        """Evaluate the network of a snapshot."""
        given = self.features, jnp.asarray(self.open)
        values = np.asarray(jax.jit(network.apply)(snapshot.parameters, *given))
        rows = np.arange(len(values))
        best = np.where(self.allowed, values, np.inf).argmin(axis=1)
        greedy = TablePolicy(self.problem.epoch, (self.post[rows, best].astype(np.uint32),))
        self.points.append(
            CurvePoint(
                seed=snapshot.seed,
                env_steps=snapshot.env_steps,
                epsilon=snapshot.epsilon,
                acting=self._figures(self._acting(values, snapshot.epsilon)),
                greedy=self._figures(greedy),
            )
        )

    def _acting(self, values: NDArray[np.float32], epsilon: float) -> RandomisedPolicy:
        """Return what acts: the cheapest choice, or with `epsilon` any of those offered."""
        count, width = values.shape
        rows = np.arange(count)
        share = epsilon * self.open / self.open.sum(axis=1, keepdims=True)
        share[rows, np.where(self.open, values, np.inf).argmin(axis=1)] += 1.0 - epsilon
        where = np.repeat(rows, width), self.done_post.ravel()
        joint = sparse.coo_array((share.ravel(), where), shape=(count, count)).tocsr()
        joint.eliminate_zeros()
        return RandomisedPolicy(self.problem.epoch, (joint,))

    def _figures(self, policy: Policy) -> Figures:
        found = evaluate_policy(
            self.problem.epoch, policy, self.measures, weights=self.problem.weights, tol=1e-7
        )
        return {name: found[name].value for name in ("objective", "cost_rate", "reliability")}


def _posts(environment: EpochEnvironment) -> tuple[jax.Array, NDArray[np.int64]]:
    """Return all states of the environment, and the post-decision state [S, A] of each action.

    Where an action is not allowed the entry has no meaning.
    """
    point = environment.points[0]
    rows = environment.interpreter.flow.code[point.pc]
    assert isinstance(rows, Rows)
    shape = tuple(place.size for place in rows.reads)
    if rows.num_rows > LARGEST >> 8:
        raise ValueError(f"curves of {rows.num_rows:,} states are too many to evaluate.")
    entries = np.maximum(dense_entries(rows), 0)
    post = np.zeros(entries.shape, dtype=np.int64)
    for column, place in enumerate(rows.writes):
        post = post * place.size + rows.to[entries, column]
    columns = np.zeros((rows.num_rows, environment.state_width), dtype=np.int32)
    parts = np.unravel_index(np.arange(rows.num_rows), shape)
    for place, part in zip(rows.reads, parts, strict=True):
        columns[:, 1 + environment.slots.index(place.slot)] = part
    return jnp.asarray(columns), post
