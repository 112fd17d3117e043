"""A day as JSON, its orders also as CSV; errors name the place, the rule and the value."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sparing._checks import is_number
from sparing.ration.day import Day
from sparing.ration.margins import Margins, Supplier
from sparing.ration.orders import Orders
from sparing.ration.outlook import Outlook
from sparing.records.tables import column_places, read_table

KNOWN = (
    "stock",
    "orders",
    "margin_own",
    "margin_drop",
    "suppliers",
    "skus",
    "history",
    "expected_orders",
)
SUPPLIER_KEYS = ("name", "margin", "delay_probability", "delay_penalty")
COLUMNS = ("order", "sku", "quantity")


class DayError(ValueError):
    """A day that cannot be read; the message names file, place, value and rule."""


@dataclass(frozen=True, kw_only=True, eq=False)
class DayFile:
    """A day as read, what is known beforehand, and names."""

    day: Day
    outlook: Outlook | None  # None: nothing is known but the number of orders
    order_names: tuple[str, ...]
    unused: tuple[str, ...]  # keys of the file that mean nothing here


def read_day(path: str | Path, orders: str | Path | None = None) -> DayFile:
    """Return the day of a JSON file, its orders from a CSV file if one is given.

    The object has `stock` [n], `margin_own` [n], `margin_drop` [n] or `suppliers` (a list of
    objects with name, margin [n], delay_probability, delay_penalty), and `orders`: for each a list
    of n quantities, or an object SKU -> quantity. It may have `skus` (names), `history` (earlier
    orders, written as `orders`) and `expected_orders`.

    Raises
    ------
    DayError
        If a file cannot be read or breaks a rule.
    """
    content = _json(Path(path))
    try:
        skus, margins = _skus(content), _margins(content)
        if orders is None:
            if "orders" not in content:
                raise ValueError("orders is missing; or give them as CSV (--orders).")
            found = _orders("orders", content["orders"], skus)
            names = tuple(str(i) for i in range(len(found)))
        elif content.get("orders"):
            raise ValueError(f"has orders of its own, and {orders} is given too; leave one away.")
        else:
            found, names = read_orders(orders, skus)
        day = Day(
            stock=np.asarray(_whole("stock", content["stock"])), orders=found, margins=margins
        )
        outlook = _outlook(content, skus, day)
    except DayError:
        raise
    except ValueError as error:
        raise DayError(f"{path}: {error}") from None
    unused = tuple(key for key in content if key not in (*KNOWN, "answers"))
    return DayFile(day=day, outlook=outlook, order_names=names, unused=unused)


def read_orders(path: str | Path, skus: Sequence[str]) -> tuple[Orders, tuple[str, ...]]:
    """Return orders from CSV with the columns order, sku, quantity, and their names.

    A line per SKU of an order; orders arrive in the order in which they first appear.

    Raises
    ------
    DayError
        If the file breaks a rule; the message names the line.
    """
    position = {name: j for j, name in enumerate(skus)}
    held: dict[str, dict[int, int]] = {}
    first_line: dict[tuple[str, int], int] = {}
    try:
        table = read_table(path)
        at = column_places(table.header)
    except OSError as error:
        raise DayError(f"{path}: cannot be read: {error}.") from None
    except ValueError as error:
        raise DayError(f"{path}: {str(error).removeprefix(f'{path}: ')}") from None
    for column in COLUMNS:
        if column not in at:
            raise DayError(
                f"{path}: column {column!r} is missing; the first line must name"
                f" {', '.join(COLUMNS)}."
            )
    for line, row in zip(table.lines, table.rows, strict=True):
        place = f"{path}, line {line}"
        name, sku, text = (row[at[column]] for column in COLUMNS)
        if not name:
            raise DayError(f"{place}: order is empty.")
        if sku not in position:
            raise DayError(f"{place}: SKU {sku!r} is unknown; {_known(skus)}.")
        j = position[sku]
        if (name, j) in first_line:
            raise DayError(
                f"{place}: order {name!r} asks for SKU {sku!r} twice (also in line"
                f" {first_line[name, j]}); add the quantities up."
            )
        first_line[name, j] = line
        held.setdefault(name, {})[j] = _quantity(text, place)
    return Orders.from_lines(list(held.values()), num_skus=len(skus)), tuple(held)


def _quantity(text: str, place: str) -> int:
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not (value.is_integer() and 1 <= value < 2**53):
        raise DayError(f"{place}: quantity must be a whole number of at least 1; got {text!r}.")
    return int(value)


def _json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise DayError(f"{path}: no such file.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise DayError(f"{path}: cannot be read: {error}.") from None
    except (json.JSONDecodeError, RecursionError) as error:
        raise DayError(f"{path}: is not valid JSON: {error}.") from None
    if not isinstance(content, dict):
        raise DayError(f"{path}: must be an object with stock, orders, margin_own, margin_drop.")
    for key in ("stock", "margin_own"):
        if key not in content:
            raise DayError(f"{path}: {key} is missing.")
    return content


def _skus(content: Mapping[str, Any]) -> list[str]:
    size = len(_whole("stock", content["stock"]))
    names = content.get("skus")
    if names is None:
        return [str(j) for j in range(size)]
    if not isinstance(names, list) or len(names) != size:
        raise ValueError(f"skus must be a list of {size} names, as many as stock has entries.")
    texts = [str(name) for name in names]
    if len(set(texts)) < size:
        twice = next(name for name, count in Counter(texts).items() if count > 1)
        raise ValueError(f"skus: {twice!r} is there twice.")
    return texts


def _margins(content: Mapping[str, Any]) -> Margins:
    suppliers = []
    if "margin_drop" in content:
        suppliers.append(
            Supplier(margin=np.asarray(_numbers("margin_drop", content["margin_drop"])))
        )
    entries = content.get("suppliers", [])
    if not isinstance(entries, list):
        raise ValueError("suppliers must be a list of objects.")
    for i, entry in enumerate(entries):
        place = f"suppliers[{i}]"
        if not isinstance(entry, dict) or "margin" not in entry:
            raise ValueError(f"{place} must be an object with name and margin.")
        for key in entry:
            if key not in SUPPLIER_KEYS:
                raise ValueError(
                    f"{place}: unknown key {key!r}; known: {', '.join(SUPPLIER_KEYS)}."
                )
        suppliers.append(
            Supplier(
                name=str(entry.get("name", f"supplier {i + 1}")),
                margin=np.asarray(_numbers(f"{place}: margin", entry["margin"])),
                delay_probability=entry.get("delay_probability", 0.0),
                delay_penalty=entry.get("delay_penalty", 0.0),
            )
        )
    if not suppliers:
        raise ValueError("margin_drop is missing, and there are no suppliers.")
    own = np.asarray(_numbers("margin_own", content["margin_own"]))
    return Margins(own=own, suppliers=tuple(suppliers))


def _outlook(content: Mapping[str, Any], skus: Sequence[str], day: Day) -> Outlook | None:
    if "history" not in content and "expected_orders" not in content:
        return None
    history = _orders("history", content.get("history", []), skus)
    expected = content.get("expected_orders", len(day.orders))
    return Outlook(history=history, num_orders=expected)


def _orders(name: str, entries: Any, skus: Sequence[str]) -> Orders:
    if not isinstance(entries, list):
        raise ValueError(f"{name} must be a list of orders.")
    position = {sku: j for j, sku in enumerate(skus)}
    lines = []
    for i, entry in enumerate(entries):
        place = f"{name}[{i}]"
        if isinstance(entry, dict):
            for sku in entry:
                if sku not in position:
                    raise ValueError(f"{place}: SKU {sku!r} is unknown; {_known(skus)}.")
            pairs = [(position[sku], sku, quantity) for sku, quantity in entry.items()]
        elif isinstance(entry, list):
            if len(entry) != len(skus):
                raise ValueError(
                    f"{place} has {len(entry)} quantities, but stock has {len(skus)} SKUs."
                )
            pairs = [(j, j, quantity) for j, quantity in enumerate(entry) if quantity != 0]
        else:
            raise ValueError(f"{place} must be a list of quantities or an object SKU -> quantity.")
        for _, sku, quantity in pairs:
            if not is_number(quantity) or not float(quantity).is_integer() or quantity < 0:
                raise ValueError(
                    f"{place}[{sku!r}] must be a whole number of at least 0; got {quantity!r}."
                )
        lines.append({j: int(quantity) for j, _, quantity in pairs if quantity})
    return Orders.from_lines(lines, num_skus=len(skus))


def _whole(name: str, values: Any) -> list[int]:
    for j, value in enumerate(_numbers(name, values)):
        if not float(value).is_integer():
            raise ValueError(f"{name}[{j}] must be a whole number; got {value!r}.")
        if value < 0:
            raise ValueError(f"{name}[{j}] must not be negative; got {value!r}.")
    return [int(value) for value in values]


def _numbers(name: str, values: Any) -> list[float]:
    if not isinstance(values, list):
        raise ValueError(f"{name} must be a list of numbers.")
    for j, value in enumerate(values):
        if not is_number(value):
            raise ValueError(f"{name}[{j}] must be a number; got {value!r}.")
    return values


def _known(skus: Sequence[str]) -> str:
    shown = ", ".join(skus[:5]) + (", …" if len(skus) > 5 else "")
    return f"the day has {len(skus)}: {shown}"
