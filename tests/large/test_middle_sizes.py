"""Systems that are solved exactly but too large to search control limits one by one."""

import jax
import numpy as np
import pytest
import sparing
from large_systems import redundant
from sparing.commands.train import training_report
from sparing.evaluate import policy_comparison
from sparing.evaluate.control_limit_search import best_control_limits
from sparing.large.crew_policies import LookaheadPolicy
from sparing.learn.networks import Network
from sparing.learn.run import TrainedSeed
from sparing.report import comparison

THREE = redundant(3, "2-of(ALL)")
FOUR = redundant(4, "2-of(ALL)")


@pytest.fixture
def few_searched(monkeypatch):
    """Make more than sixteen states count as too many to search for limits exactly."""
    for module in (policy_comparison, comparison):
        monkeypatch.setattr(module, "SEARCHED_STATES", 16)


def test_tuned_limits_stand_beside_the_optimum_exactly_evaluated(few_searched):
    found = comparison.compare_problem("four", FOUR)
    limits, optimum = found.rows["limits"], found.rows["cheapest"]
    searched = best_control_limits(FOUR)
    assert optimum.cost <= limits.cost <= 1.01 * searched.objective.value
    assert limits.name == "tuned control limits"
    assert limits.detail.endswith("by type of component: c1, c4; c2; c3")
    row = next(row for row in found.report["policies"] if row["key"] == "limits")
    assert row["cost"] == limits.cost
    assert any(limits.detail in remark for remark in found.left_out)


def test_where_limits_by_type_do_not_fit_the_reason_is_told(few_searched):
    found = comparison.compare_problem("three", redundant(3, "(c1 & c2) | (c1 & c3)"))
    assert "limits" not in found.rows
    assert any("'c1' stands in it 2 times" in remark for remark in found.left_out)


def untrained(environment, settings, **_):
    """Stand in for `train_seeds`: a fresh network."""
    network = Network(
        num_features=environment.num_features, num_actions=environment.num_actions, hidden=(8,)
    )
    names = ("env_steps", "cost", "loss", "epsilon", "rate")
    seed = TrainedSeed(
        seed=0,
        parameters=network.init(jax.random.key(0)),
        history={name: np.zeros(1) for name in names},
        env_steps=0,
        seconds=0.0,
    )
    return network, [seed]


def test_training_is_compared_with_tuned_limits_and_a_lookahead(monkeypatch):
    """Exact figures on both sides; the policy returned is the best of the three."""
    monkeypatch.setattr("sparing.learn.epoch_training.COMPARED_STATES", 16)
    monkeypatch.setattr("sparing.learn.judging.train_seeds", untrained)
    result = sparing.train(THREE, learner="pqn")
    report = training_report("three", result)
    crew = {row["key"]: row["objective"]["upper"] for row in report["crew"]["policies"]}
    learned = report["seeds"][0]["objective"]["upper"]
    optimum = sparing.solve(THREE, tol=1e-8).objective
    assert report["objective_is"] == report["crew"]["objective_is"] == "exact"
    assert "optimum_is" not in report
    assert report["best"] == "lookahead"
    assert isinstance(result.policy, LookaheadPolicy)
    assert report["objective"]["upper"] == crew["lookahead"] < min(crew["limits"], learned)
    assert optimum - 1e-6 <= crew["lookahead"] <= 1.001 * optimum
