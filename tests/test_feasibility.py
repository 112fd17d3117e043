"""States that allow no action are refused by name."""

from __future__ import annotations

import numpy as np
import pytest
import random_epochs
from hypothesis import given
from random_epochs import Recipe
from small_epochs import (
    INF,
    A,
    B,
    zeros,
)
from sparing.epoch import Alternative, Axis, Branch, Chance, Cost, Decision, Epoch
from sparing.table import Table

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
    """State 3 is forbidden, 2 leads to 3 in an epoch, 1 in two, 0 in three: all are lost."""
    slide = Chance("c1", Table.moves([1, 2, 3, 3]))
    with pytest.raises(ValueError, match=r"state \(c1=3\) allows no action.* \(4 states in all\)"):
        Epoch(axes=[C1], nodes=[LOSE_3, slide])


def test_an_epoch_that_ends_on_other_axes_is_swept_once():
    """Only (a=1, b=2) is forbidden; the end has as many states but they are not the start's."""
    epoch_nodes = [
        Cost(["a", "b"], [[0.0, 0.0, 0.0], [0.0, 0.0, INF]]),
        Chance(["a", "b"], Table.moves([1, 2, 3, 4, 5, 5]), to=Axis("x", 6)),
    ]
    with pytest.raises(
        ValueError, match=r"state \(a=1, b=2\) allows no action[^()]*\(\+inf or no entry\)[^()]*$"
    ):
        Epoch(axes=[A, B], nodes=epoch_nodes)


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
