"""Very many records with a climate each, as weights at a few climates that give the same sums.

All that the posterior asks of records is sums of exposure_i exp(x_i . t) over the records of a
component, and their derivatives in t: sums of smooth functions of the climate x_i. A smooth
function is known from its values at Chebyshev nodes, so its sum over any number of records is a
weighted sum over nodes (Trefethen, Approximation Theory and Practice, 2013, ch. 4 and 19). For
exp(x t) on a range of half width h the error is below 2 (h t / 2)^n / n!, here 1e-13 for
``h t`` = 8.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.polynomial.chebyshev import chebvander
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Rows: TypeAlias = tuple[NDArray[np.intp], Floats, Floats, Floats]  # component, count, exposure, x

NODES = 32  # a covariate
REACH = 8.0  # of an effect times the half width of its covariate, up to which sums are exact
MANY = 20_000  # rows from which on it is worth it
BLOCK = 1 << 15  # records at a time


def on_nodes(rows: Rows) -> Rows | None:
    """Return rows at nodes in place of very many; None where that would not make them fewer.

    Counts and exposures at nodes are weights: they may be below 0, but sums over a component of
    counts, exposures and either times a smooth function of the climate are those of the records.
    """
    at, counts, exposure, shift = rows
    components, dims = int(at.max()) + 1, shift.shape[1]
    if at.size < max(MANY, 4 * components * NODES**dims):
        return None
    middle, half = _box(shift)
    cosines = np.cos(np.pi * (np.arange(NODES) + 0.5) / NODES)
    back = 2.0 / NODES * chebvander(cosines, NODES - 1)  # [node, degree]
    back[:, 0] /= 2.0
    grid = np.stack(np.meshgrid(*[cosines] * dims, indexing="ij"), axis=-1).reshape(-1, dims)
    weights = np.zeros((2, components, NODES**dims))
    for component in range(components):
        mine = at == component
        for kind, amount in enumerate((counts[mine], exposure[mine])):
            moments = _moments(amount, (shift[mine] - middle) / half)
            for axis in range(dims):
                moments = np.moveaxis(np.tensordot(back, moments, axes=(1, axis)), 0, axis)
            weights[kind, component] = moments.ravel()
    return (
        np.repeat(np.arange(components), NODES**dims),
        weights[0].ravel(),
        weights[1].ravel(),
        np.tile(middle + half * grid, (components, 1)),
    )


def within_reach(effects: Floats, shift: Floats) -> bool:
    """Whether sums at nodes are exact for effects [B, K] on rows with these climates [rows, K]."""
    _, half = _box(shift)
    return bool((np.abs(effects).max(axis=0, initial=0.0) * half).max() <= REACH)


def _box(shift: Floats) -> tuple[Floats, Floats]:
    low, high = shift.min(axis=0), shift.max(axis=0)
    half = (high - low) / 2.0
    return (low + high) / 2.0, np.where(half > 0.0, half, 1.0)


def _moments(amount: Floats, x: Floats) -> Floats:
    """Return sums over records of `amount` times Chebyshev polynomials of each covariate."""
    total = np.zeros((NODES,) * x.shape[1])
    for begin in range(0, amount.size, BLOCK):
        part = slice(begin, begin + BLOCK)
        first, *others = (chebvander(column, NODES - 1) for column in x[part].T)
        weighted = first * amount[part, None]
        total += weighted.T @ others[0] if others else weighted.sum(axis=0)
    return total
