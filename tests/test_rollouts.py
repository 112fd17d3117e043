"""The forward kernels against a slow interpreter of the same nodes, and against known answers."""

from pathlib import Path

import numpy as np
import pytest
from forward_epochs import KINDS, Maker
from hypothesis import event, given, settings
from hypothesis import strategies as st
from reference_forward import Reference, flat, num_states, unflat
from sparing.epoch import Axis, Chance, Cost, Decision, Epoch
from sparing.forward import walk_nodes
from sparing.policies import CallbackPolicy, RowPolicy, TablePolicy
from sparing.simulate import compare_policies, sample_paths, simulate
from sparing.simulate import rollouts as rollouts_module
from sparing.simulate import runner as runner_module
from sparing.simulate.runner import Runner
from three_component import (
    COST_WEIGHTS,
    NAMES,
    TRANSITION,
    corrective_policy,
    corrective_table,
    three_component_epoch,
)

SEEDS = st.integers(0, 2**32 - 1)


def weights_of(epoch, rng):
    return {kind: float(rng.integers(0, 3)) for kind in KINDS if kind in epoch.kinds}


def assert_same_paths(epoch, policy, reference, weights, seed, epochs=4, replications=5):
    start = [0] * len(epoch.axes)
    states, costs = sample_paths(
        epoch, policy, num_epochs=epochs, num_replications=replications, seed=seed, weights=weights
    )
    for r in range(replications):
        first = {axis.name: s for axis, s in zip(epoch.axes, start, strict=True)}
        for t, (state, paid) in enumerate(reference.run(r, first, 0, epochs)):
            assert states[t, r].tolist() == [state[axis.name] for axis in epoch.axes]
            if paid is not None:
                assert costs[t, r].tolist() == [paid[kind] for kind in epoch.kinds]


@given(seed=SEEDS, wide=st.booleans(), resolved=st.booleans())
@settings(max_examples=150, deadline=None)
def test_a_table_policy_gives_the_reference_paths(seed, wide, resolved):
    maker = Maker(seed)
    epoch = maker.epoch()
    weights = weights_of(epoch, maker.rng)
    tables = maker.tables(epoch, weights, np.int64 if wide else np.uint32)
    policy = TablePolicy(epoch, tables)
    with pytest.MonkeyPatch.context() as patch:
        if not resolved:
            patch.setattr(runner_module, "_RESOLVED_STATES", 0)
        reference = Reference(epoch, weights, seed, tables=tables)
        assert_same_paths(epoch, policy, reference, weights, seed)


@given(seed=SEEDS)
@settings(max_examples=150, deadline=None)
def test_a_row_policy_gives_the_reference_paths(seed):
    maker = Maker(seed)
    epoch = maker.epoch()
    weights = weights_of(epoch, maker.rng)
    uniform = RowPolicy.uniform(epoch)
    decisions = [n for n in walk_nodes(epoch) if isinstance(n, Decision)]
    rows = {p: maker.row_probabilities(decisions[p].table) for p in uniform.rows}
    reference = Reference(epoch, weights, seed, rows=rows)
    assert_same_paths(epoch, RowPolicy(epoch, rows), reference, weights, seed)


@given(seed=SEEDS, flat_answer=st.booleans())
@settings(max_examples=50, deadline=None)
def test_a_callback_gives_the_paths_of_its_table(seed, flat_answer):
    maker = Maker(seed)
    epoch = maker.epoch()
    weights = weights_of(epoch, maker.rng)
    table = TablePolicy(epoch, maker.tables(epoch, weights))

    def answer(stage, states):
        if not flat_answer:
            return table.action(states, stage=stage)
        layout = epoch.layouts[epoch.stages[stage][0]]
        at = np.ravel_multi_index(tuple(states.T), [axis.size for axis in layout])
        return table.stages[stage][at]

    options = {"num_epochs": 6, "num_replications": 9, "seed": seed, "weights": weights}
    wanted = sample_paths(epoch, table, **options)
    for policy in (CallbackPolicy(answer), _Actor(table)):
        for array, other in zip(sample_paths(epoch, policy, **options), wanted, strict=True):
            np.testing.assert_array_equal(array, other)


class _Actor:
    """Any object with an action is a policy."""

    def __init__(self, policy):
        self.action = policy.action


@given(seed=SEEDS, lanes=st.integers(1, 40), threads=st.integers(1, 3), rows=st.booleans())
@settings(max_examples=60, deadline=None)
def test_lanes_and_threads_change_nothing(seed, lanes, threads, rows):
    maker = Maker(seed)
    epoch = maker.epoch(discount=0.9)
    weights = dict.fromkeys(epoch.kinds, 1.0)
    policy = RowPolicy.uniform(epoch) if rows else TablePolicy(epoch, maker.tables(epoch, weights))
    found = []
    for lane_count, thread_count, parts in ((128, 1, 1), (lanes, threads, 3)):
        runner = Runner((epoch,), (policy,), weights, seed, thread_count, lane_count)
        states = np.zeros((31, len(epoch.axes)), dtype=np.int32)
        totals = np.zeros((31, len(epoch.kinds)))
        for part in range(parts):
            bounds = 12 * part // parts, 12 * (part + 1) // parts
            states = runner.advance(states, totals, *bounds)
        found.append((states, totals))
    np.testing.assert_array_equal(found[0][0], found[1][0])
    np.testing.assert_array_equal(found[0][1], found[1][1])


