"""Maintenance records with what each inspection cost: table 5 of Jimenez Gonzalez (2021).

Each record holds the state every component was found in, the state it was left in, and the cost of
that inspection as one number: maintenance, set-up and downtime together.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sparing._checks import frozen_array
from sparing._files import write_atomically
from sparing.models.multi_component import MultiComponentProblem
from sparing.records.columns import RecordColumns, read_columns
from sparing.records.problems import ProblemLog

FEWEST = 20  # records by which a cost can be learned at all


@dataclass(frozen=True, kw_only=True, eq=False)
class CostRecords:
    """Inspections in a row.

    Parameters
    ----------
    found, left
        Shape (records, components): states before and after maintenance.
    cost
        Shape (records,): what the inspection cost, downtime included.
    """

    found: NDArray[np.int64]
    left: NDArray[np.int64]
    cost: NDArray[np.float64]

    def __post_init__(self) -> None:
        found = frozen_array("found", self.found, np.int64)
        left = frozen_array("left", self.left, np.int64, shape=found.shape)
        cost = frozen_array("cost", self.cost, shape=found.shape[:1])
        for name, value in (("found", found), ("left", left), ("cost", cost)):
            object.__setattr__(self, name, value)

    def __len__(self) -> int:
        return len(self.cost)


def check_costed(problem: MultiComponentProblem) -> None:
    """Raise unless what an inspection costs is a function of the states found and left.

    Raises
    ------
    ValueError
        If results of maintenance are random, spares are stocked, or goals are set on single kinds
        of cost.
    """
    if problem.result != "chosen" or problem.spares:
        raise ValueError(
            "a cost learned from records needs a system whose maintenance has certain results and"
            " no stocked spares."
        )
    for measure in problem.goals:
        if measure not in ("cost", "reliability"):
            raise ValueError(
                f"a cost learned from records is one number; the goal on {measure!r} needs it"
                " apart. Leave that goal out."
            )


def inspection_cost(
    problem: MultiComponentProblem, found: NDArray[np.int64], left: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the true cost [B] of bringing states [B, components] to others; inf: not allowed."""
    total = np.where((found != left).any(axis=1), problem.setup_cost, 0.0)
    for column, component in enumerate(problem.components):
        before, after = found[:, column], left[:, column]
        fee = component.maintenance_cost[before, after]
        total = total + np.where(after > before, np.inf, fee)
    failed = np.array([component.failed for component in problem.components])
    up = problem.works[tuple((found < failed).astype(int).T)]
    return total + np.where(up, 0.0, problem.downtime_cost)


def simulated_records(
    problem: MultiComponentProblem, num_records: int, *, seed: int = 0
) -> CostRecords:
    """Return so many inspections in a row, from all new, under random maintenance.

    Each component is brought to any of the states that are allowed, equally likely (section
    4.4.1: preventive and corrective actions "with the possibility of performing or not performing
    any maintenance action").

    Raises
    ------
    ValueError
        If there are fewer than 20 records, or the system is of another kind.
    """
    check_costed(problem)
    if num_records < FEWEST:
        raise ValueError(f"at least {FEWEST} records are needed; got {num_records}.")
    rng = np.random.default_rng(seed)
    count = len(problem.components)
    found = np.zeros((num_records, count), dtype=np.int64)
    left = np.zeros_like(found)
    allowed = [np.tril(np.isfinite(c.maintenance_cost)) for c in problem.components]
    reached = [np.cumsum(c.transition, axis=1) for c in problem.components]
    draws = rng.random((num_records, 2, count))
    state = np.zeros(count, dtype=np.int64)
    for record in range(num_records):
        found[record] = state
        for column in range(count):
            options = np.flatnonzero(allowed[column][state[column]])
            after = options[int(draws[record, 0, column] * options.size)]
            left[record, column] = after
            below = (draws[record, 1, column] >= reached[column][after]).sum()
            state[column] = min(int(below), problem.components[column].failed)
    return CostRecords(found=found, left=left, cost=inspection_cost(problem, found, left))


def read_cost_records(path: str | Path, problem: MultiComponentProblem) -> CostRecords:
    """Read records of `problem` from CSV or Parquet; further columns are ignored.

    Columns: ``found <name>`` and ``left <name>`` per component, and ``cost``.

    Raises
    ------
    RecordsError
        With all that is wrong, by line and column.
    """
    check_costed(problem)
    wanted = [f"{side} {name}" for side in ("found", "left") for name in problem.names]
    log, file = ProblemLog(), Path(path)
    columns = read_columns(file, [*wanted, "cost"], log)
    log.finish()
    assert columns is not None
    sizes = dict(zip(wanted, 2 * [c.num_states for c in problem.components], strict=True))
    states = {name: _states(columns, name, size) for name, size in sizes.items()}
    cost = columns.number("cost")
    if len(columns) < FEWEST:
        log.add(file.name, 0, "", f"needs at least {FEWEST} records; it has {len(columns)}")
    log.finish()
    count = len(problem.components)
    matrix = np.stack([*states.values()], axis=1).astype(np.int64)
    return CostRecords(found=matrix[:, :count], left=matrix[:, count:], cost=cost)


def _states(columns: RecordColumns, name: str, size: int) -> NDArray[np.float64]:
    """Return a column of states below `size`."""
    values = columns.number(name, low=0.0)
    for line, value in zip(columns.table.lines, values, strict=True):
        if np.isfinite(value) and not (value < size and value == np.floor(value)):
            reason = f"must be a state 0..{size - 1}; got {value:g}"
            columns.log.add(columns.file, line, name, reason)
    return values


def write_cost_records(
    path: str | Path, records: CostRecords, problem: MultiComponentProblem
) -> None:
    """Write records as CSV."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    names = problem.names
    writer.writerow([*(f"found {n}" for n in names), *(f"left {n}" for n in names), "cost"])
    for found, left, cost in zip(records.found, records.left, records.cost, strict=True):
        writer.writerow([*found.tolist(), *left.tolist(), f"{cost:.10g}"])
    write_atomically(Path(path), text.getvalue())
