"""The epoch by itself: what it composes to, what it refuses, and the reference interpreter."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
import random_epochs
import reference_backward as reference
from hypothesis import given
from hypothesis import strategies as st
from random_epochs import Recipe
from sparing.epoch import Alternative, Axis, Branch, Chance, Cost, Decision, Epoch
from sparing.table import Table

INF = np.inf
NAN = np.nan
A, B, C = Axis("a", 2), Axis("b", 3), Axis("c", 4)


def one(node, axes=(A, B, C)):
    return Epoch(axes=axes, nodes=[node])


def shape_of(layout):
    return [(axis.name, axis.size) for axis in layout]


def zeros(rows, columns):
    return np.zeros((rows, columns))


def always_first(rows, columns):
    """Probabilities that lead every row to state 0."""
    return np.tile(np.eye(columns)[0], (rows, 1))


# --- composition ------------------------------------------------------------------------------

LAYOUTS = {
    "square": (Decision("b", zeros(3, 3)), "a2 b3 c4"),
    "created first": (Decision((), zeros(1, 2), to=Axis("x", 2)), "x2 a2 b3 c4"),
    "created beside": (Decision("b", zeros(3, 6), to=["b", Axis("x", 2)]), "x2 a2 b3 c4"),
    "created by context": (
        Decision((), zeros(3, 2), to=Axis("x", 2), context="b"),
        "x2 a2 b3 c4",
    ),
    "replaced": (Decision("b", zeros(3, 2), to=Axis("x", 2)), "a2 x2 c4"),
    "replaced by two": (Decision("b", zeros(3, 4), to=[Axis("x", 2), Axis("y", 2)]), "a2 x2 y2 c4"),
    "two by one": (Decision(["c", "a"], zeros(8, 5), to=Axis("x", 5)), "x5 b3"),
    "dropped": (Decision("b", zeros(3, 1), to=()), "a2 c4"),
    "two dropped": (Decision(["a", "c"], zeros(8, 1), to=()), "b3"),
    "one of two kept": (Decision(["c", "a"], zeros(8, 4), to="c"), "b3 c4"),
    "resized": (Decision("b", zeros(3, 7), to=Axis("b", 7)), "a2 b7 c4"),
    "kept, order of naming aside": (
        Decision(["c", "a"], zeros(8, 8), to=["a", "c"]),
        "a2 b3 c4",
    ),
    "kept and replaced": (
        Decision(["a", "b"], zeros(6, 6), to=["b", Axis("x", 2)]),
        "x2 b3 c4",
    ),
    "chance": (Chance("b", always_first(3, 2), to=Axis("x", 2)), "a2 x2 c4"),
    "move": (Chance("c", Table.moves([0, 0, 1, 1]), to=Axis("x", 2)), "a2 b3 x2"),
    "cost": (Cost("b", np.zeros(3)), "a2 b3 c4"),
    "branch": (
        Branch(
            [
                Alternative([Chance("b", Table.moves([0, 1, 1]), to=Axis("x", 2))]),
                Alternative([Decision("b", zeros(3, 2), to=Axis("x", 2)), Cost("x", [0.0, 1.0])]),
            ]
        ),
        "a2 x2 c4",
    ),
}


@pytest.mark.parametrize(("node", "behind"), LAYOUTS.values(), ids=LAYOUTS.keys())
def test_an_axis_keeps_its_place_and_a_created_one_takes_that_of_the_first_dropped(node, behind):
    epoch = one(node)
    assert " ".join(f"{axis.name}{axis.size}" for axis in epoch.end_axes) == behind
    assert epoch.layouts == (epoch.axes, epoch.end_axes)
    assert (epoch.num_states, epoch.shape) == (24, (2, 3, 4))


def test_layouts_follow_the_nodes():
    epoch = Epoch(
        axes=[A, B],
        nodes=[
            Decision("a", zeros(2, 3), to=Axis("x", 3)),
            Chance("b", always_first(9, 3), context="x"),
            Chance("x", always_first(3, 2), to=Axis("a", 2)),
        ],
    )
    assert [shape_of(layout) for layout in epoch.layouts] == [
        [("a", 2), ("b", 3)],
        [("x", 3), ("b", 3)],
        [("x", 3), ("b", 3)],
        [("a", 2), ("b", 3)],
    ]


def test_kinds_come_in_order_of_first_appearance():
    table = Table(
        indptr=[0, 1, 2],
        to=[0, 1],
        choice=[0, 1],
        cost={"parts": np.ones(2), "labour": np.ones(2)},
    )
    epoch = Epoch(
        axes=[A],
        nodes=[
            Cost((), 1.0, kind="duration"),
            Branch(
                [
                    Alternative([Cost("a", [0.0, 1.0], kind="idle")]),
                    Alternative([Decision("a", table)], cost={"setup": 5.0, "duration": 1.0}),
                ]
            ),
            Cost("a", [0.0, 1.0], kind="idle"),
            Chance("a", Table.moves([0, 0], cost={"travel": [1.0, 2.0]})),
        ],
    )
    assert epoch.kinds == ("duration", "idle", "setup", "parts", "labour", "travel")


def test_an_epoch_without_nodes_or_axes_is_legal():
    epoch = Epoch(axes=[], nodes=[])
    assert (epoch.shape, epoch.num_states, epoch.kinds, epoch.stages) == ((), 1, (), ())
    assert epoch.end_axes == ()


PAY = Cost("a", [0.0, 1.0])
DECIDE = Decision("a", zeros(2, 2))
DRAW = Chance("a", [[0.5, 0.5], [0.0, 1.0]])
MOVE = Chance("a", Table.moves([1, 0]))
BRANCH = Branch([Alternative([]), Alternative([DECIDE])])


@pytest.mark.parametrize(
    ("nodes", "stages"),
    [
        ([], ()),
        ([PAY, DRAW], ()),
        ([DECIDE], ((0, 1),)),
        ([PAY, DECIDE, PAY, DRAW], ((0, 3),)),
        ([DRAW, DECIDE], ((1, 2),)),
        ([DECIDE, MOVE, DECIDE, DRAW, PAY], ((0, 3),)),
        ([DECIDE, DRAW, PAY, DECIDE, DRAW], ((0, 1), (2, 4))),
        ([DECIDE, DRAW, DRAW, PAY, DRAW, DECIDE, PAY], ((0, 1), (5, 7))),
        ([BRANCH, DRAW, MOVE, BRANCH], ((0, 1), (2, 4))),
        ([MOVE, PAY, DRAW, DECIDE], ((3, 4),)),
    ],
)
def test_stages_are_the_runs_between_draws_that_hold_a_choice(nodes, stages):
    epoch = Epoch(axes=[A], nodes=nodes)
    assert epoch.stages == stages
    assert tuple(reference.stages_of(epoch)) == stages


def test_dense_tables_forget_what_is_forbidden_or_impossible():
    decision = Decision("a", [[1.0, INF], [2.0, 3.0]], kind="repair")
    assert decision.table.indptr.tolist() == [0, 1, 3]
    assert decision.table.to.tolist() == decision.table.choice.tolist() == [0, 0, 1]
    assert decision.table.cost["repair"].tolist() == [1.0, 2.0, 3.0]
    chance = Chance("a", [[1.0, 0.0], [0.25, 0.75]])
    assert chance.table.indptr.tolist() == [0, 1, 3]
    assert chance.table.probability.tolist() == [1.0, 0.25, 0.75]


def test_a_table_drops_an_entry_that_any_kind_forbids_and_a_probability_of_zero():
    decided = Table(
        indptr=[0, 2, 3],
        to=[0, 1, 1],
        choice=[4, 5, 6],
        cost={"x": [1.0, 2.0, 3.0], "y": [INF, 5.0, 6.0]},
    )
    assert (decided.indptr.tolist(), decided.choice.tolist()) == ([0, 1, 2], [5, 6])
    assert decided.cost["x"].tolist() == [2.0, 3.0]
    drawn = Table(indptr=[0, 2], to=[0, 1], probability=[0.0, 1.0], cost={"x": [INF, 2.0]})
    assert (drawn.to.tolist(), drawn.cost["x"].tolist()) == ([1], [2.0])


def test_arrays_are_read_only_copies():
    given_values = np.zeros(2)
    cost = Cost("a", given_values)
    given_values[0] = 9.0
    assert cost.values.tolist() == [0.0, 0.0]
    assert not cost.values.flags.writeable
    assert not any(array.flags.writeable for array in arrays_of(UNPRUNED))


UNPRUNED = Table(indptr=[0, 2], to=[0, 1], choice=[0, 1], cost={"x": [1.0, 2.0]})
PRUNED = Table(indptr=[0, 2], to=[0, 1], choice=[0, 1], cost={"x": [1.0, INF]})


def arrays_of(table):
    return [table.indptr, table.to, table.choice, *table.cost.values()]


@pytest.mark.xfail(reason="Table._keep leaves its arrays writable", strict=True)
def test_the_arrays_of_a_pruned_table_are_read_only():
    assert not any(array.flags.writeable for array in arrays_of(PRUNED))


@pytest.mark.xfail(
    reason="the field `layouts` is handed to __init__", strict=True, raises=TypeError
)
def test_replace_makes_a_changed_epoch():
    epoch = one(Cost("a", [0.0, 1.0]))
    assert replace(epoch, discount=0.9).discount == 0.9


@pytest.mark.xfail(reason="epochs of equal size count as repeating", strict=True)
def test_an_epoch_that_ends_on_other_axes_is_swept_once():
    """Only (a=1, b=2) is forbidden; the end has as many states but they are not the start's."""
    epoch_nodes = [
        Cost(["a", "b"], [[0.0, 0.0, 0.0], [0.0, 0.0, INF]]),
        Chance(["a", "b"], Table.moves([1, 2, 3, 4, 5, 5]), to=Axis("x", 6)),
    ]
    with pytest.raises(ValueError, match=r"state \(a=1, b=2\) allows no action"):
        Epoch(axes=[A, B], nodes=epoch_nodes)


