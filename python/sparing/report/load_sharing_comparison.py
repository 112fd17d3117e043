"""The comparison of a load-sharing problem: optimum, best rules, monotonicities."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from sparing.evaluate.load_sharing_actions import Actions
from sparing.evaluate.load_sharing_metrics import load_sharing_metrics
from sparing.evaluate.monotonicity import Monotonicity, monotonicities
from sparing.evaluate.rule_search import BestRule, best_rules
from sparing.evaluate.sizing import SizingSolution
from sparing.exact.explicit_chain import MAX_REACHED, ExplicitChain
from sparing.models.load_sharing_system import LoadSharingSystem


@dataclass(frozen=True, kw_only=True, eq=False)
class LoadSharingComparison:
    """What `sparing compare` found; `report` is ready for JSON, `left_out` says what it lacks."""

    found: SizingSolution
    rules: list[BestRule]
    done: Actions
    report: dict[str, Any]
    left_out: list[str]


def compare_load_sharing(case: str, found: SizingSolution) -> LoadSharingComparison:
    """Put the best rule of every family beside the optimum, all of them exact.

    A gap is (cost of the rule - lower bound of the optimum) / optimum.
    """
    left_out: list[str] = []
    rules: list[BestRule] = []
    try:
        rules = best_rules(found)
    except MemoryError as error:
        left_out.append(f"no rules: {error}")
    done = found.actions
    properties = {"all states": monotonicities(done)}
    if found.system.num_states <= 8 * MAX_REACHED:
        chain = ExplicitChain.of(found.system.epoch)
        visited = np.zeros(done.replaced.size, dtype=bool)
        visited[chain.reached(found.policy.stages[0])] = True
        seen = visited.reshape(done.replaced.shape)
        properties["states visited from all new"] = monotonicities(done, visited=seen)
    else:
        left_out.append("monotonicities in the states visited alone, as there are many states.")
    report = {
        "case": case,
        "states": found.system.num_states,
        "per": "unit of time",
        "objective": {"lower": found.lower, "upper": found.upper},
        "policies": [_optimum(found), *(_rule(found, rule) for rule in rules)],
        "monotonicities": {
            where: [_property(entry) for entry in checked] for where, checked in properties.items()
        },
        "choices": [
            {
                "positions": cell.positions,
                "inspection_interval": cell.inspection_interval,
                "lower": cell.lower,
                "upper": cell.upper,
            }
            for cell in found.cells
        ],
    }
    return LoadSharingComparison(
        found=found, rules=rules, done=done, report=report, left_out=left_out
    )


def _optimum(found: SizingSolution) -> dict[str, Any]:
    return {
        "policy": "optimum",
        "rule": None,
        "parameters": "",
        "cost": {"lower": found.lower, "upper": found.upper},
        "gap": (found.upper - found.lower) / abs(found.objective),
        **_metrics(found.system, found.policy),
    }


def _rule(found: SizingSolution, best: BestRule) -> dict[str, Any]:
    rule = best.rule
    return {
        "policy": best.name,
        "rule": {
            "replace_at": rule.replace_at,
            "join_at": rule.join_at,
            "reorder_at": rule.reorder_at,
            "order_up_to": rule.order_up_to,
            "position": rule.position,
        },
        "parameters": str(rule),
        "cost": {"lower": best.cost.lower, "upper": best.cost.upper},
        "gap": (best.cost.value - found.lower) / abs(found.objective),
        "evaluated": best.num_evaluated,
        **_metrics(best.system, rule.policy(best.system)),
    }


def _metrics(system: LoadSharingSystem, policy: Any) -> dict[str, Any]:
    """Return the choice and the measures of a policy."""
    choice = {"positions": system.size, "inspection_interval": system.interval}
    if system.num_states > 8 * MAX_REACHED:
        return choice
    measured = load_sharing_metrics(system, policy)
    return {**choice, **{name: bounds.value for name, bounds in measured.items()}}


def _property(entry: Monotonicity) -> dict[str, Any]:
    return {
        "property": entry.name,
        "holds": entry.holds,
        "pairs": entry.num_pairs,
        "broken": entry.num_broken,
        "example": None if entry.example is None else list(entry.example),
    }
