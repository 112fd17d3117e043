"""Running many tasks on an executor: each finished once, whatever happens to the workers."""

from __future__ import annotations

import multiprocessing
import os
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    Executor,
    Future,
    ProcessPoolExecutor,
    wait,
)
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

Payload = TypeVar("Payload")
Found = TypeVar("Found")
IN_FLIGHT = 4  # tasks handed over per worker: enough to keep it busy, few to lose
MOST_DEATHS = 2  # somebody else may have killed the worker once


@dataclass(frozen=True, kw_only=True)
class Outcome(Generic[Found]):
    """What came of one task.

    Parameters
    ----------
    name
        Of the task.
    result
        What the function returned; None if it failed.
    error
        Why it failed; empty if it did not.
    """

    name: str
    result: Found | None
    error: str = ""


def run_tasks(
    function: Callable[[Payload], Found],
    tasks: Iterable[tuple[str, Payload]],
    *,
    executor: Executor | None = None,
    num_workers: int = 0,
) -> Iterator[Outcome[Found]]:
    """Yield the outcome of ``function(payload)`` for each of `tasks`, in the order they finish.

    A task that raises ends as an outcome with its error. If a worker of our own pool dies, the
    tasks it may have died of run again one by one in a new pool, so that the one that kills its
    worker is found and the others are finished; what has been yielded is never run again. (Dask
    runs a task again whose worker dies before the scheduler has heard that its result was
    fetched; it is yielded once all the same.)

    Parameters
    ----------
    function
        Of a module, as it is pickled.
    executor
        Any executor of `concurrent.futures`' kind (processes, Dask, Ray, MPI), which is left
        running; None: processes of our own.
    num_workers
        Of our own processes, or of `executor` where it does not tell; 0: as many as processors.

    Raises
    ------
    BrokenExecutor
        If `executor` is no longer able to run anything.
    """
    run = _Run(function, deque(tasks), executor, num_workers or os.cpu_count() or 1)
    try:
        yield from run.outcomes()
    finally:
        run.close()


class _Run(Generic[Payload, Found]):
    def __init__(
        self,
        function: Callable[[Payload], Found],
        waiting: deque[tuple[str, Payload]],
        executor: Executor | None,
        num_workers: int,
    ) -> None:
        self.function, self.waiting, self.num_workers = function, waiting, num_workers
        self.given, self.executor = executor, executor or _new_pool(num_workers)
        self.running = dict[Future[Any], tuple[str, Payload]]()
        self.suspects = deque[tuple[str, Payload]]()  # were running when a worker died
        self.deaths = Counter[str]()  # of workers that ran nothing but this task

    def outcomes(self) -> Iterator[Outcome[Found]]:
        while self.waiting or self.suspects or self.running:
            self._submit()
            done, _ = wait(self.running, return_when=FIRST_COMPLETED)
            broken = list[tuple[str, Payload]]()
            alone = len(self.running) == 1
            while done:  # let go of each at once: Dask runs again what a dead worker holds for us
                future = done.pop()
                name, payload = self.running.pop(future)
                failure = future.exception()
                found = future.result() if failure is None else None
                del future
                if isinstance(failure, BrokenExecutor):
                    if self.given is not None:
                        raise failure
                    broken.append((name, payload))
                elif found is not None:
                    yield replace(found, name=name)
                else:
                    assert failure is not None
                    yield Outcome(name=name, result=None, error=_described(failure))
            if broken:
                if alone:
                    self.deaths[broken[0][0]] += 1
                if self.deaths[broken[0][0]] == MOST_DEATHS:
                    error = f"its worker died {MOST_DEATHS} times with nothing else running."
                    yield Outcome(name=broken.pop(0)[0], result=None, error=error)
                self._renew(broken)

    def _submit(self) -> None:
        """Hand over tasks; suspects one at a time, and nothing beside them."""
        if self.suspects:
            if not self.running:
                self._hand_over(self.suspects.popleft())
            return
        while self.waiting and len(self.running) < IN_FLIGHT * self.num_workers:
            self._hand_over(self.waiting.popleft())

    def _hand_over(self, task: tuple[str, Payload]) -> None:
        self.running[self.executor.submit(_attempt, self.function, task[1])] = task

    def _renew(self, broken: list[tuple[str, Payload]]) -> None:
        self.suspects.extend(broken)
        self.suspects.extend(self.running.values())
        self.running.clear()
        self.executor.shutdown(wait=False, cancel_futures=True)
        self.executor = _new_pool(self.num_workers)

    def close(self) -> None:
        for future in self.running:
            future.cancel()
        if self.given is None:
            self.executor.shutdown(wait=True, cancel_futures=True)


def _new_pool(num_workers: int) -> ProcessPoolExecutor:
    # A fork would copy locks that threads of the kernels hold.
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(max_workers=num_workers, mp_context=context)


def _attempt(function: Callable[[Payload], Found], payload: Payload) -> Outcome[Found]:
    """Run a task on a worker; an error comes back in words, as not every one can be sent."""
    try:
        return Outcome(name="", result=function(payload))
    except Exception as error:
        return Outcome(name="", result=None, error=_described(error))


def _described(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"
