"""Long rollouts on draws that neither tuning nor learning has seen, the same for every policy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil, log

from sparing.epoch import Epoch
from sparing.policies import Policy
from sparing.simulate.results import SimulationResult
from sparing.simulate.rollouts import simulate

REPLICATIONS, EPOCHS, WARM_UP = 256, 1000, 200
FRESH_SEED = 1 << 20  # tuning draws by another generator altogether
NEGLIGIBLE = 1e-6  # weight of what follows a discounted simulation


def fresh_rollouts(
    epoch: Epoch,
    policy: Policy,
    *,
    weights: Mapping[str, float],
    start: Sequence[int],
    epochs: int = EPOCHS,
    replications: int = REPLICATIONS,
    seed: int = 0,
    num_threads: int = 0,
) -> SimulationResult:
    """Return the objective of `policy` by simulation.

    An average is that of `epochs` inspections behind `WARM_UP` more; a discounted total runs until
    what follows is negligible.
    """
    average = epoch.discount == 1.0
    return simulate(
        epoch,
        policy,
        num_epochs=epochs + WARM_UP if average else ceil(log(NEGLIGIBLE) / log(epoch.discount)),
        num_replications=replications,
        warm_up=WARM_UP if average else 0,
        seed=FRESH_SEED + seed,
        weights=weights,
        start=start,
        num_threads=num_threads,
    )
