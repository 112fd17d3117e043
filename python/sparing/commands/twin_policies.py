"""What ``--policy`` of `sparing twin` stands for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sparing.commands.output import note
from sparing.commands.rule_levels import NUMBERS, levels_of

POLICY_HELP = (
    "optimal (the exact plan, looked up), closed-loop (solved anew as records come in),"
    " closed-loop=climate (the same with effects of climate learned from the records), or"
    " one-for-one, min-max, fixed-quantity: with levels by rule of thumb (--service), or given:"
    " one-for-one=central:4,site:2, min-max=central:0:4,site:1:3 (least, most),"
    " fixed-quantity=site:1:2 (least, quantity). base-stock=thinning, base-stock=metric or"
    " base-stock=vari-metric is one-for-one with the levels by which the method reaches the case's"
    " SLA, or another: base-stock=thinning:0.999."
    " tuned=min-max, tuned=fixed-quantity and tuned=base-stock are searched for as in sparing"
    " compare --quick, which takes seconds a part."
)
EXACT_STATES = 1 << 22  # states of a period up to which a plan is solved for the twin
CLIMATE = ("temperature", "humidity")  # their means are what the twin's exposures are stated for
RULES = ("one-for-one", "min-max", "fixed-quantity")


def rule_of(twin: Any, policy: str, service: float) -> tuple[Any, Any]:
    """Return the twin and the rule for ``--policy``.

    Plans and tuned rules of the exact model order once a location at a time, so their twin does.

    Raises
    ------
    ValueError
        If the text is no policy, names no location, or the case is too large to solve.
    """
    kind, _, levels = policy.partition("=")
    if policy in ("optimal", "closed-loop", "closed-loop=climate"):
        return replace(twin, orders="single"), _exact(twin, policy)
    if kind == "tuned":
        return replace(twin, orders="single"), _tuned(twin, policy, levels)
    if kind == "base-stock":
        return twin, _base_stock(twin, policy, levels)
    if kind not in RULES:
        raise ValueError(f"--policy must be {POLICY_HELP} Got {policy!r}.")
    if not levels:
        from sparing.simulate.twin_levels import default_rule

        return twin, default_rule(kind, twin.network, service)
    return twin, _given(twin, kind, levels)


def check_size(network: Any, option: str, advice: str, most: int = EXACT_STATES) -> None:
    """Raise if the exact model has more states a period than a command here solves."""
    from sparing.evaluate.network_plan import largest_states

    states = largest_states(network)
    if states > most:
        raise ValueError(
            f"{option}: the exact model has {states:,} states a period, the limit here is"
            f" {most:,}; {advice}."
        )


def _exact(twin: Any, policy: str) -> Any:
    from sparing.evaluate.closed_loop import ClosedLoop
    from sparing.evaluate.closed_loop_rules import ClosedLoopRule, PlanRule
    from sparing.evaluate.network_solution import solve_network

    reference = {}
    if policy == "closed-loop=climate":
        if twin.climate is None:
            raise ValueError(f"--policy {policy}: the twin has no climate; use closed-loop.")
        from sparing.records.climate_effects import check_statsmodels

        check_statsmodels()
        reference = {name: getattr(twin.climate, name).mean for name in CLIMATE}
    check_size(twin.network, f"--policy {policy}", "use one-for-one or min-max")
    solution = solve_network(twin.network)
    if policy == "optimal":
        return PlanRule(solution)
    return ClosedLoopRule(ClosedLoop(solution), reference)


def _tuned(twin: Any, policy: str, name: str) -> Any:
    from sparing.evaluate.network_tuning import QUICK, tuned_rules
    from sparing.evaluate.rule_tuning import BASE_STOCK, FIXED_QUANTITY, MIN_MAX
    from sparing.simulate.twin_stock_rules import StockRulesAtReviews

    kinds = {"min-max": MIN_MAX, "fixed-quantity": FIXED_QUANTITY, "base-stock": BASE_STOCK}
    if name not in kinds:
        raise ValueError(f"--policy tuned needs one of {', '.join(kinds)}; got {policy!r}.")
    found = tuned_rules(twin.network, kinds[name], QUICK)
    if not found.reached:
        note(f"--policy {policy}: no rules tried reach the SLA of the case; the best are run.")
    places = twin.network.parts[0].names
    return StockRulesAtReviews(found.policy, places)  # type: ignore[arg-type]


def _base_stock(twin: Any, policy: str, text: str) -> Any:
    from sparing.evaluate.network_pipelines import one_for_one_levels
    from sparing.inventory.base_stock import METHODS
    from sparing.simulate.twin_rules import OneForOne

    method, colon, given = text.partition(":")
    if method not in METHODS:
        raise ValueError(
            f"--policy base-stock needs a method, such as base-stock=thinning; known:"
            f" {', '.join(METHODS)}. Got {policy!r}."
        )
    try:
        sla = float(given) if colon else None
    except ValueError:
        raise ValueError(
            f"--policy {policy}: the SLA must be a number, such as base-stock={method}:0.999; got"
            f" {given!r}."
        ) from None
    try:
        return OneForOne(one_for_one_levels(twin.network, method=method, sla=sla))  # type: ignore[arg-type]
    except ValueError as error:
        raise ValueError(f"--policy {policy}: {error}") from None


def _given(twin: Any, kind: str, text: str) -> Any:
    from sparing.simulate.twin_rules import FixedQuantity, MinMax, OneForOne

    names = [location.name for location in twin.network.locations]
    levels = levels_of(kind, text, names)
    columns = [{name: numbers[i] for name, numbers in levels.items()} for i in range(NUMBERS[kind])]
    if kind == "one-for-one":
        return OneForOne(columns[0])
    return MinMax(*columns) if kind == "min-max" else FixedQuantity(*columns)
