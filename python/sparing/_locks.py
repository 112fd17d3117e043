"""One process at a time in a folder; a process that was killed holds nothing up."""

from __future__ import annotations

import json
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

if sys.platform != "win32":
    import fcntl


@contextmanager
def locked(folder: Path, *, inside: bool = False) -> Iterator[None]:
    """Hold `folder` against other processes that write to it.

    The lock is the operating system's own, on a small file that names the process. It goes with
    the process, however that ends, so the file alone blocks nothing. On systems without such locks
    there is none.

    Parameters
    ----------
    folder
        Need not be there yet.
    inside
        Whether the file, ``.sparing.lock``, lies in the folder: for folders that are there and
        stay. Else it lies beside it, ``.NAME.lock``: for those that are replaced as a whole.

    Raises
    ------
    ValueError
        If another process, or another thread, holds it.
    """
    if sys.platform == "win32":
        yield
        return
    folder = folder.absolute()
    path = folder / ".sparing.lock" if inside else folder.with_name(f".{folder.name}.lock")
    if not inside:
        path.parent.mkdir(parents=True, exist_ok=True)
    handle = _held(path, folder)
    try:
        os.truncate(handle, 0)
        holder = {"process": os.getpid(), "machine": socket.gethostname()}
        since = datetime.now(UTC).isoformat(timespec="seconds")
        os.write(handle, json.dumps({**holder, "since": since}).encode())
        yield
    finally:
        path.unlink(missing_ok=True)  # while it is held, so that nobody's new file is taken away
        os.close(handle)


def _held(path: Path, folder: Path) -> int:
    """Return the lock file, held; one that its holder took away meanwhile is opened anew."""
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = _holder(handle)
            os.close(handle)
            raise ValueError(
                f"{folder}: is being written by {holder}. Wait until it is done and run this"
                " again, end it, or write elsewhere with --out."
            ) from None
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(handle), path.stat()):
                return handle
        os.close(handle)


def _holder(handle: int) -> str:
    try:
        found = json.loads(os.pread(handle, 4096, 0))
        return f"process {found['process']} on {found['machine']}, since {found['since']}"
    except (ValueError, KeyError, TypeError):
        return "another process"
