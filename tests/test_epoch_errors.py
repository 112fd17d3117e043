"""What an epoch and its nodes refuse, and by which message."""

from __future__ import annotations

import numpy as np
import pytest
from small_epochs import (
    BRANCH,
    DRAW,
    INF,
    NAN,
    PAY,
    A,
    B,
    always_first,
    one,
    zeros,
)
from sparing.epoch import Alternative, Axis, Branch, Chance, Cost, Decision, Epoch
from sparing.table import Table

BAD = {
    # axes and discount
    "axis without states": (lambda: Axis("a", 0), "axis 'a': size must be at least 1; got 0"),
    "axis without a name": (lambda: Axis(3, 2), "an axis needs a text as its name; got 3"),
    "axes not by name": (lambda: Cost(3, [1.0]), "axes must be given by their names; got 3"),
    "axes not all by name": (lambda: Cost(["a", 1], [[1.0]]), r"by their names; got \['a', 1\]"),
    "too few labels": (
        lambda: Axis("a", 3, ("up",)),
        "axis 'a': 3 states need as many labels; got 1",
    ),
    "axis twice": (lambda: Epoch(axes=[A, A], nodes=[]), "axis 'a' is declared twice"),
    "discount of 0": (lambda: Epoch(axes=[A], nodes=[], discount=0.0), r"in \(0, 1\]; got 0.0"),
    "discount above 1": (lambda: Epoch(axes=[A], nodes=[], discount=1.1), r"in \(0, 1\]; got 1.1"),
    "discount NaN": (lambda: Epoch(axes=[A], nodes=[], discount=NAN), r"in \(0, 1\]; got nan"),
    # costs
    "cost NaN": (lambda: Cost("a", [0.0, NAN]), "Cost 'cost' on .*a.*: values must not be NaN"),
    "cost -inf": (lambda: Cost("a", [0.0, -INF]), "values must not be NaN or -inf"),
    "cost not a number": (lambda: Cost("a", ["x", "y"]), "must be an array of float64"),
    "cost on unknown axis": (
        lambda: one(Cost("z", [0.0])),
        "axis 'z' is not live here; live: .*'a'",
    ),
    "cost of wrong shape": (
        lambda: one(Cost(["a", "b"], np.zeros((3, 2)))),
        r"values must have shape \(2, 3\); got \(3, 2\)",
    ),
    "cost flattened": (lambda: one(Cost(["a", "b"], np.zeros(6))), r"shape \(2, 3\); got \(6,\)"),
    "constant with a shape": (lambda: one(Cost((), [1.0])), r"must have shape \(\); got \(1,\)"),
    "too few groups": (
        lambda: one(Cost("b", [0.0, 1.0], groups={"b": [0, 1]})),
        "groups of axis 'b' must be 3 numbers",
    ),
    "group below 0": (
        lambda: one(Cost("b", [0.0, 1.0], groups={"b": [0, 1, -1]})),
        "groups of axis 'b' must be .*numbers >= 0",
    ),
    "group without a value": (
        lambda: one(Cost("b", [0.0, 1.0], groups={"b": [0, 1, 2]})),
        r"must have shape \(3,\); got \(2,\)",
    ),
    "groups of another axis": (
        lambda: one(Cost("b", np.zeros(3), groups={"a": [0, 1]})),
        "groups of axis 'a'",
    ),
    "groups with two dimensions": (
        lambda: one(Cost("b", [0.0, 1.0], groups={"b": [[0, 1, 0]]})),
        "groups of axis 'b'",
    ),
    # axes of rows
    "rows of unknown axis": (lambda: one(Decision("z", zeros(2, 2))), "axis 'z' is not live here"),
    "unknown context": (
        lambda: one(Decision("a", zeros(4, 2), context="z")),
        "'z' is not live here",
    ),
    "axis twice in a node": (lambda: one(Decision(["a", "a"], zeros(4, 4))), "named twice"),
    "axis also context": (lambda: one(Decision("a", zeros(4, 2), context="a")), "named twice"),
    "leads to an unread axis": (
        lambda: one(Decision("a", zeros(2, 3), to="b")),
        "leads to 'b', which is not among its axes",
    ),
    "creates a live axis": (
        lambda: one(Decision("a", zeros(2, 3), to=Axis("b", 3))),
        "leads to axis 'b', which is live already",
    ),
    "creates an axis twice": (
        lambda: one(Decision("a", zeros(2, 4), to=[Axis("x", 2), Axis("x", 2)])),
        "leads to axis 'x'",
    ),
    "keeps an axis twice": (
        lambda: one(Decision("a", zeros(2, 4), to=["a", "a"])),
        "leads to axis 'a'",
    ),
    "reads a dropped axis": (
        lambda: Epoch(axes=[A, B], nodes=[Decision("a", zeros(2, 1), to=()), PAY]),
        "Cost 'cost' on .*: axis 'a' is not live here; live: .'b'",
    ),
    # rows
    "too many rows": (lambda: one(Decision("a", zeros(3, 2))), r"Decision on a: .*3 rows.* 2\b"),
    "too few rows": (lambda: one(Chance("b", always_first(2, 3))), r"Chance on b: .*2 rows.* 3\b"),
    "rows without context": (lambda: one(Decision("a", zeros(2, 2), context="b")), r"2 rows.* 6\b"),
    "dense column outside": (
        lambda: one(Decision("a", zeros(2, 3))),
        "row 0 leads to state 2 of 2",
    ),
    "entry outside": (
        lambda: one(Chance("a", Table.moves([0, 2]))),
        "Chance on a: row 1 leads to state 2 of 2 states",
    ),
    "entry below 0": (lambda: one(Chance("a", Table.moves([-1, 0]))), "row 0 leads to state -1"),
    "dense with one dimension": (lambda: Decision("a", [0.0, 1.0]), r"needs \[rows, to states\]"),
    # branches
    "no alternative": (lambda: Branch([], name="repair"), "Branch 'repair' needs at least one"),
    "draw inside": (
        lambda: Branch([Alternative([]), Alternative([DRAW])], name="repair"),
        "Branch 'repair', alternative 1: a Chance inside a Branch is not supported",
    ),
    "Branch inside": (lambda: Branch([Alternative([BRANCH])]), "alternative 0: a Branch inside"),
    "different ends": (
        lambda: one(Branch([Alternative([]), Alternative([Decision("a", zeros(2, 1), to=())])])),
        "alternative 1 ends on .* all must end on the same axes",
    ),
    "different sizes": (
        lambda: one(
            Branch([Alternative([]), Alternative([Decision("a", zeros(2, 3), to=Axis("a", 3))])])
        ),
        "alternative 1 ends on .*'a', 3",
    ),
    "different order": (
        lambda: Epoch(
            axes=[A, B],
            nodes=[
                Branch(
                    [
                        Alternative(
                            [Decision(["a", "b"], zeros(6, 6), to=[Axis("x", 2), Axis("y", 3)])]
                        ),
                        Alternative(
                            [Decision(["a", "b"], zeros(6, 6), to=[Axis("y", 3), Axis("x", 2)])]
                        ),
                    ]
                )
            ],
        ),
        "all must end on the same axes",
    ),
    "misfit inside": (
        lambda: one(Branch([Alternative([]), Alternative([Cost("z", [0.0])], name="wait")])),
        "Branch, alternative 1 'wait': Cost 'cost' on z: axis 'z' is not live here",
    ),
    "entry cost inf": (
        lambda: Alternative([], cost={"setup": INF}),
        "cost 'setup' must be finite; got inf",
    ),
    "entry cost NaN": (
        lambda: Alternative([], cost={"setup": NAN}),
        "cost 'setup' must be finite; got nan",
    ),
    "Cost names an axis twice": (lambda: one(Cost(["a", "a"], zeros(2, 2))), "named twice"),
    "groups not whole": (lambda: Cost("a", [0.0, 1.0], groups={"a": [0.9, 1.0]}), "whole"),
    "size not whole": (lambda: Axis("a", 2.5), "axis 'a': size must be a whole number"),
    "size not a number": (lambda: Axis("a", "2"), "axis 'a': size"),
    "discount not a number": (
        lambda: Epoch(axes=[A], nodes=[], discount="0.9"),
        "discount must be",
    ),
    "not a node": (
        lambda: Epoch(axes=[A], nodes=[None]),
        "must be a Cost, Decision, Chance or Branch",
    ),
    "not a node inside": (
        lambda: Branch([Alternative(["x"])]),
        "must be a Cost, Decision or Chance",
    ),
    "entry cost not a number": (lambda: Alternative([], cost={"setup": "x"}), "cost 'setup'"),
    "size true": (lambda: Axis("a", True), "size must be a whole number; got True"),
    "not an axis": (lambda: Epoch(axes=["a"], nodes=[]), "axes must be Axis objects; got 'a'"),
    "discount true": (lambda: Epoch(axes=[A], nodes=[], discount=True), "got True"),
    "not an alternative": (
        lambda: Branch([[PAY]], name="repair"),
        "Branch 'repair': alternative 0 must be an Alternative",
    ),
}


@pytest.mark.parametrize(("make", "message"), BAD.values(), ids=BAD.keys())
def test_what_does_not_fit_is_refused_by_name(make, message):
    with pytest.raises(ValueError, match=message):
        make()
