"""A training as it runs: its live line, and what is said when it is interrupted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from sparing.commands.output import print_error
from sparing.commands.progress import shown_steps

if TYPE_CHECKING:
    from sparing.learn.run_records import TrainingHook


@contextmanager
def interruptible(out: Path | None) -> Iterator[None]:
    """Tell how to go on with a training after Ctrl-C (exit code 130)."""
    try:
        yield
    except KeyboardInterrupt:
        if out is not None and any(out.rglob("checkpoint.json")):
            print_error(
                f"interrupted; the training is saved in {out}. The same command with --resume"
                " goes on from there."
            )
        else:
            print_error("interrupted; nothing is saved.")
        raise typer.Exit(130) from None


@contextmanager
def shown_training() -> Iterator[TrainingHook]:
    """Yield the hook to pass to a training: a live line on a terminal, now and then one elsewhere.

    The line shows the cost of the policy that explores, how much it explores, and the loss.
    """
    with shown_steps() as tell:
        yield lambda progress: tell(
            f"seed {progress.seed}: {progress.env_steps:,} of {progress.total_steps:,} choices,"
            f" cost {progress.cost:.6g}, epsilon {progress.epsilon:.2f},"
            f" loss {progress.loss:.3g}, {progress.seconds:.0f} s"
        )
