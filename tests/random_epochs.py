"""Random epochs: of every node, and of the shape of multi-component maintenance.

`random_epoch(rng)` and `random_separable(rng)` are driven by a NumPy generator, `epochs()` and
`separable_epochs()` are Hypothesis strategies that shrink in structure (numbers come from a drawn
seed). A `Draft` is what an Epoch is made of, before it is known whether every state allows an
action.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray
from random_dice import (
    KINDS,
    SEEDS,
    Dice,
    Draft,
    Recipe,
    feasible,
    hypothesis_pick,
    numpy_pick,
    seed_of,
)
from random_maintenance import drafted_separable
from random_nodes import drafted
from sparing.epoch import Axis, Epoch


def random_epoch(rng: np.random.Generator, recipe: Recipe | None = None) -> Epoch:
    """Return a valid random epoch with nodes of every sort."""
    return feasible(drafted, numpy_pick(rng), seed_of(rng), recipe or Recipe())


def random_separable(rng: np.random.Generator, recipe: Recipe | None = None) -> Epoch:
    """Return a random maintenance epoch: joint costs, repairs unit by unit, wear unit by unit."""
    return feasible(drafted_separable, numpy_pick(rng), seed_of(rng), recipe or Recipe())


def random_draft(rng: np.random.Generator, recipe: Recipe | None = None) -> Draft:
    """Return a random draft, of which some states may allow nothing."""
    recipe = recipe or Recipe()
    return drafted(Dice(numpy_pick(rng), rng, recipe))


def random_weights(rng: np.random.Generator, *, exact: bool = False) -> dict[str, float]:
    """Return weights of the kinds: positive, negative, zero or absent, at least one not zero."""
    numbers = rng.integers(-1, 4, len(KINDS)) if exact else rng.uniform(-0.5, 2.0, len(KINDS))
    kept = {k: float(w) for k, w in zip(KINDS, numbers, strict=True) if rng.random() < 0.8}
    return kept if any(kept.values()) else dict.fromkeys(KINDS, 1.0)


def random_value(
    rng: np.random.Generator, axes: Sequence[Axis], *, exact: bool = False
) -> NDArray[np.float64]:
    """Return a random value tensor on `axes`."""
    shape = tuple(axis.size for axis in axes)
    return rng.integers(-20, 20, shape) * 1.0 if exact else rng.normal(0.0, 10.0, shape)


@st.composite
def epochs(draw: st.DrawFn, recipe: Recipe | None = None) -> Epoch:
    """Strategy of `random_epoch`."""
    return feasible(drafted, hypothesis_pick(draw), draw(SEEDS), recipe or Recipe())


@st.composite
def separable_epochs(draw: st.DrawFn, recipe: Recipe | None = None) -> Epoch:
    """Strategy of `random_separable`."""
    return feasible(drafted_separable, hypothesis_pick(draw), draw(SEEDS), recipe or Recipe())


@st.composite
def drafts(draw: st.DrawFn, recipe: Recipe | None = None) -> Draft:
    """Strategy of `random_draft`."""
    rng = np.random.default_rng(draw(SEEDS))
    return drafted(Dice(hypothesis_pick(draw), rng, recipe or Recipe()))


@st.composite
def cases(
    draw: st.DrawFn, recipe: Recipe | None = None, *, separable: bool = False
) -> tuple[Epoch, NDArray[np.float64], dict[str, float]]:
    """Strategy of an epoch, a value behind it and weights: all that a backup needs."""
    recipe = recipe or Recipe()
    epoch = draw(separable_epochs(recipe) if separable else epochs(recipe))
    rng = np.random.default_rng(draw(SEEDS))
    value = random_value(rng, epoch.end_axes, exact=recipe.exact)
    return epoch, value, random_weights(rng, exact=recipe.exact)
