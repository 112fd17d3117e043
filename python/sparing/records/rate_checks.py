"""Posterior predictive checks: whether the fitted rates make records like the ones seen.

Gelman et al., Bayesian Data Analysis, 3rd ed., sec. 6.3: records are made anew from each draw of
the posterior, and a measure of them is compared with that of the records seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sparing.records.failures import FailureRecord
from sparing.records.rates import FailureRates

MOST_MADE = 100_000_000  # failures that are made, records times draws
LEAST_DRAWS = 100
BLOCK = 1 << 22  # of them at a time
MEANING = {
    "dispersion": "failures come in bursts, or the rate varies with something not fitted",
    "largest": "one period has more failures than the rates can make",
    "zeros": "periods without failure are more frequent than the rates make them",
    "trend": "the rate rises with time (ageing, or more use)",
}


@dataclass(frozen=True, kw_only=True)
class RateCheck:
    """One measure of one component's records, beside what the posterior makes of it.

    Attributes
    ----------
    observed, expected
        Mean over the draws for the records seen, and for records made from the same draws.
    probability
        That made records have at least as large a measure; ties count half. Near 0 or 1, the
        records do not fit the model.
    """

    component: str
    measure: str
    observed: float
    expected: float
    probability: float

    @property
    def suspicious(self) -> bool:
        """Whether the probability is below 1 % or above 99 %."""
        return not 0.01 <= self.probability <= 0.99


def check_rates(
    rates: FailureRates, records: Sequence[FailureRecord], *, num_draws: int = 1000, seed: int = 0
) -> tuple[RateCheck, ...]:
    """Compare records with what `rates` make of their exposure, by component and measure.

    The measures: "dispersion", Pearson's chi-square by its degrees of freedom; "largest", the most
    failures in a row of the records; "zeros", the share of rows without failure; "trend", the
    correlation of what exceeds expectation with time. `num_draws` at most are used, of very many
    records fewer (100 of a million).
    """
    for record in records:
        if record.component not in rates.components:
            raise ValueError(f"component {record.component!r} was not fitted.")
    generator = np.random.default_rng([seed, 0x43484543])
    most = max(MOST_MADE // max(len(records), 1), LEAST_DRAWS)
    found = []
    for component in rates.components:
        chosen = [r for r in records if r.component == component and r.exposure > 0.0]
        if not chosen:
            continue
        measures = _measured(rates, chosen, min(num_draws, most), generator)
        for measure, (real, copies) in measures.items():
            above = (copies > real + 1e-12).mean() + 0.5 * (np.abs(copies - real) <= 1e-12).mean()
            check = RateCheck(
                component=component,
                measure=measure,
                observed=float(real.mean()),
                expected=float(copies.mean()),
                probability=float(above),
            )
            found.append(check)
    return tuple(found)


def _measured(
    rates: FailureRates,
    records: Sequence[FailureRecord],
    num_draws: int,
    generator: np.random.Generator,
) -> dict[str, tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Return per measure that of the records and that of made ones, per draw [draws]."""
    seen = np.array([record.failures for record in records], dtype=np.float64)
    place = {start: rank for rank, start in enumerate(sorted({r.start for r in records}))}
    ranks = np.array([place[record.start] for record in records], dtype=np.float64)
    step = max(len(rates.rate_draws) // num_draws, 1)
    size = max(BLOCK // len(records), 1)
    real, copies = ({name: list[NDArray[np.float64]]() for name in MEANING} for _ in range(2))
    last = min(step * num_draws, len(rates.rate_draws))
    for begin in range(0, last, step * size):
        draws = slice(begin, min(begin + step * size, last), step)
        expected = np.maximum(rates.expected(records, draws), 1e-300)
        made = generator.poisson(expected).astype(np.float64)
        for name in MEANING:
            real[name].append(_measure(name, np.broadcast_to(seen, made.shape), expected, ranks))
            copies[name].append(_measure(name, made, expected, ranks))
    return {name: (np.concatenate(real[name]), np.concatenate(copies[name])) for name in MEANING}


def _measure(
    name: str,
    counts: NDArray[np.float64],
    expected: NDArray[np.float64],
    ranks: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return a measure of counts [draws, rows]: [draws]."""
    if name == "largest":
        return np.asarray(counts.max(axis=1))
    if name == "zeros":
        return np.asarray((counts == 0.0).mean(axis=1))
    if name == "dispersion":
        squares = (counts - expected) ** 2 / expected
        return np.asarray(squares.mean(axis=1))
    excess = (counts - expected) / np.sqrt(expected)
    centred = ranks - ranks.mean()
    scale = np.sqrt((excess**2).sum(axis=1) * (centred**2).sum())
    return np.asarray((excess @ centred) / np.where(scale > 0.0, scale, 1.0))
