"""The printed tables of Jimenez Gonzalez (2021) beside exact values and the optimum."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sparing.evaluate.policy_comparison import (
    HALF,
    PolicyRow,
    optimal_policy,
    policy_row,
    policy_rows,
)
from sparing.models.case_files import load_case
from sparing.models.maintenance_policies import control_limits
from sparing.report.thesis_tables import (
    CASES,
    CLASSICAL_LIMITS,
    RESTRICTED,
    TABLES,
    Printed,
    PrintedTable,
)

NOTES = {
    "*": "a failed unit is replaced with probability 1/2 while the system is up, always while it"
    " is down; the thesis prints no probability, but only 1/2 gives its values",
    "restricted": "one decides only whether to maintain; a working unit then comes to a state"
    " uniform on 0..s-1; cost only (table 11)",
}


@dataclass(frozen=True, kw_only=True)
class ComparedRow:
    """One policy: what is exact, what is printed, or both."""

    policy: str
    exact: dict[str, float | None] | None
    printed: dict[str, float | None] | None


@dataclass(frozen=True, kw_only=True)
class ComparedTable:
    """One table of the thesis with the rows it lacks behind its own."""

    table: int
    scenario: int
    rows: tuple[ComparedRow, ...]


def compare_with_thesis(
    case: str, rows: dict[str, PolicyRow]
) -> tuple[list[ComparedTable], list[str]]:
    """Return tables 9, 10 and 11 and what to conclude; nothing for cases that are not its own.

    Parameters
    ----------
    rows
        The exact rows of the case itself, which need not be computed again.
    """
    if case == CASES[1]:
        exact = {1: rows, 2: policy_rows(load_case(CASES[2]))}
    elif case == CASES[2]:
        exact = {2: rows}
    else:
        return [], []
    for scenario in exact:
        exact[scenario] = exact[scenario] | _of_table_11(scenario)
    tables = [_compared(t, exact[t.scenario]) for t in TABLES if t.scenario in exact]
    remarks = [_remark(t, exact[t.scenario]) for t in TABLES if t.scenario in exact]
    return tables, remarks


def _of_table_11(scenario: int) -> dict[str, PolicyRow]:
    """Return the classical limits of the thesis and the optimum of its restricted problem."""
    problem, restricted = load_case(CASES[scenario]), load_case(RESTRICTED[scenario])
    classical = control_limits(
        problem, CLASSICAL_LIMITS, replacement_probability=1.0 if scenario == 1 else HALF
    )
    return {
        "classical": policy_row(problem, classical),
        "restricted": policy_row(restricted, optimal_policy(restricted)),
    }


def _compared(table: PrintedTable, exact: dict[str, PolicyRow]) -> ComparedTable:
    rows = [
        ComparedRow(
            policy=printed.policy, exact=_values(exact.get(printed.key)), printed=_values(printed)
        )
        for printed in table.rows
    ]
    added = {"optimum": "optimum, reward", "restored": "same, failed replaced when down"}
    if table.table == 11:
        star = "" if table.scenario == 1 else "*"
        limits = exact["limits" if table.scenario == 1 else "limits-half"]
        name = limits.name.split(", failed")[0]
        rows.append(ComparedRow(policy=name + star, exact=_values(limits), printed=None))
        if table.scenario == 2:
            always = exact["limits"]
            name = f"{always.name}, always replaced"
            rows.append(ComparedRow(policy=name, exact=_values(always), printed=None))
        added = {"restricted": "optimum, restricted"}
    added["cheapest"] = "optimum, cost only"
    rows += [
        ComparedRow(policy=name, exact=_values(exact[key]), printed=None)
        for key, name in added.items()
        if key in exact
    ]
    return ComparedTable(table=table.table, scenario=table.scenario, rows=tuple(rows))


def _values(row: PolicyRow | Printed | None) -> dict[str, float | None] | None:
    if row is None:
        return None
    return {"reward": row.reward, "cost": row.cost, "reliability": row.reliability}


def _remark(table: PrintedTable, exact: dict[str, PolicyRow]) -> str:
    """Say how far the printed agent is from the optimum of the problem it was trained on."""
    agent = table.rows[0]
    best = exact["restricted" if table.table == 11 else "optimum"]
    more = agent.cost / best.cost - 1.0
    return (
        f"table {table.table}, scenario {table.scenario}: the agent pays {more:.0%} more than the"
        f" optimum ({agent.cost:.2f} against {best.cost:.2f}) at reliability"
        f" {agent.reliability:.4f} against {best.reliability:.4f}."
    )


def tables_json(tables: list[ComparedTable]) -> list[dict[str, Any]]:
    """Return the tables for JSON."""
    return [
        {
            "table": table.table,
            "scenario": table.scenario,
            "rows": [
                {"policy": row.policy, "exact": row.exact, "thesis": row.printed}
                for row in table.rows
            ],
        }
        for table in tables
    ]