# --- what is refused --------------------------------------------------------------------------

TWO_OF_A = {"indptr": [0, 1, 2], "to": [0, 1]}  # one entry in each of two rows
BAD = {
    # axes and discount
    "axis without states": (lambda: Axis("a", 0), "axis 'a': size must be at least 1; got 0"),
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
        "cost 'x' must be finite; got NaN",
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
        lambda: one(Branch([Alternative([Cost("z", [0.0])])])),
        "axis 'z' is not live here",
    ),
    "entry cost inf": (
        lambda: Alternative([], cost={"setup": INF}),
        "cost 'setup' must be finite; got inf",
    ),
    "entry cost NaN": (
        lambda: Alternative([], cost={"setup": NAN}),
        "cost 'setup' must be finite; got nan",
    ),
}


@pytest.mark.parametrize(("make", "message"), BAD.values(), ids=BAD.keys())
def test_what_does_not_fit_is_refused_by_name(make, message):
    with pytest.raises(ValueError, match=message):
        make()


NOT_YET = {
    "Cost names an axis twice": (lambda: one(Cost(["a", "a"], zeros(2, 2))), "named twice"),
    "dense not numbers": (lambda: Decision("a", [["x", "y"]]), "Decision on a"),
    "dense probabilities not numbers": (lambda: Chance("a", [["x", "y"]]), "Chance on a"),
    "dense without columns": (lambda: one(Decision("a", zeros(2, 0))), "Decision on a"),
    "dense axes in another order": (  # rows are (context, axes): [3, 2, ...], not [2, 3, ...]
        lambda: one(Decision("a", np.zeros((2, 3, 2)), context="b")),
        r"\(3, 2, 2\); got \(2, 3, 2\)",
    ),
    "dense costs of another shape": (
        lambda: Table.from_probabilities([[1.0, 0.0], [0.0, 1.0]], cost={"x": np.ones((3, 3))}),
        r"cost 'x' must have shape \(2, 2\); got \(3, 3\)",
    ),
    "targets not whole": (lambda: Table.moves([0.5, 1.0]), "whole"),
    "groups not whole": (lambda: Cost("a", [0.0, 1.0], groups={"a": [0.9, 1.0]}), "whole"),
    "choice twice in a row": (
        lambda: Table(indptr=[0, 2], to=[0, 1], choice=[5, 5]),
        "row 0 has choice 5 twice",
    ),
    "choice below 0": (lambda: Table(**TWO_OF_A, choice=[-5, 0]), "choice"),
    "choice beyond int32": (lambda: Table(**TWO_OF_A, choice=np.array([2**40, 0])), "choice"),
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
}


