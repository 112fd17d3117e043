"""What it would be worth to know failure rates: the most that better data on them can be worth."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sparing.evaluate.network_plan import NetworkSolution, SolveOptions
from sparing.evaluate.network_solution import solve_network
from sparing.models.network_values import GammaPrior
from sparing.models.spares_network import Part, SparesNetwork

NODES = 16  # rates at which the problem is solved; half of them tell how far that is off
CERTAIN = 1e6  # shape of a belief that is as good as known


@dataclass(frozen=True, kw_only=True)
class InformationValue:
    """The value of knowing a part's failure rate from the start.

    Parameters
    ----------
    mean
        Expected saving per review if the rate were known, by an exact plan at each rate: the
        expected value of perfect information (Raiffa & Schlaifer 1961).
    error
        By how much half as many rates differ.
    """

    part: str
    mean: float
    error: float


def information_values(solution: NetworkSolution) -> tuple[InformationValue, ...]:
    """Return what the rate of each part is worth to know.

    The optimum at a known rate is averaged over the belief by Gauss-Laguerre quadrature.
    """
    network, found = solution.problem, []
    for plan in solution.plans:
        cost = (plan.lower + plan.upper) / 2.0
        known = [_known_cost(network, plan.part, count) for count in (NODES, NODES // 2)]
        values = [max(cost - value, 0.0) / network.periods for value in known]
        value = InformationValue(
            part=plan.part.name, mean=values[0], error=abs(values[0] - values[1])
        )
        found.append(value)
    return tuple(found)


def _known_cost(network: SparesNetwork, part: Part, count: int) -> float:
    """Return the mean cost of the plans that know the rate, over what is believed of it."""
    total = 0.0
    for rate, weight in zip(*gamma_nodes(part.prior, count), strict=True):
        known = replace(part, prior=GammaPrior(shape=CERTAIN, rate=CERTAIN / float(rate)))
        alone = replace(network, parts=(known,), sla=None, belief_levels=1)
        found = solve_network(alone, SolveOptions())
        total += float(weight) * found.objective
    return total


def gamma_nodes(belief: GammaPrior, count: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return rates and weights [count] whose sums are means over a Gamma belief.

    Exact for polynomials of degree 2 count - 1: the eigenvalues of the Jacobi matrix of the
    generalised Laguerre polynomials (Golub & Welsch 1969).
    """
    alpha, k = belief.shape - 1.0, np.arange(count)
    beside = np.sqrt(k[1:] * (k[1:] + alpha))
    matrix = np.diag(2.0 * k + 1.0 + alpha) + np.diag(beside, 1) + np.diag(beside, -1)
    nodes, vectors = np.linalg.eigh(matrix)
    return nodes / belief.rate, vectors[0] ** 2
