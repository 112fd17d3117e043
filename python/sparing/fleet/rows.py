"""A row per task that streams into a folder as tasks finish, and is taken up again from there."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from sparing.fleet.parts import PartWriter, read_parts
from sparing.fleet.tasks import run_tasks

FORBIDDEN = frozenset('/\\:*?"<>|\0')
KEY_COLUMNS = (("name", "string"), ("key", "string"))
Columns = tuple[tuple[str, str], ...]  # of the Parquet files: name and pyarrow type
Payload = TypeVar("Payload")


@dataclass(frozen=True, kw_only=True)
class KeyedTask(Generic[Payload]):
    """A task, and a fingerprint of all that determines its result."""

    name: str
    key: str
    payload: Payload


def run_to_rows(
    function: Callable[[Payload], Mapping[str, Any]],
    tasks: Sequence[KeyedTask[Payload]],
    *,
    columns: Columns,
    folder: Path | None,
    executor: Executor | None,
    num_workers: int,
    progress: Callable[[int, int], None] | None,
) -> tuple[dict[str, dict[str, Any]], int]:
    """Return a row per task by name, and how many were taken over from an earlier run.

    A row holds name, key, what `function` returned by `columns`, and error (empty where there was
    none). Rows that are in `folder` for the same key are not computed again, errors are.
    """
    finished = _finished(folder, {task.name: task.key for task in tasks})
    num_resumed = len(finished)
    keys = {task.name: task.key for task in tasks}
    every = (*KEY_COLUMNS, *columns, ("error", "string"))
    with ExitStack() as stack:
        writer = stack.enter_context(PartWriter(folder, schema_of(every))) if folder else None
        outcomes = run_tasks(
            function,
            [(task.name, task.payload) for task in tasks if task.name not in finished],
            executor=executor,
            num_workers=num_workers,
        )
        for outcome in outcomes:
            row: dict[str, Any] = {column: None for column, _ in every}
            row |= {"name": outcome.name, "key": keys[outcome.name]}
            row |= {**(outcome.result or {}), "error": outcome.error}
            finished[outcome.name] = row
            if writer is not None:
                writer.add(row)
            if progress is not None:
                progress(len(finished), len(tasks))
    return finished, num_resumed


def check_names(names: Sequence[str]) -> None:
    """Raise ValueError for names that cannot be told apart or be files."""
    seen = set[str]()
    for name in names:
        if not name.strip() or name in (".", "..") or FORBIDDEN & set(name) or len(name) > 200:
            raise ValueError(
                f"name {name!r}: must be a file name (1 to 200 characters, none of"
                f" {''.join(sorted(FORBIDDEN - {chr(0)}))})."
            )
        if name in seen:
            raise ValueError(f"name {name!r} is there twice; names tell the results apart.")
        seen.add(name)


def schema_of(columns: Columns) -> Any:
    """Return the `pyarrow.Schema` of columns."""
    import pyarrow

    return pyarrow.schema([(name, getattr(pyarrow, kind)()) for name, kind in columns])


def _finished(folder: Path | None, keys: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """Return the rows of an earlier run that are still good."""
    if folder is None:
        return {}
    return {
        row["name"]: row
        for row in read_parts(folder)
        if not row["error"] and keys.get(row["name"]) == row["key"]
    }