@pytest.mark.xfail(reason="no check yet; move to BAD with the check", strict=True)
@pytest.mark.parametrize(("make", "message"), NOT_YET.values(), ids=NOT_YET.keys())
def test_what_is_not_yet_refused_by_name(make, message):
    with pytest.raises(ValueError, match=message):
        make()


# --- states without an action -----------------------------------------------------------------

C1, C2 = Axis("c1", 4), Axis("c2", 2)
STAY = np.where(np.eye(4) > 0, 0.0, INF)
STUCK_AT_3 = np.array([*STAY[:3], [INF] * 4])
NO_ROW_3 = Table(indptr=[0, 1, 2, 3, 3], to=[0, 1, 2], choice=[0, 0, 0])
LOSE_3 = Cost("c1", [0.0, 0.0, 0.0, INF])
WEAR = Chance("c1", np.eye(4) / 2 + np.eye(4)[[1, 2, 2, 3]] / 2)  # 3 is reached from itself alone
LOST = {
    "all entries inf": [Decision("c1", STUCK_AT_3)],
    "no entry": [Decision("c1", NO_ROW_3)],
    "forbidden at the start": [LOSE_3],
    "forbidden behind the choice": [Decision("c1", STAY), LOSE_3],
    "may be drawn": [Decision("c1", STAY), WEAR, LOSE_3],
    "lost in the next epoch": [Decision("c1", STAY), LOSE_3, WEAR],
    "grouped": [Cost("c1", [0.0, INF], groups={"c1": [0, 0, 0, 1]})],
    "of another kind": [LOSE_3, Decision("c2", zeros(2, 2), kind="repair")],
    "every alternative": [
        Branch([Alternative([LOSE_3]), Alternative([Decision("c1", STUCK_AT_3)], cost={"s": 1.0})])
    ],
}


