"""Learning on a twin that starts from its belief plan, and what both cost on the same luck."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sparing._checks import check_number
from sparing.learn.location_start import LocationSettings, Start
from sparing.learn.run_records import CHECKPOINT_S, TrainedSeed, TrainingHook
from sparing.learn.twin_dynamics import Dynamics
from sparing.learn.twin_judge import UNSEEN_SEED, Judge, TwinPolicy
from sparing.learn.twin_lanes import LANES, FleetResult
from sparing.learn.twin_run import TwinRun, rollout_days
from sparing.learn.twin_tables import STEP_HOURS, check_arrays, twin_tables
from sparing.simulate.results import Difference
from sparing.simulate.twin import Twin

DAYS = (30.0, 60.0, 90.0)


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
    objective, plan_beside
        Costs of the best policy, and of the plan, on luck that neither learning nor the choice of
        that policy has seen: the least of many means is partly luck.
    """

    twin: Twin
    settings: LocationSettings
    plan: TwinPolicy
    seeds: tuple[TwinSeed, ...]
    objective: FleetResult
    plan_beside: FleetResult
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
    dynamics = Dynamics(twin_tables(twin, step_hours=step_hours))
    run = TwinRun(dynamics, chosen, marks, folder, resume, checkpoint_s, progress, told)
    trained = [run.seed(seed) for seed in numbers]
    judge = Judge(dynamics, run.rule, trained[0].start, num_replications, told)
    plan = judge.of_plan()
    judged = tuple(
        TwinSeed(
            start=one.start,
            trained=one.trained,
            policies=judge.of_seed(one.start, one.trained.seed, one.networks),
        )
        for one in trained
    )
    best = min(
        (plan, *(seed.best for seed in judged)), key=lambda policy: policy.result.mean("total")
    )
    told("comparing: the best of them and the plan, on other luck")
    margin = next((s.start.margin for s in judged if s.seed == best.seed), None)
    return TwinTrainingResult(
        twin=twin,
        settings=chosen,
        plan=plan,
        seeds=judged,
        objective=judge.run(best.parameters, margin, UNSEEN_SEED),
        plan_beside=judge.run(None, None, UNSEEN_SEED),
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


def _marks(twin: Twin, settings: LocationSettings, days: Sequence[float]) -> list[int]:
    """Return the numbers of rollouts after which policies are compared."""
    rollout = rollout_days(twin, settings)
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
