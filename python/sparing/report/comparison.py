"""The comparison of a system's policies: rows, the tables of the thesis, the policy explained."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sparing.evaluate.explanation import MAX_STATES, ActionCase, explain_policy
from sparing.evaluate.policy_comparison import (
    RULED_STATES,
    SEARCHED_STATES,
    PolicyRow,
    limits_refused,
    policy_rows,
)
from sparing.models.multi_component import MultiComponentProblem
from sparing.policies import TablePolicy
from sparing.report.thesis_comparison import NOTES, compare_with_thesis, tables_json


@dataclass(frozen=True, kw_only=True, eq=False)
class Comparison:
    """What `sparing compare` found; `report` is ready for JSON, `left_out` holds remarks."""

    problem: MultiComponentProblem
    rows: dict[str, PolicyRow]
    policy: TablePolicy
    actions: list[ActionCase]
    report: dict[str, Any]

    left_out: list[str]


def compare_problem(case: str, problem: MultiComponentProblem) -> Comparison:
    """Evaluate the usual policies of a problem beside its optimum; all averages are long-run."""
    left_out: list[str] = []
    rows = policy_rows(problem, refused=left_out)
    policy = rows["optimum" if "optimum" in rows else "cheapest"].policy
    assert isinstance(policy, TablePolicy)
    actions = explain_policy(problem, policy) if problem.num_states <= MAX_STATES else []
    tables, remarks = compare_with_thesis(case, rows)
    report = {
        "case": case,
        "states": problem.num_states,
        "components": problem.names,
        "policies": [
            {
                "key": row.key,
                "policy": row.name,
                "reward": row.reward,
                "cost": row.cost,
                "reliability": row.reliability,
                **({"detail": row.detail} if row.detail else {}),
            }
            for row in rows.values()
        ],
        "thesis": {
            "tables": tables_json(tables),
            "notes": NOTES if tables else {},
            "remarks": remarks,
        },
        "actions": [_action_json(problem.names, action) for action in actions],
    }
    return Comparison(
        problem=problem,
        rows=rows,
        policy=policy,
        actions=actions,
        report=report,
        left_out=[*left_out, *_details(rows), *_too_large(problem)],
    )


def _details(rows: dict[str, PolicyRow]) -> list[str]:
    return [f"{row.name}: {row.detail}." for row in rows.values() if row.detail]


def _too_large(problem: MultiComponentProblem) -> list[str]:
    """Say what is not done for a problem of this size."""
    remarks = []
    if problem.result == "chosen" and problem.num_states > RULED_STATES:
        remarks.append(f"no random rules, as they are evaluated up to {RULED_STATES:,} states.")
    refused = limits_refused(problem)
    if problem.result == "chosen" and problem.num_states > SEARCHED_STATES and refused is not None:
        remarks.append(f"no control limits beyond {SEARCHED_STATES:,} states: {refused}")
    if problem.num_states > MAX_STATES:
        remarks.append(f"no explanation of the policy: it is for up to {MAX_STATES:,} states.")
    return remarks


def _action_json(names: list[str], case: ActionCase) -> dict[str, Any]:
    return {
        "action": dict(zip(names, case.action, strict=True)),
        "frequency": case.frequency,
        "states": [
            {
                "states": {name: list(found) for name, found in zip(names, box, strict=True)},
                "frequency": share,
            }
            for box, share in case.boxes
        ],
    }
