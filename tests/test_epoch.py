"""The epoch by itself: what it composes to."""

from __future__ import annotations

import pickle
from copy import deepcopy
from dataclasses import replace

import numpy as np
import pytest
import random_epochs
import reference_backward as reference
import reference_layouts
import sparing
from hypothesis import given
from hypothesis import strategies as st
from random_epochs import Recipe
from small_epochs import (
    BRANCH,
    DECIDE,
    DRAW,
    INF,
    MOVE,
    PAY,
    A,
    B,
    always_first,
    one,
    zeros,
)
from sparing.epoch import Alternative, Axis, Branch, Chance, Cost, Decision, Epoch
from sparing.table import Table


def shape_of(layout):
    return [(axis.name, axis.size) for axis in layout]


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


@pytest.mark.parametrize(
    ("nodes", "stages"),
    [
        ([], ()),
        ([PAY, DRAW], ()),
        ([DECIDE], ((0, 1),)),
        ([PAY, DECIDE, PAY, DRAW], ((0, 2),)),
        ([DRAW, DECIDE], ((1, 2),)),
        ([DECIDE, MOVE, DECIDE, DRAW, PAY], ((0, 3),)),
        ([DECIDE, DRAW, PAY, DECIDE, DRAW], ((0, 1), (2, 4))),
        ([DECIDE, DRAW, DRAW, PAY, DRAW, DECIDE, PAY], ((0, 1), (5, 6))),
        ([BRANCH, DRAW, MOVE, BRANCH], ((0, 1), (2, 4))),
        ([MOVE, PAY, DRAW, DECIDE], ((3, 4),)),
    ],
)
def test_stages_are_runs_without_a_draw_up_to_their_last_choice(nodes, stages):
    epoch = Epoch(axes=[A], nodes=nodes)
    assert epoch.stages == stages
    assert tuple(reference_layouts.stages_of(epoch)) == stages


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


def test_the_arrays_of_a_pruned_table_are_read_only():
    assert not any(array.flags.writeable for array in arrays_of(PRUNED))


@pytest.mark.parametrize("copied", [deepcopy, lambda it: pickle.loads(pickle.dumps(it))])
def test_problems_and_epochs_can_be_copied_and_pickled(copied):
    """So that they reach other processes; a copy is as read-only as its original."""
    problem = sparing.load("three-component")
    again = copied(problem)
    assert sparing.solve(again).objective == sparing.solve(problem).objective
    epoch = copied(problem.epoch)
    assert (epoch.axes, epoch.stages) == (problem.epoch.axes, problem.epoch.stages)
    table = epoch.nodes[-2].table
    assert not table.to.flags.writeable
    with pytest.raises(TypeError):
        table.cost["x"] = 1


def test_mappings_of_nodes_are_read_only():
    cost = Cost("a", [0.0], groups={"a": [0, 0]})
    mappings = (PRUNED.cost, cost.groups, Alternative(cost={"x": 1.0}).cost)
    for mapping in mappings:
        with pytest.raises(TypeError):
            mapping["x"] = 9.0


def test_replace_makes_a_changed_epoch():
    epoch = one(Cost("a", [0.0, 1.0]))
    changed = replace(epoch, discount=0.9)
    assert (changed.discount, changed.layouts) == (0.9, epoch.layouts)
    with pytest.raises(ValueError, match="discount must be"):
        replace(epoch, discount=2.0)


@given(epoch=random_epochs.epochs())
def test_random_epochs_repeat_and_agree_with_the_reference_on_their_shape(epoch):
    assert epoch.end_axes == epoch.axes
    assert list(epoch.layouts) == reference_layouts.layouts_of(epoch)
    assert list(epoch.stages) == reference_layouts.stages_of(epoch)
    assert list(epoch.kinds) == reference_layouts.kinds_of(epoch.nodes)


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
