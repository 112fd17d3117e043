"""Folders of spares that are wrong: every problem in one list, with its place; nothing written."""

from __future__ import annotations

import pytest
from plan_folders import assert_refused
from spares_folder import COUNTS, FAILURES, HEADER, ORDERS, SETTINGS, STOCK, write_folder
from sparing.planning.whole import plan_folder
from sparing.records.problems import RecordsError


def swapped(text, first, second):
    return text.replace(first, "@").replace(second, first).replace("@", second)


def changed(old, new):
    assert old in SETTINGS, old
    return {"settings": SETTINGS.replace(old, new, 1)}


BAD = {
    "spares no table": (changed("[spares]\nperiods", "spares = 1\n[other]\nperiods"), "spares"),
    "unknown key": (changed("periods = 4", "periods = 4\nperiod_days = 3"), "spares.period_days"),
    "no periods": (changed("periods = 4", "periods = 0"), "from 1 to 520; got 0"),
    "half a period": (changed("periods = 4", "periods = 2.5"), "from 1 to 520; got 2.5"),
    "period": (changed("[spares]", "[spares]\nperiod = -3"), "must be a number > 0; got -3"),
    "sla": (changed("[spares]", "[spares]\nsla = 1.5"), "must be below 1; got 1.5"),
    "discount": (changed("[spares]", "[spares]\ndiscount = 1.1"), "must be below 1"),
    "method": (changed("[spares]", '[spares]\nmethod = "guess"'), "one of auto, exact, base-stock"),
    "first": (changed("first = 2024-01-01", 'first = "x"'), "must be a day like"),
    "seed": (changed("[spares]", "[spares]\nseed = -1"), "whole number >= 0; got -1"),
    "location twice": (changed('name = "west"', 'name = "east"'), "'east' is there twice"),
    "location key": (changed("capacity = 3", "capacity = 3\nsize = 1"), "'size' is no key"),
    "no location name": (changed('name = "store"', 'label = "s"'), "must be a table with a name"),
    "no such supplier": (changed('supplier = "store"', 'supplier = "shop"'), "unknown supplier"),
    "no capacity": (changed("capacity = 3", "capacity = -1"), "capacity"),
    "too little room": (changed("capacity = 3", "capacity = 0"), "capacity"),
    "no emergency": (changed("emergency_cost = 500", ""), "emergency_cost is missing"),
    "a text cost": (changed("downtime_cost = 300", 'downtime_cost = "x"'), "downtime_cost"),
    "a cost nan": (changed("holding_cost = 4", "holding_cost = nan"), "holding_cost"),
    "prior": (changed('name = "pump"', 'name = "pump"\nprior = { shape = -1, rate = 1 }'), "shape"),
    "part location": (
        changed('name = "pump"', 'name = "pump"\nlocation = { north = { capacity = 1 } }'),
        "unknown location 'north'",
    ),
    "last before records": (changed("[spares]", "[spares]\nlast = 2024-06-01"), "behind spares.l"),
    "an unknown part": (
        {"failures": FAILURES + FAILURES.splitlines()[1].replace("pump", "fan")},
        "line 10, 'Component Name': 'fan' is no part",
    ),
    "an unknown place": (
        {"failures": FAILURES.replace("east,E2", "north,E2")},
        "'north' is no loc",
    ),
    "no such day": (
        {"failures": FAILURES.replace("2024-03-01,10", "2024-02-30,10")},
        "a date like",
    ),
    "damage first": ({"failures": FAILURES.replace("2024-10-10", "2020-10-10")}, "lies before"),
    "humidity": ({"failures": FAILURES.replace("21.5,40", "21.5,400")}, "from 0 to 100; got 400"),
    "temperature": ({"failures": FAILURES.replace("21.5,40", "x,40")}, "must be a number; got 'x'"),
    "design life": ({"failures": FAILURES.replace(",10,21.5", ",-1,21.5")}, "from 0 to 200"),
    "the same record": ({"failures": FAILURES + FAILURES.splitlines()[1] + "\n"}, "of line 2 alr"),
    "nine fields": ({"failures": FAILURES.replace(",O&M Shift", "")}, "must have 9 fields"),
    "another header": ({"failures": FAILURES.replace("Interval", "Bay")}, "'Interval': is no col"),
    "header only": ({"failures": HEADER}, "failures.csv: has no record"),
    "nothing": ({"failures": ""}, "failures.csv: is empty"),
    "UTF-16": ({"failures": FAILURES.encode("utf-16")}, "failures.csv"),
    "truncated": ({"failures": FAILURES[:-9]}, "failures.csv, line 9: must have 10 fields|fields"),
    "swapped": (
        {"failures": swapped(FAILURES, "Installation Date", "Damage Date")},
        "is empty|date",
    ),
    "counts without exposure": (
        {"failures": COUNTS.replace("1,60", "1,0")},
        "1 failures need an exposure above 0",
    ),
    "half a failure": ({"failures": COUNTS.replace(",1,60", ",0.5,60")}, "whole number from 0"),
    "a count twice": ({"failures": COUNTS + "pump,east,2024-01-01,0,1\n"}, "is that of line 2"),
    "negative stock": (
        {"stock": STOCK.replace("store,2024-12-31,1", "store,2024-12-31,-1")},
        ">= 0",
    ),
    "half a unit": ({"stock": STOCK.replace("12-31,1,0", "12-31,1.5,0")}, "whole number from 0"),
    "huge stock": ({"stock": STOCK.replace("12-31,1,0", "12-31,1e9,0")}, "whole number from 0"),
    "stock twice": ({"stock": STOCK + "pump,west,2024-12-31,0,0\n"}, "is that of line 7"),
    "stock without time": ({"stock": STOCK.replace("2024-11-30,2", ",2")}, "a date like"),
    "no column": ({"stock": STOCK.replace("On Hand", "Stock")}, "'On Hand': is no column"),
    "more than fits": (
        {"stock": STOCK.replace("store,2024-12-31,1", "store,2024-12-31,7")},
        "capacity 3 at 'store' is less than the 7 units",
    ),
    "nothing ordered": ({"orders": ORDERS.replace("store,2,2024-03", "store,0,2024-03")}, ">= 1"),
    "came before": (
        {"orders": ORDERS.replace("2024-04-11", "2024-02-11")},
        "must lie behind Ordered",
    ),
    "no order day": ({"orders": ORDERS.replace("2024-12-01,", ",")}, "a date like"),
    "no lead times": ({"orders": None}, "lead_time is missing"),
    "no units": ({"failures": None}, "has no record of failures or exposure"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_folders_are_refused_with_the_place(name, tmp_path, capsys):
    texts, message = BAD[name]
    write_folder(tmp_path, **texts)
    assert_refused(tmp_path, plan_folder, message, capsys)


def test_all_files_are_in_one_list(tmp_path):
    write_folder(
        tmp_path,
        failures=FAILURES.replace("21.5,40", "21.5,400").replace("west,W1,B", "north,W1,B"),
        stock=STOCK.replace("12-31,1,0", "12-31,-1,0"),
        orders=ORDERS.replace("2024-04-11", "2024-02-11"),
    )
    with pytest.raises(RecordsError) as caught:
        plan_folder(tmp_path)
    places = [(problem.file, problem.row, problem.column) for problem in caught.value.problems]
    assert places == [
        ("failures.csv", 2, "Humidity"),
        ("failures.csv", 5, "Installation Location"),
        ("orders.csv", 2, "Received"),
        ("stock.csv", 5, "On Hand"),
    ]


def test_records_without_their_tables_are_not_left_out_silently(tmp_path):
    maintenance = """
[plan]
period = 1
[system]
kind = "multi-component"
structure = "pump"
[[component]]
name = "pump"
transition = [[0.9, 0.1], [0, 1]]
maintenance_cost = [[0, 0], [5, inf]]
"""
    write_folder(tmp_path, settings=maintenance)
    with pytest.raises(RecordsError, match=r"\[spares\] is missing, which failures.csv is for"):
        plan_folder(tmp_path)
    for name in ("failures", "stock", "orders"):
        (tmp_path / f"{name}.csv").unlink()
    assert plan_folder(tmp_path).advice == ()  # nothing was inspected, and the plan stands
