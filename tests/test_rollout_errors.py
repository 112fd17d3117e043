"""Rollouts: what does not fit is refused, naming the place and the value."""

import numpy as np
import pytest
from sparing.epoch import Axis, Chance, Cost, Decision, Epoch
from sparing.policies import CallbackPolicy, RowPolicy, TablePolicy
from sparing.simulate import compare_policies, simulate
from sparing.simulate import runner as runner_module
from sparing.table import Table
from three_component import (
    corrective_policy,
    corrective_table,
    three_component_epoch,
)

BAD = [
    ({"num_epochs": 0}, "num_epochs must be in 1..2^32 - 1; got 0."),
    ({"num_epochs": None}, "num_epochs is needed unless there is one epoch per period."),
    ({"num_replications": 0}, "num_replications must be in 1..2^32 - 1; got 0."),
    ({"warm_up": 10}, "warm_up must be in 0..9; got 10."),
    ({"seed": -1}, "seed must be in 0..2^64 - 1; got -1."),
    ({"confidence": float("nan")}, "confidence must be above 0 and below 1; got nan."),
    ({"num_threads": -1}, "num_threads must be at least 0; got -1."),
    ({"start": (0, 4, 0)}, "axis 'c2' must be in 0..3; got 4."),
    ({"start": (0, 0)}, r"states must have shape (3,) or (B, 3) for the axes ['c1', 'c2', 'c3']"),
    ({"start": [(0, 0, 0)] * 2}, "start must hold one state or 4, one per replication; got 2."),
    ({"weights": {"fun": 1.0}}, "weights: there is no kind 'fun'; kinds: ['downtime',"),
    ({"weights": {"downtime": np.nan}}, "weights: that of 'downtime' must be finite; got nan."),
]


@pytest.mark.parametrize(("options", "message"), BAD, ids=[next(iter(o)) for o, _ in BAD])
def test_wrong_arguments_are_named(options, message):
    epoch = three_component_epoch()
    with pytest.raises(ValueError) as error:
        simulate(
            epoch, corrective_policy(epoch), **{"num_epochs": 10, "num_replications": 4, **options}
        )
    assert message in str(error.value)


def test_wrong_combinations_are_named():
    epoch, other = three_component_epoch(), three_component_epoch()
    run = {"num_epochs": 10, "num_replications": 4}
    policy = corrective_policy(epoch)
    single = Epoch(axes=[Axis("x", 2)], nodes=[Decision("x", [[0.0, 1.0], [1.0, 0.0]])])
    longer = Epoch(axes=[Axis("x", 2)], nodes=[Chance("x", [[0.0, 0.0, 1.0]] * 2, to=Axis("x", 3))])
    cases = [
        (lambda: simulate(epoch, RowPolicy.uniform(other), **run), "Decisions of another epoch"),
        (lambda: simulate(single, policy, **run), "a table for the stages of another epoch"),
        (lambda: simulate([epoch] * 3, policy, **run), "num_epochs must be 3, the periods; got 10"),
        (lambda: simulate([epoch] * 3, [policy] * 2, num_replications=1), "one per period, 3"),
        (lambda: simulate([], policy, num_replications=1), "num_epochs must be in 1"),
        (lambda: simulate(longer, policy, **run), "period 0 ends on the axes [('x', 3)]"),
        (lambda: compare_policies(epoch, {}, **run), "at least one policy; got none"),
        (
            lambda: simulate(three_component_epoch(0.9), policy, warm_up=2, **run),
            "warm_up must be 0 where costs are discounted or totals; got 2.",
        ),
    ]
    for call, message in cases:
        with pytest.raises(ValueError) as error:
            call()
        assert message in str(error.value)


@pytest.mark.parametrize("resolved", [True, False])
def test_an_impossible_action_is_named_with_both_states(resolved, monkeypatch):
    if not resolved:
        monkeypatch.setattr(runner_module, "_RESOLVED_STATES", 0)
    epoch = three_component_epoch()
    table = corrective_table()
    run = {"num_epochs": 5, "num_replications": 4, "start": (1, 0, 0), "num_threads": 1}
    for goal, name in ((63, "(c1=3, c2=3, c3=3)"), (64, "64, as it must be one of 0..63")):
        table[16] = goal
        policy = CallbackPolicy(lambda stage, x: table[x @ [16, 4, 1]].astype(np.int64))
        wrong = np.where(np.arange(64) == 16, goal, corrective_table()).astype(np.uint32)
        for how in (TablePolicy(epoch, (wrong,)), policy):
            with pytest.raises(ValueError) as error:
                simulate(epoch, how, **run)
            text = "replication 0, epoch 0: no path leads from state (c1=1, c2=0, c3=0) to state "
            assert text in str(error.value)
            if how is not policy:
                assert name in str(error.value)


def test_a_forbidden_state_and_a_row_that_allows_nothing_are_named():
    """Going to state 1 is allowed, but what may follow is not."""
    choosing = Decision("x", np.zeros((2, 2)))
    fade = Chance("x", [[1.0, 0.0], [0.5, 0.5]])
    broken = Epoch(axes=[Axis("x", 2)], nodes=[choosing, fade, Cost("x", [0, np.inf])])
    run = {"num_epochs": 9, "num_replications": 9}
    for policy in (TablePolicy(broken, (np.array([1, 1]),)), RowPolicy.uniform(broken)):
        with pytest.raises(
            ValueError, match=r"replication \d reached a state that a Cost of \+inf"
        ):
            simulate(broken, policy, **run)
    only_0 = Decision("x", Table(indptr=[0, 1, 1], to=[0], choice=[0]), name="only 0")
    blocked = Epoch(axes=[Axis("x", 2)], nodes=[choosing, fade, only_0])
    match = r"Decision 'only 0' on x: state \(x=1\) allows nothing"
    with pytest.raises(ValueError, match=match):
        simulate(blocked, RowPolicy.uniform(blocked), **run)


def test_an_error_of_a_callback_comes_through():
    def wrong(stage, states):
        raise KeyError("no such network")

    epoch = three_component_epoch()
    with pytest.raises(KeyError, match="no such network"):
        simulate(epoch, CallbackPolicy(wrong), num_epochs=3, num_replications=2)
    with pytest.raises(ValueError, match=r"stage 0: the function must return whole numbers"):
        simulate(epoch, CallbackPolicy(lambda s, x: x * 1.0), num_epochs=3, num_replications=2)
