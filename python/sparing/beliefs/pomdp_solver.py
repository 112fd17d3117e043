"""Point-based value iteration with bounds on both sides of the optimal cost."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np

from sparing import _core
from sparing.beliefs.alpha_vectors import AlphaVectorPolicy
from sparing.beliefs.pomdp_bounds import kernel_arrays, simple_bounds
from sparing.beliefs.pomdp_checkpoint import SearchCheckpoint
from sparing.beliefs.pomdp_model import ExplicitPOMDP
from sparing.exact.interrupts import PendingInterrupt, deferred_interrupt
from sparing.exact.progress import Progress, ProgressHook
from sparing.stages import thread_count

SLICE_S = 0.25  # between two looks at the clock, the keyboard and the progress line [s]


@dataclass(frozen=True, kw_only=True)
class PomdpOptions:
    """When to stop, and what to improve.

    Parameters
    ----------
    gap
        Wanted distance of the bounds at the start's belief [money].
    seconds
        Time after which to stop all the same [s].
    max_trials
        Trials after which to stop all the same.
    horizon
        Number of periods; None: discounted for ever.
    sides
        "both"; or "policy" or "bound", which leave the other side at its start and so are quicker:
        "policy" improves the policy alone (the upper bound of the cost), "bound" the lower bound.
    memory
        Stop when the search holds about so much [bytes].
    num_threads
        0: all processors. The result of a number of trials does not depend on it.
    """

    gap: float = 1e-3
    seconds: float = np.inf
    max_trials: int = 1 << 62
    horizon: int | None = None
    sides: Literal["both", "policy", "bound"] = "both"
    memory: int = 4 << 30
    num_threads: int = 0

    def __post_init__(self) -> None:
        if not self.gap >= 0.0:
            raise ValueError(f"gap must be at least 0; got {self.gap}.")
        if not self.seconds > 0.0:
            raise ValueError(f"seconds must be above 0; got {self.seconds}.")
        if not self.max_trials >= 0:
            raise ValueError(f"max_trials must be at least 0; got {self.max_trials}.")
        if self.horizon is not None and not self.horizon >= 1:
            raise ValueError(f"horizon must be at least 1; got {self.horizon}.")
        if self.sides not in ("both", "policy", "bound"):
            raise ValueError(f"sides must be 'both', 'policy' or 'bound'; got {self.sides!r}.")
        if not self.num_threads >= 0:
            raise ValueError(f"num_threads must be at least 0; got {self.num_threads}.")


@dataclass(frozen=True, kw_only=True, eq=False)
class PomdpSolution:
    """A policy with ``lower <= optimal cost <= upper`` at the start's belief.

    Attributes
    ----------
    lower, upper
        Bounds of the optimal cost [money]; see `reported` for the model's own sense.
    policy
        Vectors whose least cost at the start is `upper`. Of a finite horizon, it is a policy of
        `model`, whose states hold the period.
    model
        What was solved: the model given, or the one of the finite horizon.
    num_trials, num_beliefs, num_vectors, num_points, num_domains
        How much was done: walks from the start, beliefs met, vectors and points kept, sets of
        states that the beliefs live on.
    converged
        Whether the gap wanted was reached; the bounds hold all the same.
    """

    lower: float
    upper: float
    policy: AlphaVectorPolicy = field(repr=False)
    model: ExplicitPOMDP = field(repr=False)
    horizon: int | None
    num_trials: int
    num_beliefs: int
    num_vectors: int
    num_points: int
    num_domains: int
    seconds: float
    converged: bool
    message: str

    @property
    def gap(self) -> float:
        """Distance of the bounds."""
        return self.upper - self.lower

    @property
    def reported(self) -> tuple[float, float]:
        """Lower and upper bound in the model's own sense: rewards where it has rewards."""
        if self.model.values == "reward":
            return -self.upper + 0.0, -self.lower + 0.0
        return self.lower, self.upper


