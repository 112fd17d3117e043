"""Small axes, tables and epochs that several tests build on."""

from __future__ import annotations

import numpy as np
from sparing.epoch import Alternative, Axis, Branch, Chance, Cost, Decision, Epoch
from sparing.table import Table

INF, NAN = np.inf, np.nan
A, B, C = Axis("a", 2), Axis("b", 3), Axis("c", 4)


def one(node, axes=(A, B, C)):
    return Epoch(axes=axes, nodes=[node])


def zeros(rows, columns):
    return np.zeros((rows, columns))


def always_first(rows, columns):
    """Probabilities that lead every row to state 0."""
    return np.tile(np.eye(columns)[0], (rows, 1))


PAY = Cost("a", [0.0, 1.0])
DECIDE = Decision("a", zeros(2, 2))
DRAW = Chance("a", [[0.5, 0.5], [0.0, 1.0]])
MOVE = Chance("a", Table.moves([1, 0]))
BRANCH = Branch([Alternative([]), Alternative([DECIDE])])
