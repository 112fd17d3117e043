"""What `sparing plan`, `update` and `policy` print of stocks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sparing.commands.output import print_table

SHOWN_ORDERS = 30  # --json and report.html hold all


def print_stocks(spares: dict[str, Any], out: Path) -> None:
    """Print orders to place, and what the policies cost."""
    orders, at = spares["orders"], {(x["part"], x["location"]): x for x in spares["levels"]}
    rows = []
    for order in orders[:SHOWN_ORDERS]:
        level = at[order["part"], order["location"]]
        stock = [str(level["net_stock"]), str(level["on_order"]), str(order["quantity"])]
        rows.append([order["part"], order["location"], *stock])
    title = f"{len(orders)} orders to place, by the stock of {spares['day']}"
    if not spares["stock_on_record"]:
        title = f"no stock is on record; if every shelf were empty: {len(orders)} orders"
    print_table(["part", "location", "net stock", "on order", "order now"], rows, title=title)
    if len(orders) > SHOWN_ORDERS:
        print(f"... {len(orders) - SHOWN_ORDERS} more in {out / 'report.html'}")
    print()
    policies = []
    for row in spares["policies"]:
        low, high = row["cost_interval"]["lower"], row["cost_interval"]["upper"]
        span = f"{low:.0f} to {high:.0f}"
        policies.append([row["name"], f"{row['cost']:.1f}", span, f"{100 * row['sla']:.2f} %"])
    title = f"stocks over the next {spares['reviews']} reviews, per review"
    print_table(["policy", "cost", "95 % by records", "SLA"], policies, title=title)


def print_stock_change(change: dict[str, Any]) -> None:
    """Print what new records changed in the stocks."""
    cost = change["cost"]
    print(f"stocks: {change['reason']}")
    print(
        f"{change['num_records']} records added to {change['file']}; stocks are expected to cost"
        f" {cost['before']:.1f} per review before, {cost['now']:.1f} now"
    )
    rows = [
        [name, f"{found['before'][0]:.4g}", f"{found['now'][0]:.4g}"]
        for name, found in change["rates"].items()
        if found["before"] != found["now"]
    ]
    if rows:
        print_table(["failure rate of", "before", "now"], rows)
    for kind in ("orders", "levels"):
        for entry in change[kind]:
            before, now = (_words(entry[key]) for key in ("before", "now"))
            print(f"{kind[:-1]} of {entry['part']} at {entry['location']}: {before} -> {now}")


def _words(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join("never" if x is None else str(x) for x in value)
    return str(value)


def answer(folder: Path, part: str | None, stock: str, ordered: str) -> dict[str, Any]:
    """Return what the plan in `folder` orders for a stock such as ``central=1,north=0``."""
    from sparing.planning.spares_saved import stock_answer

    places = [folder / "plan" / "spares", folder / "spares", folder]
    place = next((p for p in places if (p / "stock_policy.json").exists()), None)
    if place is None:
        raise ValueError(
            f"{folder}: has no plan of stocks; make one with `sparing plan {folder}`, with"
            " [spares] in plan.toml."
        )
    stocks = {name: _whole("--stock", name, text) for name, text in _pairs("--stock", stock)}
    coming = {}
    for name, text in _pairs("--ordered", ordered):
        quantity, _, age = text.partition("@")
        coming[name] = _whole("--ordered", name, quantity), _whole("--ordered", name, age or "1")
    found = stock_answer(place, part, stocks, coming)
    return {key: dict(v) if key != "part" else v for key, v in vars(found).items()}


def answer_words(found: dict[str, Any]) -> str:
    """Return an answer as a line of text."""
    words = [f"{quantity} to {name}" for name, quantity in found["orders"].items() if quantity]
    return f"{found['part']}: order {', '.join(words)}" if words else f"{found['part']}: order none"


def _pairs(option: str, text: str) -> list[tuple[str, str]]:
    found = []
    for pair in filter(None, (piece.strip() for piece in text.split(","))):
        name, equals, value = pair.partition("=")
        if not equals:
            raise ValueError(f"{option}: give location=number, such as central=1; got {pair!r}.")
        found.append((name.strip(), value.strip()))
    return found


def _whole(option: str, name: str, text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ValueError(f"{option} {name}: must be a whole number; got {text!r}.") from None
