"""Exact evaluation of any policy where epochs last unequally long: measures per unit of time."""

from __future__ import annotations

from collections.abc import Mapping

from sparing.epoch import Epoch
from sparing.exact.options import Options
from sparing.exact.policy_evaluation import Bounds, epoch_under
from sparing.exact.semi_markov import solve_semi_markov
from sparing.model_error import ModelError
from sparing.policies import Policy


def evaluate_semi_markov(
    epoch: Epoch,
    policy: Policy,
    measures: Mapping[str, Mapping[str, float]],
    *,
    weights: Mapping[str, float] | None = None,
    error: ModelError | None = None,
    tol: float = 1e-9,
    num_threads: int = 0,
) -> dict[str, Bounds]:
    """Return bounds of each measure per unit of time under `policy`.

    Parameters
    ----------
    measures
        Per measure the weights of the kinds of cost it adds up.
    weights, error
        As in `epoch_under` and `solve_semi_markov`.
    tol
        Wanted distance of the bounds; wider where rounding or several recurrent classes demand.
    """
    chain = epoch_under(epoch, policy, weights)
    options = Options(tol=tol, keep_value=False, keep_policy=False, num_threads=num_threads)
    found = {}
    for name, kinds in measures.items():
        present = {kind: weight for kind, weight in kinds.items() if kind in chain.kinds}
        solution = solve_semi_markov(chain, present, error=error, options=options)
        found[name] = Bounds(lower=solution.lower, upper=solution.upper)
    return found