def processor_kernels():
    """The 16-lane kernels that this processor runs."""
    path = Path("/proc/cpuinfo")
    flags = path.read_text(encoding="utf-8").split() if path.exists() else []
    wide = [("avx2", "avx2"), ("avx512", "avx512dq")]
    return ["baseline", "widest", *(name for name, flag in wide if flag in flags)]


@given(seed=SEEDS, discount=st.sampled_from([1.0, 0.9]), replications=st.integers(1, 40))
@settings(max_examples=100, deadline=None)
def test_every_kernel_gives_the_numbers_of_the_general_path(seed, discount, replications):
    maker = Maker(seed)
    epoch = maker.small_epoch(discount)
    weights = dict.fromkeys(epoch.kinds, 1.0)
    policy = TablePolicy(epoch, maker.tables(epoch, weights))
    draws = any(isinstance(n, Chance) and not n.is_move for n in epoch.nodes[2:])
    found = []
    for kernel in ["general", *processor_kernels()]:
        runner = Runner((epoch,), (policy,), weights, seed, 2, kernel=kernel)
        states = np.zeros((replications, len(epoch.axes)), dtype=np.int32)
        totals = np.zeros((replications, len(epoch.kinds)))
        states = runner.advance(states, None, 0, 2)
        states = runner.advance(states, totals, 2, 5)
        states = runner.advance(states, totals, 5, 30)
        found.append((states, totals))
        event(f"small: {all(plan.is_small for plan in runner._plans.values())}, draws: {draws}")
    for states, totals in found[1:]:
        np.testing.assert_array_equal(states, found[0][0])
        np.testing.assert_array_equal(totals, found[0][1])
    assert_same_paths(
        epoch, policy, Reference(epoch, weights, seed, tables=policy.stages), weights, seed
    )


def test_the_three_component_case_takes_the_small_path():
    epoch = three_component_epoch()
    weights = dict.fromkeys(epoch.kinds, 1.0)
    runner = Runner((epoch,), (corrective_policy(epoch),), weights, 0, 1)
    runner.advance(np.zeros((1, 3), dtype=np.int32), None, 0, 1)
    assert all(plan.is_small for plan in runner._plans.values())


def test_discounting_weighs_epoch_t_by_discount_to_the_t():
    """A constant cost of 1 over 10 epochs at 0.9 sums to (1 - 0.9^10) / 0.1."""
    epoch = Epoch(
        axes=[Axis("x", 2)], nodes=[Cost((), 1.0), Chance("x", np.full((2, 2), 0.5))], discount=0.9
    )
    found = simulate(epoch, CallbackPolicy(lambda s, x: x), num_epochs=10, num_replications=3)
    assert found.criterion == "total"
    assert found.objective == pytest.approx((1 - 0.9**10) / 0.1, rel=1e-12)
    assert found.half_width == pytest.approx(0.0, abs=1e-12)


def test_a_finite_horizon_takes_one_epoch_and_policy_per_period():
    """Period t costs t in state 1 after a sure move there; discounts multiply up."""
    move = Chance("x", [[0.0, 1.0], [0.0, 1.0]])
    epochs = [
        Epoch(axes=[Axis("x", 2)], nodes=[move, Cost("x", [0, t])], discount=0.5) for t in range(4)
    ]
    found = simulate(epochs, CallbackPolicy(lambda s, x: x), num_replications=2)
    assert found.num_epochs == 4
    assert found.objective == pytest.approx(0 + 1 / 2 + 2 / 4 + 3 / 8, rel=1e-12)
    stay, go = np.array([0, 1], np.uint32), np.array([1, 1], np.uint32)
    choosing = [
        Epoch(
            axes=[Axis("x", 2)],
            nodes=[Decision("x", [[0.0, 7.0], [np.inf, t]])],
        )
        for t in (1, 2, 4)
    ]
    plans = [TablePolicy(e, (p,)) for e, p in zip(choosing, (stay, go, go), strict=True)]
    assert simulate(choosing, plans, num_replications=1).objective == 0 + 7 + 4


