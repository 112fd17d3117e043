"""Bayes updates of what is believed of one component, in batches."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sparing import _core
from sparing._checks import check_stochastic
from sparing._threads import default_num_threads
from sparing.models.hidden import HiddenComponent

Numbers = NDArray[np.float64]


def kernel_arrays(component: HiddenComponent) -> tuple[Numbers, Numbers, Numbers, Numbers]:
    """Return what the kernels know of a component: transition, success, cost, channel."""
    return (
        component.transition,
        component.option_success,
        component.option_cost,
        component.channel,
    )


def update_beliefs(
    component: HiddenComponent,
    beliefs: ArrayLike,
    options: ArrayLike,
    observations: ArrayLike,
    *,
    num_threads: int | None = None,
) -> tuple[Numbers, Numbers]:
    """Return the beliefs after one period, and how likely their observations were.

    Parameters
    ----------
    beliefs
        Shape (batch, states), before the option is taken; rows sum to one.
    options
        Shape (batch,): numbers in ``component.options``.
    observations
        Shape (batch,): columns of the option's channel. Without an inspection, 0 means not failed
        and the last one failed.

    Returns
    -------
    tuple
        Beliefs of shape (batch, states), zero where the observation is impossible, and the chances
        of shape (batch,).

    Raises
    ------
    ValueError
        If the shapes differ, or an option or observation does not exist.
    """
    given = np.array(beliefs, dtype=np.float64, order="C")
    if given.ndim != 2 or given.shape[1] != component.num_states:
        raise ValueError(
            f"beliefs must have shape (batch, {component.num_states}); got {given.shape}."
        )
    check_stochastic("beliefs", given)
    size = len(given)
    chosen = _numbers("options", options, size, len(component.options))
    seen = _numbers("observations", observations, size, component.channel.shape[2])
    found, chance = np.empty_like(given), np.empty(size)
    threads = default_num_threads() if num_threads is None else num_threads
    arrays = kernel_arrays(component)
    _core.filter_beliefs(*arrays, given, chosen, seen, found, chance, threads)
    return found, chance


def _numbers(name: str, given: ArrayLike, size: int, below: int) -> NDArray[np.int32]:
    numbers = np.asarray(given)
    if numbers.shape != (size,) or numbers.dtype.kind not in "iu":
        raise ValueError(f"{name} must be {size} whole numbers; got shape {numbers.shape}.")
    if size and not (numbers.min() >= 0 and numbers.max() < below):
        raise ValueError(f"{name} must be at least 0 and below {below}.")
    return numbers.astype(np.int32)


def successors(
    component: HiddenComponent, beliefs: Numbers, option: int
) -> tuple[Numbers, Numbers]:
    """Return what may be believed after `option`, and how likely each is.

    Returns
    -------
    tuple
        Beliefs of shape (batch, observations, states), zero where impossible, and chances of shape
        (batch, observations).
    """
    size, seen = len(beliefs), component.channel.shape[2]
    repeated = np.ascontiguousarray(np.repeat(beliefs, seen, axis=0))
    options = np.full(size * seen, option, dtype=np.int32)
    observations = np.tile(np.arange(seen, dtype=np.int32), size)
    found, chance = np.empty_like(repeated), np.empty(size * seen)
    arrays = kernel_arrays(component)
    _core.filter_beliefs(*arrays, repeated, options, observations, found, chance, 1)
    return found.reshape(size, seen, -1), chance.reshape(size, seen)


def jax_update(component: HiddenComponent) -> Any:
    """Return the same update as a function of JAX arrays, which can be jitted and differentiated.

    Returns
    -------
    Callable
        ``update(beliefs [..., states], options [...], observations [...])``, giving the beliefs and
        their chances as `update_beliefs` does, in the precision of JAX.
    """
    import jax.numpy as jnp

    transition, success, _, channel = (jnp.asarray(a) for a in kernel_arrays(component))

    def update(beliefs: Any, options: Any, observations: Any) -> tuple[Any, Any]:
        new = success[options][..., None]
        predicted = new * transition[0] + (1.0 - new) * (beliefs @ transition)
        seen = channel[options, :, observations]
        joint = predicted * seen
        chance = joint.sum(axis=-1)
        scale = jnp.where(chance > 0.0, chance, 1.0)[..., None]
        return joint / scale, chance

    return update
