"""Training of the learned rule: policy iteration on simulated days (imports JAX)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from numpy.typing import NDArray

from sparing.ration.day import Day
from sparing.ration.learned import (
    LAYERS,
    LINE_FEATURES,
    ORDER_FEATURES,
    Learned,
    OpenLearned,
)
from sparing.ration.outlook import Outlook

Layers = list[tuple[jax.Array, jax.Array]]
Progress = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class LearnedParams:
    """How the learned rule is trained."""

    rounds: int = 2  # of policy iteration
    epochs: int = 6  # over the examples of a round
    batch: int = 1024
    learning_rate: float = 3e-3
    order_value: float = 0.5  # mean gains of an order that an order served counts beside its gain
    seed: int = 0


class Examples(NamedTuple):
    """Orders that fit, as met on the way of a policy; Z is the greatest number of lines."""

    lines: NDArray[np.float32]  # [B, Z, LINE_FEATURES]
    present: NDArray[np.float32]  # [B, Z] one where there is a line
    order: NDArray[np.float32]  # [B, ORDER_FEATURES]
    taken: NDArray[np.float32]  # [B, 2] what serving took: margin in mean gains, orders


def train_learned(
    days: Sequence[Day],
    outlooks: Sequence[Outlook],
    params: LearnedParams | None = None,
    *,
    progress: Progress | None = None,
) -> Learned:
    """Train on margin and service directly.

    On every day, each order that fits is both served and turned down, and the day is run on under
    the policy of the round; the difference is what serving it took from later orders. The network
    is fitted to the differences by least squares, so that it learns their expectation, and the
    next round runs under it (policy iteration by rollouts; Bertsekas 2019, sec. 2.4). The first
    round serves whatever fits.
    """
    options = params or LearnedParams()
    report = progress or (lambda text: None)
    rule = Learned(weights=np.zeros(0, np.float32), order_value=options.order_value)
    layers = _initial(jax.random.key(options.seed))
    for number in range(options.rounds):
        report(f"learned: round {number + 1} of {options.rounds}, running days on")
        examples = collect(rule, days, outlooks)
        report(f"learned: round {number + 1} of {options.rounds}, fitting {len(examples.taken):,}")
        layers = _fit(layers, examples, options, number)
        rule = Learned(weights=_flat(layers), order_value=options.order_value)
    return rule


def collect(rule: Learned, days: Sequence[Day], outlooks: Sequence[Outlook]) -> Examples:
    """Return what serving each order took, under `rule` on these days."""
    longest = max((int(np.diff(day.orders.indptr).max(initial=1)) for day in days), default=1)
    found = [_of_day(rule, *pair, longest) for pair in zip(days, outlooks, strict=True)]
    return Examples(*(np.concatenate(parts) for parts in zip(*found, strict=True)))


def _of_day(rule: Learned, day: Day, outlook: Outlook, longest: int) -> Examples:
    orders = day.orders
    lines = np.zeros((orders.sku.size, LINE_FEATURES), np.float32)
    order = np.zeros((len(orders), ORDER_FEATURES), np.float32)
    taken = np.zeros((len(orders), 2), np.float32)
    seen = OpenLearned(rule, day.margins, outlook).outlined(orders)
    own = np.zeros(len(orders), np.bool_)
    seen.labels(rule.weights, rule.order_value, day.stock.copy(), own, lines, order, taken)
    padded = np.zeros((len(orders), longest, LINE_FEATURES), np.float32)
    present = np.zeros(padded.shape[:2], np.float32)
    place = orders.order, np.arange(orders.sku.size) - orders.indptr[orders.order]
    padded[place], present[place] = lines, 1.0
    fits = np.isfinite(taken[:, 0])
    return Examples(padded[fits], present[fits], order[fits], taken[fits])


def opportunity(layers: Layers, lines: Any, present: Any, order: Any) -> jax.Array:
    """Return what the network expects serving to take [B, 2]; Deep Sets (Zaheer et al. 2017)."""
    (w0, b0), (w1, b1), (w2, b2), (w3, b3) = layers
    of_line = jax.nn.relu(jax.nn.relu(lines @ w0 + b0) @ w1 + b1)
    total = (of_line * present[..., None]).sum(axis=-2)
    joint = jnp.concatenate([total, order], axis=-1)
    return jax.nn.relu(joint @ w2 + b2) @ w3 + b3


def _initial(key: jax.Array) -> Layers:
    layers = []
    for part, (size, width) in zip(jax.random.split(key, len(LAYERS)), LAYERS, strict=True):
        scale = np.sqrt(2.0 / size) * (0.1 if width == 2 else 1.0)  # begins near "takes nothing"
        layers.append((scale * jax.random.normal(part, (size, width)), jnp.zeros(width)))
    return layers


def _fit(layers: Layers, examples: Examples, options: LearnedParams, number: int) -> Layers:
    """Fit by least squares: the aim is a mean, and it is rare events that make it."""
    held = [jnp.asarray(part) for part in examples]
    size = min(options.batch, len(examples.taken))
    batches = len(examples.taken) // size
    steps = options.epochs * batches
    optimizer = optax.adam(optax.cosine_decay_schedule(options.learning_rate, steps))

    def loss(weights: Layers, rows: jax.Array) -> jax.Array:
        lines, present, order, taken = (part[rows] for part in held)
        return jnp.square(opportunity(weights, lines, present, order) - taken).mean()

    def step(state: Any, rows: jax.Array) -> tuple[Any, None]:
        weights, memory = state
        updates, memory = optimizer.update(jax.grad(loss)(weights, rows), memory)
        return (optax.apply_updates(weights, updates), memory), None

    epoch = jax.jit(lambda state, rows: jax.lax.scan(step, state, rows)[0])
    state: Any = layers, optimizer.init(layers)
    rng = np.random.default_rng([options.seed, number])
    for _ in range(options.epochs):
        rows = rng.permutation(len(examples.taken))[: batches * size].reshape(batches, size)
        state = epoch(state, jnp.asarray(rows))
    fitted: Layers = state[0]
    return fitted


def _flat(layers: Layers) -> NDArray[np.float32]:
    parts = [np.asarray(part, np.float32).ravel() for pair in layers for part in pair]
    return np.concatenate(parts)