def solve_pomdp(
    model: ExplicitPOMDP,
    *,
    options: PomdpOptions | None = None,
    progress: ProgressHook | None = None,
    checkpoint_dir: str | Path | None = None,
) -> PomdpSolution:
    """Bound the optimal cost from both sides, and find a policy, by heuristic search.

    Trials from the start's belief improve alpha vectors on the one side and values of beliefs,
    interpolated over the fast informed bound, on the other, as HSVI2 (Smith and Simmons 2005) and
    SARSOP (Kurniawati, Hsu and Lee 2008) do; docs/pomdp.md says what is different.

    Parameters
    ----------
    checkpoint_dir
        Where the search is saved now and then, when it is interrupted and when its time is up;
        given again, it goes on from there: at the same bounds, though not on the same path. Once
        the gap is reached, it is cleared.

    Raises
    ------
    ValueError
        If the discount is 1 and there is no horizon.
    KeyboardInterrupt
        After the state is saved.
    """
    options = options or PomdpOptions()
    started = time.monotonic()
    if options.horizon is None and not model.discount < 1.0:
        raise ValueError("discount 1 needs a finite horizon; give one.")
    given = model
    if options.horizon is not None:
        model = model.unrolled(options.horizon)
    least, most = simple_bounds(model, options.horizon)
    spread = max(float(np.ptp(model.cost)), 1e-300)
    search = _core.PomdpSearch(
        **kernel_arrays(model),
        floor=-most,
        ceiling=-least,
        improve_lower=options.sides != "bound",
        improve_upper=options.sides != "policy",
        initial_tolerance=1e-7 * spread,
        memory_limit=options.memory,
        num_threads=thread_count(options.num_threads),
    )
    saved = None
    if checkpoint_dir is not None:
        saved = SearchCheckpoint.of(Path(checkpoint_dir), given, options.horizon)
        saved.restore(search)
    with deferred_interrupt() as interrupt:
        _run(model, search, options, started, progress, saved, interrupt)
    return _solution(model, search, options, float(most.max()), started)


def _run(
    model: ExplicitPOMDP,
    search: _core.PomdpSearch,
    options: PomdpOptions,
    started: float,
    progress: ProgressHook | None,
    saved: SearchCheckpoint | None,
    interrupt: PendingInterrupt,
) -> None:
    trials_left = options.max_trials
    while True:
        lower, upper = search.bounds()
        left = options.seconds - (time.monotonic() - started)
        done = upper - lower <= options.gap
        if done or left <= 0.0 or trials_left <= 0 or search.is_full():
            break
        trials_left -= search.run(min(SLICE_S, left), trials_left, options.gap)
        if progress is not None:
            progress(_progress(model, search, options, time.monotonic() - started))
        if saved is not None and (interrupt.requested or saved.is_due()):
            saved.save(search)
        if interrupt.requested:
            raise KeyboardInterrupt
    if saved is not None:
        if done:
            saved.clear()
        else:
            saved.save(search)


def _progress(
    model: ExplicitPOMDP, search: _core.PomdpSearch, options: PomdpOptions, seconds: float
) -> Progress:
    """Return a report in the model's own sense."""
    lower, upper = search.bounds()
    if model.values == "cost":
        lower, upper = -upper, -lower
    trials, _, vectors, points, _ = search.counts()
    return Progress(
        num_sweeps=trials,
        lower=lower,
        upper=upper,
        tol=options.gap,
        seconds=seconds,
        note=f"{vectors} vectors, {points} points",
    )


def _solution(
    model: ExplicitPOMDP,
    search: _core.PomdpSearch,
    options: PomdpOptions,
    most: float,
    started: float,
) -> PomdpSolution:
    lower, upper = sorted(search.bounds())  # where they meet, rounding may have swapped them
    trials, beliefs, vectors, points, num_bytes = search.counts()
    seconds = time.monotonic() - started
    domains = search.domains()[1]
    converged = upper - lower <= options.gap
    message = ""
    if not converged:
        why = f"after {seconds:.1f} s"
        if search.is_full():
            why = f"as the search holds {num_bytes / 1e9:.2g} GB"
        message = f"stopped {why} at a gap of {upper - lower:.3g}; {options.gap:g} was wanted."
    return PomdpSolution(
        lower=-upper,
        upper=-lower,
        policy=_policy(model, search, most),
        model=model,
        horizon=options.horizon,
        num_trials=trials,
        num_beliefs=beliefs,
        num_vectors=vectors,
        num_points=points,
        num_domains=len(domains),
        seconds=seconds,
        converged=converged,
        message=message,
    )


def _policy(model: ExplicitPOMDP, search: _core.PomdpSearch, most: float) -> AlphaVectorPolicy:
    """Return the vectors as costs."""
    _, domains = search.domains()
    vectors, actions = [], []
    for d, states in enumerate(domains):
        chosen, values = search.alphas(d)
        vectors.append(-values.reshape(len(chosen), len(states)))
        actions.append(chosen)
    return AlphaVectorPolicy(
        num_states=model.num_states,
        domains=tuple(domains),
        vectors=tuple(vectors),
        actions=tuple(actions),
        elsewhere=most,
    )
