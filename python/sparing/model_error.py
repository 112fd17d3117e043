"""How far the numbers of an epoch can be from those of the model they stand for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class ModelError:
    """Bounds on errors that were made before the epoch was: truncation and rounding.

    Parameters
    ----------
    probability
        Sum of absolute errors of the probabilities of one epoch, over the states it can reach.
    cost
        Per kind the absolute error of its expectation in one epoch.
    """

    probability: float = 0.0
    cost: Mapping[str, float] = field(default_factory=dict)

    def of_sweep(self, span: float, weights: Mapping[str, float]) -> float:
        """Return the error of one sweep of values whose largest and least are `span` apart."""
        costs = sum(abs(weights.get(kind, 0.0)) * error for kind, error in self.cost.items())
        return self.probability * span + costs
