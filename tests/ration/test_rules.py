"""The rules: the known day exactly, and brute force on random tiny days."""

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_days import tiny_days
from reference_ration import best_gain, criticality, fifo, learned_margins, network, priced
from sparing.ration import criticality as criticality_room
from sparing.ration.bid_price import BidPrice, dual_prices
from sparing.ration.day import Day
from sparing.ration.first_come import FifoSkip, FifoStrict
from sparing.ration.hindsight import hindsight
from sparing.ration.ir_dnn import IrDnn
from sparing.ration.learned import LAYERS, NUM_WEIGHTS, Learned
from sparing.ration.margins import Margins
from sparing.ration.online import Desk, run_online
from sparing.ration.orders import Orders, joined
from sparing.ration.outlook import Outlook
from sparing.ration.rules import NAMES, decide, online_rules

KNOWN = json.loads((Path(__file__).parents[1] / "data" / "rationing-day.json").read_text())


def known_day():
    return Day.from_arrays(*(KNOWN[k] for k in ("stock", "orders", "margin_own", "margin_drop")))


@pytest.mark.parametrize("rule", KNOWN["answers"])
def test_the_known_day_exactly(rule):
    answer = KNOWN["answers"][rule]
    found = decide(rule, known_day(), None, online_rules())
    if "own" in answer:
        assert np.flatnonzero(found.own).tolist() == answer["own"]
    if "sequence" in answer:
        assert found.sequence.tolist() == answer["sequence"]
    assert found.ofr == answer["ofr"]
    assert found.margin == pytest.approx(answer["margin"], rel=1e-12)


@given(tiny_days())
def test_first_come_is_the_plain_loop(day):
    dense = day.orders.dense().tolist()
    for rule, strict in ((FifoStrict(), True), (FifoSkip(), False)):
        found = run_online(rule, day)
        assert found.own.tolist() == fifo(dense, day.stock.tolist(), strict=strict)


@given(tiny_days(max_orders=14))
def test_criticality_is_as_if_computed_anew_at_every_step(day):
    found = criticality_room.criticality(day)
    own, sequence = criticality(day.orders.dense().tolist(), day.stock.tolist(), day.margins.own)
    assert found.sequence.tolist() == sequence
    assert found.own.tolist() == own


def test_criticality_stays_exact_on_a_larger_day():
    """300 orders change each other's criticality thousands of times; not one bit drifts."""
    rng = np.random.default_rng(4)
    orders = np.where(rng.random((300, 40)) < 0.1, rng.integers(1, 6, (300, 40)), 0)
    day = Day.from_arrays(rng.integers(0, 60, 40), orders, rng.uniform(5, 25, 40), np.zeros(40))
    own, sequence = criticality(orders.tolist(), day.stock.tolist(), day.margins.own)
    found = criticality_room.criticality(day)
    assert found.sequence.tolist() == sequence
    assert found.own.tolist() == own


@settings(max_examples=60)
@given(tiny_days(max_orders=8))
def test_hindsight_is_the_best_of_all_sets(day):
    found = hindsight(day)
    best = best_gain(day.orders.dense().tolist(), day.stock, day.gain) if len(day.orders) else 0.0
    assert found.margin == pytest.approx(day.drop_margin.sum() + best, abs=1e-6)
    assert found.upper == pytest.approx(found.margin, abs=1e-6)
    assert found.upper >= found.margin
    assert (found.stock_left >= 0).all()


@settings(max_examples=40)
@given(tiny_days(max_orders=12), st.integers(0, 2**32 - 1))
def test_no_rule_oversells_or_beats_the_hindsight_bound(day, seed):
    rng = np.random.default_rng(seed)
    rules = online_rules({"learned": random_learned(rng), "ir_dnn": random_network(rng, day)})
    bound = hindsight(day).upper
    for key in NAMES:
        found = decide(key, day, None, rules)
        assert (found.stock_left >= 0).all(), key
        assert found.margin <= bound + 1e-6, key


@settings(max_examples=40)
@given(tiny_days(max_orders=12), st.integers(0, 2**32 - 1), st.integers(1, 5))
def test_answers_one_by_one_are_those_of_the_whole_day(day, seed, num_solves):
    """So no online rule looks ahead."""
    rng = np.random.default_rng(seed)
    rules = [
        FifoStrict(),
        FifoSkip(),
        BidPrice(num_solves=num_solves),
        random_learned(rng),
        random_network(rng, day),
    ]
    outlook = Outlook(history=random_history(rng, day), num_orders=len(day.orders) + 2)
    for rule in rules:
        whole = run_online(rule, day, outlook)
        desk = Desk(rule, stock=day.stock, margins=day.margins, outlook=outlook)
        answers = []
        for i, order in enumerate(day.orders.dense()):
            if i % 3:
                desk.prepare()  # changes no answer
            answers.append(desk.arrive({j: int(d) for j, d in enumerate(order) if d}))
        assert [answer.own for answer in answers] == whole.own.tolist(), rule.key
        assert sum(answer.margin for answer in answers) == pytest.approx(whole.margin, abs=1e-9)
        assert desk.stock.tolist() == whole.stock_left.tolist()


