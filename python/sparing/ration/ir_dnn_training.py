"""Training of IR-DNN as Jiménez González (2021, sec. 3.5) describes it (imports JAX)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from numpy.typing import NDArray

from sparing.ration.classification import Classification
from sparing.ration.criticality import criticality
from sparing.ration.day import Day
from sparing.ration.ir_dnn import IrDnn

Layers = list[tuple[jax.Array, jax.Array]]
Progress = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class IrDnnParams:
    """Architecture and training; the defaults are those the thesis found best (sec. 3.6)."""

    hidden: tuple[int, ...] = (50, 60)
    dropout: tuple[float, ...] = (0.3, 0.0)
    max_epochs: int = 10
    patience: int = 3  # epochs without a better validation loss before it ends
    batch: int = 32
    learning_rate: float = 1e-3
    class_weights: bool = True
    threshold: float = 0.8
    num_folds: int = 7
    held_out: float = 0.1  # share of the orders that no choice and no training sees
    seed: int = 0


SEARCH = (  # layers and neurons, as in sec. 3.5.2
    IrDnnParams(hidden=(50,), dropout=(0.3,)),
    IrDnnParams(hidden=(20, 20), dropout=(0.3, 0.0)),
    IrDnnParams(hidden=(50, 60), dropout=(0.3, 0.0)),
    IrDnnParams(hidden=(50, 60), dropout=(0.0, 0.0)),
    IrDnnParams(hidden=(100, 60), dropout=(0.3, 0.0)),
    IrDnnParams(hidden=(50, 60, 30), dropout=(0.3, 0.0, 0.0)),
)


class Instances(NamedTuple):
    """Orders as the network meets them; labels are those of the criticality rule."""

    inputs: NDArray[np.float32]  # [B, 2 n + 2]
    supplier: NDArray[np.bool_]  # [B]


class Epoch(NamedTuple):
    """One epoch of training, for the curves of figure 2."""

    loss: float
    accuracy: float
    validation_loss: float
    validation_accuracy: float


@dataclass(frozen=True, kw_only=True, eq=False)
class Trained:
    """A trained IR-DNN, how its training went, and its figures on orders never seen."""

    rule: IrDnn
    params: IrDnnParams
    history: list[Epoch]
    probability: NDArray[np.float32]  # [B] of "supplier", on the orders held out
    label: NDArray[np.bool_]  # [B]
    search: list[tuple[IrDnnParams, list[Classification]]]  # per candidate and fold
    tuned_threshold: float | None  # of the greatest F1 in cross-validation; None without it

    def classified(self, threshold: float) -> Classification:
        """Return the figures on the orders held out, the stock constraint left aside."""
        return Classification.of(self.probability >= threshold, self.label)


def scales_of(days: Sequence[Day]) -> tuple[float, float, float, float]:
    """Return the greatest quantity, stock and margins, by which inputs are scaled to [0, 1]."""
    parts = (
        [day.orders.quantity for day in days],
        [day.stock for day in days],
        [day.own_margin for day in days],
        [day.drop_margin for day in days],
    )
    quantity, stock, own, dropped = (
        max(float(max(part.max(initial=0) for part in held)), 1e-12) for held in parts
    )
    return quantity, stock, own, dropped


def instances(days: Sequence[Day], scales: tuple[float, float, float, float]) -> Instances:
    """Label the orders by dynamic criticality, with the partial stock of each of its steps."""
    inputs, labels = [], []
    for day in days:
        found = criticality(day)
        assert found.sequence is not None
        demand = day.orders.dense()
        used = np.where(found.own[:, None], demand, 0)[found.sequence]
        stock = np.empty_like(demand)
        stock[found.sequence] = day.stock - (np.cumsum(used, axis=0) - used)
        margins = np.stack([day.own_margin / scales[2], day.drop_margin / scales[3]], axis=1)
        inputs.append(np.concatenate([demand / scales[0], stock / scales[1], margins], axis=1))
        labels.append(~found.own)
    return Instances(np.concatenate(inputs).astype(np.float32), np.concatenate(labels))


def train_ir_dnn(
    days: Sequence[Day],
    params: IrDnnParams | None = None,
    *,
    search: Sequence[IrDnnParams] = (),
    progress: Progress | None = None,
) -> Trained:
    """Train on these days.

    A tenth of the orders is held out. On the rest each candidate of `search` is trained
    `num_folds` times, with another fold for validation each, and the one of the greatest mean F1 is
    taken; without candidates it is `params`, and nothing is cross-validated. The last training
    stops early by the loss of the last fold.
    """
    chosen = params or IrDnnParams()
    report = progress or (lambda text: None)
    scales = scales_of(days)
    data = instances(days, scales)
    ranked = np.random.default_rng([chosen.seed, 7]).permutation(len(data.supplier))
    num_out = round(chosen.held_out * len(ranked))
    held, rest = ranked[:num_out], ranked[num_out:]
    folds = np.array_split(
        rest[: len(rest) // chosen.num_folds * chosen.num_folds], chosen.num_folds
    )
    results, unseen = [], {}
    for number, candidate in enumerate(search):
        report(f"ir_dnn: cross-validation, architecture {number + 1} of {len(search)}")
        same = replace(candidate, seed=chosen.seed, threshold=chosen.threshold)
        unseen[same], counts = _cross_validated(same, data, folds)
        results.append((same, counts))
    if results:
        chosen = max(results, key=lambda found: float(np.mean([c.f1 for c in found[1]])))[0]
    report("ir_dnn: training")
    layers, history = _fit(chosen, data, np.concatenate(folds[:-1]), folds[-1])
    tuned = None
    if chosen in unseen:
        tuned = best_threshold(unseen[chosen], data.supplier[np.concatenate(folds)])
    rule = IrDnn(layers=_flat(layers), scales=scales, threshold=chosen.threshold)
    return Trained(
        rule=rule,
        params=chosen,
        history=history,
        probability=_probability(layers, data.inputs[held]),
        label=data.supplier[held],
        search=results,
        tuned_threshold=tuned,
    )


def best_threshold(probability: NDArray[np.float32], label: NDArray[np.bool_]) -> float:
    """Return the threshold of the greatest F1, in steps of 0.01."""
    tried = [round(0.01 * step, 2) for step in range(5, 100)]
    f1 = [Classification.of(probability >= threshold, label).f1 for threshold in tried]
    return tried[int(np.nanargmax(f1))]


def _cross_validated(
    params: IrDnnParams, data: Instances, folds: list[NDArray[np.int64]]
) -> tuple[NDArray[np.float32], list[Classification]]:
    """Return the probability of each order by the training that did not see it, and the counts."""
    unseen, counts = [], []
    for number, fold in enumerate(folds):
        rest = np.concatenate([f for i, f in enumerate(folds) if i != number])
        layers, _ = _fit(params, data, rest, fold)
        unseen.append(_probability(layers, data.inputs[fold]))
        counts.append(Classification.of(unseen[-1] >= params.threshold, data.supplier[fold]))
    return np.concatenate(unseen), counts


def _forward(layers: Layers, inputs: Any, masks: Sequence[Any]) -> jax.Array:
    """Return logits; a mask multiplies what its hidden layer gives."""
    value = inputs
    for (weight, bias), mask in zip(layers[:-1], masks, strict=True):
        value = jax.nn.relu(value @ weight + bias) * mask
    weight, bias = layers[-1]
    logit: jax.Array = (value @ weight + bias)[..., 0]
    return logit


def _fit(
    params: IrDnnParams, data: Instances, rows: NDArray[np.int64], fold: NDArray[np.int64]
) -> tuple[Layers, list[Epoch]]:
    """Adam on the weighted cross-entropy; the weights of the best validation loss are kept."""
    layers = _initial(params, data.inputs.shape[1])
    optimizer = optax.adam(params.learning_rate)
    state: Any = layers, optimizer.init(layers)
    inputs, label = jnp.asarray(data.inputs), jnp.asarray(data.supplier, jnp.float32)
    positive = float(np.clip(data.supplier[rows].mean(), 1e-6, 1.0 - 1e-6))
    weights = (0.5 / positive, 0.5 / (1.0 - positive)) if params.class_weights else (1.0, 1.0)
    run, look = _compiled(params, optimizer)
    rng = np.random.default_rng([params.seed, 8])
    key = jax.random.key(params.seed)
    history: list[Epoch] = []
    best, kept, waited = np.inf, layers, 0
    for number in range(params.max_epochs):
        shuffled = rng.permutation(rows)[: len(rows) // params.batch * params.batch]
        batches = jnp.asarray(shuffled.reshape(-1, params.batch))
        keys = jax.random.split(jax.random.fold_in(key, number), len(batches))
        state, (loss, accuracy) = run(state, batches, keys, inputs, label, jnp.asarray(weights))
        validation = look(state[0], inputs[fold], label[fold], jnp.asarray(weights))
        history.append(Epoch(float(loss), float(accuracy), *map(float, validation)))
        waited += 1
        if history[-1].validation_loss < best:
            best, kept, waited = history[-1].validation_loss, state[0], 0
        if waited >= params.patience:
            break
    return kept, history


_COMPILED: dict[Any, Any] = {}


def _compiled(params: IrDnnParams, optimizer: optax.GradientTransformation) -> tuple[Any, Any]:
    """Return the epoch and the look at validation data, compiled once per way of training."""
    kind = params.hidden, params.dropout, params.learning_rate
    if kind in _COMPILED:
        found: tuple[Any, Any] = _COMPILED[kind]
        return found

    def losses(layers: Layers, x: Any, y: Any, weights: Any, masks: Any) -> tuple[Any, Any]:
        logit = _forward(layers, x, masks)
        each = jnp.where(y > 0.5, weights[0], weights[1])
        loss = (each * optax.sigmoid_binary_cross_entropy(logit, y)).mean()
        return loss, ((logit >= 0.0) == (y > 0.5)).mean()

    def step(state: Any, drawn: Any, inputs: Any, label: Any, weights: Any) -> Any:
        (layers, memory), (rows, key) = state, drawn
        masks = _masks(params, key, rows.shape[0])
        gradient = jax.value_and_grad(losses, has_aux=True)
        found, grads = gradient(layers, inputs[rows], label[rows], weights, masks)
        updates, memory = optimizer.update(grads, memory)
        return (optax.apply_updates(layers, updates), memory), found

    @jax.jit
    def run(state: Any, batches: Any, keys: Any, inputs: Any, label: Any, weights: Any) -> Any:
        body = lambda carry, drawn: step(carry, drawn, inputs, label, weights)  # noqa: E731
        state, (loss, accuracy) = jax.lax.scan(body, state, (batches, keys))
        return state, (loss.mean(), accuracy.mean())

    @jax.jit
    def look(layers: Layers, x: Any, y: Any, weights: Any) -> Any:
        return losses(layers, x, y, weights, [1.0] * len(params.hidden))

    _COMPILED[kind] = run, look
    return run, look


def _masks(params: IrDnnParams, key: jax.Array, size: int) -> list[Any]:
    masks: list[Any] = []
    keys = jax.random.split(key, len(params.hidden))
    for part, width, rate in zip(keys, params.hidden, params.dropout, strict=True):
        kept = jax.random.bernoulli(part, 1.0 - rate, (size, width)) if rate > 0.0 else 1.0
        masks.append(kept / (1.0 - rate))
    return masks


def _initial(params: IrDnnParams, num_inputs: int) -> Layers:
    """Glorot's uniform weights, as Keras begins with."""
    sizes = [num_inputs, *params.hidden, 1]
    layers = []
    keys = jax.random.split(jax.random.key(params.seed + 1), len(sizes) - 1)
    for key, size, width in zip(keys, sizes[:-1], sizes[1:], strict=True):
        limit = float(np.sqrt(6.0 / (size + width)))
        layers.append(
            (jax.random.uniform(key, (size, width), minval=-limit, maxval=limit), jnp.zeros(width))
        )
    return layers


def _probability(layers: Layers, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
    logits = _forward(layers, jnp.asarray(inputs), [1.0] * (len(layers) - 1))
    return np.asarray(jax.nn.sigmoid(logits), np.float32)


def _flat(layers: Layers) -> tuple[NDArray[np.float32], ...]:
    return tuple(np.asarray(part, np.float32) for pair in layers for part in pair)