@pytest.mark.parametrize("nodes", LOST.values(), ids=LOST.keys())
def test_a_state_that_allows_no_action_is_refused_by_name(nodes):
    with pytest.raises(ValueError, match=r"state \(.*c1=3.*\) allows no action"):
        Epoch(axes=[C1, C2], nodes=nodes)


def test_a_state_is_lost_if_it_can_only_lead_to_a_lost_one():
    """State 3 is forbidden, 2 leads to 3 in an epoch, 1 in two, 0 in three: any may be named."""
    slide = Chance("c1", Table.moves([1, 2, 3, 3]))
    with pytest.raises(ValueError, match=r"state \(c1=[0-3]\) allows no action"):
        Epoch(axes=[C1], nodes=[LOSE_3, slide])


def test_labels_name_a_state_without_an_action():
    axis = Axis("pump", 2, ("up", "down"))
    with pytest.raises(ValueError, match=r"state \(pump=down\) allows no action"):
        Epoch(axes=[axis], nodes=[Cost("pump", [0.0, INF])])


FREE = {
    "another entry": [Decision("c1", np.where(np.arange(4) == 3, INF, zeros(4, 4))), LOSE_3],
    "another alternative": [
        Branch([Alternative([LOSE_3]), Alternative([Decision("c1", zeros(4, 4))])])
    ],
    "never drawn": [Decision("c1", np.tile([0.0, 0.0, 0.0, INF], (4, 1))), WEAR, LOSE_3],
    "not possible at the start": [
        Decision((), [[0.0, 0.0]], to=Axis("x", 2)),
        Cost("x", [0.0, INF]),
        Chance("x", [[1.0], [1.0]], to=()),
    ],
}


