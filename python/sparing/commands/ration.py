"""sparing ration: who serves the orders of a day, by each rule."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from sparing.commands.output import note, one_line_errors, print_json, print_table
from sparing.commands.problems import JsonOption

NEEDS_MODEL = (
    "needs --model: it is trained for one set of SKUs; `sparing compare dropship --out DIR` writes"
    " DIR/ir_dnn.npz"
)


class RuleName(StrEnum):
    """The rules."""

    criticality = "criticality"
    fifo_strict = "fifo_strict"
    fifo_skip = "fifo_skip"
    bid_price = "bid_price"
    ir_dnn = "ir_dnn"
    learned = "learned"
    hindsight = "hindsight"


def ration(
    day: Annotated[str, typer.Argument(metavar="FILE", help="A day (JSON).")],
    rule: Annotated[
        list[RuleName] | None, typer.Option(help="Only this rule; may be given several times.")
    ] = None,
    orders: Annotated[
        Path | None, typer.Option(help="The orders as CSV: order, sku, quantity.")
    ] = None,
    model: Annotated[
        list[Path] | None,
        typer.Option(help="A trained ir_dnn or learned (npz, of `sparing compare … --out`)."),
    ] = None,
    time_limit: Annotated[
        float, typer.Option(min=0.01, help="Seconds for the hindsight optimum.")
    ] = 60.0,
    json: JsonOption = False,
) -> None:
    """Decide for each order of a day whether own stock or a supplier serves it.

    Rules that decide at once see no later order; criticality and hindsight see the whole day.
    """
    with one_line_errors():
        from sparing.ration.day_files import read_day

        given = read_day(day, orders)
        report = _report(day, given, [*(rule or [])], [*(model or [])], time_limit)
    for key in given.unused:
        note(f"{day}: the key {key!r} is not used.")
    if json:
        print_json(report)
        return
    _print(day, given, report)


def _report(
    name: str, given: Any, wanted: list[RuleName], models: list[Path], time_limit_s: float
) -> dict[str, Any]:
    """Return what `sparing ration --json` prints."""
    from sparing.ration.hindsight import hindsight
    from sparing.ration.rules import NAMES, decide, load_model, online_rules

    loaded = [load_model(path) for path in models]
    rules = online_rules({model.key: model for model in loaded})
    keys = [key for key in NAMES if not wanted or key in wanted]
    if "ir_dnn" in keys and "ir_dnn" not in rules:
        if wanted:
            raise ValueError(f"--rule ir_dnn {NEEDS_MODEL}.")
        keys.remove("ir_dnn")
        note(f"ir_dnn is left out: {NEEDS_MODEL}.")
    report: dict[str, Any] = {
        "file": name,
        "orders": len(given.day.orders),
        "skus": int(given.day.stock.size),
    }
    for key in keys:
        if key == "hindsight":
            found = hindsight(given.day, time_limit_s=time_limit_s)
        else:
            found = decide(key, given.day, given.outlook, rules)
        report[key] = _rule_json(found, given)
    return report


def _rule_json(found: Any, given: Any) -> dict[str, Any]:
    day = found.day
    entry: dict[str, Any] = {
        "own": [i for i, served in enumerate(found.own.tolist()) if served],
        "ofr": found.ofr,
        "margin": found.margin,
    }
    if len(day.margins.suppliers) > 1:
        names = [supplier.name for supplier in day.margins.suppliers]
        chosen = zip(given.order_names, day.supplier.tolist(), found.own.tolist(), strict=True)
        entry["suppliers"] = {order: names[s] for order, s, served in chosen if not served}
    if found.sequence is not None:
        entry["sequence"] = found.sequence.tolist()
    if found.upper is not None:
        entry |= {"upper": found.upper, "gap": found.gap}
    if any(name != str(i) for i, name in enumerate(given.order_names)):
        entry["own_orders"] = [given.order_names[i] for i in entry["own"]]
    return entry


def _print(name: str, given: Any, report: dict[str, Any]) -> None:
    from sparing.ration.rules import NAMES, WHEN

    stock, suppliers = given.day.stock, len(given.day.margins.suppliers)
    print(
        f"{name}: {len(given.day.orders):,} orders, {stock.size:,} SKUs with {int(stock.sum()):,}"
        f" units, {suppliers} supplier{'' if suppliers == 1 else 's'}\n"
    )
    rows = []
    for key, title in NAMES.items():
        if key in report:
            found = report[key]
            served = f"{len(found['own']):,}"
            rows.append(
                [key, title, WHEN[key], served, f"{found['ofr']:.4f}", f"{found['margin']:.2f}"]
            )
    print_table(["rule", "", "decides", "own", "OFR", "margin"], rows, left=3)
    bound = report.get("hindsight")
    if bound is not None:
        print(f"\nno rule can have a margin above {bound['upper']:.2f} (gap {bound['gap']:.1e})")
