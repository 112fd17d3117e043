"""The fit of ARMA models in JAX: all orders of a chunk of series at once.

Imported when a fit is asked for and not before, as importing JAX takes a while.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

ITERATIONS = 20


def _solved(matrix: Any, right: Any) -> Any:
    """Return the solution of a small definite system (Gauss, Jordan; no pivots are needed).

    A call of LAPACK in its place stops for ever when two threads run this program at once.
    """
    rows = jnp.concatenate([matrix, right[:, None]], axis=1)
    for k in range(len(right)):
        pivot = rows[k] / rows[k, k]
        rows = (rows - jnp.outer(rows[:, k], pivot)).at[k].set(pivot)
    return rows[:, -1]


def _coefficients(partial: Any, sign: float) -> Any:
    """Return the coefficients of partial autocorrelations (Durbin, Levinson)."""
    a1, a2, a3 = partial
    a1, a2 = a1 - a2 * a1, a2  # second step: phi_1 (1 - phi_22), phi_22
    a1, a2 = a1 - a3 * a2, a2 - a3 * a1
    return sign * jnp.stack([a1, a2, a3])


def _unpacked(raw: Any, mask: Any) -> Any:
    partial = jnp.tanh(raw[1:]) * mask[1:]
    return raw[0], _coefficients(partial[:3], 1.0), _coefficients(partial[3:], -1.0)


def _predictions(raw: Any, mask: Any, x: Any, counts: Any) -> Any:
    """Return the expectations one step ahead; they stand in for values that do not count."""
    mean, ar, ma = _unpacked(raw, mask)

    def step(carry: Any, now: Any) -> Any:
        deviations, innovations = carry
        value, counted = now
        ahead = ar @ deviations + ma @ innovations
        deviation = jnp.where(counted > 0, value - mean, ahead)
        innovation = deviation - ahead
        deviations = jnp.concatenate([deviation[None], deviations[:-1]])
        innovations = jnp.concatenate([innovation[None], innovations[:-1]])
        return (deviations, innovations), ahead + mean

    zero = jnp.zeros(3)
    return jax.lax.scan(step, (zero, zero), (x, counts))[1]


def _residuals(raw: Any, mask: Any, x: Any, counts: Any) -> Any:
    return (x - _predictions(raw, mask, x, counts)) * counts


def _fit(mask: Any, x: Any, counts: Any) -> Any:
    """Return the parameters of one order and their sum of squares (Levenberg, Marquardt)."""
    both = jax.jacfwd(lambda raw: (_residuals(raw, mask, x, counts),) * 2, has_aux=True)

    def iterate(_: int, state: Any) -> Any:
        raw, damping, squares, gradient, gram = state
        lhs = gram + jnp.diag(damping * jnp.diag(gram) + 1e-9) + jnp.diag(1.0 - mask)
        step = -_solved(lhs, gradient)
        tried = raw + jnp.clip(step, -1.0, 1.0)
        jacobian, left = both(tried)
        found = left @ left
        better = found < squares
        jacobian = jacobian * mask

        def keep(new: Any, old: Any) -> Any:
            return jnp.where(better, new, old)

        return (
            keep(tried, raw),
            jnp.where(better, damping * 0.2, damping * 6.0),
            keep(found, squares),
            keep(jacobian.T @ left, gradient),
            keep(jacobian.T @ jacobian, gram),
        )

    start = jnp.array([0.0, 0.1, 0.05, 0.02, -0.1, -0.05, -0.02]) * mask
    jacobian, left = both(start)
    jacobian = jacobian * mask
    state = (start, 0.01, left @ left, jacobian.T @ left, jacobian.T @ jacobian)
    state = jax.lax.fori_loop(0, ITERATIONS, iterate, state)
    return state[0], state[2]


def _best(x: Any, counts: Any, masks: Any, penalty: Any) -> Any:
    """Return the order of least AIC: its number, parameters, predictions, squares and AIC."""
    raws, squares = jax.vmap(_fit, (0, None, None))(masks, x, counts)
    n = jnp.maximum(counts.sum(), 1.0)
    aic = n * jnp.log(jnp.maximum(squares / n, 1e-12)) + penalty
    chosen = jnp.argmin(aic)
    raw, mask = raws[chosen], masks[chosen]
    mean, ar, ma = _unpacked(raw, mask)
    ahead = _predictions(raw, mask, x, counts)
    parameters = jnp.concatenate([mean[None], ar, ma])
    return chosen, parameters, ahead, squares[chosen], aic[chosen]


fit_orders = jax.jit(jax.vmap(_best, (0, 0, None, None)))
