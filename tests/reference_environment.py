"""A slow environment: one lane, node by node, in the words of the design.

All draws of a step take the same random word, so that the fast environment can be given it too.
"""

import numpy as np
from sparing.epoch import Branch, Cost, Decision, layout_after, resolve_to
from sparing.feasibility import may_forbid
from sparing.forward import NEVER, draw_thresholds


def row_of(node, layout, coords):
    sizes = {axis.name: axis.size for axis in layout}
    row = 0
    for name in (*node.context, *node.axes):
        row = row * sizes[name] + coords[name]
    return row


def entries_of(node, layout, coords):
    row = row_of(node, layout, coords)
    return range(node.table.indptr[row], node.table.indptr[row + 1])


def after_entry(node, layout, coords, entry):
    to = resolve_to(node, layout)
    values = np.unravel_index(node.table.to[entry], [axis.size for axis in to]) if to else ()
    new = {name: value for name, value in coords.items() if name not in node.axes}
    return new | {axis.name: int(value) for axis, value in zip(to, values, strict=True)}


def cost_value(node, coords):
    at = tuple(node.groups[n][coords[n]] if n in node.groups else coords[n] for n in node.axes)
    return node.values[at]


def is_alive(nodes, layout, coords):
    """Whether the epoch can be finished from before `nodes`, whatever nature does."""
    if not any(may_forbid(node) for node in nodes):
        return True
    node, rest = nodes[0], nodes[1:]
    if isinstance(node, Cost):
        return np.isfinite(cost_value(node, coords)) and is_alive(rest, layout, coords)
    if isinstance(node, Branch):
        return any(is_alive([*a.nodes, *rest], layout, coords) for a in node.alternatives)
    behind = layout_after(node, layout)
    found = (
        is_alive(rest, behind, after_entry(node, layout, coords, entry))
        for entry in entries_of(node, layout, coords)
    )
    return any(found) if isinstance(node, Decision) else all(found)


class SlowEnvironment:
    """`code` numbers nodes as they stand, those of alternatives behind their Branch."""

    def __init__(self, epoch, weights, last_point):
        self.epoch, self.weights, self.last_point = epoch, weights, last_point

    def weigh(self, costs):
        return sum(self.weights.get(kind, 0.0) * value for kind, value in costs.items())

    def run(self, coords):
        """Yield (code, coords, allowed, cost, discount, ended); receive (action, word)."""
        self.word, self.cost, self.factor, self.ended, self.shown = 0, 0.0, 1.0, True, False
        while True:
            code = 0
            for position, node in enumerate(self.epoch.nodes):
                layout = self.epoch.layouts[position]
                rest = [*self.epoch.nodes[position + 1 :]]
                if isinstance(node, Branch):
                    coords = yield from self.branch(code, node, layout, rest, coords)
                    code += 1 + sum(len(a.nodes) for a in node.alternatives)
                else:
                    coords = yield from self.plain(code, node, layout, rest, coords)
                    code += 1
            self.factor *= self.epoch.discount
            self.ended, self.shown = True, False

    def branch(self, code, node, layout, rest, coords):
        allowed = [
            position
            for position, a in enumerate(node.alternatives)
            if is_alive([*a.nodes, *rest], layout, coords)
        ]
        taken = yield from self.choose(code, coords, allowed)
        alternative = node.alternatives[taken]
        self.cost += self.factor * self.weigh(alternative.cost)
        code += 1 + sum(len(a.nodes) for a in node.alternatives[:taken])
        live = layout
        for position, part in enumerate(alternative.nodes):
            behind = [*alternative.nodes[position + 1 :], *rest]
            coords = yield from self.plain(code + position, part, live, behind, coords)
            live = layout_after(part, live)
        return coords

    def plain(self, code, node, layout, rest, coords):
        if isinstance(node, Cost):
            weight = self.weights.get(node.kind, 0.0)
            self.cost += self.factor * weight * cost_value(node, coords)
            return coords
        entries, table = entries_of(node, layout, coords), node.table
        if isinstance(node, Decision):
            behind = layout_after(node, layout)
            numbers = np.unique(table.choice).tolist()
            offered = {
                numbers.index(table.choice[e]): e
                for e in entries
                if is_alive(rest, behind, after_entry(node, layout, coords, e))
            }
            entry = offered[(yield from self.choose(code, coords, sorted(offered)))]
        elif len(entries) == 1:
            entry = entries[0]
        else:
            thresholds = draw_thresholds(table.indptr, table.probability)
            entry = next(e for e in entries if min(self.word, NEVER - 1) < thresholds[e])
        paid = {kind: values[entry] for kind, values in table.cost.items()}
        self.cost += self.factor * self.weigh(paid)
        return after_entry(node, layout, coords, entry)

    def choose(self, code, coords, allowed):
        only = len(allowed) == 1
        if only and not (self.ended and not self.shown and code == self.last_point):
            return allowed[0]
        self.shown = True
        action, self.word = yield code, coords, allowed, self.cost, self.factor, self.ended
        self.cost, self.factor, self.ended = 0.0, 1.0, False
        return action