@settings(max_examples=40)
@given(tiny_days(max_orders=12), st.integers(0, 2**32 - 1), st.integers(1, 5))
def test_bid_prices_are_the_plain_loop_on_certified_prices(day, seed, num_solves):
    rng = np.random.default_rng(seed)
    history = random_history(rng, day)
    expected = len(day.orders) + 1
    known = joined([history, day.orders])
    gains = day.margins.gain(known)

    def prices_at(i, stock):
        seen = len(history) + i
        if not seen:
            return np.zeros(stock.size)
        part, weight = known.rows(np.arange(seen)), (expected - i) / seen
        price = dual_prices(part, gains[:seen], weight, stock)
        assert_optimal_dual(part, gains[:seen], weight, stock, price)
        return price

    every = max(int(np.ceil(expected / num_solves)), 1)
    own = priced(day.orders.dense(), day.stock, day.gain, prices_at, every)
    outlook = Outlook(history=history, num_orders=expected)
    assert run_online(BidPrice(num_solves=num_solves), day, outlook).own.tolist() == own


def assert_optimal_dual(orders, gains, weight, stock, price):
    """The value of the prices is that of the whole linear program: no SKU was left out wrongly."""
    from scipy.optimize import linprog

    dense = orders.dense().astype(float)
    primal = linprog(-gains, A_ub=dense.T, b_ub=stock, bounds=(0.0, weight), method="highs")
    dual = price @ stock + weight * np.maximum(gains - dense @ price, 0.0).sum()
    assert (price >= 0.0).all()
    assert dual == pytest.approx(-primal.fun, abs=1e-6)


@given(tiny_days(max_orders=10), st.integers(0, 2**32 - 1))
def test_the_network_kernel_is_the_dense_network(day, seed):
    rng = np.random.default_rng(seed)
    rule = random_network(rng, day)
    stock = day.stock.copy()
    own, probability = rule.open(day.margins, Outlook.unknown(day)).judged(day.orders, stock)
    left = day.stock.copy()
    pairs = zip(day.orders.dense(), own, probability, strict=True)
    for i, (order, served, chance) in enumerate(pairs):
        margins = rule.scaled_margins(day.margins, day.orders)[i]
        inputs = np.concatenate([order / rule.scales[0], left / rule.scales[1], margins])
        assert chance == pytest.approx(network(rule.layers, inputs), abs=1e-5)
        assert served == (chance < rule.threshold and (order <= left).all())
        left -= order if served else 0
    assert stock.tolist() == left.tolist()


@settings(max_examples=60)
@given(tiny_days(max_orders=10), st.integers(0, 2**32 - 1))
def test_the_learned_kernel_is_the_plain_network(day, seed):
    rng = np.random.default_rng(seed)
    rule, history = random_learned(rng), random_history(rng, day)
    if not day.margins.unit_gain.mean() > 0.1:
        return  # scaled differently there
    expected = len(day.orders) + 1
    outlook = Outlook(history=history, num_orders=expected)
    surplus, own = learned_margins(day, history, expected, rule.weights, LAYERS, rule.order_value)
    if np.abs(surplus).min(initial=1.0) < 1e-3:
        return  # float32 may decide a tie otherwise
    assert run_online(rule, day, outlook).own.tolist() == own


def test_the_best_supplier_weighs_margin_against_delay():
    """Late one time in four at 40: 10 an order. 30 - 10 = 20 < 21, but 60 - 10 = 50 > 42."""
    base = known_day().margins.suppliers[0]
    late = type(base)(
        name="late", margin=np.array([10.0]), delay_probability=0.25, delay_penalty=40.0
    )
    safe = type(base)(name="safe", margin=np.array([7.0]))
    day = Day(
        stock=np.array([2]),
        orders=Orders.from_dense([[3], [6], [2]]),
        margins=Margins(own=np.array([12.0]), suppliers=(late, safe)),
    )
    assert day.supplier.tolist() == [1, 0, 1]
    assert day.drop_margin.tolist() == [21.0, 50.0, 14.0]
    assert day.gain.tolist() == [15.0, 22.0, 10.0]
    assert run_online(FifoSkip(), day).margin == 21.0 + 50.0 + 24.0
    answer = Desk(
        FifoStrict(), stock=day.stock, margins=day.margins, outlook=Outlook.unknown(day)
    ).arrive({0: 6})
    assert (answer.own, answer.supplier, answer.margin) == (False, "late", 50.0)


def test_hindsight_states_its_gap_when_time_ends_it():
    rng = np.random.default_rng(1)
    orders = np.where(rng.random((400, 60)) < 0.2, rng.integers(1, 9, (400, 60)), 0)
    own = rng.uniform(5, 25, 60)
    day = Day.from_arrays(rng.integers(40, 80, 60), orders, own, 0.5 * own)
    found = hindsight(day, time_limit_s=0.05)
    assert found.gap > 0.0
    assert found.upper > found.margin >= run_online(FifoSkip(), day).margin
    assert (found.stock_left >= 0).all()


def random_learned(rng):
    weights = rng.normal(0.0, 0.3, NUM_WEIGHTS).astype(np.float32)
    return Learned(weights=weights, order_value=float(rng.uniform(0.0, 1.0)))


def random_network(rng, day):
    sizes = [2 * day.stock.size + 2, *rng.integers(1, 6, rng.integers(1, 4)), 1]
    layers = []
    for inputs, width in pairwise(sizes):
        layers += [rng.normal(0, 1, (inputs, width)), rng.normal(0, 1, width)]
    layers = tuple(layer.astype(np.float32) for layer in layers)
    return IrDnn(layers=layers, scales=(5.0, 12.0, 60.0, 50.0), threshold=float(rng.random()))


def random_history(rng, day):
    num_orders, num_skus = int(rng.integers(0, 6)), day.stock.size
    dense = np.where(rng.random((num_orders, num_skus)) < 0.5, rng.integers(1, 6, num_skus), 0)
    return Orders.from_dense(dense, num_skus=num_skus)
