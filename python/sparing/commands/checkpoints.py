"""Where a long solve keeps its state, and what to say when it is interrupted."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import typer

from sparing.commands.output import note, print_error
from sparing.exact.checkpoint import fingerprint
from sparing.exact.value_iteration import Options
from sparing.models.multi_component import MultiComponentProblem


def checkpoint_folder(
    problem: MultiComponentProblem, options: Options, out: Path | None, checkpoint: Path | None
) -> Path | None:
    """Return the folder for the checkpoints of a solve; None where none can be written.

    It is ``--checkpoint``, else a folder in ``--out``, else one in the user's cache that is named
    by all that determines the solve, so that the same command finds it again.
    """
    if asked := asked_folder(out, checkpoint):
        return asked
    key = fingerprint(problem.epoch, problem.weights, criterion=problem.criterion, options=options)
    return cached_folder(key)


def asked_folder(out: Path | None, checkpoint: Path | None) -> Path | None:
    """Return the folder for checkpoints that the user asked for, if any."""
    if checkpoint is not None and checkpoint.exists() and not checkpoint.is_dir():
        raise ValueError(f"--checkpoint {checkpoint}: is a file; give a folder.")
    return checkpoint or (out and out / "checkpoint")


def cached_folder(key: str) -> Path | None:
    """Return the folder of the user's cache for the solve of this key; None: cannot be written."""
    folder = cache_folder() / "checkpoints" / key
    home = next((parent for parent in folder.parents if parent.exists()), None)
    if home is None or not os.access(home, os.W_OK):
        note(f"{folder}: cannot be written; the solve keeps no checkpoint.")
        return None
    return folder


def cache_folder() -> Path:
    """Return the user's cache of this program."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(base) if base else Path.home() / ".cache") / "sparing"


@contextmanager
def resumable(folder: Path | None) -> Iterator[None]:
    """Tell how to go on after Ctrl-C (exit code 130), and leave no empty folder behind."""
    try:
        yield
    except KeyboardInterrupt:
        files = ("checkpoint.json", "search.json", "column-*.npz")
        if folder is not None and any(any(folder.glob(name)) for name in files):
            print_error(
                f"interrupted; the solve is saved in {folder}. The same command goes on from there."
            )
        else:
            print_error("interrupted; nothing is saved.")
        raise typer.Exit(130) from None
    finally:
        if folder is not None:
            with suppress(OSError):
                folder.rmdir()  # only if it is empty
