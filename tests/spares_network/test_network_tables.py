"""Tables of ordering policies: no interval is rounded away."""

from __future__ import annotations

import pytest
from sparing.commands.network_tables import COSTS, plus_minus, print_metrics


@pytest.mark.parametrize(
    ("mean", "half", "digits", "text"),
    [
        (109537.4, 2901.2, 0, "109,537 ± 2,901"),
        (13.118, 0.0463, 0, "13.118 ± 0.046"),  # it was "13 ± 0"
        (0.99219, 0.00179, 5, "0.99219 ± 0.00179"),
        (5.0, 0.0, 0, "5 ± 0"),
        (5.0, float("nan"), 1, "5.0 ± nan"),
    ],
)
def test_a_half_width_keeps_two_digits(mean, half, digits, text):
    assert plus_minus({"mean": mean, "half_width": half}, digits) == text


def test_only_measures_that_the_report_has_are_printed(capsys):
    row = {"policy": "a", "total_cost": {"mean": 1.0, "half_width": 0.1}}
    print_metrics([row], COSTS)
    assert capsys.readouterr().out.splitlines() == [
        " policy   total cost",
        " a       1.00 ± 0.10",
    ]
