"""How well orders are classified; "supplier" is the positive class (thesis, eq. 5-10)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True)
class Classification:
    """Counts of a classification against its labels."""

    true_positive: int
    false_positive: int
    true_negative: int
    false_negative: int

    @classmethod
    def of(cls, predicted: NDArray[np.bool_], label: NDArray[np.bool_]) -> Classification:
        """Return the counts; True is "supplier"."""
        return cls(
            true_positive=int((predicted & label).sum()),
            false_positive=int((predicted & ~label).sum()),
            true_negative=int((~predicted & ~label).sum()),
            false_negative=int((~predicted & label).sum()),
        )

    @property
    def accuracy(self) -> float:
        """Share of the orders classified as labelled (eq. 5)."""
        right = self.true_positive + self.true_negative
        return _ratio(right, right + self.false_positive + self.false_negative)

    @property
    def supplier_precision(self) -> float:
        """Of those classified "supplier", the share labelled so (eq. 6)."""
        return _ratio(self.true_positive, self.true_positive + self.false_positive)

    @property
    def supplier_recall(self) -> float:
        """Of those labelled "supplier", the share classified so (eq. 7)."""
        return _ratio(self.true_positive, self.true_positive + self.false_negative)

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall of "supplier" (eq. 8)."""
        twice = 2 * self.true_positive
        return _ratio(twice, twice + self.false_positive + self.false_negative)

    @property
    def retailer_precision(self) -> float:
        """Of those classified "e-tailer", the share labelled so (eq. 9)."""
        return _ratio(self.true_negative, self.true_negative + self.false_negative)

    @property
    def retailer_recall(self) -> float:
        """Of those labelled "e-tailer", the share classified so (eq. 10)."""
        return _ratio(self.true_negative, self.true_negative + self.false_positive)

    @property
    def measures(self) -> dict[str, float]:
        """All of them by name."""
        return {
            "accuracy": self.accuracy,
            "f1": self.f1,
            "supplier_precision": self.supplier_precision,
            "supplier_recall": self.supplier_recall,
            "retailer_precision": self.retailer_precision,
            "retailer_recall": self.retailer_recall,
        }


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else float("nan")
