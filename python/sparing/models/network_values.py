"""Small values of a spares network: prior beliefs, ages of units, orders under way, targets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import log
from types import MappingProxyType

import numpy as np

from sparing._checks import Frozen, check_number


@dataclass(frozen=True, kw_only=True)
class GammaPrior:
    """Belief about a failure rate: Gamma(shape, rate), conjugate to Poisson failures.

    Parameters
    ----------
    shape
        As if so many failures had been seen.
    rate
        As if they had been seen in so much exposure.
    """

    shape: float
    rate: float

    def __post_init__(self) -> None:
        for name in ("shape", "rate"):
            if not check_number(f"prior {name}", getattr(self, name)) > 0.0:
                raise ValueError(f"prior {name} must be > 0; got {getattr(self, name):g}.")

    @property
    def mean(self) -> float:
        """Expected failures per unit of exposure."""
        return self.shape / self.rate

    def posterior(self, failures: float, exposure: float) -> GammaPrior:
        """Return the belief after so many failures in so much exposure."""
        check_number("failures", failures, at_least=0.0)
        check_number("exposure", exposure, at_least=0.0)
        return GammaPrior(shape=self.shape + failures, rate=self.rate + exposure)


@dataclass(frozen=True, kw_only=True)
class UnitAge:
    """Age bin of a site's oldest unit, which multiplies the site's exposure.

    Parameters
    ----------
    multiplier
        Whole number >= 1 per bin. A period without failure leads to the next bin (the last one
        stays), one with a failure back to bin 0, as the oldest unit fails first.
    initial
        The bin at the start.
    """

    multiplier: tuple[int, ...]
    initial: int = 0

    def __post_init__(self) -> None:
        given = self.multiplier
        if isinstance(given, str) or not isinstance(given, Sequence) or not given:
            raise ValueError(f"age multiplier must be a list of whole numbers; got {given!r}.")
        for position, value in enumerate(given):
            check_whole(f"age multiplier[{position}]", value, 1)
        object.__setattr__(self, "multiplier", tuple(given))
        check_whole("age initial", self.initial, 0)
        if self.initial >= len(given):
            raise ValueError(
                f"age initial must be one of the bins 0..{len(given) - 1}; got {self.initial}."
            )


@dataclass(frozen=True, kw_only=True)
class OutstandingOrder:
    """An order under way at the start: its quantity, and the reviews since it was placed."""

    quantity: int
    age: int = 1

    def __post_init__(self) -> None:
        check_whole("outstanding quantity", self.quantity, 1)
        check_whole("outstanding age", self.age, 1)


@dataclass(frozen=True, kw_only=True, eq=False)
class HyperScoreTargets(Frozen):
    """What a HyperScore is measured against: per metric a target and a weight.

    Parameters
    ----------
    target, weight
        Per metric; both name the same metrics, weights are >= 0 and not all 0.
    beta, gamma, kappa
        Of ``100 (1 + sigmoid(beta ln V + gamma)^kappa)``.
    """

    target: Mapping[str, float]
    weight: Mapping[str, float]
    beta: float = 5.0
    gamma: float = -log(2.0)
    kappa: float = 2.0
    metrics: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        for name in ("target", "weight"):
            given = getattr(self, name)
            numbers = {
                metric: check_number(f"hyper_score {name} {metric!r}", value, at_least=0.0)
                for metric, value in given.items()
            }
            object.__setattr__(self, name, MappingProxyType(numbers))
        if {*self.target} != {*self.weight}:
            raise ValueError(
                f"hyper_score target and weight must name the same metrics; got {[*self.target]}"
                f" and {[*self.weight]}."
            )
        if not any(self.weight.values()):
            raise ValueError("hyper_score weight must be above 0 for one metric or more.")
        check_number("hyper_score gamma", self.gamma)
        for name in ("beta", "kappa"):
            if not check_number(f"hyper_score {name}", getattr(self, name)) > 0.0:
                raise ValueError(f"hyper_score {name} must be > 0; got {getattr(self, name):g}.")
        object.__setattr__(self, "metrics", tuple(self.target))


def check_whole(name: str, value: object, least: int) -> int:
    """Return `value` as an int, or raise unless it is a whole number of at least `least`."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise ValueError(f"{name} must be a whole number, at least {least}; got {value!r}.")
    return int(value)
