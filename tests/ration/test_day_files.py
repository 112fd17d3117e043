"""Days as JSON and orders as CSV: what is read, and what is said when it cannot be."""

import json

import numpy as np
import pytest
from sparing.ration.day_files import DayError, read_day

DAY = {
    "stock": [5, 3, 0],
    "orders": [[1, 0, 0], [2, 3, 1]],
    "margin_own": [10.0, 8.0, 6.0],
    "margin_drop": [7.0, 5.0, 4.0],
}
NO_ORDERS = {key: value for key, value in DAY.items() if key != "orders"}


@pytest.fixture
def write(tmp_path):
    def written(content, name="day.json"):
        path = tmp_path / name
        text = content if isinstance(content, str) else json.dumps(content)
        path.write_text(text, encoding="utf-8")
        return path

    return written


def test_orders_as_lists_and_as_objects_are_the_same(write):
    named = {**DAY, "skus": ["a", "b", "c"], "orders": [{"a": 1}, {"c": 1, "a": 2, "b": 3}]}
    for content in (DAY, named):
        day = read_day(write(content)).day
        assert day.orders.dense().tolist() == DAY["orders"]
        assert day.own_margin.tolist() == [10.0, 50.0]
        assert day.drop_margin.tolist() == [7.0, 33.0]


def test_suppliers_stand_beside_margin_drop(write):
    supplier = {
        "name": "far",
        "margin": [9.0, 7.0, 5.0],
        "delay_probability": 0.5,
        "delay_penalty": 8,
    }
    day = read_day(write({**DAY, "suppliers": [supplier]})).day
    assert [s.name for s in day.margins.suppliers] == ["supplier", "far"]
    assert day.supplier_margins.tolist() == [[7.0, 33.0], [5.0, 40.0]]
    alone = {key: value for key, value in DAY.items() if key != "margin_drop"}
    assert read_day(write({**alone, "suppliers": [supplier]})).day.drop_margin.tolist() == [5, 40]


def test_history_and_expected_orders_are_the_outlook(write):
    assert read_day(write(DAY)).outlook is None
    outlook = read_day(write({**DAY, "history": [{"1": 4}], "expected_orders": 7})).outlook
    assert outlook.history.dense().tolist() == [[0, 4, 0]]
    assert outlook.num_orders == 7
    assert read_day(write({**DAY, "history": []})).outlook.num_orders == 2


def test_csv_orders_arrive_as_they_first_appear(write):
    csv = "sku,order,note,quantity\nb,77,,3\na,12,x,1\na,77,,2.0\n\nc,77,,1\n"
    day = write({**NO_ORDERS, "skus": ["a", "b", "c"]})
    found = read_day(day, write(csv, "orders.csv"))
    assert found.order_names == ("77", "12")
    assert found.day.orders.dense().tolist() == [[2, 3, 1], [1, 0, 0]]
    numbered = read_day(write(NO_ORDERS), write("order,sku,quantity\n1,2,1\n", "orders.csv"))
    assert numbered.day.orders.dense().tolist() == [[0, 0, 1]]


def changed(**values):
    return {**DAY, **values}


