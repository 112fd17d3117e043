"""Plans of many sites, each a folder of records, on any executor."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sparing._files import write_atomically
from sparing._threads import limited_threads
from sparing.fleet.results import FleetRows
from sparing.fleet.rows import KeyedTask, check_names, run_to_rows

if TYPE_CHECKING:
    from sparing.planning.maintenance_plan import MaintenancePlan

SETTINGS = "plan.toml"
RECORDS = (".csv", ".parquet")
ROW = "row.json"  # in the folder of a site's plan
FORMAT = "sparing-fleet-plan-2"  # rows of another one are made anew
COLUMNS = (  # of the Parquet files, between name and key and the error
    ("units", "int64"),
    ("to_do", "int64"),
    ("lower", "float64"),
    ("upper", "float64"),
    ("exact", "bool_"),
    ("expected_cost", "float64"),
    ("availability", "float64"),
    ("today_cost", "float64"),
    ("saves", "float64"),
    ("orders", "int64"),
    ("cost_lower", "float64"),
    ("cost_upper", "float64"),
    ("seconds", "float64"),
    ("actions", "string"),
    ("remarks", "string"),
)
SORTED_BY = {  # what sites may be sorted by, and its column
    "saves": "saves",
    "to-do": "to_do",
    "orders": "orders",
    "cost": "expected_cost",
    "units": "units",
    "name": "",
}


@dataclass(frozen=True, kw_only=True)
class FleetPlan(FleetRows):
    """What was found for each site of a fleet.

    Parameters
    ----------
    rows
        One per site, in the order given: name, key (of all its files and the options), units, to_do
        (units that need work now), lower and upper bound of the objective (or a 95 % interval where
        `exact` is false), expected_cost and availability per unit and period, today_cost (the same
        of the rule that the records show; None: they show none), saves (what the plan saves over
        it on all units together, per period), orders (stocks that have to order now), cost_lower
        and cost_upper (95 %, by what the records leave open), seconds, actions (JSON: unit or
        location and what to do), remarks, and error (empty where there was none). What is of
        maintenance is None for a site with stocks alone.
    num_resumed
        Rows that were taken over from an earlier run.
    seconds
        Wall-clock time of this run.
    """

    @property
    def metrics(self) -> dict[str, Any]:
        """The figures of the fleet for machines."""
        good = [row for row in self.rows if not row["error"]]
        return {
            "format": FORMAT,
            "sites": len(self.rows),
            "failed": len(self.failed),
            "resumed": self.num_resumed,
            "units": sum(row["units"] for row in good),
            "to_do": sum(row["to_do"] for row in good),
            "orders": sum(row["orders"] for row in good),
            "expected_cost": sum(row["units"] * (row["expected_cost"] or 0.0) for row in good),
            "saves": sum(row["saves"] or 0.0 for row in good),
            "seconds": round(self.seconds, 3),
            "rows": [{**row, "actions": json.loads(row["actions"] or "[]")} for row in self.rows],
        }


def plan_many(
    folders: str | Path | Mapping[str, str | Path] | Iterable[tuple[str, str | Path]],
    *,
    settings: str | Path | None = None,
    executor: Executor | None = None,
    num_workers: int = 0,
    out: str | Path | None = None,
    memory: float | None = None,
    steps: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> FleetPlan:
    """Make the plan of each site, each on one worker.

    Parameters
    ----------
    folders
        A folder of site folders, or per name the folder of a site.
    settings
        The plan.toml of sites that have none of their own; default the one beside the sites.
    executor
        Where to run: any executor of `concurrent.futures`, as ``Client.get_executor()`` of Dask;
        default processes of this machine. Workers read the folders themselves.
    num_workers
        Of those processes; 0: as many as processors.
    out
        A folder that takes the rows (``rows/*.parquet``) while they come in, each site's plan
        (``sites/<name>``), and at the end fleet.html and fleet.json. Sites whose files and options
        are the same as of rows that are there are not planned again, errors are.
    memory, steps
        As of `sparing.plan`.
    progress
        Called with the number of sites that are done and their total.

    Raises
    ------
    ValueError
        If there is no site, or a name is there twice or is no file name, before anything runs.
    """
    started = time.monotonic()
    folder = Path(out) if out is not None else None
    if isinstance(folders, str | Path):
        settings = settings or Path(folders) / SETTINGS
        folders = site_folders(folders)
    pairs = folders.items() if isinstance(folders, Mapping) else folders
    tasks = [
        PlanTask(
            name=name,
            folder=Path(site).absolute(),
            settings=_settings_of(Path(site), settings),
            out=None if folder is None else folder.absolute() / "sites" / name,
            memory=memory,
            steps=steps,
        )
        for name, site in pairs
    ]
    check_names([task.name for task in tasks])
    finished, num_resumed = run_to_rows(
        plan_site,
        [KeyedTask(name=task.name, key=task.key, payload=task) for task in tasks],
        columns=COLUMNS,
        folder=None if folder is None else folder / "rows",
        executor=executor,
        num_workers=num_workers,
        progress=progress,
    )
    found = FleetPlan(
        rows=tuple(finished[task.name] for task in tasks),
        num_resumed=num_resumed,
        seconds=time.monotonic() - started,
    )
    if folder is not None:
        from sparing.report.fleet_report import save_fleet

        save_fleet(found, folder)
    return found


def sorted_rows(rows: Iterable[Mapping[str, Any]], by: str) -> list[Mapping[str, Any]]:
    """Return rows without errors, the largest first by one of `SORTED_BY`; unknown ones last.

    Equal ones stand in the order of how many orders and how much work there is, then by name.

    Raises
    ------
    ValueError
        If `by` is none of those.
    """
    if by not in SORTED_BY:
        raise ValueError(f"sites can be sorted by {', '.join(SORTED_BY)}; got {by!r}.")
    column = SORTED_BY[by]

    def place(row: Mapping[str, Any]) -> tuple[Any, ...]:
        value = row[column] if column else None
        first = -float("inf") if value is None else value
        return -first, -row["orders"], -row["to_do"], row["name"]

    good = [row for row in rows if not row["error"]]
    return sorted(good, key=place if column else lambda row: row["name"])


def is_fleet(folder: str | Path) -> bool:
    """Return whether `folder` holds sites and no records of its own."""
    folder = Path(folder)
    if not folder.is_dir() or _has_records(folder):
        return False
    return any(_is_site(path, folder) for path in folder.iterdir())


def site_folders(folder: str | Path) -> dict[str, Path]:
    """Return the site folders in a folder by name: those with a plan.toml or with records.

    Records alone are enough where there is a plan.toml beside the sites.

    Raises
    ------
    ValueError
        If there is none.
    """
    folder = Path(folder)
    found = {p.name: p for p in sorted(folder.iterdir()) if _is_site(p, folder)}
    if not found:
        raise ValueError(
            f"{folder}: holds no site; a site is a folder with a {SETTINGS}, or with records where"
            f" {folder.name} has a {SETTINGS} for all."
        )
    return found


def _is_site(path: Path, fleet: Path) -> bool:
    if not path.is_dir() or path.name.startswith("."):
        return False
    return (path / SETTINGS).exists() or ((fleet / SETTINGS).exists() and _has_records(path))


def _has_records(folder: Path) -> bool:
    return any(path.suffix in RECORDS for path in folder.iterdir())


def _settings_of(site: Path, shared: str | Path | None) -> Path:
    own = site / SETTINGS
    return own.absolute() if own.exists() or shared is None else Path(shared).absolute()


@dataclass(frozen=True, kw_only=True)
class PlanTask:
    """One site, as a worker gets it: paths and options, no records."""

    name: str
    folder: Path
    settings: Path
    out: Path | None
    memory: float | None
    steps: int | None

    @property
    def key(self) -> str:
        """A fingerprint of all files that the plan is made from, and of the options."""
        options = FORMAT, str(self.out), self.memory, self.steps
        digest = hashlib.sha256(repr(options).encode())
        for path in [self.settings, *self._records()]:
            digest.update(path.name.encode() + b"\0")
            if path.is_file():
                with path.open("rb") as file:
                    digest.update(hashlib.file_digest(file, "sha256").digest())
        return digest.hexdigest()[:32]

    def _records(self) -> Sequence[Path]:
        if not self.folder.is_dir():
            return []
        return sorted(path for path in self.folder.iterdir() if path.suffix in RECORDS)


def plan_site(task: PlanTask) -> dict[str, Any]:
    """Make the plan of one site on one thread; this is what runs on the workers.

    A plan that is in its folder already with the same key, as the rows of a run that was killed
    were not yet written, is taken from there.
    """
    place = None if task.out is None else task.out / ROW
    key = task.key
    if place is not None and (saved := _saved_row(place, key)) is not None:
        return saved
    with limited_threads(1):
        row = _planned(task)
    if place is not None:
        write_atomically(place, json.dumps({"key": key, "row": row}) + "\n")
    return row


def _saved_row(place: Path, key: str) -> dict[str, Any] | None:
    try:
        saved = json.loads(place.read_text(encoding="utf-8"))
        return dict(saved["row"]) if saved["key"] == key else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _planned(task: PlanTask) -> dict[str, Any]:
    from sparing.planning.maintenance_plan import MaintenancePlan
    from sparing.planning.whole import plan_folder

    started = time.monotonic()
    plan = plan_folder(task.folder, settings=task.settings, memory=task.memory, steps=task.steps)
    if task.out is not None:
        plan.save(task.out)
    row: dict[str, Any] = {"units": 0, "to_do": 0}
    actions, remarks = list[dict[str, str]](), [*plan.remarks]
    stocks = plan.spares if isinstance(plan, MaintenancePlan) else plan
    if isinstance(plan, MaintenancePlan):
        row = _maintenance_row(plan)
        actions += [{"unit": a.unit, "do": plan.work(a)} for a in plan.to_do]
    if stocks is not None:
        remarks += stocks.remarks if stocks is not plan else []
        actions += [
            {"unit": level.location, "do": f"order {level.order_now} {level.part}"}
            for level in stocks.orders
        ]
    return {
        **row,
        "orders": 0 if stocks is None else len(stocks.orders),
        "seconds": time.monotonic() - started,
        "actions": json.dumps(actions),
        "remarks": "\n".join(remarks),
    }


def _maintenance_row(plan: MaintenancePlan) -> dict[str, Any]:
    today = None if plan.today is None else float(plan.today.cost)
    cost = float(plan.expected["cost"])
    if (simulated := plan.rows.get("recommended")) is not None:
        cost = float(simulated.cost)  # on the same luck as today's
    low, high = plan.robustness.interval if plan.robustness is not None else (None, None)
    return {
        "units": len(plan.advice),
        "to_do": len(plan.to_do),
        "lower": float(plan.solution.lower),
        "upper": float(plan.solution.upper),
        "exact": plan.method.is_exact,
        "expected_cost": cost,
        "today_cost": today,
        "saves": None if today is None else len(plan.advice) * (today - cost),
        "availability": float(plan.expected["availability"]),
        "cost_lower": low,
        "cost_upper": high,
    }
