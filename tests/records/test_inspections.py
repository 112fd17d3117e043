"""Inspection, maintenance and lead-time records: what is read, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from sparing.records.inspections import read_inspections, read_maintenance, spans_of
from sparing.records.lead_times import fit_lead_times, goodness_of_fit
from sparing.records.problems import ProblemLog, RecordsError

SIZES = {"pump": 3}


def read(tmp_path, text, actions=None):
    log = ProblemLog()
    path = tmp_path / "records.csv"
    path.write_text(text)
    if actions is None:
        found = read_inspections(path, SIZES, log)
    else:
        found = read_maintenance(path, SIZES, actions, log)
    return found, log


def test_spans_end_at_actions_and_begin_at_renewals(tmp_path):
    seen, _ = read(
        tmp_path,
        "Unit,Component,Time,State\na,pump,4,0\na,pump,0,0\na,pump,2,1\na,pump,7,1\nb,pump,1,2\n",
    )
    done, _ = read(
        tmp_path,
        "Unit,Component,Time,Action,Cost\na,pump,3,replace,9\na,pump,4,grease,\n",
        actions=("replace", "grease"),
    )
    spans, num_cut = spans_of(seen, done, "pump", renewals=("replace",))
    assert spans.start.tolist() == [0, 0]
    assert spans.end.tolist() == [1, 0]
    assert spans.duration.tolist() == [2.0, 1.0]  # 0..2, and from the renewal at 3 to 4
    assert num_cut == 1  # the one at 7: behind the greasing nothing is known
    without, cut = spans_of(seen, done, "pump")
    assert (without.start.size, cut) == (1, 2)


def test_dates_become_days(tmp_path):
    seen, log = read(
        tmp_path,
        "unit,component,time,state\na,pump,2026-01-01,0\na,pump,2026-01-31T12:00,1\n",
    )
    log.finish()
    assert np.diff(seen.time).tolist() == [30.5]


def test_all_problems_are_in_one_list(tmp_path):
    _, log = read(
        tmp_path,
        "Unit,Component,Time,State\n,pump,1,0\na,valve,2,0\na,pump,x,0\na,pump,3,5\na,pump,3,1\n"
        "a,pump,4,1.5\na,pump,inf,0\n",
    )
    with pytest.raises(RecordsError) as caught:
        log.finish()
    places = {(problem.row, problem.column) for problem in caught.value.problems}
    assert places == {
        (2, "Unit"),
        (3, "Component"),
        (4, "Time"),
        (5, "State"),
        (6, "Time"),
        (7, "State"),
        (8, "Time"),
    }
    assert "records.csv, line 5, 'State': must be a whole number from 0 to 2; got 5" in str(
        caught.value
    )


def test_a_long_list_is_cut_in_the_message_only(tmp_path):
    _, log = read(tmp_path, "Unit,Component,Time,State\n" + "a,pump,?,0\n" * 100)
    with pytest.raises(RecordsError, match=r"60 more \(records.csv: 100\)") as caught:
        log.finish()
    assert len(caught.value.problems) == 100


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("Unit,Component,Time\na,pump,1\n", "'State': is no column of this file"),
        ("Unit,Component,Time,State\na,pump,1\n", "must have 4 fields"),
    ],
)
def test_tables_of_another_shape_are_problems_too(tmp_path, text, message):
    found, log = read(tmp_path, text)
    assert found is None
    with pytest.raises(RecordsError, match=message):
        log.finish()


def test_unknown_actions_and_negative_costs_are_problems(tmp_path):
    _, log = read(
        tmp_path,
        "Unit,Component,Time,Action,Cost\na,pump,1,paint,3\na,pump,2,replace,-1\n",
        actions=("replace",),
    )
    reasons = [str(problem) for problem in sorted(log.problems)]
    assert "must be one of ['replace']; got 'paint'" in reasons[0]
    assert "must be a number >= 0; got '-1'" in reasons[1]


def test_lead_times_have_the_maximum_of_the_likelihood():
    times = np.random.default_rng(2).gamma(2.5, 4.0, 200)
    found = fit_lead_times(times, num_resamples=50)
    shape, _, scale = stats.gamma.fit(times, floc=0)
    assert (found.shape, found.scale) == pytest.approx((shape, scale), rel=1e-4)
    assert found.mean == pytest.approx(times.mean())
    low, high = found.mean_interval()
    assert low < found.mean < high
    assert goodness_of_fit(found, times) < 0.08


def test_the_interval_of_the_mean_lead_time_covers_it_at_its_level():
    hits = 0
    for seed in range(200):
        times = np.random.default_rng([seed, 4]).gamma(2.0, 3.0, 40)
        low, high = fit_lead_times(times, num_resamples=200, seed=seed).mean_interval(0.9)
        hits += low <= 6.0 <= high
    assert 0.83 <= hits / 200 <= 0.95


@pytest.mark.parametrize("times", [[1.0, 2.0], [3.0, 3.0, 3.0], [1.0, 0.0, 2.0], [1.0, np.nan, 2]])
def test_too_little_about_lead_times_is_refused(times):
    with pytest.raises(ValueError, match="lead time"):
        fit_lead_times(times)
