"""Stage costs, explanations and policies: tables, rows of probabilities, functions."""

import json

import numpy as np
import pytest
from forward_epochs import Maker
from hypothesis import given, settings
from hypothesis import strategies as st
from reference_forward import cheapest, num_states, sums_by_kind, unflat
from sparing.epoch import Alternative, Axis, Branch, Chance, Cost, Decision, Epoch
from sparing.policies import CallbackPolicy, Policy, RowPolicy, TablePolicy
from sparing.simulate import simulate
from sparing.stages import explain, stage_costs
from sparing.table import Table
from three_component import COST_WEIGHTS, corrective_policy, corrective_table, three_component_epoch

SEEDS = st.integers(0, 2**32 - 1)


@given(seed=SEEDS, threads=st.integers(1, 3), wide=st.booleans())
@settings(max_examples=100, deadline=None)
def test_stage_costs_are_those_of_the_cheapest_path(seed, threads, wide):
    """Against a list of all paths in order, of which the first cheapest counts."""
    maker = Maker(seed)
    epoch = maker.epoch()
    weights = {kind: float(maker.rng.integers(0, 3)) for kind in epoch.kinds}
    tables = maker.tables(epoch, weights, np.int64 if wide else np.uint32)
    for stage, (first, last) in enumerate(epoch.stages):
        costs = stage_costs(epoch, stage, tables[stage], weights, num_threads=threads)
        assert [*costs] == [*epoch.kinds]
        for s in range(num_states(epoch.layouts[first])):
            state = unflat(s, epoch.layouts[first])
            goal = int(tables[stage][s])
            _, paid, _ = cheapest(epoch, first, last, state, weights)[goal]
            expected = sums_by_kind(paid, epoch.kinds)
            assert {kind: values[s] for kind, values in costs.items()} == expected
            found = explain(
                epoch,
                stage,
                [state[a.name] for a in epoch.layouts[first]],
                [unflat(goal, epoch.layouts[last])[a.name] for a in epoch.layouts[last]],
                weights,
            )
            assert found.cost == pytest.approx(expected, abs=1e-12)


def test_explain_names_choices_and_alternatives():
    epoch = three_component_epoch()
    found = explain(epoch, 0, (3, 1, 2), (0, 1, 1), COST_WEIGHTS)
    assert found.choices == {"Decision on c1": 0, "Decision on c2": 1, "Decision on c3": 1}
    assert found.alternatives == {"Branch 'crew?'": 1}
    assert found.cost == {"downtime": 500.0, "maintenance": 150.0, "set-up": 20.0, "reliability": 0}
    still = explain(epoch, 0, (1, 1, 1), (1, 1, 1))
    assert still.choices == {}
    assert still.alternatives == {"Branch 'crew?'": 0}


def test_ties_go_to_the_lowest_alternative_then_the_lowest_entry():
    """Both alternatives reach state 1 at a cost of 2, the second by either of two entries."""
    pair = Table(indptr=[0, 2, 4], to=[1, 1, 1, 1], choice=[7, 8, 7, 8], cost={"cost": [1.0] * 4})
    sure = Table(indptr=[0, 1, 2], to=[1, 1], choice=[9, 9], cost={"cost": [2.0] * 2})
    lists = [Alternative([Decision("x", sure, name="sure")])]
    lists.append(Alternative([Decision("x", pair, name="pair")], cost={"cost": 1.0}))
    for order, chosen in ((lists, {"Decision 'sure' on x": 9}), (lists[::-1], None)):
        epoch = Epoch(axes=[Axis("x", 2)], nodes=[Branch(order)])
        found = explain(epoch, 0, (0,), (1,))
        assert found.choices == (chosen or {"Decision 'pair' on x": 7})
        assert found.alternatives == {"Branch": 0}


def test_a_path_that_does_not_exist_is_named():
    epoch = three_component_epoch()
    message = "no path leads from state (c1=1, c2=0, c3=0) to state (c1=3, c2=3, c3=3)."
    with pytest.raises(ValueError) as error:
        explain(epoch, 0, (1, 0, 0), (3, 3, 3))
    assert message in str(error.value)
    table = corrective_table()
    table[16] = 63
    with pytest.raises(ValueError) as error:
        stage_costs(epoch, 0, table)
    assert message in str(error.value)
    table[16] = 64
    with pytest.raises(ValueError, match=r"to state 64, as it must be one of 0\.\.63\."):
        stage_costs(epoch, 0, table)