@pytest.mark.parametrize(
    ("make", "cost", "reliability"),
    [(corrective_policy, 287.339, 0.6375), (RowPolicy.uniform, 261.090, 0.7867)],
    ids=["corrective", "random"],
)
def test_three_component_long_run_costs(make, cost, reliability):
    """Exact values computed independently by stationary distributions (see the case's notes)."""
    epoch = three_component_epoch()
    found = simulate(
        epoch,
        make(epoch),
        num_epochs=20_200,
        warm_up=200,
        num_replications=64,
        weights=COST_WEIGHTS,
        confidence=0.999,
        seed=20,
    )
    assert abs(found.objective - cost) < found.half_width < 2.0
    assert abs(found.mean["reliability"] - reliability) < found.half_widths["reliability"] + 5e-5
    assert "64 replications of 20200 epochs" in str(found)
    assert found.interval[0] < cost < found.interval[1]


def test_each_chance_draws_from_its_row():
    """Frequencies of the next state given the post-decision state, within six sigmas."""
    epoch = three_component_epoch()
    policy = corrective_policy(epoch)
    states, _ = sample_paths(epoch, policy, num_epochs=1000, num_replications=200, seed=4)
    before, after = states[:-1].reshape(-1, 3), states[1:].reshape(-1, 3)
    post = np.where(before == 3, 0, before)
    for axis in range(3):
        for state in range(3):
            hits = after[post[:, axis] == state, axis]
            expected = TRANSITION[axis, state]
            sigma = np.sqrt(expected * (1 - expected) / hits.size)
            found = np.bincount(hits, minlength=4) / hits.size
            assert (np.abs(found - expected) <= 6 * sigma).all()


def test_components_draw_independently():
    """The correlation of two components' results over 100 000 epochs is below six sigmas."""
    epoch = Epoch(
        axes=[Axis("a", 2), Axis("b", 2)],
        nodes=[Chance("a", np.full((2, 2), 0.5)), Chance("b", np.full((2, 2), 0.5)), Cost((), 0.0)],
    )
    states, _ = sample_paths(
        epoch, CallbackPolicy(lambda s, x: x), num_epochs=1000, num_replications=100
    )
    drawn = states[1:].reshape(-1, 2) - 0.5
    assert abs((drawn[:, 0] * drawn[:, 1]).mean() * 4) < 6 / np.sqrt(len(drawn))
    steps = states[1:, :, 0] - 0.5
    assert abs((steps[1:] * steps[:-1]).mean() * 4) < 6 / np.sqrt(steps.size)


def test_equal_policies_meet_equal_luck_and_pairing_narrows_the_interval():
    epoch = three_component_epoch()
    table = corrective_table()
    better = table.copy()
    better[0b010101] = 0  # all worn: renew the system
    found = compare_policies(
        epoch,
        {
            "corrective": corrective_policy(epoch),
            "same": CallbackPolicy(lambda stage, x: table[x @ [16, 4, 1]]),
            "better": TablePolicy(epoch, (better,)),
        },
        num_epochs=500,
        num_replications=200,
        weights=COST_WEIGHTS,
    )
    base, same = found.results["corrective"], found.results["same"]
    np.testing.assert_array_equal(base.samples, same.samples)
    assert found.differences["same"].mean == found.differences["same"].half_width == 0.0
    unpaired = np.hypot(base.half_width, found.results["better"].half_width)
    assert found.differences["better"].half_width < 0.8 * unpaired
    assert "less corrective" in str(found)
    assert found.differences["better"].interval[0] < found.differences["better"].mean


def test_progress_counts_epochs_up_to_the_end(monkeypatch):
    epoch = three_component_epoch()
    monkeypatch.setattr(rollouts_module, "_EPOCHS_A_CALL", 250)
    seen = []
    options = {"num_epochs": 30, "num_replications": 50, "warm_up": 7, "weights": COST_WEIGHTS}
    watched = simulate(
        epoch, corrective_policy(epoch), progress=lambda *at: seen.append(at), **options
    )
    assert seen == [(250, 1500), (350, 1500), (600, 1500), (850, 1500), (1100, 1500),
                    (1350, 1500), (1500, 1500)]  # fmt: skip
    monkeypatch.undo()
    np.testing.assert_array_equal(
        watched.samples, simulate(epoch, corrective_policy(epoch), **options).samples
    )


def test_a_single_replication_has_no_interval():
    epoch = three_component_epoch()
    found = simulate(epoch, corrective_policy(epoch), num_epochs=10, num_replications=1)
    assert found.half_width == np.inf


def test_a_start_state_is_used():
    epoch = three_component_epoch()
    options = {"num_epochs": 1, "num_replications": 3, "weights": COST_WEIGHTS}
    found = simulate(epoch, corrective_policy(epoch), start=(3, 0, 3), **options)
    assert found.objective == 500 + 20 + 120 + 80
    starts = [(0, 0, 0), (3, 0, 0), (0, 3, 0)]
    found = simulate(epoch, corrective_policy(epoch), start=starts, **options)
    assert found.objectives.tolist() == [0.0, 640.0, 110.0]


def test_reference_helpers_are_inverse():
    layout = three_component_epoch().axes
    assert [a.name for a in layout] == [*NAMES]
    assert all(flat(unflat(s, layout), layout) == s for s in range(num_states(layout)))
