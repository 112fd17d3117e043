"""Learning on a twin that starts from its belief plan, and what both cost on the same luck."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from sparing._checks import check_number
from sparing.learn.location_learning import cautious_orders
from sparing.learn.location_start import LocationSettings, Start
from sparing.learn.networks import Parameters
from sparing.learn.run import CHECKPOINT_S, TrainedSeed, TrainingHook
from sparing.learn.twin_dynamics import Dynamics
from sparing.learn.twin_lanes import LANES, FleetResult, FleetRunner, Wanted, location_orders
from sparing.learn.twin_run import RunFolder, learned
from sparing.learn.twin_saved import digest, plan_or_saved, start_or_saved
from sparing.learn.twin_tables import STEP_HOURS, check_arrays, twin_tables
from sparing.simulate.results import Difference
from sparing.simulate.twin import Twin

DAYS = (30.0, 60.0, 90.0)
FRESH_SEED = 1 << 20  # of the comparison, on luck that learning has not seen
UNSEEN_SEED = FRESH_SEED + 1  # of the policy that was chosen, on luck that choosing has not seen
PLAN_SEED = 0  # of the plan's prices, which all seeds share


@dataclass(frozen=True, kw_only=True, eq=False)
class TwinPolicy:
    """A policy of the comparison and what it costs on the twin.

    Attributes
    ----------
    seed
        Of its training; None: the belief plan itself.
    days
        Simulated days of each fleet that it has learned from; None: the belief plan.
    parameters
        Of the network; None: the belief plan.
    """

    name: str
    seed: int | None
    days: float | None
    parameters: Parameters | None
    result: FleetResult


@dataclass(frozen=True, kw_only=True, eq=False)
class TwinSeed:
    """One training: its start, its curves, and the policies after 0 and more days."""

    start: Start
    trained: TrainedSeed
    policies: tuple[TwinPolicy, ...]

    @property
    def seed(self) -> int:
        """Its number."""
        return self.trained.seed

    @property
    def best(self) -> TwinPolicy:
        """Its policy of the least mean total cost."""
        return min(self.policies, key=lambda policy: policy.result.mean("total"))


@dataclass(frozen=True, kw_only=True, eq=False)
class TwinTrainingResult:
    """The belief plan, networks fitted to it, and what learning on the twin made of them.

    Attributes
    ----------
    plan
        The belief plan by location, from which all seeds start.
    objective
        Cost of the best policy on luck that neither learning nor the choice of it has seen.
    """

    twin: Twin
    settings: LocationSettings
    plan: TwinPolicy
    seeds: tuple[TwinSeed, ...]
    objective: FleetResult
    seconds: float

    @property
    def policies(self) -> tuple[TwinPolicy, ...]:
        """The plan, then the policies of each seed."""
        return self.plan, *(policy for seed in self.seeds for policy in seed.policies)

    @property
    def best(self) -> TwinPolicy:
        """The policy of the least mean total cost in the comparison."""
        return min(self.policies, key=lambda policy: policy.result.mean("total"))

    @property
    def env_steps(self) -> int:
        """Choices made by all locations of all fleets while learning, all seeds."""
        return sum(seed.trained.env_steps for seed in self.seeds)

    def paired(self, policy: TwinPolicy, measure: str = "total") -> Difference:
        """Return a policy's measure less the belief plan's, replication by replication."""
        return policy.result.less(self.plan.result, measure)


def with_parts(twin: Twin, names: Sequence[str]) -> Twin:
    """Return the twin of some parts alone; all if none are named.

    Raises
    ------
    ValueError
        If a part is not there.
    """
    parts = twin.network.parts
    known = [part.name for part in parts]
    for name in names:
        if name not in known:
            raise ValueError(f"unknown part {name!r}; known: {', '.join(known)}.")
    chosen = tuple(part for part in parts if not names or part.name in names)
    return replace(twin, network=replace(twin.network, parts=chosen))


def train_on_twin(
    twin: Twin,
    settings: LocationSettings | None = None,
    *,
    days: Sequence[float] = DAYS,
    num_replications: int = LANES,
    seeds: int | Sequence[int] = 1,
    step_hours: float = STEP_HOURS,
    folder: Path | None = None,
    resume: bool = False,
    checkpoint_s: float = CHECKPOINT_S,
    progress: TrainingHook | None = None,
    told: Callable[[str], None] = lambda text: None,
) -> TwinTrainingResult:
    """Start from the belief plan by location, learn on the twin, and compare on the same luck.

    Every location orders at reviews, one order under way. The policies after so many simulated
    days of every fleet (whole rollouts, rounded down) are compared over the whole horizon.

    Parameters
    ----------
    seeds
        How many, from 0 on, or which. A seed draws the states that the network is fitted in, its
        weights, and the fleets that it learns on; the plan and the luck of the comparison are the
        same for all, so a seed's result does not depend on which others there are.
    folder, resume, checkpoint_s
        Where plans, starts and every so many seconds the learning are saved, and whether to go on
        from what is there, to the identical result.
    progress
        Called after each rollout.

    Raises
    ------
    ValueError
        If the twin has something that the array program does not know, or a number does not fit,
        before anything is solved; if a checkpoint is of a run of another kind.
    """
    began = time.monotonic()
    chosen = settings or LocationSettings()
    numbers = list(range(seeds)) if isinstance(seeds, int) else [*seeds]
    if not numbers or any(not 0 <= seed < 1 << 32 for seed in numbers):
        raise ValueError(f"seeds must be one or more whole numbers of 32 bits; got {seeds!r}.")
    options: dict[str, Any] = {"num_replications": num_replications, "step_hours": step_hours}
    check_twin_training(twin, chosen, days=days, **options)
    twin, marks = replace(twin, orders="single"), _marks(twin, chosen, days)
    tables = twin_tables(twin, step_hours=step_hours)
    dynamics = Dynamics(tables)
    given: dict[str, Any] = {"resume": resume, "told": told}
    plans = {
        part.name: plan_or_saved(
            twin, part, PLAN_SEED, folder=folder and folder / "plan" / f"part-{p}", **given
        )
        for p, part in enumerate(twin.network.parts)
    }
    rule = location_orders(dynamics, {name: plan.orders for name, plan in plans.items()})
    key = {"model": digest(twin), "step_hours": tables.step_hours}
    key |= {"settings": json.loads(json.dumps(asdict(chosen)))}
    rollout = _rollout_days(twin, chosen)
    trained: list[tuple[Start, TrainedSeed, list[Parameters]]] = []
    for seed in numbers:
        own, key["seed"] = folder and folder / f"seed-{seed}", seed
        start, data = start_or_saved(
            dynamics, plans, rule, chosen, key, seed=seed, folder=own and own / "start", **given
        )
        saved = RunFolder(
            folder=own,
            resume=resume,
            every=checkpoint_s,
            key={**key, "days": [mark * rollout for mark in marks]},
        )
        found = learned(start, data, chosen, marks=marks, seed=seed, saved=saved, progress=progress)
        trained.append((start, *found))
    judge = _Judge(dynamics, rule, trained[0][0], num_replications, told)
    plan = judge.of_plan()
    judged = tuple(
        TwinSeed(start=start, trained=one, policies=judge.of_seed(start, one, marks, rollout, at))
        for start, one, at in trained
    )
    best = min(
        (plan, *(seed.best for seed in judged)), key=lambda policy: policy.result.mean("total")
    )
    margin = next((s.start.margin for s in judged if s.seed == best.seed), None)
    return TwinTrainingResult(
        twin=twin,
        settings=chosen,
        plan=plan,
        seeds=judged,
        objective=judge.run(best.parameters, margin, UNSEEN_SEED),
        seconds=time.monotonic() - began,
    )


def check_twin_training(
    twin: Twin,
    settings: LocationSettings,
    *,
    days: Sequence[float],
    num_replications: int,
    step_hours: float = STEP_HOURS,
) -> None:
    """Raise a ValueError if `twin` cannot be trained on so long, or compared so often."""
    if num_replications < 2:
        raise ValueError(f"replications must be at least 2; got {num_replications}.")
    _marks(twin, settings, days)
    check_arrays(twin, step_hours)


def _rollout_days(twin: Twin, settings: LocationSettings) -> float:
    return settings.reviews * twin.period_hours / 24.0


def _marks(twin: Twin, settings: LocationSettings, days: Sequence[float]) -> list[int]:
    """Return the numbers of rollouts after which policies are compared."""
    rollout = _rollout_days(twin, settings)
    most = twin.network.periods // settings.reviews
    for value in days:
        check_number("days", value, at_least=rollout)
        if int(value // rollout) > most:
            raise ValueError(
                f"days must be at most {most * rollout:g}, in whole rollouts of"
                f" {settings.reviews} reviews within the horizon; got {value:g}."
            )
    if not days:
        raise ValueError("days must name at least one moment of the comparison.")
    return sorted({int(value // rollout) for value in days})


class _Judge:
    """Runs policies on the same luck, each kind compiled once."""

    def __init__(
        self,
        dynamics: Dynamics,
        rule: Wanted,
        start: Start,
        num_replications: int,
        told: Callable[[str], None],
    ) -> None:
        self.num_replications, self.told = num_replications, told
        self.planned = FleetRunner(dynamics, lambda _, fleets: rule(fleets))
        self.learned = FleetRunner(dynamics, cautious_orders(start.agents, start.network, rule))

    def run(self, parameters: Parameters | None, margin: float | None, seed: int) -> FleetResult:
        """Return what a network costs with its margin, or without one the plan."""
        options: dict[str, int] = {"num_replications": self.num_replications, "seed": seed}
        if parameters is None:
            return self.planned.run(None, **options)
        return self.learned.run((parameters, margin), **options)

    def of_plan(self) -> TwinPolicy:
        """Return the belief plan with its cost."""
        name = "belief plan by location"
        self.told(f"comparing: {name}")
        found = self.run(None, None, FRESH_SEED)
        return TwinPolicy(name=name, seed=None, days=None, parameters=None, result=found)

    def of_seed(
        self,
        start: Start,
        trained: TrainedSeed,
        marks: Sequence[int],
        rollout: float,
        at: Sequence[Parameters],
    ) -> tuple[TwinPolicy, ...]:
        """Return the start and the networks at the marks with their costs."""
        found = []
        for mark, parameters in zip((0, *marks), (start.parameters, *at), strict=True):
            name = f"after {mark * rollout:g} days" if mark else "network fitted to it"
            self.told(f"comparing: {name}, seed {trained.seed}")
            found.append(
                TwinPolicy(
                    name=name,
                    seed=trained.seed,
                    days=mark * rollout,
                    parameters=parameters,
                    result=self.run(parameters, start.margin, FRESH_SEED),
                )
            )
        return tuple(found)
