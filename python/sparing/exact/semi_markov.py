"""Long-run cost per unit of time where epochs last unequally long, with certified bounds.

For a fixed gain g the epoch with cost - g duration is an ordinary average-cost problem; its gain
falls in g and is 0 at the optimum (Howard 1971; Puterman 2005, sec. 11.4.4). Sweeps go on from the
values of the last g, so the search over g costs few sweeps more than one solve.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from sparing._checks import is_number
from sparing.epoch import Epoch
from sparing.exact.checkpoint import Checkpoint, fingerprint
from sparing.exact.engine import check_memory, general_bytes
from sparing.exact.gain_search import DURATION, GainSearch, Position
from sparing.exact.interrupts import deferred_interrupt
from sparing.exact.options import Options, check_state, checked_weights
from sparing.exact.progress import ProgressHook
from sparing.exact.semi_markov_solution import SemiMarkovSolution
from sparing.model_error import ModelError

__all__ = ["DURATION", "SemiMarkovSolution", "solve_semi_markov"]


def solve_semi_markov(
    epoch: Epoch,
    weights: Mapping[str, float] | None = None,
    *,
    initial: tuple[int, ...] | None = None,
    guess: float = 0.0,
    error: ModelError | None = None,
    options: Options | None = None,
    progress: ProgressHook | None = None,
    checkpoint_dir: Path | None = None,
) -> SemiMarkovSolution:
    """Minimise the long-run cost per unit of time of an epoch that repeats for ever.

    Stops when the certified bounds are at most ``tol`` apart. If TV - V lies in [l, u] for the
    operator T of cost - g duration, and every epoch is expected to last between a and b, then no
    policy costs less than g + l / b (g + l / a if l < 0), and the greedy one no more than
    g + u / a (g + u / b if u < 0). This holds for any g and V; l and u are widened by the rounding
    of the sweep and by `error`.

    Parameters
    ----------
    epoch
        Has costs of kind ``"duration"``, which are the expected length of an epoch; discount 1.
    weights
        Weight per kind of cost in the objective; default 1 for each but the duration.
    initial
        The state [axes] whose relative value is 0; default all zeros.
    guess
        The gain to start from; a good one saves sweeps.
    error
        How far the epoch's numbers can be from those of the model.
    options
        As for value iteration; ``dtype`` must be float64.
    progress, checkpoint_dir
        As for value iteration.

    Raises
    ------
    KeyboardInterrupt
        After the sweep that was running when Ctrl-C came, with the state saved.
    ValueError
        If the epoch is discounted, has no duration, or an epoch may last no time.
    """
    options = options or Options()
    weights = _checked_weights(epoch, weights)
    if options.dtype != "float64":
        raise ValueError(f"a solve per unit of time needs dtype 'float64'; got {options.dtype!r}.")
    if not (is_number(guess) and np.isfinite(guess)):
        raise ValueError(f"guess must be a finite number; got {guess!r}.")
    first = tuple(initial) if initial is not None else (0,) * len(epoch.axes)
    check_state(epoch, first)
    check_memory(general_bytes(epoch, np.float64), f"a solve of {epoch.num_states:,} states")
    search = GainSearch(epoch, weights, first, error or ModelError(), options, progress)
    if checkpoint_dir is not None:
        same = replace(options, num_threads=0)  # the threads do not change the result
        key = fingerprint(
            epoch, weights, criterion="semi-markov", options=same, guess=guess, error=search.error
        )
        search.checkpoint = Checkpoint(directory=checkpoint_dir, key=key, position_type=Position)
    with deferred_interrupt() as search.pending:
        return search.solve(Position(gain=float(guess)))


def _checked_weights(epoch: Epoch, weights: Mapping[str, float] | None) -> dict[str, float]:
    if epoch.discount != 1.0:
        raise ValueError(
            f"a cost per unit of time needs discount 1; got {epoch.discount}. Discounted"
            " semi-Markov models are not supported."
        )
    if DURATION not in epoch.kinds:
        raise ValueError(
            f"no cost of kind {DURATION!r}, the expected length of an epoch; kinds:"
            f" {list(epoch.kinds)}."
        )
    if weights is None:
        weights = {kind: float(kind != DURATION) for kind in epoch.kinds}
    return checked_weights(epoch, weights)
