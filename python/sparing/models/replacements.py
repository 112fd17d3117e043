"""Which components may be replaced: worst first, or any number of each condition."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from sparing.models.load_sharing_system import LoadSharingSystem

MAX_OFFERS = 50_000_000


@dataclass(frozen=True, kw_only=True, eq=False)
class Replacements:
    """Ways to replace, one entry per way and counts; arrays have shape (offers,).

    Parameters
    ----------
    before, after
        Numbers of the counts found and left.
    choice
        "worst-first": the number replaced. "any": the numbers replaced of each condition from
        1 on, read as digits to the base size + 1.
    num_replaced, num_failed
        Components replaced, and how many of them had failed.
    """

    before: NDArray[np.int64]
    after: NDArray[np.int64]
    choice: NDArray[np.int32]
    num_replaced: NDArray[np.int64]
    num_failed: NDArray[np.int64]


def replacements(system: LoadSharingSystem) -> Replacements:
    """Return what the problem allows to replace in every count vector, supply apart.

    Raises
    ------
    MemoryError
        If there are too many ways to list.
    """
    vectors = system.counts.vectors
    worn = vectors[:, 1:]
    any_vector = system.problem.replacement == "any"
    ways = np.prod(worn + 1, axis=1) if any_vector else worn.sum(axis=1) + 1
    if ways.sum() > MAX_OFFERS:
        raise MemoryError(
            f"replacement = {system.problem.replacement!r} has {int(ways.sum()):,} ways for"
            f" {system.size} positions; at most {MAX_OFFERS:,} are listed. Use 'worst-first'."
        )
    before = np.repeat(np.arange(len(vectors)), ways)
    number = np.arange(before.size) - np.repeat(np.cumsum(ways) - ways, ways)
    split = _digits(number, worn[before]) if any_vector else _worst_first(number, worn[before])
    after = vectors[before].copy()
    after[:, 1:] -= split
    after[:, 0] += split.sum(axis=1)
    choice = number
    if any_vector:
        base = system.size + 1
        if base ** worn.shape[1] > np.iinfo(np.int32).max:
            raise MemoryError("replacement = 'any' has too many ways to number; use 'worst-first'.")
        choice = split @ (base ** np.arange(worn.shape[1])[::-1])
    return Replacements(
        before=before,
        after=system.counts.index(after),
        choice=choice.astype(np.int32),
        num_replaced=split.sum(axis=1),
        num_failed=split[:, -1],
    )


def _worst_first(number: NDArray[np.int64], worn: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return how many of each condition [offers, conditions - 1] are the `number` worst."""
    from_worst = np.cumsum(worn[:, ::-1], axis=1)[:, ::-1]  # of this condition and worse
    taken = np.minimum(from_worst, number[:, None])
    taken[:, :-1] -= taken[:, 1:].copy()
    return taken


def _digits(number: NDArray[np.int64], worn: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return `number` as digits [offers, conditions - 1], each from 0 to that of `worn`."""
    digits = np.empty_like(worn)
    for column in reversed(range(worn.shape[1])):
        digits[:, column] = number % (worn[:, column] + 1)
        number = number // (worn[:, column] + 1)
    return digits
