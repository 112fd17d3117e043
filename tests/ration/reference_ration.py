"""Slow and plain: every rule on dense quantities, one order at a time."""

from itertools import product

import numpy as np


def fits(order, stock):
    return all(d <= q for d, q in zip(order, stock, strict=True))


def fifo(orders, stock, *, strict):
    stock, own, open_ = list(stock), [], True
    for order in orders:
        served = open_ and fits(order, stock)
        if served:
            stock = [q - d for q, d in zip(stock, order, strict=True)]
        own.append(served)
        open_ = open_ and (served or not strict)
    return own


def criticality(orders, stock, margin):
    """Everything is computed anew at every step; returns who serves, and the sequence."""
    stock, left = list(stock), list(range(len(orders)))
    own, sequence = [False] * len(orders), []
    while left:
        demand = [sum(orders[i][j] for i in left) for j in range(len(stock))]
        keys = []
        for i in left:
            commitment = 0.0
            for j, d in enumerate(orders[i]):
                if d > 0:
                    commitment += (demand[j] / stock[j] if stock[j] > 0 else np.inf) * d
            profit = sum(float(m) * d for m, d in zip(margin, orders[i], strict=True))
            keys.append((commitment / profit if profit > 0 else np.inf, i))
        _, chosen = min(keys)
        left.remove(chosen)
        sequence.append(chosen)
        if fits(orders[chosen], stock):
            own[chosen] = True
            stock = [q - d for q, d in zip(stock, orders[chosen], strict=True)]
    return own, sequence


def best_gain(orders, stock, gain):
    """The greatest sum of gains over all sets of orders that fit together."""
    best = 0.0
    for chosen in product([False, True], repeat=len(orders)):
        used = np.array(orders)[np.array(chosen)].sum(axis=0)
        if (used <= stock).all():
            best = max(best, float(np.array(gain)[np.array(chosen)].sum()))
    return best


def priced(orders, stock, gain, prices_at, every):
    """Bid prices, given the prices at each time they are computed anew."""
    stock, own, price = np.array(stock), [], None
    for i, order in enumerate(orders):
        if i % every == 0:
            price = prices_at(i, stock)
        value = float(price @ order)
        served = fits(order, stock) and gain[i] + 1e-9 * (abs(gain[i]) + abs(value)) >= value
        if served:
            stock = stock - order
        own.append(served)
    return own


def network(layers, inputs):
    """Probability of "supplier" by dense products in float64."""
    value = np.asarray(inputs, np.float64)
    for weight, bias in zip(layers[:-2:2], layers[1:-2:2], strict=True):
        value = np.maximum(value @ weight + bias, 0.0)
    return 1.0 / (1.0 + np.exp(-(value @ layers[-2] + layers[-1])[..., 0]))


def learned_margins(day, history, expected, weights, sizes, order_value):
    """Surplus of serving each order under the learned rule, and who serves it."""
    layers, at = [], 0
    for inputs, width in sizes:
        weight = weights[at : at + inputs * width].reshape(inputs, width).astype(np.float64)
        at += inputs * width
        layers.append((weight, weights[at : at + width].astype(np.float64)))
        at += width
    relu = lambda x: np.maximum(x, 0.0)  # noqa: E731
    seen = [list(map(int, row)) for row in history.dense()]
    gains = list(day.margins.gain(history))
    unit = day.margins.unit_gain / day.margins.unit_gain.mean()
    stock, own, surplus = day.stock.copy(), [], []
    for i, order in enumerate(day.orders.dense()):
        gains.append(day.gain[i])
        scale = np.mean(gains) if np.mean(gains) > 0 else 1.0
        left = max(expected - i - 1, 0)
        total = np.zeros(sizes[1][1])
        held = [d for row in seen for d in row if d]  # lines; each SKU gets one of mean size
        like, like_squares = (np.mean(held), np.mean(np.square(held))) if held else (0.0, 0.0)
        counted = len(seen) * (1 + day.stock.size / max(len(held), 1))
        for j in np.flatnonzero(order):
            units = sum(row[j] for row in seen) + like
            squares = sum(row[j] ** 2 for row in seen) + like_squares
            size = squares / units if units else float(order[j])
            mean = left / counted * units if counted else 0.0
            spread = left / counted * squares if counted else 0.0
            deviation = np.sqrt(spread + size**2)
            after = float(stock[j] - order[j])
            x = [
                order[j] / size,
                np.log1p(mean / size),
                unit[j],
                np.log1p(stock[j] / size),
                np.log1p(max(after, 0.0) / size),
                np.clip((stock[j] - mean) / deviation, -4, 4),
                np.clip((after - mean) / deviation, -4, 4),
            ]
            hidden = relu(np.array(x) @ layers[0][0] + layers[0][1])
            total += relu(hidden @ layers[1][0] + layers[1][1])
        lines = np.count_nonzero(order)
        joint = np.concatenate([total, [day.gain[i] / scale, lines / 4, left / max(expected, 1)]])
        taken = relu(joint @ layers[2][0] + layers[2][1]) @ layers[3][0] + layers[3][1]
        surplus.append(day.gain[i] / scale - taken[0] + order_value * (1 - taken[1]))
        own.append(fits(order, stock) and surplus[-1] >= 0)
        if own[-1]:
            stock = stock - order
        seen.append(list(map(int, order)))
    return np.array(surplus), own
