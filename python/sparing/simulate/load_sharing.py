"""A load-sharing system simulated component by component, event by event.

It shares nothing with the exact solution but the problem and the table of the policy: no counts
kernel, no epochs drawn. Time runs on, and what happens inside the window adds up.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sparing import _core
from sparing._checks import check_number
from sparing.exact.policy_rows import stage_rows
from sparing.models.load_sharing_system import LoadSharingSystem
from sparing.policies import Policy
from sparing.simulate.results import estimate_lines, half_width
from sparing.stages import thread_count

KINDS = (
    "inspections",
    "failures",
    "down",
    "set-ups",
    "replaced",
    "failed replaced",
    "orders",
    "ordered",
    "emergency",
    "on hand",
    "positions",
    "epochs",
    "duration",
)  # in the order of the kernel


@dataclass(frozen=True, kw_only=True, eq=False)
class LoadSharingResult:
    """Rates per unit of time over replications, with half widths of their intervals.

    Attributes
    ----------
    objective, half_width
        The cost per unit of time, and half the width of its interval (Student's t over the
        replications; inf for a single one).
    mean, half_widths
        The same per measure.
    samples
        Shape (replications, kinds): units of each of `KINDS` per unit of time.
    warm_up, horizon
        From when to when a replication was measured [time].
    """

    objective: float
    half_width: float
    mean: Mapping[str, float]
    half_widths: Mapping[str, float]
    confidence: float
    seed: int
    num_replications: int
    warm_up: float
    horizon: float
    samples: NDArray[np.float64]

    @property
    def interval(self) -> tuple[float, float]:
        """Lower and upper end of the objective's interval."""
        return self.objective - self.half_width, self.objective + self.half_width

    def __str__(self) -> str:
        mean = {"objective": self.objective, **self.mean}
        half_widths = {"objective": self.half_width, **self.half_widths}
        return "\n".join(
            [
                f"{self.num_replications} replications from time {self.warm_up:g} to"
                f" {self.horizon:g}; per unit of time, {self.confidence:.0%} confidence, seed"
                f" {self.seed}",
                *estimate_lines(mean, half_widths),
            ]
        )


def simulate_load_sharing(
    system: LoadSharingSystem,
    policy: Policy,
    *,
    num_replications: int,
    horizon: float,
    warm_up: float = 0.0,
    seed: int = 0,
    confidence: float = 0.95,
    num_threads: int = 0,
) -> LoadSharingResult:
    """Estimate the cost per unit of time of a policy, from all new and no spares.

    Parameters
    ----------
    horizon, warm_up
        A replication runs to `horizon` and is measured from `warm_up` on [time].
    seed
        Every draw is a function of (seed, replication) and of the order in which it is made.

    Raises
    ------
    ValueError
        If a number is out of range, or the policy draws its decisions.
    """
    if isinstance(num_replications, bool) or not num_replications >= 1:
        raise ValueError(f"num_replications must be at least 1; got {num_replications!r}.")
    check_number("warm_up", warm_up, at_least=0.0)
    check_number("horizon", horizon)
    if not horizon > warm_up:
        raise ValueError(f"horizon must be above warm_up = {warm_up:g}; got {horizon:g}.")
    if not 0.0 < confidence < 1.0:
        raise ValueError(f"confidence must be above 0 and below 1; got {confidence}.")
    rows = stage_rows(policy, system.epoch, 0)
    if rows.post.size != rows.indptr.size - 1:
        raise ValueError("the policy draws its decisions; simulate one that is certain.")
    totals = np.zeros((num_replications, len(KINDS)))
    _core.simulate_load_sharing(
        **_kernel_arguments(system),
        posts=np.ascontiguousarray(rows.post, dtype=np.int64),
        seed=seed,
        warm_up=float(warm_up),
        horizon=float(horizon),
        totals=totals,
        num_threads=thread_count(num_threads),
    )
    samples = totals / totals[:, [KINDS.index("duration")]]
    weights = np.array([system.weights.get(kind, 0.0) for kind in KINDS])
    measures = {
        name: samples[:, KINDS.index(kind)]
        for name, kinds in system.measures.items()
        for kind in kinds
    }
    cost = samples @ weights
    return LoadSharingResult(
        objective=float(cost.mean()),
        half_width=half_width(cost, confidence),
        mean={name: float(values.mean()) for name, values in measures.items()},
        half_widths={name: half_width(values, confidence) for name, values in measures.items()},
        confidence=confidence,
        seed=seed,
        num_replications=num_replications,
        warm_up=float(warm_up),
        horizon=float(horizon),
        samples=samples,
    )


def _kernel_arguments(system: LoadSharingSystem) -> dict[str, Any]:
    """Return the system as the arrays of the kernel."""
    problem, capacity = system.problem, system.problem.capacity
    hand, order = (np.ascontiguousarray(column) for column in system.stocks.T)
    stock_of = system.stock_of.astype(np.int64)
    if problem.lead_time is None:  # what is unknown is not told
        stock_of[..., 0] = np.maximum(stock_of[..., 0], stock_of[..., 1])
    base = np.int64(system.size + 1) ** np.arange(problem.num_conditions)[::-1]
    return {
        "size": system.size,
        "conditions": problem.num_conditions,
        "required": problem.required,
        "rates": problem.rates,
        "speed": problem.speed(system.size),
        "interval": system.interval,
        "delivery_rate": problem.delivery_rate or 0.0,
        "lead_time": -1.0 if problem.lead_time is None else problem.lead_time,
        "fixed_grid": problem.clock == "fixed",
        "step": system.kernel_time,
        "clock_steps": system.num_clocks,
        "lead_steps": problem.lead_steps,
        "keys": np.ascontiguousarray((system.counts.vectors @ base)[::-1]),
        "vectors": np.ascontiguousarray(system.counts.vectors),
        "hand": hand,
        "on_order": order,
        "stock_of": stock_of.ravel(),
        "capacity": capacity,
    }
