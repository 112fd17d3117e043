"""Policies that simulate has to tune first say so while they are tuned."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest
import sparing
from sparing.commands.policy_options import policy_of


@pytest.mark.parametrize(
    ("text", "name"), [("tuned-limits", "tuned_limits"), ("lookahead", "tuned_lookahead")]
)
def test_tuning_is_shown_on_a_terminal(monkeypatch, capsys, text, name):
    """It takes a minute for three components, more for many."""

    def tune(simulation, *, progress):
        progress("limits", 7)
        return SimpleNamespace(policy=simulation)

    monkeypatch.setattr(f"sparing.large.tuning.{name}", tune)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    policy_of(sparing.load("three-component"), text, replacement_probability=1.0)
    assert "tuning limits: 7 tried" in capsys.readouterr().err
