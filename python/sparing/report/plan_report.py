"""The report of a plan: what to do now first, then what it costs and how sure that is."""

from __future__ import annotations

from collections.abc import Sequence

from sparing.evaluate.actions import actions_of, all_states
from sparing.planning.advice import UnitAdvice
from sparing.planning.large_robustness import LargeRobustness
from sparing.planning.maintenance_plan import MaintenancePlan
from sparing.planning.plan_change import PlanChange
from sparing.planning.spares_change import SparesChange
from sparing.records.times import time_text
from sparing.report import html
from sparing.report.plan_large import (
    compared_parts,
    large_certainty,
    simulated_rows,
    spread_table,
)
from sparing.report.plan_method import method_section, objective_paragraph
from sparing.report.plan_scores import score_section
from sparing.report.spares_basis import spares_assumptions
from sparing.report.spares_report import (
    orders_now,
    spares_changed,
    spares_sections,
)

SHOWN_STATES = 512  # rows of the policy in the report; all are in policy.parquet
LISTED_STATES = 1 << 20
SHOWN_COMPONENTS = 8  # of more, those that are as new are left out


def plan_report(
    plan: MaintenancePlan,
    change: PlanChange | SparesChange | None = None,
) -> str:
    """Return the report as one HTML file."""
    spares = plan.spares
    of_units = change if isinstance(change, PlanChange) else None
    of_stocks = change.stocks if isinstance(change, PlanChange) else change
    what = "Maintenance plan" if spares is None else "Plan of maintenance and spares"
    return html.page(
        f"{what}: {plan.problem.name}",
        [
            _now(plan),
            *([orders_now(spares)] if spares is not None else []),
            *([_changed(of_units)] if of_units is not None else []),
            *([spares_changed(of_stocks)] if of_stocks is not None else []),
            _cost(plan),
            _certainty(plan),
            score_section(plan, of_units),
            method_section(plan),
            _policy(plan),
            *(spares_sections(spares, of_stocks) if spares is not None else []),
            _estimates(plan),
            _assumptions(plan),
        ],
    )


def _now(plan: MaintenancePlan) -> str:
    names = plan.problem.names
    columns = names if len(names) <= SHOWN_COMPONENTS else ["not as new"]
    rows = [[a.unit, plan.work(a), *_states(names, a), _last_seen(a)] for a in plan.advice]
    rows.sort(key=lambda row: not row[1])  # the order of units stays
    act = sum(bool(row[1]) for row in rows)
    return html.section(
        "What to do now",
        html.paragraph(f"{act} of {len(rows)} units need work by the states last on record."),
        html.table(["unit", "do now", *columns, "last record"], rows, marked=1),
        html.paragraph(
            "0 is as good as new, the highest state is failed; ? is not on record and taken as 0.",
            "note",
        ),
    )


def _changed(change: PlanChange) -> str:
    before, now = change.objective
    others = ", ".join(change.units) if change.units else "none"
    states = change.num_states_changed
    policy = "is not compared with the last" if states is None else f"differs in {states} states"
    shifts = [[name, f"{shift:.4f}"] for name, shift in change.largest_shift.items()]
    return html.section(
        "What changed",
        html.paragraph(
            f"{change.num_records} records were added; estimates and advice moved."
            f" {change.reason[0].upper()}{change.reason[1:]}"
        ),
        html.paragraph(
            f"The objective moved from {before:,.6g} to {now:,.6g}; the policy {policy}. Units with"
            f" other advice: {others}."
        ),
        html.table(["component", "largest change of a probability"], shifts),
    )


def _states(names: Sequence[str], advice: UnitAdvice) -> list[str]:
    """Return the state of each component; of many, in one cell those that are not as new."""
    if len(names) <= SHOWN_COMPONENTS:
        return [_state(state) for state in advice.states]
    worn = zip(names, advice.states, strict=True)
    return [", ".join(f"{name} {_state(state)}" for name, state in worn if state != 0)]


def _state(state: int | None) -> str:
    return "?" if state is None else str(state)


def _last_seen(advice: UnitAdvice) -> str:
    known = [time for time in advice.seen if time is not None]
    if not known:
        return "never"
    return time_text(max(known))


