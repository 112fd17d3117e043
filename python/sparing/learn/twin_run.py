"""Seeds' learning on a twin: rounds, progress, checkpoints; nothing moves unasked."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import jax
import numpy as np

from sparing.exact.interrupts import deferred_interrupt
from sparing.learn.checkpoints import FILE, load_checkpoint, save_checkpoint
from sparing.learn.location_learning import Lived, LocationLearner, Report, location_learner
from sparing.learn.location_start import LocationSettings, Start
from sparing.learn.networks import Parameters
from sparing.learn.run_records import TrainedSeed, TrainingHook, TrainingProgress
from sparing.learn.twin_dynamics import Dynamics
from sparing.learn.twin_lanes import location_orders
from sparing.learn.twin_saved import Told, digest, plan_or_saved, start_or_saved
from sparing.simulate.twin import Twin

PLAN_SEED = 0  # of the plan's prices, which all seeds share
COLUMNS = ("env_steps", "cost", "loss", "epsilon", "rate")


def rollout_days(twin: Twin, settings: LocationSettings) -> float:
    """Return how many days of a fleet are learned from at once."""
    return settings.reviews * twin.period_hours / 24.0


@dataclass(frozen=True, kw_only=True, eq=False)
class Learned:
    """What a seed came to: its start, its curves, and its networks by simulated days."""

    start: Start
    trained: TrainedSeed
    networks: dict[float, Parameters]


class TwinRun:
    """What the seeds of a run share: the twin, its belief plans, and where it is saved.

    The history of a seed has a row for each review: the mean cost of a fleet in it, exploration
    included, and the loss of what its rollout was learned from.

    Parameters
    ----------
    marks
        Numbers of rollouts after which the network is kept; the last is the end.
    folder, resume, every
        Where plans, starts and every so many seconds the learning are saved, and whether to go on
        from what is there.
    """

    def __init__(
        self,
        dynamics: Dynamics,
        settings: LocationSettings,
        marks: Sequence[int],
        folder: Path | None,
        resume: bool,
        every: float,
        progress: TrainingHook | None,
        told: Told,
    ) -> None:
        twin = dynamics.tables.twin
        self.dynamics, self.settings, self.marks = dynamics, settings, list(marks)
        self.folder, self.resume, self.every = folder, resume, every
        self.progress, self.told = progress, told
        self.choices = settings.fleets * int(np.prod(dynamics.shape))  # at a review
        self.days = [mark * rollout_days(twin, settings) for mark in marks]
        self.key = {"model": digest(twin), "step_hours": dynamics.tables.step_hours}
        self.key |= {"settings": json.loads(json.dumps(asdict(settings)))}
        self.plans = {
            part.name: plan_or_saved(
                twin, part, PLAN_SEED, folder=self._place("plan", f"part-{p}"), **self._given
            )
            for p, part in enumerate(twin.network.parts)
        }
        orders = {name: plan.orders for name, plan in self.plans.items()}
        self.rule = location_orders(dynamics, orders)

    def seed(self, seed: int) -> Learned:
        """Learn from the start on for as many rollouts as the last of `marks`."""
        began, key = time.monotonic(), {**self.key, "seed": seed}
        start, data = start_or_saved(
            self.dynamics,
            self.plans,
            self.rule,
            self.settings,
            key,
            seed=seed,
            folder=self._place(f"seed-{seed}", "start"),
            **self._given,
        )
        learner = location_learner(start, self.settings, seed=seed)
        state = self._begun(learner, start, {**key, "days": self.days}, seed)
        before, written, step = state.seconds, time.monotonic(), None
        # Ctrl-C waits for the end of a rollout: JAX still computes, and must not be torn down then.
        with deferred_interrupt() as pending:
            while state.done < self.marks[-1]:
                if step is None:
                    data = jax.device_put(data)
                    step = jax.jit(learner.step).lower(state.lived, data).compile()
                with jax.transfer_guard("disallow"):
                    lived, report = step(state.lived, data)
                    shown = jax.device_get(report)
                state.go_on(lived, self._rows(state.done + 1, shown), self.marks)
                state.seconds = before + time.monotonic() - began
                self._tell(seed, state)
                is_last = state.done == self.marks[-1] or pending.requested
                if state.folder is not None and (
                    is_last or time.monotonic() - written >= self.every
                ):
                    state.save()
                    written = time.monotonic()
                if pending.requested:
                    raise KeyboardInterrupt
        rows = np.array(state.history)
        trained = TrainedSeed(
            seed=seed,
            parameters=jax.device_get(state.lived.parameters),
            history={name: rows[:, column] for column, name in enumerate(COLUMNS)},
            env_steps=int(rows[-1, 0]),
            seconds=before + time.monotonic() - began,
        )
        return Learned(start=start, trained=trained, networks=state.networks(self.days))

    @property
    def _given(self) -> dict[str, Any]:
        return {"resume": self.resume, "told": self.told}

    def _place(self, *names: str) -> Path | None:
        return None if self.folder is None else self.folder.joinpath(*names)

    def _begun(
        self, learner: LocationLearner, start: Start, key: dict[str, Any], seed: int
    ) -> _State:
        """Return where learning goes on from: its beginning, or what was saved."""
        lived = jax.jit(learner.init)()
        kept = jax.tree_util.tree_map(
            lambda x: np.zeros((len(self.marks), *x.shape), x.dtype), start.parameters
        )
        folder = self._place(f"seed-{seed}")
        state = _State(folder, key, lived, kept)
        if folder is not None and self.resume and (folder / FILE).exists():
            state.load()
        return state

    def _rows(self, done: int, report: Report) -> list[list[float]]:
        """Return the rows of a rollout, one per review."""
        first, loss = (done - 1) * self.settings.reviews, float(report.loss)
        return [
            [float((first + k + 1) * self.choices), float(cost), loss, self.settings.epsilon, 0.0]
            for k, cost in enumerate(report.cost)
        ]

    def _tell(self, seed: int, state: _State) -> None:
        if self.progress is None:
            return
        steps, cost, loss, epsilon, rate = state.history[-1]
        self.progress(
            TrainingProgress(
                seed=seed,
                env_steps=int(steps),
                total_steps=self.marks[-1] * self.settings.reviews * self.choices,
                seconds=state.seconds,
                cost=cost,
                rate=rate,
                epsilon=epsilon,
                loss=loss,
            )
        )


class _State:
    """A seed's learning as it goes: `kept` has the network at each mark, zeros before it."""

    def __init__(self, folder: Path | None, key: dict[str, Any], lived: Lived, kept: Any) -> None:
        self.folder, self.key, self.lived, self.kept = folder, key, lived, kept
        self.done, self.seconds = 0, 0.0
        self.history: list[list[float]] = []

    def load(self) -> None:
        """Go on from what the folder holds."""
        assert self.folder is not None
        like = jax.eval_shape(lambda: self.lived), self.kept
        (lived, kept), record = load_checkpoint(self.folder, like, self.key)
        self.lived = jax.device_put(lived)
        self.kept = jax.tree_util.tree_map(np.array, kept)  # a file's arrays are read-only
        self.done, self.seconds = record["iteration"], record["seconds"]
        self.history = record["history"]

    def save(self) -> None:
        """Write the state, whole or not at all."""
        assert self.folder is not None
        content = {"iteration": self.done, "seconds": self.seconds, "history": self.history}
        save_checkpoint(self.folder, (self.lived, self.kept), {**self.key, **content})

    def go_on(self, lived: Lived, rows: list[list[float]], marks: list[int]) -> None:
        """Note a rollout, and keep the network if this is a mark."""
        self.lived, self.done = lived, self.done + 1
        self.history += rows
        if self.done not in marks:
            return
        place, now = marks.index(self.done), jax.device_get(lived.parameters)
        flat, leaves = (jax.tree_util.tree_leaves(tree) for tree in (self.kept, now))
        for kept, leaf in zip(flat, leaves, strict=True):
            kept[place] = leaf

    def networks(self, days: Sequence[float]) -> dict[float, Parameters]:
        """Return the networks that were kept, by simulated days."""
        return {
            day: jax.tree_util.tree_map(lambda x, n=n: x[n], self.kept)
            for n, day in enumerate(days)
        }
