"""Random epochs with every feature: sparse rows, contexts, new, dropped and resized axes, …"""

import numpy as np
from reference_forward import cheapest, num_states, unflat
from sparing.epoch import Alternative, Axis, Branch, Chance, Cost, Decision, Epoch, layout_after
from sparing.table import Table

KINDS = ("work", "down", "stock")


class Maker:
    def __init__(self, seed, max_size=3, single_axis=False):
        self.rng = np.random.default_rng(seed)
        self.max_size, self.single_axis = max_size, single_axis
        self.count = 0

    def cost_values(self, size):
        """Mostly small whole numbers, so that paths tie."""
        if self.rng.random() < 0.7:
            return self.rng.integers(-1, 4, size).astype(float)
        return self.rng.normal(size=size)

    def costs(self, size):
        kinds = [k for k in KINDS if self.rng.random() < 0.4]
        return {kind: self.cost_values(size) for kind in kinds}

    def cost(self, layout, inf=False):
        axes = [a for a in layout if self.rng.random() < 0.5]
        groups, shape = {}, []
        for axis in axes:
            if self.rng.random() < 0.4:
                groups[axis.name] = self.rng.integers(0, 2, axis.size)
                shape.append(2)
                groups[axis.name][0] = 1
            else:
                shape.append(axis.size)
        values = np.asarray(self.cost_values(shape))
        if inf:
            values = np.where(self.rng.random(shape) < 0.3, np.inf, values)
        return Cost([a.name for a in axes], values, self.rng.choice(KINDS), groups=groups)

    def rows(self, node_type, layout, move=False, keep=False):
        """A Decision or Chance of one or two axes, with a context now and then."""
        names = [a.name for a in layout]
        order = list(self.rng.permutation(len(names)))
        taken = [layout[i] for i in order[: self.rng.integers(1, min(2, len(names)) + 1)]]
        context = [layout[i] for i in order[len(taken) :][: self.rng.integers(0, 2)]]
        to = taken if keep else self.targets(taken)
        num_rows = num_states([*context, *taken])
        num_to = num_states(to)
        counts = np.ones(num_rows, int) if move else self.rng.integers(1, 4, num_rows)
        indptr = np.concatenate([[0], np.cumsum(counts)])
        ends = self.rng.integers(0, num_to, indptr[-1])
        table = {"indptr": indptr, "to": ends, "cost": self.costs(ends.size)}
        if node_type is Chance:
            weight = self.rng.random(ends.size) + 0.01
            sums = np.add.reduceat(weight, indptr[:-1])
            table["probability"] = weight / np.repeat(sums, counts)
        else:
            table["choice"] = self.rng.integers(0, 5, ends.size).astype(np.int32)
        return node_type(
            [a.name for a in taken], Table(**table), to=to, context=[a.name for a in context]
        )

    def targets(self, taken):
        """The same axes, one resized, one dropped, or one created."""
        way = self.rng.integers(5)
        if way == 0:
            size = int(self.rng.integers(1, self.max_size + 1))
            return [Axis(taken[0].name, size), *taken[1:]]
        if way == 1 and len(taken) > 1:
            return taken[1:]
        if way == 2:
            self.count += 1
            return [Axis(f"new{self.count}", 2), *taken]
        return list(taken)

    def branch(self, layout):
        nothing = [self.cost(layout, inf=True) for _ in range(self.rng.integers(0, 3))]
        deciding, live = [], layout
        for _ in range(self.rng.integers(1, 4)):
            kind = self.rng.integers(3)
            if kind == 0:
                deciding.append(self.cost(live))
            elif kind == 1:
                deciding.append(self.rows(Chance, live, move=True, keep=True))
            else:
                deciding.append(self.rows(Decision, live, keep=True))
        deciding.append(self.rows(Decision, live, keep=True))
        fees = {k: float(self.rng.integers(0, 3)) for k in KINDS if self.rng.random() < 0.5}
        return Branch([Alternative(nothing), Alternative(deciding, cost=fees)])

    def epoch(self, discount=1.0):
        sizes = self.rng.integers(1, self.max_size + 1, self.rng.integers(1, 4))
        axes = tuple(Axis(f"x{i}", int(size)) for i, size in enumerate(sizes))
        layout, nodes = axes, []

        def add(node):
            nonlocal layout
            nodes.append(node)
            layout = layout_after(node, layout)

        for _ in range(self.rng.integers(2, 7)):
            way = self.rng.integers(6)
            if num_states(layout) > 200:
                way = 0
            if way == 0:
                add(self.cost(layout))
            elif way == 1 or way == 2:
                add(self.rows(Decision, layout))
            elif way == 3:
                add(self.branch(layout))
            else:
                add(self.rows(Chance, layout, move=bool(self.rng.random() < 0.3)))
        if layout != axes:  # back to the axes of the start
            flat = Axis("flat", num_states(layout))
            names = [a.name for a in layout]
            add(Chance(names, Table.moves(np.arange(flat.size)), to=flat))
            ends = self.rng.integers(0, num_states(axes), flat.size)
            add(Chance("flat", Table.moves(ends), to=axes))
        return Epoch(axes=axes, nodes=nodes, discount=discount)

    def small_epoch(self, discount=1.0):
        """One stage, then one draw an axis and costs: what the 16-lane kernels take."""
        sizes = self.rng.integers(1, 5, self.rng.integers(1, 5))
        axes = tuple(Axis(f"x{i}", int(size)) for i, size in enumerate(sizes))
        nodes = [self.cost(axes), self.branch(axes)]
        for i in self.rng.permutation(len(axes))[: self.rng.integers(1, 5)]:
            size = axes[i].size
            weight = self.rng.random((size, size)) * (self.rng.random((size, size)) < 0.7)
            weight[weight.sum(axis=1) == 0.0] = 1.0
            nodes.append(Chance(axes[i].name, weight / weight.sum(axis=1, keepdims=True)))
        nodes += [self.cost(axes) for _ in range(self.rng.integers(0, 4))]
        return Epoch(axes=axes, nodes=nodes, discount=discount)

    def tables(self, epoch, weights, dtype=np.uint32):
        """A random reachable post-decision state per stage and state."""
        found = []
        for first, last in epoch.stages:
            table = np.zeros(num_states(epoch.layouts[first]), dtype=dtype)
            for s in range(table.size):
                state = unflat(s, epoch.layouts[first])
                table[s] = self.rng.choice([*cheapest(epoch, first, last, state, weights)])
            found.append(table)
        return tuple(found)

    def row_probabilities(self, table):
        weight = self.rng.random(table.to.size) * (self.rng.random(table.to.size) < 0.6)
        sums = np.bincount(table.rows(), weights=weight, minlength=table.num_rows)
        weight[sums[table.rows()] == 0.0] = 1.0
        sums = np.bincount(table.rows(), weights=weight, minlength=table.num_rows)
        return weight / sums[table.rows()]
