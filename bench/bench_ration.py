"""Rationing: decisions a second, a large day, and the hindsight bound.

Online rules are measured on one day of 100 000 orders in one call, and alone, order by order, at
the desk. Peers of our criticality are NumPy on dense quantities and on sparse lines.
"""

import time
from functools import cache

import numpy as np
import pytest
from sparing import _core
from sparing.ration.bid_price import BidPrice
from sparing.ration.case import DropshipCase
from sparing.ration.criticality import criticality
from sparing.ration.day import Day, Rationing
from sparing.ration.evaluation import Interval
from sparing.ration.first_come import FifoSkip, FifoStrict
from sparing.ration.hindsight import hindsight
from sparing.ration.ir_dnn import IrDnn
from sparing.ration.learned import shipped
from sparing.ration.online import Desk, run_online
from sparing.ration.outlook import Outlook
from sparing.ration.training_days import history_of

BATCH = 100_000


@cache
def large_day(num_orders, num_skus):
    """As many orders as wanted; stock for about as much of the demand as in the case."""
    case = DropshipCase(num_skus=num_skus, orders_per_day=num_orders)
    mean = 15.0 * num_orders / 200.0 * 350.0 / num_skus
    catalogue = DropshipCase(
        num_skus=num_skus, orders_per_day=num_orders, stock=(mean, 0.13 * mean)
    ).catalogue(0)
    rng = np.random.default_rng(1)
    outlook = Outlook(history=case.catalogue(0).orders(rng, 10_000), num_orders=num_orders)
    return catalogue.day(0), outlook


def random_ir_dnn(num_skus):
    """Weights of the size of the thesis's network; what they are does not change the work."""
    rng = np.random.default_rng(0)
    shapes = [(2 * num_skus + 2, 50), (50,), (50, 60), (60,), (60, 1), (1,)]
    layers = tuple(rng.normal(0.0, 0.1, shape).astype(np.float32) for shape in shapes)
    return IrDnn(layers=layers, scales=(6.0, 20.0, 500.0, 350.0), threshold=0.8)


RULES = {
    "fifo_strict": FifoStrict(),
    "fifo_skip": FifoSkip(),
    "bid_price": BidPrice(),
    "ir_dnn": random_ir_dnn(350),
    "learned": shipped(),
}


@pytest.mark.benchmark(group="rationing: 100 000 orders in one call, 350 SKUs")
@pytest.mark.parametrize("key", RULES)
def test_batch(benchmark, key):
    day, outlook = large_day(BATCH, 350)
    found = benchmark.pedantic(run_online, (RULES[key], day, outlook), rounds=5, warmup_rounds=1)
    rate = BATCH / benchmark.stats["median"] if benchmark.stats else float("nan")
    benchmark.extra_info["orders_per_second"] = rate
    print(f"\n{key}: {rate:,.0f} orders a second")
    assert (found.stock_left >= 0).all()


@pytest.mark.benchmark(group="rationing: one order at the desk, 350 SKUs")
@pytest.mark.parametrize("key", RULES)
def test_alone(benchmark, key):
    """Median and slowest of the orders of ten days; bid prices are solved anew between orders."""
    catalogue = DropshipCase().catalogue(0)
    outlook, seconds = history_of(catalogue), []
    for day in catalogue.days(50, 10):
        desk = Desk(RULES[key], stock=day.stock, margins=day.margins, outlook=outlook)
        dense = day.orders.dense()
        for i in range(len(day.orders)):
            order = {j: int(d) for j, d in enumerate(dense[i]) if d}
            desk.prepare()  # in the time between two orders
            start = time.perf_counter()
            desk.arrive(order)
            seconds.append(time.perf_counter() - start)
        assert desk.stock.tolist() == run_online(RULES[key], day, outlook).stock_left.tolist()
    figures = {q: float(np.quantile(seconds, q)) for q in (0.5, 0.99, 1.0)}
    benchmark.extra_info.update({f"quantile_{q}": value for q, value in figures.items()})
    print(f"\n{key}: " + ", ".join(f"{q}: {1e3 * value:.3f} ms" for q, value in figures.items()))
    day = catalogue.day(70)
    desk = Desk(FifoSkip(), stock=day.stock, margins=day.margins, outlook=outlook)
    benchmark.pedantic(desk.arrive, ({0: 1, 200: 2},), rounds=5)


