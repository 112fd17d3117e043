"""Slow references for base stocks: distributions by plain convolution, and a simulation."""

from __future__ import annotations

import heapq

import numpy as np
from scipy.stats import binom, poisson

SIZE = 60


def outstanding(supplier, own_mean, share, levels):
    """Distributions of the units outstanding [L, SIZE] by thinning, one part, no kernel."""
    law = []
    for location, above in enumerate(supplier):
        own = poisson.pmf(np.arange(SIZE), own_mean[location])
        if above < 0:
            law.append(own)
            continue
        waiting = np.zeros(SIZE)
        for units, chance in enumerate(law[above]):
            waiting[max(units - levels[above], 0)] += chance
        thinned = sum(
            waiting[n] * binom.pmf(np.arange(SIZE), n, share[location]) for n in range(SIZE)
        )
        law.append(np.convolve(thinned, own)[:SIZE])
    return np.array(law)


def site_backorders(supplier, own_mean, share, levels):
    """Expected backorders [L] of the distributions above."""
    law = outstanding(supplier, own_mean, share, levels)
    short = np.maximum(np.arange(SIZE) - np.asarray(levels)[:, None], 0)
    return (law * short).sum(axis=1)


def simulated_backorders(supplier, rate, lead_time, levels, *, horizon, warm_up, rng):
    """Time averages [L] of backorders; failures are replaced first come, first served."""
    num = len(levels)
    stock, area, last = list(levels), np.zeros(num), np.zeros(num)
    queue = [[] for _ in range(num)]  # who waits at a location, in order of arrival
    events, count = [], 0

    def push(time, kind, location):
        nonlocal count
        heapq.heappush(events, (time, count, kind, location))
        count += 1

    def change(location, time, by):
        since = max(last[location], warm_up)
        if time > since:
            area[location] += max(-stock[location], 0) * (time - since)
        last[location] = time
        stock[location] += by

    def demand(location, time, below):
        """A unit leaves `location` for `below` (None: a failure), which orders one in its place."""
        change(location, time, -1)
        if supplier[location] >= 0:
            demand(supplier[location], time, location)
        else:
            push(time + lead_time[location], "arrive", location)
        if below is not None:
            if stock[location] >= 0:
                push(time + lead_time[below], "arrive", below)
            else:
                queue[location].append(below)

    for site, each in enumerate(rate):
        if each > 0:
            push(rng.exponential(1 / each), "fail", site)
    while events:
        time, _, kind, location = heapq.heappop(events)
        if time > horizon:
            break
        if kind == "fail":
            push(time + rng.exponential(1 / rate[location]), "fail", location)
            demand(location, time, None)
        else:
            change(location, time, 1)
            if queue[location]:
                push(time + lead_time[queue[location][0]], "arrive", queue[location].pop(0))
    for location in range(num):
        change(location, horizon, 0)
    return area / (horizon - warm_up)
