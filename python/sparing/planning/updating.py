"""New records: they are added to the folder, the plan moves with them, and what changed is told."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from sparing.exact.solution import Solution
from sparing.models.multi_component import MultiComponentProblem
from sparing.planning.added_rows import add_rows
from sparing.planning.estimation import estimate
from sparing.planning.folder import PlanInput, read_plan_folder
from sparing.planning.keeping import kept_solution
from sparing.planning.large import LargeSolution
from sparing.planning.maintenance_plan import MaintenancePlan
from sparing.planning.method import choose_method
from sparing.planning.new_records import NewRecords, joined_with
from sparing.planning.plan_change import Decision, PlanChange, plan_change
from sparing.planning.planning import Progress, judged_plan, plan_by, plan_of_spares
from sparing.planning.scoring import PeriodRecords, PeriodScore
from sparing.planning.spares_change import SparesChange, spares_change
from sparing.planning.spares_kept import StockInForce, stock_in_force
from sparing.planning.spares_plan import SparesPlan
from sparing.records.failure_history import UNIX
from sparing.records.paths import Array

Records = str | Path | Sequence[str | Path]
Change = PlanChange | SparesChange
UNITS_ONLY = "the new records are not of stocks"
STOCKS_ONLY = "policy kept: the new records are of stocks"


@dataclass(frozen=True, kw_only=True, eq=False)
class _Last:
    """The last plan of a folder: where it is, and its metrics."""

    folder: Path
    metrics: dict[str, Any]

    def stock(self, resolve: bool | None, *, is_new: bool) -> StockInForce | None:
        """Return its plan of the stocks, or None where there is none."""
        if "spares" not in self.metrics:
            return None
        day = date.fromisoformat(self.metrics["spares"]["day"])
        return stock_in_force(
            self.folder / "spares",
            float((day - UNIX).days),
            resolve=resolve,
            unmoved="" if is_new else UNITS_ONLY,
        )


def update_plan(
    folder: str | Path,
    records: Records,
    *,
    out: str | Path | None = None,
    resolve: bool | None = None,
    memory: float | None = None,
    steps: int | None = None,
    progress: Progress | None = None,
) -> tuple[MaintenancePlan | SparesPlan, Change]:
    """Add new records to `folder`, and move its plan with them.

    The estimates always move. A policy is kept and evaluated by the new estimates, unless the
    HyperScore of the time that the new records are of is below `resolve_below` of plan.toml, or
    the policy does not fit what plan.toml and the records now say: then it is solved anew. That
    holds for maintenance and stocks apart, each by its own records.

    The records are checked and the plan is made together with those that are there; only then
    does the folder take them. If anything is wrong, nothing is written. A unit that has failed
    takes the place of the same unit in service; an order that has come, that of the same order
    under way.

    Parameters
    ----------
    records
        A file, CSV or Parquet, or several of different kinds; the columns tell of what they are:
        inspections, maintenance, failures, stock, orders.
    out
        Where the earlier plan is; default ``folder/plan``.
    resolve
        True: solve anew, False: keep the policy if it fits; default by the score.
    memory, steps, progress
        As of `sparing.planning.planning.make_plan`.

    Returns
    -------
    tuple
        The plan, and what changed: a `PlanChange`, or a `SparesChange` where all new records are of
        stocks.

    Raises
    ------
    sparing.records.problems.RecordsError
        With everything that is wrong.
    ValueError
        If `folder` has no plan yet, or the files are not of different kinds.
    """
    folder = Path(folder)
    files = [Path(records)] if isinstance(records, str | Path) else [Path(x) for x in records]
    last = _last_plan(folder, Path(out) if out is not None else folder / "plan")
    source = read_plan_folder(folder)
    new = joined_with(source, files)
    if new.stocks and (source.spares is None or "spares" not in last.metrics):
        raise ValueError(f"{folder}: its plan has no stocks; add [spares] and `sparing plan` it.")
    if new.units and "advice" not in last.metrics:
        raise ValueError(f"{folder}: its plan has no units; `sparing plan` it anew.")
    stock = last.stock(resolve, is_new=bool(new.stocks))
    made: MaintenancePlan | SparesPlan | None = None
    decision = None
    if not source.components:
        made = plan_of_spares(new.source, progress, stock)
    if made is None:
        made, decision = _moved_plan(
            new, last, resolve, memory=memory, steps=steps, stock=stock, progress=progress
        )
    change = _change(last, new, made, decision)
    for file in (*new.units, *new.stocks):
        add_rows(file.target, file.records, file.replaced)
    return made, change


def _last_plan(folder: Path, place: Path) -> _Last:
    try:
        text = (place / "metrics.json").read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ValueError(f"{folder}: has no plan yet; make one with `sparing plan`.") from None
    return _Last(folder=place, metrics=json.loads(text))


def _moved_plan(
    new: NewRecords,
    last: _Last,
    resolve: bool | None,
    *,
    memory: float | None,
    steps: int | None,
    stock: StockInForce | None,
    progress: Progress | None,
) -> tuple[MaintenancePlan, Decision]:
    """Return the plan by the new estimates: by the policy there is, or by one solved anew."""
    source, expected = new.source, last.metrics["expected"]
    estimates = estimate(source)
    problem = estimates.mean_problem()
    score = _score(source, problem, expected, new.times)
    kept = kept_solution(last.folder / "solution", problem)
    resolved, reason = _decided(kept, score, source.scoring.resolve_below, resolve)
    if not new.units and not isinstance(kept, str):
        resolved, reason = False, f"{STOCKS_ONLY}."
    decision = Decision(resolved=resolved, reason=reason, score=score)
    if resolved or isinstance(kept, str):
        plan = plan_by(
            source, estimates, memory=memory, steps=steps, stock=stock, progress=progress
        )
        return plan, decision
    method = replace(choose_method(problem, memory), reason=reason)
    plan = judged_plan(
        source,
        estimates,
        problem,
        kept,
        method,
        expected=expected,
        stock=stock,
        progress=progress,
    )
    return plan, decision


def _score(
    source: PlanInput, problem: MultiComponentProblem, expected: dict[str, float], times: Array
) -> PeriodScore:
    """Return the score of the periods that new records fall into; none scores full."""
    found = PeriodRecords(source, problem)
    targets = source.scoring.targets(expected)
    if times.size == 0:
        return found.score(targets, 0, -1)
    return found.score(targets, found.number(times.min()), found.number(times.max()))


def _decided(
    kept: Solution | LargeSolution | str,
    score: PeriodScore,
    resolve_below: float,
    resolve: bool | None,
) -> tuple[bool, str]:
    """Return whether to solve anew, and why or why not."""
    scored = f"the new records score {score.score:.2f}"
    if isinstance(kept, str):
        return True, f"solved anew: {kept}."
    if resolve is not None:
        return resolve, f"{'solved anew' if resolve else 'policy kept'} as asked; {scored}."
    if not score.num_looks:
        return False, "policy kept: the new records hold no inspection to score."
    if score.score < resolve_below:
        return True, f"solved anew: {scored}, below {resolve_below:g}."
    return False, f"policy kept: {scored}, not below {resolve_below:g}."


def _change(
    last: _Last,
    new: NewRecords,
    made: MaintenancePlan | SparesPlan,
    decision: Decision | None,
) -> Change:
    stocks = None
    spares = made if isinstance(made, SparesPlan) else made.spares
    if new.stocks and spares is not None:
        stocks = spares_change(
            last.metrics["spares"],
            spares,
            file=", ".join(file.target.name for file in new.stocks),
            num_records=sum(file.num_records for file in new.stocks),
        )
    if not new.units:
        assert stocks is not None
        return stocks
    assert isinstance(made, MaintenancePlan)
    assert decision is not None
    added = sum(file.num_records for file in new.units)
    found = plan_change(last.metrics, last.folder, made, decision, added=added)
    return replace(found, stocks=stocks)
