"""Levels of rules on the command line: one notation for all commands."""

from __future__ import annotations

import pytest
from sparing.commands.rule_levels import levels_of

NAMES = ["central", "north", "south"]


@pytest.mark.parametrize(
    ("text", "levels"),
    [
        ("1,3", {name: [1, 3] for name in NAMES}),
        ("1:3", {name: [1, 3] for name in NAMES}),
        ("south:0:2, central:1:3", {"central": [1, 3], "south": [0, 2]}),
        ("south:0,2; central:1,3", {"central": [1, 3], "south": [0, 2]}),
        ("north:-1:1", {"north": [-1, 1]}),
    ],
)
def test_levels_are_for_all_or_by_name_in_file_order(text, levels):
    found = levels_of("min-max", text, NAMES)
    assert found == levels
    assert list(found) == list(levels)
