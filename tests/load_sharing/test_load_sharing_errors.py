"""Broken load-sharing cases and calls: each is refused with the place, the rule and the value."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
import sparing
from broken_cases import assert_refused
from sparing.exact.options import Options
from sparing.exact.semi_markov import solve_semi_markov
from sparing.exact.semi_markov_evaluation import evaluate_semi_markov

CASE = """
[system]
kind = "load-sharing"
required = 2
positions = [2, 3]
inspection_interval = [4, 6]
load_exponent = 1.5
replacement = "worst-first"

[component]
rates = [[0, 0.1, 0], [0, 0, 0.14], [0, 0, 0]]

[spares]
capacity = 2
delivery_rate = 0.5

[cost]
setup = 8.0
emergency_unit = 55.0
"""
ROW, ORDERS = "[0, 0.1, 0]", "delivery_rate = 0.5"

# what to replace in the file, by what, and the message
FILES = {
    # numbers
    "rate below 0": (ROW, "[0, -0.1, 0]", "rates[0, 1] must be at least 0 and finite; got -0.1."),
    "rate NaN": (ROW, "[0, nan, 0]", "rates[0, 1] must be at least 0 and finite; got nan."),
    "rate inf": (ROW, "[0, inf, 0]", "rates[0, 1] must be at least 0 and finite; got inf."),
    "rate a text": (ROW, "[0, 'x', 0]", "[component]: rates[0][1] must be a number; got 'x'."),
    "gets better": (
        "[0, 0, 0.14]",
        "[0.2, 0, 0.14]",
        "rates[1, 0] must be 0, as components only get worse; got 0.2.",
    ),
    "stays for ever": (
        "[0, 0, 0.14]",
        "[0, 0, 0]",
        "rates[1] must have a rate above 0, as condition 1 is not failed.",
    ),
    "leaves the failed state": (
        "[0, 0, 0]]",
        "[0, 0, 0.1]]",
        "rates[2, 2] must be 0, as components only get worse; got 0.1.",
    ),
    "required 0": ("required = 2", "required = 0", "required must be a whole number, at least 1"),
    "required a fraction": ("required = 2", "required = 1.5", "at least 1; got 1.5."),
    "required true": ("required = 2", "required = true", "at least 1; got True."),
    "too few positions": ("[2, 3]", "[1, 3]", "positions must be at least required = 2; got 1."),
    "positions twice": ("[2, 3]", "[3, 3]", "positions: 3 is given twice."),
    "no positions": ("[2, 3]", "[]", "positions must be a number or a list of one or more"),
    "positions a text": ("[2, 3]", "'3'", "positions must be a whole number, at least 1; got '3'."),
    "interval 0": ("[4, 6]", "[0, 6]", "inspection_interval must be above 0; got 0."),
    "interval inf": ("[4, 6]", "inf", "inspection_interval must be finite; got inf."),
    "interval a text": ("[4, 6]", "['4']", "inspection_interval must be a number; got '4'."),
    "interval twice": ("[4, 6]", "[4, 4.0]", "inspection_interval: 4 is given twice."),
    "no interval at all": ("[4, 6]", "[]", "inspection_interval must be a number or a list"),
    "range the wrong way": (
        "[4, 6]",
        "{from = 6, to = 4}",
        "inspection_interval must go from above 0 to more; got from 6 to 4.",
    ),
    "range without an end": ("[4, 6]", "{from = 4}", "inspection_interval: 'to' is missing."),
    "range with a step": ("[4, 6]", "{from = 4, to = 6, by = 1}", "unknown key 'by'; known: from"),
    "range tolerance 0": (
        "[4, 6]",
        "{from = 4, to = 6, tolerance = 0}",
        "inspection_interval tolerance must be above 0; got 0.",
    ),
    "exponent below 0": ("= 1.5", "= -1", "load_exponent must be at least 0; got -1."),
    "unknown law": (
        "load_exponent = 1.5",
        "load_law = 'linear'",
        "load_law must be 'power' or 'log-linear'; got 'linear'.",
    ),
    "unknown replacement": (
        '"worst-first"',
        '"best-first"',
        "replacement must be 'worst-first' or 'any'; got 'best-first'.",
    ),
    "unknown clock": (
        "load_exponent = 1.5",
        "clock = 'slow'",
        "clock must be 'restarts' or 'fixed'; got 'slow'.",
    ),
    "capacity below 0": ("capacity = 2", "capacity = -1", "capacity must be a whole number, at"),
    "delivery rate 0": (ORDERS, "delivery_rate = 0", "delivery_rate must be above 0; got 0."),
    "delivery rate missing": (ORDERS, "", "delivery_rate is missing: capacity is 2."),
    "two lead times": (
        ORDERS,
        f"{ORDERS}\nlead_time = 2",
        "give a delivery_rate or a lead_time, not both.",
    ),
    "lead time without step": (ORDERS, "lead_time = 2", "needs a time_step; got time_step None."),
    "clock without step": (
        "load_exponent = 1.5",
        "clock = 'fixed'",
        "a lead_time or a fixed clock needs a time_step; got time_step None.",
    ),
    "step for nothing": ("load_exponent = 1.5", "time_step = 1", "takes a time_step; got"),
    "step that does not fit": (
        "load_exponent = 1.5",
        "clock = 'fixed'\ntime_step = 0.7",
        "inspection_interval must be a multiple of time_step = 0.7; got 4.",
    ),
    "step and range": (
        "[4, 6]",
        "{from = 4, to = 6}\nclock = 'fixed'\ntime_step = 0.5",
        "a time_step needs a list of inspection intervals",
    ),
    "cost below 0": ("setup = 8.0", "setup = -8", "cost setup must be at least 0; got -8."),
    "cost inf": ("setup = 8.0", "setup = inf", "cost setup must be finite; got inf."),
    "cost NaN": ("= 55.0", "= nan", "cost emergency_unit must be finite; got nan."),
    "cost a text": ("setup = 8.0", "setup = '8'", "cost setup must be a number; got '8'."),
    "no supply at all": (
        "capacity = 2\ndelivery_rate = 0.5\n\n[cost]\nsetup = 8.0\nemergency_unit = 55.0",
        "capacity = 0\n\n[cost]\nemergency_unit = inf",
        "cost emergency_unit must be finite where capacity is 0",
    ),
    # shapes and keys
    "rates not square": (
        ", [0, 0, 0]]",
        "]",
        "rates must be square with 2 conditions or more; got shape (2, 3).",
    ),
    "rates ragged": (ROW, "[0, 0.1]", "[component]: the rows of rates differ in length: [2, 3]."),
    "no rates": (
        "rates = [[0, 0.1, 0], [0, 0, 0.14], [0, 0, 0]]",
        "",
        "[component]: rates is missing.",
    ),
    "no component": ("[component]", "[unit]", "the file: unknown key 'unit'; known: component"),
    "no required": ("required = 2", "", "[system] required is missing."),
    "no interval": ("inspection_interval = [4, 6]", "", "[system] inspection_interval is missing."),
    "unknown key": ("capacity", "capacities", "[spares]: unknown key 'capacities'; known:"),
    "unknown cost": ("setup", "set_up", "[cost]: unknown key 'set_up'; known: corrective"),
    "required a table": ("required = 2", "required = {}", "[system] required must not be a table."),
}


@pytest.mark.parametrize("broken", FILES.values(), ids=FILES.keys())
def test_a_broken_case_file_is_refused_by_name(tmp_path, broken):
    assert_refused(tmp_path, CASE, broken)


def test_the_unbroken_case_file_loads(tmp_path):
    file = tmp_path / "pumps.toml"
    file.write_text(CASE, encoding="utf-8")
    assert sparing.load(file).num_states(3) == 10 * 6


PUMPS = sparing.load("feedwater-pumps")
SYSTEM = PUMPS.system(3, 4.0)
RULE = {"replace_at": 2, "join_at": 2, "reorder_at": 0, "order_up_to": 2}
POLICY = sparing.ThresholdRule(**RULE).policy(SYSTEM)


def no_duration():
    return sparing.Epoch(
        axes=[sparing.Axis("a", 2)],
        nodes=[sparing.Decision("a", [[0.0, 1.0], [2.0, 0.0]], kind="repair")],
    )


def lasting(*durations, discount=1.0):
    return sparing.Epoch(
        axes=[sparing.Axis("a", 2)],
        nodes=[sparing.Cost("a", list(durations), "duration")],
        discount=discount,
    )


CALLS = {
    "size open": (lambda: PUMPS.system(None, 4.0), "positions must be one of [2, 3, 4, 5]; none"),
    "interval open": (lambda: PUMPS.system(3), "inspection_interval must be chosen: the problem"),
    "size too small": (lambda: PUMPS.system(1, 4.0), "positions must be at least required = 2"),
    "counts of another size": (
        lambda: SYSTEM.state([3, 1, 0, 0], 0, 0),
        "counts must add up to 3; got [3, 1, 0, 0].",
    ),
    "counts too short": (lambda: SYSTEM.state([3], 0, 0), "counts must be 4 numbers of at least 0"),
    "too many spares": (
        lambda: SYSTEM.state([3, 0, 0, 0], 3, 2),
        "at most 4 in all; got 3 and 2.",
    ),
    "criterion": (
        lambda: sparing.solve(PUMPS, discount=0.9),
        "such a problem has its own costs and criterion",
    ),
    "dtype": (lambda: sparing.solve(PUMPS, dtype="float32"), "needs dtype 'float64'; got 'float3"),
    "tol": (lambda: sparing.solve(PUMPS, tol=0.0), "tol must be > 0; got 0.0."),
    "measures": (
        lambda: sparing.evaluate(SYSTEM, POLICY, {"x": {"down": 1.0}}),
        "such a problem has its own measures",
    ),
    "epochs": (
        lambda: sparing.simulate(SYSTEM, POLICY, num_replications=2, num_epochs=5),
        "periods or a horizon of its own, not num_epochs",
    ),
    "horizon": (
        lambda: sparing.simulate(SYSTEM, POLICY, num_replications=2, horizon=5.0, warm_up=5.0),
        "horizon must be above warm_up = 5; got 5.",
    ),
    "replications": (
        lambda: sparing.simulate(SYSTEM, POLICY, num_replications=0, horizon=5.0),
        "num_replications must be at least 1; got 0.",
    ),
    "no duration": (
        lambda: solve_semi_markov(no_duration()),
        "no cost of kind 'duration', the expected length of an epoch; kinds: ['repair'].",
    ),
    "duration 0": (
        lambda: solve_semi_markov(lasting(1.0, 0.0)),
        "every epoch must be expected to last longer than 0",
    ),
    "duration below 0": (
        lambda: evaluate_semi_markov(
            lasting(1.0, -1.0), sparing.TablePolicy(lasting(1.0, -1.0), ()), {"x": {}}
        ),
        "every epoch must be expected to last longer than 0",
    ),
    "discounted": (
        lambda: solve_semi_markov(lasting(1.0, 2.0, discount=0.9)),
        "Discounted semi-Markov models are not supported.",
    ),
    "guess": (
        lambda: solve_semi_markov(SYSTEM.epoch, guess=np.nan),
        "guess must be a finite number; got nan.",
    ),
    "weights": (
        lambda: solve_semi_markov(SYSTEM.epoch, {"repair": 1.0}),
        "weights: no cost of kind 'repair'",
    ),
    "options": (lambda: Options(max_sweeps=0), "max_sweeps must be at least 1; got 0."),
    "rule beyond failed": (
        lambda: sparing.ThresholdRule(**{**RULE, "replace_at": 4}).policy(SYSTEM),
        "replace_at must be at most 3; got 4.",
    ),
    "rule that joins later": (
        lambda: sparing.ThresholdRule(**{**RULE, "join_at": 3}),
        "join_at must be at least 1 and at most replace_at; got 3 and 2.",
    ),
    "rule without a step": (
        lambda: sparing.ThresholdRule(**{**RULE, "reorder_at": 2}),
        "order_up_to must be above reorder_at = 2; got 2.",
    ),
    "rule of no position": (
        lambda: sparing.ThresholdRule(**RULE, position="net"),
        "position must be 'plain' or 'demand-aware'; got 'net'.",
    ),
    "too many states": (
        lambda: replace(PUMPS, positions=60, rates=np.diag([0.1] * 9, 1)),
        "states are too many; take fewer positions, conditions or spares.",
    ),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
def test_a_wrong_call_is_refused(call):
    function, message = call
    with pytest.raises(ValueError, match=re.escape(message)):
        function()
