"""Replays of held-out records: given failures in rollouts, the cut of records, the command."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
import sparing
from networks import known
from sparing import cli
from sparing.evaluate.held_out import held_out
from sparing.evaluate.network_tuning import CompareOptions
from sparing.evaluate.replay import replay_records
from sparing.evaluate.replay_records import twin_records
from sparing.models.network_rules import StockRules
from sparing.records.failures import FailureRecord, read_failures
from sparing.simulate.spares_network import network_paths, simulate_network
from sparing.simulate.twin import Twin

DATA = Path(__file__).parents[1] / "data"
LITTLE = CompareOptions(tuning_replications=64, replications=64, refinements=1, coarse=True)


def run(capsys, *arguments):
    with pytest.raises(SystemExit) as ended:
        cli.main([str(a) for a in arguments])
    captured = capsys.readouterr()
    return ended.value.code, captured.out, captured.err


def stock_by_hand(location, failures, reorder, upto):
    """Walk one site with a certain lead time of one period through given failures."""
    stock, due, path, beyond = location.initial, 0, [], 0
    for count in failures:
        arriving, ordered = due, 0
        if due == 0 and stock <= reorder:
            ordered = min(upto - stock, location.largest_order, location.capacity - max(stock, 0))
        stock, due = stock + arriving, ordered
        room = stock + location.backorders
        beyond += max(int(count) - room, 0)
        stock = max(stock - int(count), -location.backorders)
        path.append(stock)
    return path, beyond


@pytest.mark.parametrize("seed", range(5))
def test_given_failures_are_met_as_they_came(seed):
    """Against a walk by hand; counts beyond `truncate` take units and emergencies, too."""
    rng = np.random.default_rng(seed)
    problem = known("single")
    (part,) = problem.parts
    site = replace(part.locations[0], lead_time=1)
    problem = replace(problem, parts=(replace(part, locations=(site,), truncate=2),), periods=30)
    failures = rng.poisson(rng.choice([0.3, 1.0, 3.0], size=30)).astype(int)
    rules = StockRules.min_max([1], [4])
    result = simulate_network(
        problem, rules, num_replications=3, seed=seed, failures=failures[:, None]
    )
    path, beyond = stock_by_hand(site, failures, 1, 4)
    held, short = np.maximum(path, 0).sum(), np.maximum(-np.array(path), 0).sum()
    assert result.samples[:, 11].tolist() == [failures.sum()] * 3
    assert result.metrics["holding_cost"].tolist() == [site.holding_cost * held] * 3
    assert result.metrics["downtime_cost"].tolist() == [site.downtime_cost * short] * 3
    assert result.metrics["emergencies"].tolist() == [beyond] * 3
    assert result.mean["sla"] == pytest.approx(np.mean(np.array(path) >= 0))


def test_a_plan_under_given_failures_is_the_plan_on_the_path_that_was_drawn():
    """Failures that one replication drew, given back: the same costs, but for the lead times.

    A certain lead time of nought leaves nothing to draw. The plan looks the belief up that the
    given failures lead to, so a wrong belief would order otherwise.
    """
    problem = known("single")
    (part,) = problem.parts
    site = replace(part.locations[0], lead_time=0, max_order=3, initial=1)
    problem = replace(problem, parts=(replace(part, locations=(site,)),))
    plan = sparing.solve(problem)
    paths = network_paths(problem, plan, num_replications=40, seed=3)
    drawn = simulate_network(problem, plan, num_replications=40, seed=3)
    told = {0: 0}
    for number in range(40):
        failures = failures_behind(problem, paths.stock[number, :, 0], plan)
        if failures is None:  # an emergency: the path does not tell how many failed
            continue
        told[0] += 1
        again = simulate_network(
            problem, plan, num_replications=1, seed=9, failures=failures[:, None]
        )
        assert again.objective == pytest.approx(drawn.metrics["objective"][number])
    assert told[0] > 20


def failures_behind(problem, stocks, solution):
    """Return the failures that a path of stocks tells of, without emergencies; else None."""
    (plan,) = solution.plans
    site = plan.part.locations[0]
    before, seen, found = site.initial, 0, []
    for period, after in enumerate(stocks):
        index = int(plan.nodes.stocks[0].found.index(*map(np.array, (before, 0, 0))))
        ordered = int(plan.orders(period, [index, seen])[0])
        count = before + ordered - int(after)
        if after <= -site.backorders:
            return None
        found.append(count)
        seen += min(count, plan.part.truncate)
        before = int(after)
    return np.array(found)


@pytest.mark.parametrize(
    ("failures", "message"),
    [
        ([[1], [2]], "failures must have shape (periods, sites), (8, 1); got (2, 1)"),
        (np.full((8, 1), -1), "failures must be whole numbers in 0..65535; got int64 from -1"),
        (np.full((8, 1), 0.5), "failures must be whole numbers in 0..65535; got float64"),
        ({"other": 1}, "failures has nothing for part"),
    ],
)
def test_bad_given_failures(failures, message):
    with pytest.raises(ValueError) as caught:
        simulate_network(
            known("single"), StockRules.min_max([0], [2]), num_replications=2, failures=failures
        )
    assert message in str(caught.value)


def test_failures_or_rates_and_not_both():
    with pytest.raises(ValueError, match="give rates or failures, not both"):
        simulate_network(
            known("single"), StockRules.min_max([0], [2]), num_replications=2, rates=1.0,
            failures=np.zeros((8, 1), dtype=int),
        )  # fmt: skip


def records_of(network, counts, start=datetime(2024, 1, 1)):
    """Records of one part at one site, a period of 30 days each."""
    (part,) = network.parts
    return [
        FailureRecord(
            component=part.name,
            location=part.sites[0].name,
            start=start + timedelta(days=30 * period),
            failures=count,
            exposure=1.0,
        )
        for period, count in enumerate(counts)
    ]


def test_records_are_cut_and_the_belief_is_that_of_the_first_part():
    network = known("single")
    (part,) = network.parts
    found = held_out(network, records_of(network, [2, 0, 1, 4, 5, 6]), 3)
    (own,) = found.network.parts
    assert (own.prior.shape, own.prior.rate) == (part.prior.shape + 3, part.prior.rate + 3.0)
    assert found.failures[part.name].tolist() == [[4], [5], [6]]
    assert (found.network.periods, found.num_fitted) == (3, 3)
    assert found.first == datetime(2024, 1, 1) + timedelta(days=90)
    assert found.exposure == pytest.approx(1.0)
    mean, low, high = found.predicted(own)
    assert mean == pytest.approx(3.0 * own.prior.mean)
    assert low < mean < high
    half = held_out(network, records_of(network, [2, 0, 1, 4, 5, 6]))
    assert half.num_fitted == 3
    none = held_out(network, records_of(network, [2, 0, 1]), 0)
    assert none.network.parts[0].prior == part.prior
    assert none.failures[part.name].tolist() == [[2], [0], [1]]


@pytest.mark.parametrize(
    ("change", "fit", "message"),
    [
        (lambda r: r, 6, "the records have 6 periods, of which 6 are to be fitted: none is held"),
        (lambda r: r, -1, "num_fitted must be a whole number, at least 0; got -1"),
        (lambda r: [replace(r[0], component="pump"), *r[1:]], 3, "unknown component 'pump'"),
        (lambda r: [replace(r[0], location="moon"), *r[1:]], 3, "which is no site of the case"),
        (
            lambda r: [*r[:5], replace(r[5], location="moon")],
            3,
            "which is no site of the case",
        ),
    ],
)
def test_records_that_do_not_go_with_the_case(change, fit, message):
    network = known("single")
    records = change(records_of(network, [1, 0, 2, 0, 1, 0]))
    with pytest.raises(ValueError) as caught:
        held_out(network, records, fit)
    assert message in str(caught.value)


def test_a_gap_in_what_is_held_out_is_named():
    network = sparing.load(DATA / "spares-twin.toml")
    (part,) = network.parts
    records = [
        replace(record, component=part.name, location=site.name)
        for site in part.sites
        for record in records_of(known("single"), [0, 1, 2, 3])
    ]
    assert held_out(network, records).failures[part.name].shape == (2, 2)
    with pytest.raises(ValueError, match="inverter at south has no record from 2024-03-31T00:00"):
        held_out(network, records[:-1])
    with pytest.raises(ValueError, match="replays know no ages of units"):
        held_out(known("age"), records_of(known("age"), [0, 1]))


def test_policies_that_do_not_learn_are_level_where_nothing_is_learned_from():
    """On records of the model itself the replayed cost of a rule is that of its rollout.

    Sixty sets of records drawn from the prior, nothing fitted: the mean replayed cost of one rule
    lies in the 99.9 % interval around the rollout's own mean.
    """
    network = known("single")
    (part,) = network.parts
    rng = np.random.default_rng(11)
    rates = rng.gamma(part.prior.shape, 1.0 / part.prior.rate, size=60)
    counts = np.minimum(rng.poisson(rates[:, None], size=(60, network.periods)), part.truncate)
    sets = [records_of(network, row.tolist()) for row in counts]
    found = replay_records(
        network, sets, num_fitted=0, policies=["min_max"], options=LITTLE, num_replications=20
    )
    (row,) = found.policies.values()
    tuned = replay_records(
        network, sets[:1], num_fitted=0, policies=["min_max"], options=LITTLE, num_replications=2
    )
    assert tuned.policies.keys() == found.policies.keys()
    from sparing.evaluate.network_tuning import tuned_policies

    (policy,) = tuned_policies(network, LITTLE, lambda _: None, ["min_max"])
    rollout = simulate_network(network, policy.policy, num_replications=20_000, seed=5)
    spread = row.samples["total_cost"].std(ddof=1) / np.sqrt(60)
    assert abs(row.mean["total_cost"] - rollout.mean["total_cost"]) < 3.5 * spread
    assert found.num_predicted == 60
    assert found.num_within >= 50  # Binomial(60, .95 or more) is below with probability 1e-3


def test_records_of_the_twin_have_their_own_rates_each():
    network = known("serial")
    sets = twin_records(Twin(network=network), num_sets=2, periods=7)
    assert [len({r.start for r in records}) for records in sets] == [7, 7]
    assert [r.failures for r in sets[0]] != [r.failures for r in sets[1]]
    plain = twin_records(Twin.plain(network), num_sets=1)
    assert len(plain[0]) == 2 * network.periods


def test_the_command_makes_records_writes_and_reads_them(capsys, tmp_path):
    case, out = DATA / "known_spares_serial.toml", tmp_path / "out"
    options = ["--sets", 2, "--replications", 20, "--json"]
    code, text, _ = run(capsys, "replay", case, *options, "--out", out)
    assert code == 0
    report = json.loads(text)
    assert [row["key"] for row in report["policies"]] == [
        "formula", "min_max", "fixed_quantity", "thinning", "belief"
    ]  # fmt: skip
    assert (report["num_fitted"], report["periods"]) == (5, 5)
    assert len((out / "replay.csv").read_text().splitlines()) == 1 + 5 * 2
    assert json.loads((out / "replay.json").read_text())["format"] == "sparing-replay-1"
    files = [tmp_path / "a.csv", tmp_path / "b.csv"]
    for number, file in enumerate(files):
        file.write_bytes((out / f"failures-{number + 1}.csv").read_bytes())
    assert len(read_failures(files[0])) == 10
    code, text, _ = run(capsys, "replay", case, *files, "--replications", 20, "--json")
    again = json.loads(text)
    assert again["policies"] == report["policies"]  # the same records, the same luck
    assert again["reductions"] == report["reductions"]
    code, text, remark = run(capsys, "replay", case, files[0], "--replications", 20, "--fit", 6)
    assert code == 0
    assert "6 periods fitted, 4 replayed" in text
    assert "belief plan by location against the others" in text
    assert "intervals hold its lead times alone" in remark


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["three-component"], "a replay needs a case of kind 'spares-network'"),
        ([DATA / "known_spares_serial.toml", "none.csv"], "none.csv: No such file or directory"),
        (
            [DATA / "known_spares_serial.toml", DATA / "known_spares_serial.toml", "--periods", 4],
            "--periods is for records that the twin makes",
        ),
        ([DATA / "known_spares_serial.toml", "--sets", 0], "'--sets'"),
        ([DATA / "known_spares_serial.toml", "--replications", 1], "'--replications'"),
        ([DATA / "known_spares_serial.toml", "--fit", 10], "none is held out; fit fewer"),
    ],
)
def test_commands_that_are_refused(capsys, arguments, message):
    code, text, error = run(capsys, "replay", *arguments)
    assert code == 2
    assert message in error
    assert not text


def test_policies_that_are_none():
    network = known("single")
    records = [records_of(network, [0, 1, 2, 0])]
    with pytest.raises(ValueError, match="policies: unknown 'best'; known: formula"):
        replay_records(network, records, policies=["best"])
    with pytest.raises(ValueError, match="a belief plan needs min_max"):
        replay_records(network, records, policies=["belief"])
    with pytest.raises(ValueError, match="at least one set of records"):
        replay_records(network, [])
    with pytest.raises(ValueError, match="the same number of periods"):
        replay_records(network, [*records, records[0][:2]])