@pytest.mark.parametrize("nodes", FREE.values(), ids=FREE.keys())
def test_what_can_be_avoided_is_not_refused(nodes):
    assert Epoch(axes=[C1, C2], nodes=nodes).num_states == 8


@given(draft=random_epochs.drafts(Recipe(forbid=0.3)))
def test_an_epoch_is_refused_exactly_where_the_reference_finds_a_state_without_an_action(draft):
    if draft.is_feasible():
        assert draft.epoch().nodes == draft.nodes
    else:
        with pytest.raises(ValueError, match="allows no action"):
            draft.epoch()


# --- random epochs ----------------------------------------------------------------------------


@given(epoch=random_epochs.epochs())
def test_random_epochs_repeat_and_agree_with_the_reference_on_their_shape(epoch):
    assert epoch.end_axes == epoch.axes
    assert list(epoch.layouts) == reference.layouts_of(epoch)
    assert list(epoch.stages) == reference.stages_of(epoch)
    assert list(epoch.kinds) == reference.kinds_of(epoch.nodes)


@given(seed=st.integers(0, 2**32 - 1))
def test_a_seed_gives_the_same_epoch_again(seed):
    recipe = Recipe(exact=True, closed=False)
    first, again = (
        random_epochs.random_epoch(np.random.default_rng(seed), recipe) for _ in range(2)
    )
    end = np.zeros([axis.size for axis in first.end_axes])
    weights = dict.fromkeys(random_epochs.KINDS, 1.0)
    assert first.layouts == again.layouts
    values = [reference.backup(epoch, end, weights).value for epoch in (first, again)]
    np.testing.assert_array_equal(*values)


@given(epoch=random_epochs.separable_epochs())
def test_separable_epochs_leave_every_axis_as_it_is(epoch):
    assert all(layout == epoch.axes for layout in epoch.layouts)
    assert all(len(node.axes) == 1 for node in epoch.nodes if isinstance(node, Chance | Decision))


# --- the reference itself ---------------------------------------------------------------------


def test_the_reference_sweeps_a_unit_by_hand():
    """One unit, working 0 or failed 1; repair costs 10; it fails with chance 0.2; discount 1/2.

    Behind the decision a working unit is worth (0.8 * 20 + 0.2 * 40) / 2 = 12, a failed one 20.
    A working unit is left alone: 12. A failed one pays 5 for being down and 20 as it is: 25, less
    than 5 + 10 + 12 = 27 for the repair; at half the price of repair it is 5 + 5 + 12 = 22.
    """
    epoch = Epoch(
        axes=[Axis("unit", 2)],
        nodes=[
            Cost("unit", [0.0, 5.0], kind="downtime"),
            Decision("unit", [[0.0, INF], [10.0, 0.0]], kind="repair"),
            Chance("unit", [[0.8, 0.2], [0.0, 1.0]]),
        ],
        discount=0.5,
    )
    dear = reference.backup(epoch, [20.0, 40.0], {"downtime": 1.0, "repair": 1.0})
    assert dear.value.tolist() == [12.0, 25.0]
    assert dear.stages[0].post.tolist() == [0, 1]
    cheap = reference.backup(epoch, [20.0, 40.0], {"downtime": 1.0, "repair": 0.5})
    assert cheap.value.tolist() == [12.0, 22.0]
    assert cheap.stages[0].post.tolist() == [0, 0]
    assert cheap.stages[0].costs["repair"].tolist() == [0.0, 10.0]
    assert cheap.stages[0].costs["downtime"].tolist() == [0.0, 5.0]


