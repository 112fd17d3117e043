"""Policies of alpha vectors, evaluated by simulation."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, log

import numpy as np
from numpy.typing import NDArray

from sparing import _core
from sparing.beliefs.alpha_vectors import AlphaVectorPolicy
from sparing.beliefs.pomdp_bounds import kernel_arrays, simple_bounds
from sparing.beliefs.pomdp_model import ExplicitPOMDP
from sparing.simulate.results import half_width
from sparing.stages import thread_count


@dataclass(frozen=True, kw_only=True, eq=False)
class PomdpSimulation:
    """Mean discounted cost of a policy, with half the width of its confidence interval.

    Attributes
    ----------
    cost, half_width
        Mean over replications [money], and half the width of its interval (Student's t).
    left_out
        What the periods behind `horizon` can add at most, either way [money].
    samples
        Shape (replications,): the cost of each.
    values
        In which sense `reported` is.
    """

    cost: float
    half_width: float
    left_out: float
    horizon: int
    confidence: float
    seed: int
    samples: NDArray[np.float64]
    values: str

    @property
    def reported(self) -> tuple[float, float]:
        """Mean and half width in the model's own sense: rewards where it has rewards."""
        return (-self.cost if self.values == "reward" else self.cost), self.half_width

    @property
    def interval(self) -> tuple[float, float]:
        """Ends of the interval of the cost, with what is left out."""
        width = self.half_width + self.left_out
        return self.cost - width, self.cost + width


def simulate_pomdp(
    model: ExplicitPOMDP,
    policy: AlphaVectorPolicy,
    *,
    num_replications: int = 10_000,
    horizon: int | None = None,
    ends: bool = False,
    seed: int = 0,
    confidence: float = 0.95,
    num_threads: int = 0,
) -> PomdpSimulation:
    """Simulate `policy` from the model's start: states move and are observed, beliefs follow.

    Parameters
    ----------
    horizon
        Periods of a replication. None: until what is left out is below 1e-3 of the spread of costs.
    ends
        Nothing is left out behind the horizon, as in a model of that many periods.
    seed
        Every draw is a function of (seed, replication, period).

    Raises
    ------
    ValueError
        If a number is out of range, or the policy has no vector for beliefs that can come up.
    """
    if isinstance(num_replications, bool) or not num_replications >= 1:
        raise ValueError(f"num_replications must be at least 1; got {num_replications!r}.")
    if not 0.0 < confidence < 1.0:
        raise ValueError(f"confidence must be above 0 and below 1; got {confidence}.")
    if policy.num_states != model.num_states:
        raise ValueError(
            f"the policy is for {policy.num_states} states; the model has {model.num_states}."
        )
    if max(int(chosen.max(initial=0)) for chosen in policy.actions) >= model.num_actions:
        raise ValueError(f"the policy has actions that the model ({model.num_actions}) has not.")
    if horizon is None:
        horizon = _long_enough(model)
    elif not horizon >= 1:
        raise ValueError(f"horizon must be at least 1; got {horizon}.")
    rollout = _core.PomdpRollout(**kernel_arrays(model))
    for d, states in enumerate(rollout.domains()[1]):
        actions, vectors = policy.of_domain(states)
        if not len(actions):
            raise ValueError(f"the policy has no vector for the states {states[:5].tolist()}...")
        rollout.add_alphas(d, actions.astype(np.int32), np.ascontiguousarray(-vectors).ravel())
    totals = np.zeros(num_replications)
    rollout.run(seed, 0, horizon, totals, thread_count(num_threads))
    samples = -totals
    left_out = 0.0
    if not ends and model.discount < 1.0:
        least, most = simple_bounds(model)
        left_out = model.discount**horizon * float(max(-least.min(), most.max(), 0.0))
    return PomdpSimulation(
        cost=float(samples.mean()),
        half_width=half_width(samples, confidence),
        left_out=left_out,
        horizon=horizon,
        confidence=confidence,
        seed=seed,
        samples=samples,
        values=model.values,
    )


def _long_enough(model: ExplicitPOMDP) -> int:
    """Return periods behind which less than 1e-3 of the spread of a period's costs is left."""
    if model.discount == 1.0:
        raise ValueError("discount 1 needs a horizon.")
    if model.discount == 0.0:
        return 1
    return max(1, ceil(log(1e-3 * (1.0 - model.discount)) / log(model.discount)))