def test_a_table_looks_up_states_and_batches():
    policy = corrective_policy(three_component_epoch())
    assert policy.action((3, 1, 3)).tolist() == [0, 1, 0]
    assert policy.action([(3, 1, 3), (2, 2, 2)]).tolist() == [[0, 1, 0], [2, 2, 2]]
    assert policy.action(np.zeros((0, 3), dtype=np.int32)).shape == (0, 3)
    assert policy.action((0, 0, 0)).dtype == np.int32
    for other in (policy, CallbackPolicy(lambda s, x: x), RowPolicy.uniform(policy.epoch)):
        assert isinstance(other, Policy)


def test_a_saved_table_is_mapped_and_decides_the_same(tmp_path):
    epoch = three_component_epoch()
    corrective_policy(epoch).save(tmp_path / "policy")
    loaded = TablePolicy.load(tmp_path / "policy", epoch)
    assert isinstance(loaded.stages[0].base, np.memmap)
    assert loaded.action((3, 1, 3)).tolist() == [0, 1, 0]
    run = {"num_epochs": 50, "num_replications": 20}
    np.testing.assert_array_equal(
        simulate(epoch, loaded, **run).samples,
        simulate(epoch, corrective_policy(epoch), **run).samples,
    )
    other = Epoch(axes=[Axis("x", 2)], nodes=[Decision("x", np.zeros((2, 2)))])
    with pytest.raises(ValueError, match=r"saved for the stages .*'c1'.*; the epoch has .*'x'"):
        TablePolicy.load(tmp_path / "policy", other)
    (tmp_path / "policy" / "policy.json").write_text(json.dumps({"format": "x"}), encoding="utf-8")
    with pytest.raises(ValueError, match="format must be 'sparing-table-policy-1'; got 'x'"):
        TablePolicy.load(tmp_path / "policy", epoch)


def test_a_table_with_several_stages_takes_the_stage():
    """Decide on x, draw x, decide on y: the second stage sees the drawn x."""
    epoch = Epoch(
        axes=[Axis("x", 2), Axis("y", 3)],
        nodes=[
            Decision("x", np.zeros((2, 2))),
            Chance("x", [[0.5, 0.5], [0.5, 0.5]]),
            Decision("y", np.ones((6, 3)), context="x"),
        ],
    )
    policy = TablePolicy(epoch, (np.arange(6), np.array([0, 0, 0, 5, 5, 5])))
    assert policy.action((1, 1), stage=1).tolist() == [1, 2]
    with pytest.raises(ValueError, match=r"stage must be in 0\.\.1; got 2"):
        policy.action((1, 1), stage=2)


def test_wrong_tables_and_states_are_named():
    epoch = three_component_epoch()
    good = corrective_table()
    out_of_range = np.where(np.arange(64) == 0, 99, good).astype(np.int64)
    cases = [
        (lambda: TablePolicy(epoch, ()), "a table per stage is needed, 1; got 0."),
        (lambda: TablePolicy(epoch, (good[:9],)), "stage 0: the table must have shape (64,)"),
        (lambda: TablePolicy(epoch, (good / 1.0,)), "must be uint32 or int64; got float64."),
        (lambda: corrective_policy(epoch).action((0, 4, 0)), "axis 'c2' must be in 0..3; got 4."),
        (lambda: corrective_policy(epoch).action((0, 0, -1)), "axis 'c3' must be in 0..3; got -1"),
        (lambda: corrective_policy(epoch).action((0, 0)), "for the axes ['c1', 'c2', 'c3']; got"),
        (lambda: corrective_policy(epoch).action((0.5, 0, 0)), "states must be whole numbers; got"),
        (
            lambda: TablePolicy(epoch, (out_of_range,)).action((0, 0, 0)),
            "stage 0: the table holds 99 for 64 states.",
        ),
        (lambda: CallbackPolicy(lambda s, x: x).action(0.5), "states must be whole numbers [axes]"),
    ]
    for call, message in cases:
        with pytest.raises(ValueError) as error:
            call()
        assert message in str(error.value)


def test_control_limits_from_targets():
    """Replace from state 2 on: what a callback with the same rule costs."""
    epoch = three_component_epoch()
    limits = RowPolicy.from_targets(epoch, {name: [0, 1, 0, 0] for name in ("c1", "c2", "c3")})
    assert limits.action([(1, 2, 3), (0, 0, 1)]).tolist() == [[1, 0, 0], [0, 0, 1]]
    rule = CallbackPolicy(lambda stage, x: np.where(x >= 2, 0, x))
    run = {"num_epochs": 100, "num_replications": 50}
    np.testing.assert_array_equal(
        simulate(epoch, limits, **run).samples, simulate(epoch, rule, **run).samples
    )


