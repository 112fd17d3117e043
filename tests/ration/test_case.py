"""The simulated e-tailer: its distributions, its calibration, its case files."""

import numpy as np
import pytest
import sparing
from sparing.ration.case import DropshipCase, SupplierTerms
from sparing.ration.case_files import is_dropship, load_dropship, save_dropship
from sparing.ration.evaluation import Interval, measure
from sparing.ration.rules import online_rules
from sparing.ration.thesis_values import CALIBRATED
from sparing.ration.training_days import history_of


def test_the_case_reproduces_what_it_was_calibrated_to():
    """The calibration's own 25 days have an error too: both enter the allowance."""
    catalogue = sparing.load("dropship").catalogue(0)
    days = catalogue.days(0, 100)
    found = measure([*CALIBRATED], days, history_of(catalogue, 0), online_rules())
    for key, printed in CALIBRATED.items():
        samples = found[key].ofr
        error = samples.std(ddof=1) * np.sqrt(1 / 25 + 1 / len(days))
        assert abs(samples.mean() - printed) < 2.6 * error, key


def test_orders_are_drawn_as_stated():
    case = DropshipCase()
    orders = case.catalogue(1).orders(np.random.default_rng(0), 20_000)
    sizes = np.diff(orders.indptr)
    assert np.bincount(sizes, minlength=8)[1:] / len(orders) == pytest.approx(1 / 7, abs=0.01)
    ends = np.cumsum(case.class_counts)
    assert ends.tolist() == [70, 175, 350]
    share = np.bincount(np.searchsorted(ends, orders.sku, side="right")) / orders.sku.size
    assert share == pytest.approx([0.1, 0.3, 0.6], abs=0.01)
    low, mode, high = case.quantity
    assert orders.quantity.min() == 1
    assert orders.quantity.max() == 6
    assert orders.quantity.mean() == pytest.approx((low + mode + high) / 3, abs=0.02)


def test_stock_and_margins_are_drawn_as_stated():
    catalogue = DropshipCase().catalogue(2)
    stock = np.concatenate([day.stock for day in catalogue.days(0, 60)])
    assert stock.mean() == pytest.approx(15.0, abs=0.05)
    assert stock.std() == pytest.approx(np.sqrt(4 + 1 / 12), abs=0.05)
    margins = catalogue.margins
    assert margins.own.mean() == pytest.approx(15.0, abs=0.6)
    assert margins.suppliers[0].margin == pytest.approx(0.7 * margins.own)


def test_the_same_seed_gives_the_same_days_in_any_order():
    one, other = DropshipCase().catalogue(5), DropshipCase().catalogue(5)
    other.day(3)
    assert np.array_equal(one.day(7).stock, other.day(7).stock)
    assert np.array_equal(one.day(7).orders.sku, other.day(7).orders.sku)
    assert not np.array_equal(one.day(7).stock, one.day(8).stock)
    assert not np.array_equal(one.margins.own, DropshipCase().catalogue(6).margins.own)


def test_a_case_loads_and_saves(tmp_path):
    case = sparing.load("dropship")
    assert case == DropshipCase()
    terms = SupplierTerms(name="b", margin_share=0.8, delay_probability=0.2, delay_penalty=9.0)
    other = DropshipCase(num_skus=20, suppliers=(*case.suppliers, terms), name="other")
    save_dropship(other, tmp_path / "other.toml")
    assert is_dropship(tmp_path / "other.toml")
    assert sparing.load(tmp_path / "other.toml") == other
    assert not is_dropship("three-component")


BAD = {
    "num_skus = 350": ("num_skus = 0", "num_skus must be a whole number of at least 1; got 0"),
    "orders_per_day = 200": ("orders_per_day = 1.5", "orders_per_day must be a whole number"),
    "[0.1, 0.3, 0.6]": ("[0.1, 0.3, 0.5]", "class_probabilities must be shares that sum to 1"),
    "[0.2, 0.3, 0.5]": ("[0.5, 0.5]", "must have as many entries"),
    "lines = [1, 7]": ("lines = [0, 7]", "lines must be 1 <= least <= greatest"),
    "quantity = [1, 2, 6]": ("quantity = [1, 7, 6]", "quantity must be 1 <= least"),
    "stock = [15, 2]": ("stock = [15, nan]", r"stock\[1\] must be finite"),
    "unit_margin = [15, 3]": ("unit_margin = [15]", "unit_margin must be 2 numbers"),
    "margin_share = 0.7": ("margin_share = 'a'", "margin_share must be a number"),
    'name = "supplier"': ("", "name is missing"),
    "[system]": ("[system]\ncolour = 1", "unknown key 'colour'"),
    "[[supplier]]": ("[[suppliers]]", "unknown key 'suppliers'"),
}


@pytest.mark.parametrize("place", BAD)
def test_bad_cases_are_refused_by_name(tmp_path, place):
    new, message = BAD[place]
    good = tmp_path / "good.toml"
    text = (sparing_case()).replace(place, new, 1)
    assert text != sparing_case()
    good.write_text(text)
    with pytest.raises(ValueError, match=message) as error:
        load_dropship(good)
    assert str(good) in str(error.value)


def sparing_case():
    from importlib import resources

    return (resources.files("sparing") / "cases" / "dropship.toml").read_text()


def test_an_interval_is_students():
    found = Interval.of(np.array([1.0, 2.0, 3.0]))
    assert found.mean == 2.0
    assert found.half_width == pytest.approx(4.302653 / np.sqrt(3))
