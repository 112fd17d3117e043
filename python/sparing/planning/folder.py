"""The folder a plan is made from: plan.toml and records, read and checked as a whole."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from sparing.planning.score_settings import ScoreSettings, score_settings
from sparing.planning.spares_input import SparesInput, read_spares
from sparing.records.inspections import (
    Inspections,
    Maintenance,
    no_inspections,
    read_inspections,
    read_maintenance,
)
from sparing.records.problems import ProblemLog

SETTINGS = "plan.toml"
OWN_KEYS = (
    "states",
    "renewals",
    "other_actions",
    "kind",
)  # of a component, beside those of a case file
MOST_STATES = 32


@dataclass(frozen=True, kw_only=True)
class PlannedComponent:
    """A component as plan.toml describes it.

    Parameters
    ----------
    num_states
        States of wear from 0 (new) to the last (failed).
    renewals
        Actions in the maintenance records that make it as new.
    other_actions
        Further actions there; what state they lead to is not assumed.
    is_estimated
        Whether its transition matrix comes from the records and not from plan.toml.
    kind
        Components of one kind wear alike: their records are estimated together.
    """

    name: str
    num_states: int
    renewals: tuple[str, ...]
    other_actions: tuple[str, ...]
    is_estimated: bool
    kind: str


@dataclass(frozen=True, kw_only=True, eq=False)
class PlanInput:
    """What a plan is made from.

    Parameters
    ----------
    system
        The content of a case file, where estimated components still lack their transitions.
    period
        Time between two decisions, in the unit of the records (dates: days).
    num_draws, seed
        Draws from the posterior, for the intervals.
    maintenance
        None where there are no such records.
    scoring
        How periods are scored, and when a policy is solved anew.
    spares
        What the stocks are planned from; None where plan.toml has no [spares].
    """

    folder: Path
    system: Mapping[str, Any]
    components: tuple[PlannedComponent, ...]
    period: float
    num_draws: int
    seed: int
    inspections: Inspections
    maintenance: Maintenance | None
    scoring: ScoreSettings = field(default_factory=ScoreSettings)
    spares: SparesInput | None = None


@dataclass(eq=False)
class _Settings:
    """plan.toml while it is checked."""

    log: ProblemLog
    table: dict[str, Any] = field(default_factory=dict)

    def bad(self, place: str, reason: str) -> None:
        self.log.add(SETTINGS, 0, place, reason)


def read_plan_folder(folder: str | Path, *, settings_file: Path | None = None) -> PlanInput:
    """Read and check everything in `folder`; default settings are its own plan.toml.

    Raises
    ------
    sparing.records.problems.RecordsError
        Once, with all problems of all files: file, line, column and reason.
    """
    folder, log = Path(folder), ProblemLog()
    settings = _Settings(log)
    components = _read_settings(settings_file or folder / SETTINGS, settings)
    scoring = score_settings(settings.table.get("hyper_score", {}), settings.bad)
    spares = read_spares(folder, settings.table, log) if settings.table else None
    if not components:
        log.finish()  # without components the records cannot be understood
    sizes = {component.name: component.num_states for component in components}
    actions = sorted({a for c in components for a in (*c.renewals, *c.other_actions)})
    seen, maintenance = records_table(folder, "inspections"), None
    inspections: Inspections | None = no_inspections()
    if any(component.is_estimated for component in components) or os.path.lexists(seen):
        inspections = read_inspections(seen, sizes, log)
    if os.path.lexists(done := records_table(folder, "maintenance")):  # a dead link is told, too
        maintenance = read_maintenance(done, sizes, actions, log)
    log.finish()
    assert inspections is not None
    plan = settings.table["plan"]
    return PlanInput(
        folder=folder,
        system=_case_table(settings.table),
        components=components,
        period=float(plan["period"]),
        num_draws=int(plan.get("draws", 200)),
        seed=int(plan.get("seed", 0)),
        inspections=inspections,
        maintenance=maintenance,
        scoring=scoring,
        spares=spares,
    )


def records_table(folder: Path, name: str) -> Path:
    """Return the Parquet file of records where there is one, else where a CSV file belongs."""
    parquet = folder / f"{name}.parquet"
    return parquet if os.path.lexists(parquet) else folder / f"{name}.csv"


def _read_settings(path: Path, settings: _Settings) -> tuple[PlannedComponent, ...]:
    try:
        settings.table = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        settings.bad("", f"is not in {path.parent}; `sparing demo` writes an example folder")
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        settings.bad("", f"is no TOML file in UTF-8 ({error})")
    if settings.log.problems:
        return ()
    _check_plan(settings)
    entries = settings.table.get("component")
    if entries is None and "spares" in settings.table:
        return ()  # a folder of spares alone
    if not isinstance(entries, list) or not entries:
        settings.bad("component", "[[component]] is missing: a plan needs at least one")
        return ()
    found = [_component(entry, number, settings) for number, entry in enumerate(entries, 1)]
    components = tuple(component for component in found if component is not None)
    names = [component.name for component in components]
    for name in sorted({name for name in names if names.count(name) > 1}):
        settings.bad("component", f"{name!r} is there twice")
    _check_kinds(components, settings)
    return components


def _check_plan(settings: _Settings) -> None:
    plan = settings.table.get("plan")
    if not isinstance(plan, dict):
        settings.bad("plan", "[plan] is missing; it holds period, the time between two decisions")
        return
    for key in sorted(set(plan) - {"period", "draws", "seed"}):
        settings.bad(f"plan.{key}", "is no key of [plan]; there are period, draws and seed")
    period, draws, seed = plan.get("period"), plan.get("draws", 200), plan.get("seed", 0)
    if not (isinstance(period, int | float) and 0.0 < period < np.inf):
        settings.bad("plan.period", f"must be a number > 0; got {period!r}")
    if not (isinstance(draws, int) and 20 <= draws <= 100_000):
        settings.bad("plan.draws", f"must be a whole number from 20 to 100000; got {draws!r}")
    if not (isinstance(seed, int) and seed >= 0):
        settings.bad("plan.seed", f"must be a whole number >= 0; got {seed!r}")


def _component(entry: Any, number: int, settings: _Settings) -> PlannedComponent | None:
    name = entry.get("name") if isinstance(entry, dict) else None
    if not isinstance(name, str) or not name:
        settings.bad(f"component {number}", "must be a table with a name")
        return None
    states, transition = entry.get("states"), entry.get("transition")
    if states is None and isinstance(transition, list):
        states = len(transition)
    if not (isinstance(states, int) and 2 <= states <= MOST_STATES):
        settings.bad(
            f"component {name}",
            f"states must be a whole number from 2 to {MOST_STATES} (or give transition); got"
            f" {states!r}",
        )
        return None
    lists = {}
    for key in ("renewals", "other_actions"):
        value = entry.get(key, [])
        if not (isinstance(value, list) and all(isinstance(a, str) and a for a in value)):
            settings.bad(f"component {name}", f"{key} must be a list of names; got {value!r}")
            value = []
        lists[key] = tuple(value)
    kind = entry.get("kind", name)
    if not isinstance(kind, str) or not kind:
        settings.bad(f"component {name}", f"kind must be a name; got {kind!r}")
        kind = name
    return PlannedComponent(
        name=name,
        num_states=states,
        is_estimated="transition" not in entry,
        kind=kind,
        **lists,
    )


def _check_kinds(components: tuple[PlannedComponent, ...], settings: _Settings) -> None:
    """Components of one kind have the same states, and are all estimated or none."""
    first = dict[str, PlannedComponent]()
    for component in components:
        other = first.setdefault(component.kind, component)
        same = (component.num_states, component.is_estimated)
        if same != (other.num_states, other.is_estimated):
            settings.bad(
                f"component {component.name}",
                f"is of kind {component.kind!r} like {other.name!r}; both must have the same states"
                " and both a transition or none",
            )


def _case_table(table: Mapping[str, Any]) -> dict[str, Any]:
    """Return what of plan.toml is a case file's."""
    own = ("plan", "hyper_score", "spares")
    case = {key: value for key, value in table.items() if key not in own}
    case["component"] = [
        {key: value for key, value in entry.items() if key not in OWN_KEYS}
        for entry in table.get("component", [])
    ]
    return case
