"""Each task is finished once, whatever happens to the workers."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context

import pytest
from fleet_tasks import deadly, deadly_once, logged_square, runs
from sparing._threads import default_num_threads, limited_threads
from sparing.fleet.tasks import run_tasks


def tasks(folder, num=12, seconds=0.0):
    return [(f"task {i}", (i, str(folder), seconds)) for i in range(num)]


def squares(num):
    return {f"task {i}": i * i for i in range(num)}


@pytest.mark.parametrize("own", [True, False])
def test_every_task_is_run_once(tmp_path, own):
    given = None if own else ThreadPoolExecutor(2)
    found = list(run_tasks(logged_square, tasks(tmp_path), executor=given, num_workers=2))
    assert {outcome.name: outcome.result for outcome in found} == squares(12)
    assert runs(tmp_path) == list(range(12))


def test_an_error_is_the_outcome_of_its_task_alone(tmp_path):
    bad = [("bad", (-1, str(tmp_path), 0.0))]
    with ThreadPoolExecutor(2) as pool:
        found = {
            outcome.name: outcome
            for outcome in run_tasks(logged_square, tasks(tmp_path, 3) + bad, executor=pool)
        }
    assert found["bad"].error == "ValueError: -1 is negative"
    assert found["bad"].result is None
    assert found["task 2"].result == 4


def test_a_worker_that_is_killed_costs_nothing_but_what_it_was_at(tmp_path):
    found = list(run_tasks(deadly_once, tasks(tmp_path), num_workers=2))
    assert {outcome.name: outcome.result for outcome in found} == squares(12)
    assert len(found) == 12  # none twice


def test_a_task_that_kills_its_worker_is_named_and_the_rest_is_finished(tmp_path):
    found = {o.name: o for o in run_tasks(deadly, tasks(tmp_path), num_workers=2)}
    assert found.pop("task 3").error == "its worker died 2 times with nothing else running."
    expected = squares(12)
    del expected["task 3"]
    assert {name: outcome.result for name, outcome in found.items()} == expected


def test_a_broken_executor_of_the_caller_is_the_callers(tmp_path):
    with (
        ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool,
        pytest.raises(BrokenProcessPool),
    ):
        list(run_tasks(deadly, tasks(tmp_path), executor=pool))


def test_tasks_that_nobody_waits_for_are_not_begun(tmp_path):
    with ThreadPoolExecutor(1) as pool:
        outcomes = run_tasks(logged_square, tasks(tmp_path, 50, 0.01), executor=pool, num_workers=1)
        next(outcomes)
        outcomes.close()
    assert len(runs(tmp_path)) <= 6


def test_a_limit_of_threads_holds_where_it_is_set_and_nowhere_else():
    free = default_num_threads()
    with ThreadPoolExecutor(1) as pool:
        with limited_threads(1):
            assert default_num_threads() == 1
            assert pool.submit(default_num_threads).result() == free
        assert default_num_threads() == free


class UnsendableError(Exception):
    def __init__(self, first, second):
        super().__init__(f"{first} {second}")


def raise_unsendable(_):
    raise UnsendableError("no", "pickle")


def test_an_error_that_cannot_be_sent_comes_back_in_words(tmp_path):
    """Pickled, it would be built with one argument on arrival, which breaks the whole pool."""
    found = list(run_tasks(raise_unsendable, [("a", None)], num_workers=1))
    assert [outcome.error for outcome in found] == ["UnsendableError: no pickle"]