def criticality_in_numpy(day, *, sparse):
    """Every criticality anew at every step, vectorised."""
    demand = day.orders.matrix() if sparse else day.orders.dense().astype(float)
    stock, left = day.stock.astype(float), np.ones(len(day.orders), np.bool_)
    own = np.zeros(len(day.orders), np.bool_)
    wanted = np.asarray(demand.sum(axis=0), float).ravel()
    for _ in range(len(day.orders)):
        with np.errstate(divide="ignore", invalid="ignore"):
            commitment = np.where(wanted > 0, wanted / stock, 0.0)
        finite = np.minimum(commitment, 1e30)  # infinity times nothing is not a number
        remaining = np.flatnonzero(left)
        key = (demand @ finite / day.own_margin)[remaining]
        chosen = int(remaining[np.where(key > 1e20, np.inf, key).argmin()])
        left[chosen] = False
        part = slice(*day.orders.indptr[chosen : chosen + 2])
        sku, quantity = day.orders.sku[part], day.orders.quantity[part]
        own[chosen] = (quantity <= stock[sku]).all()
        stock[sku] -= quantity if own[chosen] else 0
        wanted[sku] -= quantity
    return own


@pytest.mark.benchmark(group="rationing: criticality, 200 orders x 350 SKUs")
@pytest.mark.parametrize("how", ["kernel", "numpy, dense", "numpy, sparse"])
def test_criticality(benchmark, how):
    day = DropshipCase().catalogue(0).day(0)
    if how == "kernel":
        own = benchmark(lambda: criticality(day).own)
    else:
        own = benchmark(criticality_in_numpy, day, sparse="sparse" in how)
    assert np.array_equal(own, criticality(day).own)


@pytest.mark.benchmark(group="rationing: criticality, large days")
@pytest.mark.parametrize(
    ("orders", "skus"), [(10_000, 5_000), pytest.param(100_000, 50_000, marks=pytest.mark.full)]
)
def test_criticality_of_a_large_day(benchmark, orders, skus):
    day, _ = large_day(orders, skus)
    day.orders.askers, day.own_margin  # noqa: B018
    found = benchmark.pedantic(criticality, (day,), rounds=3)
    assert sorted(found.sequence.tolist()) == list(range(orders))
    assert (found.stock_left >= 0).all()


@pytest.mark.full
@pytest.mark.benchmark(group="rationing: criticality, large days")
def test_criticality_of_a_large_day_in_numpy(benchmark):
    day, _ = large_day(10_000, 5_000)
    own = benchmark.pedantic(criticality_in_numpy, (day,), {"sparse": True}, rounds=1)
    assert (own == criticality(day).own).mean() > 0.999  # sums are rounded in another order


@pytest.mark.benchmark(group="rationing: hindsight optimum, 200 orders x 350 SKUs")
def test_hindsight(benchmark):
    days = DropshipCase().catalogue(0).days(0, 20)
    found = benchmark.pedantic(lambda: [hindsight(day) for day in days], rounds=2)
    assert max(result.gap for result in found) < 1e-6
    assert isinstance(found[0].day, Day)


def served_by_futures(day, futures, order_value, mean_gain):
    """Serve an order if that is better on average over simulated rests of the day.

    Each rest is run on under skipping FIFO, with the order served and with it turned down.
    """
    stock, own = day.stock.copy(), np.zeros(len(day.orders), np.bool_)
    for i in range(len(day.orders)):
        part = slice(*day.orders.indptr[i : i + 2])
        sku, quantity = day.orders.sku[part], day.orders.quantity[part]
        if (quantity > stock[sku]).any():
            continue
        after = stock.copy()
        after[sku] -= quantity
        taken = np.zeros(2)  # margin and orders
        for orders, gain in futures:
            for start, sign in ((stock, 1.0), (after, -1.0)):
                served = np.zeros(len(day.orders) - i - 1, np.bool_)
                rest = orders.indptr[i + 1 :], orders.sku, orders.quantity
                _core.ration_first_come(*rest, False, start.copy(), served)
                taken += sign * np.array([gain[i + 1 :][served].sum(), served.sum()])
        taken /= len(futures)
        own[i] = (day.gain[i] - taken[0]) / mean_gain + order_value * (1.0 - taken[1]) >= 0.0
        stock = after if own[i] else stock
    return Rationing(rule="futures", day=day, own=own)


@pytest.mark.full
@pytest.mark.benchmark(group="rationing: 60 simulated futures before each decision, 60 days")
def test_what_simulated_futures_gain(benchmark):
    """What one step of policy improvement can gain at all, without a network between."""
    catalogue, rng = DropshipCase().catalogue(0), np.random.default_rng(5)

    def run():
        gains = []
        for day in catalogue.days(1000, 60):
            drawn = [catalogue.orders(rng, len(day.orders)) for _ in range(60)]
            futures = [(orders, catalogue.margins.gain(orders)) for orders in drawn]
            found = served_by_futures(day, futures, 0.7, 54.0)
            base = run_online(FifoSkip(), day)
            gains.append((found.ofr - base.ofr, found.margin - base.margin))
        return np.array(gains)

    gains = benchmark.pedantic(run, rounds=1)
    found = {name: Interval.of(gains[:, k]).json for k, name in enumerate(("ofr", "margin"))}
    benchmark.extra_info.update(found)
    print(f"\nabove skipping FIFO: {found}")