def test_the_reference_breaks_ties_by_the_lowest_alternative_then_entry():
    free = Decision("a", zeros(2, 2))
    swap = Chance("a", Table.moves([1, 0]))
    epoch = one(Branch([Alternative([swap]), Alternative([free])]), axes=(A,))
    assert reference.backup(epoch, [0.0, 0.0], {}).stages[0].post.tolist() == [1, 0]
    epoch = one(Branch([Alternative([free]), Alternative([swap])]), axes=(A,))
    assert reference.backup(epoch, [0.0, 0.0], {}).stages[0].post.tolist() == [0, 0]
    table = Table(indptr=[0, 2, 4], to=[1, 0, 1, 0], choice=[1, 0, 1, 0])  # entries decide
    epoch = one(Decision("a", table), axes=(A,))
    assert reference.backup(epoch, [0.0, 0.0], {}).stages[0].post.tolist() == [1, 1]


def test_the_reference_forbids_under_a_weight_of_zero_and_below():
    epoch = one(Decision("a", zeros(2, 2)), axes=(A,))
    epoch = Epoch(axes=[A], nodes=[*epoch.nodes, Cost("a", [INF, 1.0], kind="x")])
    for weights in ({}, {"x": 0.0}, {"x": -1.0}):
        assert reference.backup(epoch, [0.0, 0.0], weights).stages[0].post.tolist() == [1, 1]


@given(case=random_epochs.cases(Recipe(exact=True, closed=False, max_states=40)))
def test_the_greedy_policy_of_the_reference_costs_what_its_value_says(case):
    epoch, value, weights = case
    found = reference.backup(epoch, value, weights)
    again = reference.evaluate(epoch, found.stages, value, weights)
    np.testing.assert_array_equal(found.value, again)


TINY = {"num_axes": (1, 2), "max_size": 3, "max_states": 9, "num_nodes": (1, 4)}


@given(case=random_epochs.cases(Recipe(**TINY, discounted=True)))
def test_the_brute_force_value_is_a_fixed_point_of_the_reference(case):
    epoch, _, weights = case
    value = reference.solve_discounted(epoch, weights)
    swept = reference.backup(epoch, value, weights).value
    np.testing.assert_allclose(swept, value, rtol=1e-9, atol=1e-9)


@given(case=random_epochs.cases(Recipe(**TINY)))
def test_policy_iteration_and_linear_programming_find_the_same_gain(case):
    epoch, _, weights = case
    found = reference.solve_average(epoch, weights)
    np.testing.assert_allclose(found, reference.solve_average_by_lp(epoch, weights), atol=1e-6)


@given(case=random_epochs.cases(Recipe(**TINY, resetting=True, discounted=False)))
def test_the_gain_lies_between_the_least_and_the_largest_growth_of_a_sweep(case):
    """The bounds of Odoni (1969), on an epoch whose states all fall to one recurrent class."""
    epoch, value, weights = case
    for _ in range(5):
        previous, value = value, reference.backup(epoch, value, weights).value
    growth = value - previous
    gain = reference.solve_average(epoch, weights)
    assert np.ptp(gain) <= 1e-9 * (1.0 + abs(gain.flat[0]))
    assert growth.min() - 1e-9 <= gain.min() <= gain.max() <= growth.max() + 1e-9


