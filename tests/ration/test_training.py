"""The learners: their labels, that they learn, that they are saved, that they repeat."""

from dataclasses import replace

import numpy as np
import pytest
from sparing.ration.case import DropshipCase
from sparing.ration.classification import Classification
from sparing.ration.criticality import criticality
from sparing.ration.evaluation import Interval, measure
from sparing.ration.first_come import FifoSkip
from sparing.ration.ir_dnn import IrDnn
from sparing.ration.ir_dnn_training import (
    IrDnnParams,
    best_threshold,
    instances,
    scales_of,
    train_ir_dnn,
)
from sparing.ration.learned import NUM_WEIGHTS, Learned, shipped
from sparing.ration.learned_training import LearnedParams, collect, opportunity, train_learned
from sparing.ration.online import run_online
from sparing.ration.orders import Orders
from sparing.ration.rules import load_model, online_rules
from sparing.ration.training_days import HISTORY_DAYS, history_of, training_days

SMALL = DropshipCase(num_skus=30, orders_per_day=24, lines=(1, 4), stock=(9.0, 2.0))


@pytest.fixture(scope="module")
def small():
    catalogue = SMALL.catalogue(3)
    return catalogue, history_of(catalogue, 5)


def test_labels_are_what_running_the_day_on_finds(small):
    """By hand: the day is run on under the rule with the order served, and with it turned down."""
    catalogue, outlook = small
    rng = np.random.default_rng(0)
    weights = rng.normal(0.0, 0.3, NUM_WEIGHTS).astype(np.float32)
    for rule in (
        Learned(weights=np.zeros(0, np.float32)),
        Learned(weights=weights, order_value=0.3),
    ):
        day = catalogue.day(20)
        found = collect(rule, [day], [outlook])
        own = run_online(rule, day, outlook).own
        dense, stock, row = day.orders.dense(), day.stock.copy(), 0
        known = day.margins.gain(outlook.history).sum() + np.cumsum(day.gain)
        mean = known / (len(outlook.history) + 1 + np.arange(len(day.gain)))
        for i, order in enumerate(dense):
            if (order > stock).any():
                continue
            both = []
            for left in (stock, stock - order):  # turned down, served
                begun = rule.open(day.margins, outlook)
                begun.answer(day.orders.rows(range(i + 1)), np.full(stock.size, 10**6))  # counts
                served = begun.answer(day.orders.rows(range(i + 1, len(dense))), left.copy())
                both.append((day.gain[i + 1 :][served].sum() / mean[i], served.sum()))
            assert found.taken[row] == pytest.approx(np.subtract(*both), abs=1e-5)
            row += 1
            stock = stock - order if own[i] else stock
        assert row == len(found.taken)


def test_the_network_of_training_is_the_network_that_decides(small):
    """One order at a time: surplus from JAX, decision from the kernel."""
    catalogue, outlook = small
    rng = np.random.default_rng(1)
    weights = rng.normal(0.0, 0.3, NUM_WEIGHTS).astype(np.float32)
    rule = Learned(weights=weights, order_value=0.4)
    day = catalogue.day(21)
    examples = collect(rule, [day], [outlook])
    layers, at = [], 0
    for size, width in ((7, 16), (16, 16), (19, 16), (16, 2)):
        weight = weights[at : at + size * width].reshape(size, width)
        layers.append((weight, weights[at + size * width : at + (size + 1) * width]))
        at += (size + 1) * width
    taken = np.asarray(opportunity(layers, *examples[:3]))
    surplus = examples.order[:, 0] - taken[:, 0] + 0.4 * (1.0 - taken[:, 1])
    found = run_online(rule, day, outlook)
    stock, row = day.stock.copy(), 0
    for order, served in zip(day.orders.dense(), found.own, strict=True):
        if (order <= stock).all():
            assert served == (surplus[row] >= 0.0) or abs(surplus[row]) < 1e-4
            row += 1
        stock = stock - order if served else stock


def test_training_repeats_and_improves_on_serving_what_fits():
    """On scarce days of one e-tailer, in a few seconds; paired over days it has not seen."""
    catalogue = SMALL.catalogue(4)
    outlook = history_of(catalogue, 20)
    days = catalogue.days(20, 800)
    options = LearnedParams(rounds=1, epochs=8, batch=256, order_value=0.5)
    rule = train_learned(days, [outlook] * len(days), options)
    again = train_learned(days[:50], [outlook] * 50, options)
    assert not np.array_equal(rule.weights, again.weights)
    repeated = train_learned(days[:50], [outlook] * 50, options)
    assert np.array_equal(repeated.weights, again.weights)
    unseen = catalogue.days(5000, 1500)
    rules = {"learned": rule, "fifo_skip": FifoSkip()}
    found = measure([*rules], unseen, outlook, rules)
    mean_gain = np.concatenate([day.gain for day in unseen]).mean()
    served = SMALL.orders_per_day
    worth = {key: m.gain / mean_gain + 0.5 * served * m.ofr for key, m in found.items()}
    gain = Interval.of(worth["learned"] - worth["fifo_skip"])
    assert gain.mean - gain.half_width > 0.0


def test_the_shipped_rule_beats_its_rivals_on_days_never_seen():
    """Margin and OFR above skipping FIFO, with paired intervals; a seed of its own."""
    catalogue = DropshipCase().catalogue(2024)
    outlook = history_of(catalogue)
    days = catalogue.days(HISTORY_DAYS, 1500)
    found = measure(["learned", "fifo_skip"], days, outlook, online_rules())
    for name in ("ofr", "margin"):
        gain = Interval.of(getattr(found["learned"], name) - getattr(found["fifo_skip"], name))
        assert gain.mean - gain.half_width > 0.0, name