BAD_DAYS = {
    "not JSON": ("{", "is not valid JSON"),
    "no object": ([1], "must be an object"),
    "no stock": ({k: v for k, v in DAY.items() if k != "stock"}, "stock is missing"),
    "no margin_own": ({k: v for k, v in DAY.items() if k != "margin_own"}, "margin_own is missing"),
    "no supplier": (
        {k: v for k, v in DAY.items() if k != "margin_drop"},
        "margin_drop is missing, and there are no suppliers",
    ),
    "no orders": (NO_ORDERS, "orders is missing"),
    "negative stock": (changed(stock=[5, -3, 0]), r"stock\[1\] must not be negative; got -3"),
    "half a unit": (changed(stock=[5, 0.5, 0]), r"stock\[1\] must be a whole number; got 0.5"),
    "NaN stock": (changed(stock=[5, float("nan"), 0]), r"stock\[1\] must be a whole number"),
    "infinite stock": (changed(stock=[5, float("inf"), 0]), r"stock\[1\] must be a whole number"),
    "stock of text": (changed(stock=[5, "3", 0]), r"stock\[1\] must be a number; got '3'"),
    "NaN margin": (
        changed(margin_own=[10.0, float("nan"), 6.0]),
        r"margin_own\[1\] must be finite; got nan",
    ),
    "margin too short": (changed(margin_own=[10.0, 8.0]), "margin_own"),
    "drop too short": (changed(margin_drop=[7.0]), "margin has 1 entries"),
    "NaN drop": (changed(margin_drop=[7.0, 5.0, float("nan")]), r"\[2\] must be finite"),
    "order too short": (
        changed(orders=[[1, 0]]),
        r"orders\[0\] has 2 quantities, but stock has 3 SKUs",
    ),
    "half an item": (
        changed(orders=[[1, 0, 0], [0, 2.5, 0]]),
        r"orders\[1\]\[1\] must be a whole number of at least 0; got 2.5",
    ),
    "negative item": (changed(orders=[[-1, 0, 0]]), r"orders\[0\]\[0\] must be a whole number"),
    "true items": (changed(orders=[[True, 0, 0]]), r"orders\[0\]\[0\] must be a whole number"),
    "unknown SKU": (
        changed(orders=[{"9": 1}]),
        r"orders\[0\]: SKU '9' is unknown; the day has 3: 0, 1, 2",
    ),
    "order of text": (changed(orders=["1"]), r"orders\[0\] must be a list of quantities"),
    "names too short": (changed(skus=["a"]), "skus must be a list of 3 names"),
    "a name twice": (changed(skus=["a", "b", "a"]), "'a' is there twice"),
    "odd supplier": (changed(suppliers=[{"name": "x"}]), r"suppliers\[0\] must be an object"),
    "unknown key": (
        changed(suppliers=[{"margin": [1, 1, 1], "delay": 2}]),
        "unknown key 'delay'; known: name, margin, delay_probability, delay_penalty",
    ),
    "probability": (
        changed(suppliers=[{"name": "x", "margin": [1, 1, 1], "delay_probability": 1.5}]),
        "delay_probability must be at most 1; got 1.5",
    ),
    "penalty": (
        changed(suppliers=[{"name": "x", "margin": [1, 1, 1], "delay_penalty": -1}]),
        "delay_penalty must be at least 0; got -1",
    ),
    "one name twice": (
        changed(suppliers=[{"name": "supplier", "margin": [1, 1, 1]}]),
        "two suppliers are named 'supplier'",
    ),
    "bad history": (changed(history=[[1]]), r"history\[0\] has 1 quantities"),
    "bad number": (changed(expected_orders=-1), "num_orders must be at least 0; got -1"),
}


@pytest.mark.parametrize("fault", BAD_DAYS)
def test_bad_days_are_refused_by_name(write, fault):
    content, message = BAD_DAYS[fault]
    path = write(content)
    with pytest.raises(DayError, match=message) as error:
        read_day(path)
    assert str(error.value).startswith(str(path))


BAD_ORDERS = {
    "no column": ("order,sku\n1,0\n", "column 'quantity' is missing"),
    "empty file": ("", "is empty; give a header line"),
    "unknown SKU": ("order,sku,quantity\n1,7,1\n", "line 2: SKU '7' is unknown"),
    "no SKU": ("order,sku,quantity\n1,,1\n", "line 2: SKU '' is unknown"),
    "half": ("order,sku,quantity\n1,0,1\n1,1,2.5\n", "line 3: quantity must be a whole number"),
    "none": ("order,sku,quantity\n1,0,0\n", "at least 1; got '0'"),
    "negative": ("order,sku,quantity\n1,0,-2\n", "at least 1; got '-2'"),
    "NaN": ("order,sku,quantity\n1,0,nan\n", "at least 1; got 'nan'"),
    "infinite": ("order,sku,quantity\n1,0,inf\n", "at least 1; got 'inf'"),
    "text": ("order,sku,quantity\n1,0,two\n", "at least 1; got 'two'"),
    "missing": ("order,sku,quantity\n1,0\n", "line 2: must have 3 fields like the header; got 2"),
    "no order": ("order,sku,quantity\n,0,1\n", "line 2: order is empty"),
    "twice": (
        "order,sku,quantity\n1,0,1\n2,0,1\n1,0,2\n",
        r"line 4: order '1' asks for SKU '0' twice \(also in line 2\); add the quantities up",
    ),
}


@pytest.mark.parametrize("fault", BAD_ORDERS)
def test_bad_orders_are_refused_with_their_line(write, fault):
    text, message = BAD_ORDERS[fault]
    path = write(text, "orders.csv")
    with pytest.raises(DayError, match=message) as error:
        read_day(write(NO_ORDERS), path)
    assert str(path) in str(error.value)


def test_orders_are_given_once(write):
    path = write("order,sku,quantity\n1,0,1\n", "orders.csv")
    with pytest.raises(DayError, match="has orders of its own"):
        read_day(write(DAY), path)


def test_a_day_of_no_orders_is_one(write):
    day = read_day(write(changed(orders=[]))).day
    assert len(day.orders) == 0
    assert np.size(day.gain) == 0
