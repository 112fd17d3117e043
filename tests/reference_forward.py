"""A slow, obvious interpreter of an epoch run forward, to compare the kernels with.

A state is a dict from axis name to coordinate. Nothing here is shared with the library but the
node list itself.
"""

from math import prod

import numpy as np
from sparing.epoch import Branch, Chance, Cost, Decision
from sparing.nodes import Axis

INF = float("inf")
MASK = 0xFFFFFFFF


def philox(counter, key):
    """Philox4x32-10, word by word."""
    c, k = list(counter), list(key)
    for _ in range(10):
        p0, p1 = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [(p1 >> 32) ^ c[1] ^ k[0], p1 & MASK, (p0 >> 32) ^ c[3] ^ k[1], p0 & MASK]
        k = [(k[0] + 0x9E3779B9) & MASK, (k[1] + 0xBB67AE85) & MASK]
    return c


def draw(seed, replication, epoch, number, stream):
    words = philox([epoch, replication, number // 4, stream], [seed & MASK, seed >> 32])
    return min(words[number % 4], MASK - 1)


def pick(probabilities, word):
    """The first entry whose cumulative probability, in units of 2^-32, is above `word`."""
    reached, last = 0.0, max(i for i, p in enumerate(probabilities) if p > 0.0)
    for i, p in enumerate(probabilities):
        reached += p
        if i >= last or word < min(round(reached * 2.0**32), MASK):
            return i
    raise AssertionError


def sizes_of(layout):
    return {axis.name: axis.size for axis in layout}


def entries(node, state, layout):
    sizes, row = sizes_of(layout), 0
    for name in (*node.context, *node.axes):
        row = row * sizes[name] + state[name]
    return range(int(node.table.indptr[row]), int(node.table.indptr[row + 1]))


def ends(node, layout):
    """The axes a row leads to."""
    live = {axis.name: axis for axis in layout}
    return [axis if isinstance(axis, Axis) else live[axis] for axis in node.to]


def moved(node, entry, state, layout):
    after = {name: value for name, value in state.items() if name not in node.axes}
    axes, flat = ends(node, layout), int(node.table.to[entry])
    values = np.unravel_index(flat, [a.size for a in axes]) if axes else ()
    return after | {a.name: int(v) for a, v in zip(axes, values, strict=True)}


def moved_layout(node, layout):
    """The axes behind a node, in any order."""
    if not isinstance(node, Decision | Chance):
        return layout
    return [axis for axis in layout if axis.name not in node.axes] + ends(node, layout)


def cost_of(node, state):
    where = tuple(
        int(node.groups[name][state[name]]) if name in node.groups else state[name]
        for name in node.axes
    )
    return float(node.values[where])


def weighted(costs, weights):
    """Sum of weight times cost over kinds; +inf is not allowed, whatever its weight."""
    total = 0.0
    for kind, cost in costs:
        if cost == INF:
            return INF
        if weights[kind] != 0.0:
            total += weights[kind] * cost
    return total


def paths(nodes, state, layout, weights):
    """Yield (weighted cost, [(kind, cost)], end state, choices) of all paths, in their order."""

    def walk(rest, state, layout, total, paid, choices):
        if total == INF:
            return
        if not rest:
            yield total, paid, state, choices
            return
        node, rest = rest[0], rest[1:]
        if isinstance(node, Branch):
            for number, alternative in enumerate(node.alternatives):
                kinds = dict.fromkeys(k for a in node.alternatives for k in a.cost)
                costs = [(kind, alternative.cost.get(kind, 0.0)) for kind in kinds]
                yield from walk(
                    [*alternative.nodes, *rest], state, layout,
                    total + weighted(costs, weights), [*paid, *costs], [*choices, number],
                )  # fmt: skip
        elif isinstance(node, Cost):
            costs = [(node.kind, cost_of(node, state))]
            yield from walk(
                rest, state, layout, total + weighted(costs, weights), [*paid, *costs], choices
            )
        else:
            for entry in entries(node, state, layout):
                costs = [(kind, float(values[entry])) for kind, values in node.table.cost.items()]
                taken = int(node.table.choice[entry]) if isinstance(node, Decision) else None
                yield from walk(
                    rest, moved(node, entry, state, layout), moved_layout(node, layout),
                    total + weighted(costs, weights), [*paid, *costs],
                    choices if taken is None else [*choices, taken],
                )  # fmt: skip

    yield from walk(list(nodes), state, list(layout), 0.0, [], [])


def flat(state, layout):
    return int(np.ravel_multi_index([state[a.name] for a in layout], [a.size for a in layout]))


def unflat(index, layout):
    values = np.unravel_index(index, [a.size for a in layout])
    return {a.name: int(v) for a, v in zip(layout, values, strict=True)}


def cheapest(epoch, first, last, state, weights):
    """Per reachable end state (flat): (kind costs in order, choices) of the cheapest path."""
    best = {}
    for total, paid, end, choices in paths(
        epoch.nodes[first:last], state, epoch.layouts[first], weights
    ):
        key = flat(end, epoch.layouts[last])
        if key not in best or total < best[key][0]:
            best[key] = (total, paid, choices)
    return best


def sums_by_kind(paid, kinds):
    sums = dict.fromkeys(kinds, 0.0)
    for kind, cost in paid:
        sums[kind] += cost
    return sums


class Reference:
    """Runs one replication after another, node by node.

    `tables` per stage, or `rows` per Decision position (a policy is one of both).
    """

    def __init__(self, epoch, weights, seed, tables=None, rows=None):
        self.epoch, self.weights, self.seed = epoch, weights, seed
        self.tables, self.rows = tables, rows
        draws = [n for n in epoch.nodes if isinstance(n, Chance) and not n.is_move]
        self.number = {id(node): i for i, node in enumerate(draws)}

    def run(self, replication, state, first_epoch, num_epochs):
        """Yield (state at the start, cost per kind) of each epoch, then the last state."""
        for t in range(first_epoch, first_epoch + num_epochs):
            costs = dict.fromkeys(self.epoch.kinds, 0.0)
            after = self.one_epoch(replication, t, state, costs)
            yield state, costs
            state = after
        yield state, None

    def one_epoch(self, replication, t, state, costs):
        stages = dict(self.epoch.stages) if self.tables is not None else {}
        n, stage, decisions = 0, 0, 0
        while n < len(self.epoch.nodes):
            node, layout = self.epoch.nodes[n], self.epoch.layouts[n]
            if n in stages:
                goal = int(self.tables[stage][flat(state, layout)])
                state = self.take(n, stages[n], state, goal, costs)
                n, stage = stages[n], stage + 1
                continue
            if isinstance(node, Branch):
                state, decisions = self.branch(n, state, costs, replication, t, decisions)
            elif isinstance(node, Cost):
                costs[node.kind] += cost_of(node, state)
            else:
                row = entries(node, state, layout)
                if isinstance(node, Decision):
                    entry = row[self.choose(row, decisions, replication, t)]
                    decisions += 1
                elif node.is_move:
                    entry = row[0]
                else:
                    chance = [float(node.table.probability[e]) for e in row]
                    word = draw(self.seed, replication, t, self.number[id(node)], 0)
                    entry = row[pick(chance, word)]
                state = moved(node, entry, state, layout)
                for kind, values in node.table.cost.items():
                    costs[kind] += float(values[entry])
            n += 1
        return state

    def choose(self, row, decision, replication, t):
        chance = [float(self.rows[decision][e]) for e in row]
        return pick(chance, draw(self.seed, replication, t, decision, 1))

    def branch(self, n, state, costs, replication, t, decisions):
        goal = None
        for alternative in self.epoch.nodes[n].alternatives:
            trial, layout, decides = dict(state), list(self.epoch.layouts[n]), False
            for node in alternative.nodes:
                if isinstance(node, Decision) and decisions in self.rows:
                    row = entries(node, trial, layout)
                    entry = row[self.choose(row, decisions, replication, t)]
                    trial, decides = moved(node, entry, trial, layout), True
                elif isinstance(node, Chance):
                    trial = moved(node, entries(node, trial, layout)[0], trial, layout)
                decisions += isinstance(node, Decision)
                layout = moved_layout(node, layout)
            if decides:
                goal = flat(trial, self.epoch.layouts[n + 1])
        return self.take(n, n + 1, state, goal, costs), decisions

    def take(self, first, last, state, goal, costs):
        _, paid, _ = cheapest(self.epoch, first, last, state, self.weights)[goal]
        for kind, cost in sums_by_kind(paid, costs).items():
            costs[kind] += cost
        return unflat(goal, self.epoch.layouts[last])


def num_states(layout):
    return prod(axis.size for axis in layout)