def test_uniform_draws_each_allowed_entry_equally_often():
    policy = RowPolicy.uniform(three_component_epoch())
    drawn = policy.action(np.tile([2, 1, 3], (30_000, 1)), seed=1)
    assert (drawn[:, 2] == 0).all()
    for column, entries in ((0, 3), (1, 2)):
        counts = np.bincount(drawn[:, column], minlength=entries)
        assert counts.size == entries
        expected = len(drawn) / entries
        assert (np.abs(counts - expected) < 6 * np.sqrt(expected)).all()
    assert policy.action((0, 0, 3)).tolist() == [0, 0, 0]


@given(seed=SEEDS)
@settings(max_examples=50, deadline=None)
def test_a_row_policy_acts_within_what_the_stage_reaches(seed):
    maker = Maker(seed)
    epoch = maker.epoch()
    policy = RowPolicy.uniform(epoch)
    weights = dict.fromkeys(epoch.kinds, 1.0)
    for stage, (first, last) in enumerate(epoch.stages):
        layout = epoch.layouts[first]
        states = np.array([[*unflat(s, layout).values()] for s in range(num_states(layout))])
        sizes = [axis.size for axis in epoch.layouts[last]]
        drawn = policy.action(states, stage=stage, seed=seed)
        for s, goal in enumerate(np.ravel_multi_index(tuple(drawn.T), sizes)):
            assert goal in cheapest(epoch, first, last, unflat(s, layout), weights)


def test_wrong_rows_are_named():
    epoch = three_component_epoch()
    uniform = RowPolicy.uniform(epoch).rows
    entries = uniform[0].size

    def rows(**changed):
        return {"c1": uniform[0], "c2": uniform[1], "c3": uniform[2], **changed}

    two = [Alternative([Decision("x", np.zeros((2, 2)))]) for _ in range(2)]
    both = Epoch(axes=[Axis("x", 2)], nodes=[Branch(two)])
    cases = [
        (lambda: RowPolicy(epoch, {}), "exactly one alternative; got 0."),
        (lambda: RowPolicy(epoch, {"c1": uniform[0]}), "Decision on c2: no probabilities given."),
        (lambda: RowPolicy.uniform(both), "exactly one alternative; got 2."),
        (lambda: RowPolicy(epoch, rows(c9=[1.0])), "'c9' must mean one of the Decisions"),
        (lambda: RowPolicy(epoch, {9: [1.0]}), "9 must mean one of the Decisions"),
        (lambda: RowPolicy(epoch, {**rows(), 0: uniform[0]}), "given twice, again as 0."),
        (lambda: RowPolicy(epoch, rows(c1=[1.0])), f"must have shape ({entries},); got (1,)."),
        (
            lambda: RowPolicy(epoch, rows(c1=np.full(entries, np.nan))),
            "Decision on c1: row 0 has a probability of nan; it must be at least 0.",
        ),
        (
            lambda: RowPolicy(epoch, rows(c1=np.full(entries, 0.5))),
            "Decision on c1: row 0 sums to 0.5, not 1.",
        ),
        (
            lambda: RowPolicy.from_targets(epoch, {"c1": [0, 2, 0, 0]}),
            "Decision on c1: row 1 has no entry that leads to 2.",
        ),
        (
            lambda: RowPolicy.from_targets(epoch, {"c1": [0]}),
            "Decision on c1: targets must have shape (4,); got (1,).",
        ),
    ]
    for call, message in cases:
        with pytest.raises(ValueError) as error:
            call()
        assert message in str(error.value), message


def test_a_row_that_allows_nothing_is_named():
    rows = Table(indptr=[0, 1, 1], to=[0], choice=[0])
    escape = Branch([Alternative([Decision("x", rows)]), Alternative([Cost("x", [0.0, 0.0])])])
    epoch = Epoch(axes=[Axis("x", 2)], nodes=[escape])
    policy = RowPolicy.uniform(epoch)
    with pytest.raises(ValueError, match="Decision on x: row 1 allows nothing"):
        policy.action((1,))
    with pytest.raises(ValueError, match=r"Branch: state \(x=1\) allows nothing"):
        simulate(epoch, policy, num_epochs=1, num_replications=1, start=(1,))
