"""The public functions: load, solve, evaluate, front, train, plan, update_plan, plan_many."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast, overload

from sparing.api_checks import check_kinds, check_model, check_policy
from sparing.beliefs.alpha_vectors import AlphaVectorPolicy
from sparing.beliefs.pomdp_model import ExplicitPOMDP
from sparing.beliefs.pomdp_rollouts import PomdpSimulation
from sparing.beliefs.pomdp_solver import PomdpSolution
from sparing.epoch import Epoch
from sparing.evaluate.network_plan import NetworkSolution
from sparing.evaluate.sizing import SizingSolution
from sparing.exact.constrained import ConstrainedSolution, HardGoal, solve_constrained
from sparing.exact.modified_policy_iteration import (
    ExplicitSolution,
    modified_policy_iteration,
)
from sparing.exact.policy_evaluation import Bounds, evaluate_policy
from sparing.exact.progress import ProgressHook, ProgressLine
from sparing.exact.solution import Solution
from sparing.exact.trade_off import FrontPoint, trade_off_front
from sparing.exact.value_iteration import Criterion, Options, value_iteration
from sparing.models.case_files import load_case
from sparing.models.explicit import ExplicitMDP
from sparing.models.hidden import HiddenProblem
from sparing.models.load_sharing import LoadSharingProblem
from sparing.models.load_sharing_system import LoadSharingSystem
from sparing.models.multi_component import MultiComponentProblem
from sparing.models.spares_network import SparesNetwork
from sparing.policies import Policy
from sparing.ration.case_files import is_dropship, load_dropship
from sparing.registry import public_face
from sparing.simulate import rollouts
from sparing.simulate.load_sharing import LoadSharingResult
from sparing.simulate.network_results import NetworkResult
from sparing.simulate.results import SimulationResult
from sparing.simulate.spares_network import NetworkPolicy

if TYPE_CHECKING:
    from sparing.beliefs.component_result import BeliefSolution
    from sparing.beliefs.component_rollout import CostEstimate, GreedyBeliefPolicy
    from sparing.large.crew_training import CrewResult
    from sparing.learn.result import TrainingResult


def load(path_or_case_name: str | Path) -> Any:
    """Return the problem of a built-in case (see `sparing cases`) or of a case file.

    It is a `MultiComponentProblem`, a `LoadSharingProblem` or a `DropshipCase`, by the kind that
    the file names.
    """
    if is_dropship(path_or_case_name):
        return load_dropship(path_or_case_name)
    return load_case(path_or_case_name)


@overload
def solve(model: ExplicitMDP, **options: Any) -> ExplicitSolution: ...


@overload
def solve(model: HiddenProblem, **options: Any) -> BeliefSolution: ...


@overload
def solve(model: LoadSharingProblem | LoadSharingSystem, **options: Any) -> SizingSolution: ...


@overload
def solve(model: SparesNetwork, **options: Any) -> NetworkSolution: ...


@overload
def solve(model: ExplicitPOMDP, **options: Any) -> PomdpSolution: ...


@overload
def solve(model: MultiComponentProblem | Epoch, **options: Any) -> Solution: ...


def solve(
    model: Any,
    *,
    weights: Mapping[str, float] | None = None,
    criterion: Criterion | None = None,
    discount: float | None = None,
    initial: tuple[int, ...] | None = None,
    progress: ProgressHook | None = None,
    checkpoint_dir: str | Path | None = None,
    **options: Any,
) -> Any:
    """Solve `model` exactly, with certified bounds.

    Parameters
    ----------
    model
        A problem, an `Epoch` that repeats, or an `ExplicitMDP` (solved by modified policy
        iteration, whose options are then those that count). A `LoadSharingProblem` is solved for
        the best size and interval, with the options tol, relative_tol and max_sweeps. An
        `ExplicitPOMDP` is searched, with the options of `PomdpOptions`.
    weights
        Weight per kind of cost; default the problem's objective, or 1 each for an epoch.
    criterion, discount
        In place of the model's own.
    initial
        The state whose value is the objective of a discounted solve; default all new.
    progress
        Called with a `Progress` now and then; by default a live line on a terminal.
    checkpoint_dir
        Where a long solve saves its state; given again, it goes on from there.
    options
        Fields of `sparing.exact.value_iteration.Options`: tol, relative_tol, max_sweeps, dtype,
        num_threads, keep_value, keep_policy, path.

    Raises
    ------
    ValueError
        If an option or the state does not fit.
    MemoryError
        Before anything is allocated, if the solve does not fit into memory.
    """
    face = public_face(model)
    if face is not None:
        given = (weights, criterion, discount, initial)
        if any(option is not None for option in given):
            raise ValueError("such a problem has its own costs and criterion; give options only.")
        with _shown(progress) as hook:
            return face.solve(model, progress=hook, checkpoint_dir=checkpoint_dir, **options)
    check_model(model, (MultiComponentProblem, Epoch, ExplicitMDP))
    assert isinstance(model, MultiComponentProblem | Epoch | ExplicitMDP)
    if isinstance(model, ExplicitMDP):
        unused = (weights, criterion, discount, initial, progress, checkpoint_dir)
        if any(option is not None for option in unused):
            raise ValueError("an ExplicitMDP has its own costs and discount; give options only.")
        return modified_policy_iteration(model, **options)
    epoch, chosen = _epoch_of(model, criterion, discount)
    if isinstance(model, MultiComponentProblem):
        weights = model.weights if weights is None else weights
        initial = model.initial_state if initial is None else initial
    with _shown(progress) as hook:
        return value_iteration(
            epoch,
            weights,
            criterion=chosen,
            initial=initial,
            options=Options(**options),
            progress=hook,
            checkpoint_dir=Path(checkpoint_dir) if checkpoint_dir is not None else None,
        )


@contextmanager
def _shown(progress: ProgressHook | None) -> Iterator[ProgressHook | None]:
    """Yield `progress`, or a live line on a terminal if there is none."""
    if progress is not None or not sys.stderr.isatty():
        yield progress
        return
    line = ProgressLine()
    try:
        yield line
    finally:
        line.close()


def solve_with_goals(
    problem: MultiComponentProblem, *, tol: float = 1e-6, **options: Any
) -> ConstrainedSolution:
    """Solve a problem whose goals have hard limits (``at_least``, ``at_most``).

    `options` (num_threads, progress, checkpoint_dir) are those of
    `sparing.exact.constrained.solve_constrained`.

    Raises
    ------
    ValueError
        If there is no hard goal, the criterion is discounted, or no policy meets the goals.
    """
    goals = []
    for measure, goal in problem.goals.items():
        kinds = problem.cost_kinds if measure == "cost" else (measure,)
        for limit, sign in ((goal.at_most, 1.0), (goal.at_least, -1.0)):
            if limit is not None:
                weights = dict.fromkeys(kinds, sign)
                goals.append(HardGoal(name=measure, weights=weights, limit=sign * limit))
    if not goals:
        raise ValueError("no goal has a hard limit (at_least or at_most).")
    if problem.criterion != "average":
        raise ValueError("hard goals limit long-run averages; the criterion must be 'average'.")
    return solve_constrained(
        problem.epoch, problem.weights, goals, tol=tol, initial=problem.initial_state, **options
    )


def evaluate(
    model: Any,
    policy: Any,
    measures: Mapping[str, Mapping[str, float]] | None = None,
    *,
    criterion: Criterion | None = None,
    discount: float | None = None,
    initial: tuple[int, ...] | None = None,
    tol: float = 1e-9,
) -> dict[str, Bounds]:
    """Return bounds of measures under `policy`: long-run averages, or discounted totals.

    Parameters
    ----------
    measures
        Per measure the weights of the kinds of cost it adds up. Default: for a problem its
        objective, ``cost_rate``, ``reliability``, ``unavailability`` and its own kinds; for an
        epoch every kind. A load-sharing system has its own, per unit of time.
    """
    face = public_face(model)
    if face is not None:
        if any(option is not None for option in (measures, criterion, discount, initial)):
            raise ValueError("such a problem has its own measures and criterion; give tol only.")
        bounds: dict[str, Bounds] = face.evaluate(model, policy, tol=tol)
        return bounds
    check_model(model, (MultiComponentProblem, Epoch))
    assert isinstance(model, MultiComponentProblem | Epoch)
    check_policy(policy)
    epoch, chosen = _epoch_of(model, criterion, discount)
    weights = None
    if isinstance(model, MultiComponentProblem):
        weights = model.weights
        wanted = measures or {"objective": weights, **model.measures}
    else:
        wanted = measures or {kind: {kind: 1.0} for kind in epoch.kinds}
    if measures is not None:
        check_kinds(measures, epoch.kinds)
    found = evaluate_policy(
        epoch,
        cast(Policy, policy),
        wanted,
        weights=weights,
        criterion=chosen,
        initial=initial,
        tol=tol,
    )
    if measures is None and "reliability" in found and chosen == "average":
        up = found["reliability"]
        found["unavailability"] = Bounds(lower=1.0 - up.upper, upper=1.0 - up.lower)
    return found


@overload
def simulate(
    model: HiddenProblem, policy: GreedyBeliefPolicy, *, num_replications: int, seed: int = 0
) -> CostEstimate: ...


@overload
def simulate(
    model: LoadSharingProblem | LoadSharingSystem,
    policy: Policy,
    *,
    num_replications: int,
    num_epochs: None = None,
    **options: Any,
) -> LoadSharingResult: ...


@overload
def simulate(
    model: SparesNetwork,
    policy: NetworkPolicy,
    *,
    num_replications: int,
    num_epochs: None = None,
    **options: Any,
) -> NetworkResult: ...


@overload
def simulate(
    model: ExplicitPOMDP,
    policy: AlphaVectorPolicy,
    *,
    num_replications: int,
    num_epochs: None = None,
    **options: Any,
) -> PomdpSimulation: ...


@overload
def simulate(
    model: MultiComponentProblem | Epoch | Sequence[Epoch],
    policy: Policy,
    *,
    num_replications: int,
    num_epochs: int | None = None,
    **options: Any,
) -> SimulationResult: ...


def simulate(
    model: Any,
    policy: Any,
    *,
    num_replications: int,
    num_epochs: int | None = None,
    **options: Any,
) -> Any:
    """Roll `model` out under `policy`; see `sparing.simulate.rollouts.simulate` for the options.

    A problem brings its own weights of the kinds of cost and its initial state along. A
    load-sharing system is simulated component by component in continuous time, to a `horizon` in
    place of `num_epochs`: see `sparing.simulate.load_sharing.simulate_load_sharing`. An
    `ExplicitPOMDP` takes a policy of alpha vectors, and a `horizon` if any: see `simulate_pomdp`.
    """
    face = public_face(model)
    if face is not None:
        if num_epochs is not None:
            raise ValueError("such a model has periods or a horizon of its own, not num_epochs.")
        return face.simulate(model, policy, num_replications=num_replications, **options)
    if isinstance(model, MultiComponentProblem):
        options.setdefault("weights", model.weights)
        options.setdefault("start", model.initial_state)
        model = model.epoch
    check_policy(policy)
    return rollouts.simulate(
        model,
        cast(Policy, policy),
        num_epochs=num_epochs,
        num_replications=num_replications,
        **options,
    )


def front(problem: MultiComponentProblem, *, tol: float = 1e-6) -> list[FrontPoint]:
    """Return the corners of the cost-reliability front; `second` is minus the reliability."""
    check_model(problem, (MultiComponentProblem,))
    average = replace(problem, criterion="average", discount=1.0)
    return trade_off_front(
        average.epoch, dict.fromkeys(average.cost_kinds, 1.0), {"reliability": -1.0}, tol=tol
    )


def _epoch_of(
    model: MultiComponentProblem | Epoch, criterion: Criterion | None, discount: float | None
) -> tuple[Epoch, Criterion]:
    """Return the epoch under the criterion and discount asked for."""
    if isinstance(model, MultiComponentProblem):
        own: Criterion = model.criterion
        chosen = criterion or ("discounted" if discount is not None else own)
        weight = model.discount if discount is None else discount
        if chosen == "average":
            weight = 1.0
        if (chosen, weight) == (own, model.discount):
            return model.epoch, chosen
        return replace(model, criterion=chosen, discount=weight).epoch, chosen
    weight = model.discount if discount is None else discount
    chosen = criterion or ("average" if weight == 1.0 else "discounted")
    if weight != model.discount:
        model = Epoch(axes=model.axes, nodes=model.nodes, discount=weight)
    return model, chosen


@overload
def train(model: Any, *, learner: Literal["lookahead"], **options: Any) -> CrewResult: ...


@overload
def train(model: Any, **options: Any) -> TrainingResult: ...


def train(model: Any, **options: Any) -> TrainingResult | CrewResult:
    """Train a policy on `model` by reinforcement learning, evaluate it and state its gap.

    The options are those of `sparing.learn.train.train`: learner, steps, seeds, view, features,
    settings, device, out, resume, progress. With learner = "lookahead" a multi-component problem
    is given to `sparing.large.crew_training.train_crew`, whose options are then those that count.
    """
    if options.get("learner") == "lookahead":
        from sparing.large.crew_training import train_crew

        given = {name: value for name, value in options.items() if name != "learner"}
        return train_crew(model, **given)
    from sparing.learn.train import train as learn

    return learn(model, **options)
