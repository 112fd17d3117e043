"""Everything that is wrong with a folder of records, in one list."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

SHOWN = 40  # problems that a message lists; all of them are in the exception


@dataclass(frozen=True, order=True)
class RecordProblem:
    """One thing that is wrong: where, and why.

    Parameters
    ----------
    file
        Name of the file.
    row
        Line of the file, the header being line 1; 0 for the file as a whole.
    column
        Name of the field; empty for the row as a whole.
    reason
        What is wrong and what would be right.
    """

    file: str
    row: int
    column: str
    reason: str

    def __str__(self) -> str:
        place = self.file + (f", line {self.row}" if self.row else "")
        return f"{place}{f', {self.column!r}' if self.column else ''}: {self.reason}"


class RecordsError(ValueError):
    """Raised once with all problems of all files; nothing has been read then."""

    def __init__(self, problems: Sequence[RecordProblem]) -> None:
        self.problems = tuple(sorted(problems))
        lines = [str(problem) for problem in self.problems[:SHOWN]]
        if len(self.problems) > SHOWN:
            files = Counter(problem.file for problem in self.problems)
            each = ", ".join(f"{file}: {count:,}" for file, count in files.items())
            lines.append(f"... {len(self.problems) - SHOWN:,} more ({each})")
        count = len(self.problems)
        super().__init__("\n".join([f"{count:,} problem{'s'[: count != 1]} found:", *lines]))

    def __reduce__(self) -> tuple[type[RecordsError], tuple[tuple[RecordProblem, ...]]]:
        return type(self), (self.problems,)  # so that it comes back from a worker


@dataclass(eq=False)
class ProblemLog:
    """Collects problems while records are read; `finish` raises if there were any."""

    problems: list[RecordProblem] = field(default_factory=list)

    def add(self, file: str, row: int, column: str, reason: str) -> None:
        """Note one problem."""
        self.problems.append(RecordProblem(file, row, column, reason))

    def finish(self) -> None:
        """Raise `RecordsError` if anything was noted."""
        if self.problems:
            raise RecordsError(self.problems)