def test_a_gain_may_differ_between_starting_states():
    """Two absorbing states that cost 1 and 3; from the third, the better one can be chosen."""
    costs = np.array([[0.0, INF, INF], [INF, 0.0, INF], [5.0, 0.0, INF]])
    epoch = Epoch(axes=[B], nodes=[Cost("b", [1.0, 3.0, 9.0]), Decision("b", costs)])
    for solve in (reference.solve_average, reference.solve_average_by_lp):
        assert solve(epoch, {"cost": 1.0}) == pytest.approx([1.0, 3.0, 1.0], abs=1e-9)


# --- three components (Jiménez González 2021, chapter 4) --------------------------------------

WEARS = {
    "c1": [[0.35, 0.35, 0.23, 0.07], [0, 0.29, 0.42, 0.29], [0, 0, 0.5, 0.5], [0, 0, 0, 1]],
    "c2": [[0.12, 0.38, 0.38, 0.12], [0, 0.14, 0.43, 0.43], [0, 0, 0.43, 0.57], [0, 0, 0, 1]],
    "c3": [[0.28, 0.28, 0.44, 0.00], [0, 0.14, 0.43, 0.43], [0, 0, 0.29, 0.71], [0, 0, 0, 1]],
}
PRICES = {"c1": (100, 100, 40, 120), "c2": (80, 80, 30, 90), "c3": (70, 70, 30, 80)}


def three_components(*, may_stay_failed, discount=1.0, order=("c1", "c2", "c3")):
    """Pay 500 while down, do nothing or pay 20 once and repair, then wear.

    `PRICES` are those of 1 -> 0, 2 -> 0, 2 -> 1 and 3 -> 0.
    """
    costs = {}
    for name, (one_new, two_new, two_one, failed_new) in PRICES.items():
        costs[name] = np.array(
            [
                [0.0, INF, INF, INF],
                [one_new, 0.0, INF, INF],
                [two_new, two_one, 0.0, INF],
                [failed_new, INF, INF, 0.0 if may_stay_failed else INF],
            ]
        )
    down = np.array(
        [500.0 * (c1 or (c2 and c3)) for c1, c2, c3 in product((0, 1), repeat=3)]
    ).reshape(2, 2, 2)
    groups = {name: [0, 0, 0, 1] for name in order}
    stay = [Cost(name, np.diagonal(costs[name]), kind="maintenance") for name in order]
    repair = [Decision(name, costs[name], kind="maintenance") for name in order]
    return Epoch(
        axes=[Axis(name, 4) for name in order],
        nodes=[
            Cost(["c1", "c2", "c3"], down, kind="downtime", groups=groups),
            Branch([Alternative(stay), Alternative(repair, cost={"setup": 20.0})]),
            *(Chance(name, WEARS[name]) for name in order),
        ],
        discount=discount,
    )


ALL = {"downtime": 1.0, "maintenance": 1.0, "setup": 1.0}


@pytest.mark.parametrize(("may_stay_failed", "gain"), [(False, 200.437), (True, 169.840)])
def test_three_components_have_their_optimal_gain(may_stay_failed, gain):
    """Known optimum per inspection, cost only; it does not depend on the order of components."""
    for order in [("c1", "c2", "c3"), ("c3", "c1", "c2")]:
        epoch = three_components(may_stay_failed=may_stay_failed, order=order)
        found = reference.solve_average(epoch, ALL)
        assert found == pytest.approx(np.full((4, 4, 4), gain), abs=6e-4)


@pytest.mark.parametrize(("may_stay_failed", "value"), [(False, 3775.285471), (True, 3225.250961)])
def test_three_components_have_their_optimal_discounted_cost(may_stay_failed, value):
    """Known optimum from new at discount 0.95, cost only; a fixed point of the reference."""
    epoch = three_components(may_stay_failed=may_stay_failed, discount=0.95)
    found = reference.solve_discounted(epoch, ALL)
    assert found[0, 0, 0] == pytest.approx(value, abs=1e-6)
    swept = reference.backup(epoch, found, ALL).value
    np.testing.assert_allclose(swept, found, rtol=1e-12)