def _cost(plan: MaintenancePlan) -> str:
    rows = list(plan.rows.values())
    if plan.today is not None:
        rows.append(plan.today)
    parts = [objective_paragraph(plan)]
    if simulated := simulated_rows(rows):
        parts += compared_parts(simulated, plan)
    elif rows:
        best = min(rows, key=lambda row: row.cost)
        interval = plan.robustness.interval if plan.robustness and not plan.problem.goals else None
        parts += [
            html.bars([(r.name, r.cost) for r in rows], marked=best.name, interval=interval),
            html.table(
                ["policy", "cost per period", "more than the best", "reliability"],
                [
                    [
                        r.name,
                        f"{r.cost:.2f}",
                        f"{100 * (r.cost / best.cost - 1):.1f} %" if best.cost > 0 else "",
                        f"{r.reliability:.4f}",
                    ]
                    for r in rows
                ],
            ),
        ]
    return html.section("What it costs, beside other policies", *parts)


def _certainty(plan: MaintenancePlan) -> str:
    found = plan.robustness
    if found is None:
        return html.section(
            "How sure that is",
            html.paragraph("Nothing was estimated, or the problem is too large to be varied."),
        )
    low, high = found.interval
    worth = found.value_of_information
    if isinstance(found, LargeRobustness) or worth is None:
        return large_certainty(found)
    value, error = worth
    return html.section(
        "How sure that is",
        html.paragraph(
            f"Under {found.cost.size} draws of what the wear may be, the recommended policy costs"
            f" {low:,.2f} to {high:,.2f} per period (95 %). If the wear were known exactly,"
            f" {value:,.2f} per period (standard error {error:.2f}) could be saved on average: the"
            " most that better data can be worth."
        ),
        spread_table(found),
    )


def _policy(plan: MaintenancePlan) -> str:
    problem = plan.problem
    if problem.num_states > LISTED_STATES:
        words = f"{problem.num_states:,} states are too many to list; `sparing policy` tells any."
        return html.section("The policy", html.paragraph(words))
    states = all_states(problem)[:SHOWN_STATES]
    count = len(states)
    actions = actions_of(problem, plan.solution.policy, states)
    names = [axis.name for axis in problem.epoch.axes]
    rows = []
    for state, action in zip(states.tolist(), actions, strict=True):
        advice = UnitAdvice(unit="", states=tuple(state), seen=(), action=action)
        rows.append([*map(str, state), plan.work(advice)])
    what = "all states" if count == problem.num_states else f"the first {count} states"
    return html.section(
        "The policy",
        html.folded(
            f"What to do in {what} of {problem.num_states:,}",
            html.table([*names, "do"], rows, marked=len(names)),
        ),
    )


def _estimates(plan: MaintenancePlan) -> str:
    parts = []
    for name, found in plan.estimates.components.items():
        low, high = found.posterior.interval()
        mean = found.posterior.mean
        rows = [
            [f"from {i}"]
            + [f"{mean[i, j]:.3f} ({low[i, j]:.3f} to {high[i, j]:.3f})" for j in range(len(mean))]
            for i in range(len(mean))
        ]
        columns = [name, *[f"to {j}" for j in range(len(mean))]]
        left = f"; {found.num_cut} left out behind other work" if found.num_cut else ""
        parts += [
            html.paragraph(f"{name}: {found.posterior.num_spans} pairs of inspections{left}."),
            html.table(columns, rows),
        ]
    return html.section("Wear per period, with 95 % intervals", *parts)


def _assumptions(plan: MaintenancePlan) -> str:
    method = {e.posterior.method for e in plan.estimates.components.values()}
    words = {
        "dirichlet": "Inspections are one period apart: transitions are counted, with a Dirichlet"
        " prior of 1/2 on each.",
        "paths": "Inspections are whole periods apart: the states in between are drawn with the"
        " transitions (Gibbs sampling), Dirichlet prior of 1/2.",
        "generator": "Inspections are at any times: wear is a Markov chain in continuous time, its"
        " rates have Gamma priors worth half an event; paths are drawn with them (Gibbs sampling).",
    }
    lines = [
        *(words[name] for name in sorted(method)),
        f"A period is {plan.source.period:g} units of time of the records; states are known at each"
        " decision.",
        "All units of the folder are alike and wear apart; wear without work never goes back.",
        *plan.remarks,
        *(spares_assumptions(plan.spares) if plan.spares is not None else []),
    ]
    return html.section("Assumptions and remarks", *[html.paragraph(line) for line in lines])