def test_size_does_not_depend_on_the_number_of_skus():
    rule = shipped()
    assert rule.weights.size == NUM_WEIGHTS
    for num_skus in (5, 500):
        catalogue = replace(SMALL, num_skus=num_skus).catalogue(0)
        assert run_online(rule, catalogue.day(3), history_of(catalogue, 2)).own.any()


def test_instances_are_labelled_at_the_partial_stock_of_each_step(small):
    """An order is the supplier's exactly if it does not fit at its step: that is the label."""
    catalogue, _ = small
    days = catalogue.days(0, 4)
    scales = scales_of(days)
    found = instances(days, scales)
    n = SMALL.num_skus
    demand, stock = found.inputs[:, :n] * scales[0], found.inputs[:, n : 2 * n] * scales[1]
    assert np.array_equal((np.rint(demand) > np.rint(stock)).any(axis=1), found.supplier)
    assert found.inputs.min() >= 0.0
    assert found.inputs.max() <= 1.0
    assert found.inputs.shape == (4 * 24, 2 * n + 2)
    last = criticality(days[0]).sequence[-1]
    left = days[0].stock - days[0].orders.dense()[criticality(days[0]).own].sum(axis=0)
    last_own = criticality(days[0]).own[last]
    before = left + (days[0].orders.dense()[last] if last_own else 0)
    assert np.rint(stock[last]).tolist() == before.tolist()


@pytest.fixture(scope="module")
def trained(small):
    catalogue, _ = small
    search = [IrDnnParams(hidden=(8,), dropout=(0.1,)), IrDnnParams(hidden=(50, 60))]
    return train_ir_dnn(catalogue.days(0, 30), IrDnnParams(seed=1), search=search)


def test_ir_dnn_learns_and_repeats(small, trained):
    catalogue, _ = small
    majority = max(trained.label.mean(), 1.0 - trained.label.mean())
    counts = trained.classified(0.5)
    assert counts.f1 > 0.5
    assert counts.accuracy > majority - 0.1
    assert len(trained.search) == 2
    assert all(len(folds) == 7 for _, folds in trained.search)
    assert 1 <= len(trained.history) <= 10
    again = train_ir_dnn(catalogue.days(0, 30), trained.params)
    assert again.tuned_threshold is None
    for one, other in zip(trained.rule.layers, again.rule.layers, strict=True):
        assert np.array_equal(one, other)


def test_a_higher_threshold_misses_more_of_the_suppliers_orders(trained):
    low, high = trained.classified(0.5), trained.classified(0.8)
    assert high.false_negative >= low.false_negative
    assert high.false_positive <= low.false_positive


def test_ir_dnn_is_trained_for_its_skus_alone(trained):
    other = replace(SMALL, num_skus=31).catalogue(0)
    with pytest.raises(ValueError, match="trained for 30 SKUs, but the day has 31"):
        run_online(trained.rule, other.day(0))


def test_models_are_saved_without_pickles(tmp_path, trained):
    rule = shipped()
    for model in (trained.rule, rule):
        path = tmp_path / f"{model.key}.npz"
        model.save(path)
        loaded = load_model(path)
        assert type(loaded) is type(model)
        assert loaded.key == model.key
        loaded.save(tmp_path / "again.npz")
        assert (tmp_path / "again.npz").read_bytes() == path.read_bytes()
    with pytest.raises(ValueError, match="holds the rule 'learned', not 'ir_dnn'"):
        IrDnn.load(tmp_path / "learned.npz")
    (tmp_path / "odd.npz").write_text("nothing")
    for name, message in (("odd.npz", "is not a trained rationing rule"), ("no.npz", "no such")):
        with pytest.raises(ValueError, match=message):
            load_model(tmp_path / name)


def test_bad_models_are_refused():
    with pytest.raises(ValueError, match="weights must have shape"):
        Learned(weights=np.zeros(3, np.float32))
    with pytest.raises(ValueError, match="weights must be finite"):
        Learned(weights=np.full(NUM_WEIGHTS, np.nan, np.float32))
    layers = [np.zeros(shape, np.float32) for shape in ((6, 3), (3,), (4, 1), (1,))]
    with pytest.raises(ValueError, match=r"a layer of shape \(4, 1\) does not follow 3 values"):
        IrDnn(layers=tuple(layers), scales=(1.0, 1.0, 1.0, 1.0))


def test_classification_by_hand():
    """2 right and 1 wrong of "supplier", 3 right and 2 wrong of "e-tailer"."""
    predicted = np.array([1, 1, 1, 0, 0, 0, 0, 0], np.bool_)
    label = np.array([1, 1, 0, 0, 0, 0, 1, 1], np.bool_)
    counts = Classification.of(predicted, label)
    assert counts.measures == {
        "accuracy": 5 / 8,
        "f1": 4 / 7,
        "supplier_precision": 2 / 3,
        "supplier_recall": 2 / 4,
        "retailer_precision": 3 / 5,
        "retailer_recall": 3 / 4,
    }
    assert best_threshold(np.array([0.1, 0.4, 0.9], np.float32), np.array([0, 1, 1], bool)) > 0.1


def test_training_days_are_none_of_the_tested(small):
    found = training_days(DropshipCase(), num_days=192, seed=0)
    assert len(found.days) == len(found.outlooks) > 150
    tested = DropshipCase().catalogue(0).day(HISTORY_DAYS)
    assert not any(np.array_equal(day.stock, tested.stock) for day in found.days)
    empty = Orders.from_lines([], num_skus=3)
    assert len(empty) == 0
