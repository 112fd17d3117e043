"""What tables refuse, and by which message."""

from __future__ import annotations

import numpy as np
import pytest
from small_epochs import (
    INF,
    NAN,
    one,
    zeros,
)
from sparing.epoch import Chance, Decision
from sparing.table import Table

TWO_OF_A = {"indptr": [0, 1, 2], "to": [0, 1]}  # one entry in each of two rows
BAD = {
    # probabilities
    "row sum": (
        lambda: Chance("a", [[1.0, 0.0], [0.5, 0.4]], name="wear"),
        "Chance 'wear' on a: row 1 sums to 0.9, not 1",
    ),
    "row sum a little off": (lambda: Chance("a", [[1.0, 0.0], [0.5, 0.5 + 1e-8]]), "row 1 sums to"),
    "empty row": (lambda: Chance("a", [[0.0, 0.0], [0.5, 0.5]]), "row 0 sums to 0, not 1"),
    "negative probability": (
        lambda: Chance("a", [[1.0, 0.0], [1.5, -0.5]]),
        "row 1 has a probability of -0.5",
    ),
    "probability NaN": (
        lambda: Chance("a", [[1.0, 0.0], [NAN, 1.0]]),
        "row 1 has a probability of nan",
    ),
    "probability inf": (lambda: Chance("a", [[1.0, 0.0], [INF, 0.0]]), "row 1 sums to inf"),
    "sparse negative probability": (
        lambda: Chance("a", Table(indptr=[0, 2, 3], to=[0, 1, 1], probability=[1.5, -0.5, 1.0])),
        "row 0 has a probability of -0.5",
    ),
    "Chance without probabilities": (
        lambda: Chance("a", Table(**TWO_OF_A, choice=[0, 1])),
        "Chance on a: a Chance needs a probability per entry",
    ),
    # costs of entries
    "inf on a Chance entry": (
        lambda: Table(**TWO_OF_A, probability=[1.0, 1.0], cost={"x": [0.0, INF]}),
        "cost 'x' must be finite",
    ),
    "NaN on a Chance entry": (
        lambda: Table(**TWO_OF_A, probability=[1.0, 1.0], cost={"x": [0.0, NAN]}),
        "cost 'x' must be finite; got nan at entry 1, row 1",
    ),
    "NaN on a Decision entry": (
        lambda: Table(**TWO_OF_A, choice=[0, 1], cost={"x": [0.0, NAN]}),
        "cost 'x' must be finite",
    ),
    "-inf on a Decision entry": (
        lambda: Table(**TWO_OF_A, choice=[0, 1], cost={"x": [0.0, -INF]}),
        "cost 'x' must be finite",
    ),
    "dense NaN": (
        lambda: Decision("a", [[0.0, 1.0], [NAN, 2.0]], name="repair"),
        r"Decision 'repair' on a: entry \[1, 0\] must be a cost; got nan",
    ),
    "dense -inf": (lambda: Decision("a", [[0.0, -INF], [0.0, 0.0]]), r"entry \[0, 1\] .*got -inf"),
    "Decision without choices": (
        lambda: Decision("a", Table.moves([0, 1])),
        "Decision on a: a Decision needs a choice number per entry",
    ),
    # columns of a Table
    "no rows": (lambda: Table(indptr=[0], to=[], choice=[]), "indptr must"),
    "indptr not from 0": (lambda: Table(indptr=[1, 2], to=[0, 1], choice=[0, 0]), "start at 0"),
    "indptr falls": (lambda: Table(indptr=[0, 2, 1], to=[0], choice=[0]), "never fall"),
    "indptr with two dimensions": (
        lambda: Table(indptr=[[0, 1]], to=[0], choice=[0]),
        "indptr must",
    ),
    "too few targets": (
        lambda: Table(indptr=[0, 2], to=[0], choice=[0, 1]),
        r"to must have shape \(2,\)",
    ),
    "too few choices": (
        lambda: Table(indptr=[0, 2], to=[0, 1], choice=[0]),
        r"choice must have shape \(2,\); got \(1,\)",
    ),
    "too few probabilities": (
        lambda: Table(indptr=[0, 2], to=[0, 1], probability=[1.0]),
        r"probability must have shape \(2,\)",
    ),
    "too few costs": (
        lambda: Table(**TWO_OF_A, choice=[0, 1], cost={"x": [1.0]}),
        r"cost 'x' must have shape \(2,\); got \(1,\)",
    ),
    "neither rule": (lambda: Table(**TWO_OF_A), "either probabilities .* or choices"),
    "both rules": (
        lambda: Table(**TWO_OF_A, choice=[0, 1], probability=[1.0, 1.0]),
        "either probabilities .* or choices",
    ),
    "dense not numbers": (lambda: Decision("a", [["x", "y"]]), "Decision on a"),
    "dense probabilities not numbers": (lambda: Chance("a", [["x", "y"]]), "Chance on a"),
    "dense without columns": (lambda: one(Decision("a", zeros(2, 0))), "Decision on a"),
    "dense with three dimensions": (  # which of them are the context, and in which order?
        lambda: Decision("a", np.zeros((3, 2, 2)), context="b"),
        r"Decision on a: a dense table needs \[rows, to states\].*; got shape \(3, 2, 2\)",
    ),
    "dense costs of another shape": (
        lambda: Table.from_probabilities([[1.0, 0.0], [0.0, 1.0]], cost={"x": np.ones((3, 3))}),
        r"cost 'x' must have shape \(2, 2\); got \(3, 3\)",
    ),
    "targets not whole": (lambda: Table.moves([0.5, 1.0]), "whole"),
    "choice twice in a row": (
        lambda: Table(indptr=[0, 2], to=[0, 1], choice=[5, 5]),
        "row 0 has choice 5 twice",
    ),
    "choice below 0": (
        lambda: Table(**TWO_OF_A, choice=[-5, 0]),
        "choice must be at least 0; got -5",
    ),
    "choice beyond int32": (lambda: Table(**TWO_OF_A, choice=np.array([2**40, 0])), "whole"),
    "text as numbers": (lambda: Decision("a", [["1", "2"]]), "Decision on a: .* of float64; got"),
    "ragged dense table": (lambda: Chance("a", [[1.0], [0.5, 0.5]]), "Chance on a: a dense table"),
    "dense without rows": (lambda: Decision("a", zeros(0, 2)), r"got shape \(0, 2\)"),
    "inf with its entry and row": (
        lambda: Table(indptr=[0, 1, 3], to=[0, 1, 1], choice=[0, 0, 1], cost={"x": [0, 1, -INF]}),
        "cost 'x' must be finite; got -inf at entry 2, row 1",
    ),
    "choice below 0 with its entry": (
        lambda: Table(indptr=[0, 1, 3], to=[0, 1, 1], choice=[0, 0, -2]),
        "got -2 at entry 2, row 1",
    ),
    "targets with two dimensions": (lambda: Table.moves([[0, 1]]), r"to must have shape \(2,\)"),
    "indptr not whole": (
        lambda: Table(indptr=[0, 0.5], to=[0], choice=[0]),
        "indptr must be whole",
    ),
    "indptr NaN": (lambda: Table(indptr=[0, NAN], to=[0], choice=[0]), r"got nan at \[1\]"),
}


@pytest.mark.parametrize(("make", "message"), BAD.values(), ids=BAD.keys())
def test_a_wrong_table_is_refused_by_name(make, message):
    with pytest.raises(ValueError, match=message):
        make()
