"""A network that predicts what an inspection costs, fitted to records."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np
import optax
from numpy.typing import NDArray

from sparing.learn.networks import Network, Parameters
from sparing.records.cost_records import CostRecords

Layout = tuple[int, ...]  # states of each component


@dataclass(frozen=True, kw_only=True)
class CostSettings:
    """How a network of the cost is made and fitted.

    Parameters
    ----------
    hidden, dropout
        Widths of its layers, and the share of units dropped in each while fitting.
    inputs
        "numbers": the states found and left as they are; "one-hot": a column per state.
    learning_rate, batch, passes
        Of Adam; passes over the training records.
    falling
        Whether the learning rate falls linearly to zero.
    standardised
        Whether the cost is fitted less its mean, over its standard deviation.
    test_share
        Of the records, drawn at random, on which the error is measured.
    """

    hidden: tuple[int, ...] = (128, 128)
    dropout: tuple[float, ...] = ()
    inputs: Literal["numbers", "one-hot"] = "one-hot"
    learning_rate: float = 3e-3
    batch: int = 256
    passes: int = 60
    falling: bool = True
    standardised: bool = True
    test_share: float = 0.1

    def __post_init__(self) -> None:
        if self.inputs not in ("numbers", "one-hot"):
            raise ValueError(f"inputs must be 'numbers' or 'one-hot'; got {self.inputs!r}.")
        for name in ("batch", "passes"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1; got {getattr(self, name)}.")
        if not 0.0 < self.learning_rate < float("inf"):
            raise ValueError(f"learning_rate must be above 0; got {self.learning_rate!r}.")
        if not 0.0 < self.test_share < 1.0:
            raise ValueError(f"test_share must be above 0 and below 1; got {self.test_share!r}.")


# Table 6 of Jimenez Gonzalez (2021): what it prints, and else Keras as it comes (inputs and cost
# as they are, a constant rate). It does not print how many passes were made.
_THESIS = CostSettings(
    hidden=(737, 1456),
    dropout=(0.020, 0.025),
    inputs="numbers",
    learning_rate=0.1231,
    batch=444,
    falling=False,
    standardised=False,
)
COST_PRESETS: dict[str, CostSettings] = {"default": CostSettings(), "thesis": _THESIS}


@dataclass(frozen=True, kw_only=True, eq=False)
class CostNetwork:
    """A fitted network.

    Attributes
    ----------
    train_rmse, test_rmse
        Root mean squared error on the records it was fitted to and on those held out, without
        dropout, in units of cost.
    num_train, num_test
        How many there are of each.
    """

    network: Network
    parameters: Parameters
    settings: CostSettings
    sizes: Layout
    mean: float
    spread: float
    train_rmse: float
    test_rmse: float
    num_train: int
    num_test: int

    def __call__(self, found: NDArray[np.int64], left: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the predicted cost [B] of bringing states [B, components] to others."""
        seen = jnp.asarray(_inputs(self.settings, self.sizes, found, left))
        predict = jax.jit(self.network.apply)
        values = predict(self.parameters, seen, jnp.ones((len(seen), 1), bool))[:, 0]
        return np.asarray(values, np.float64) * self.spread + self.mean


def fit_cost(
    records: CostRecords, sizes: Layout, settings: CostSettings | None = None, *, seed: int = 0
) -> CostNetwork:
    """Fit a network to what inspections cost, by least squares on 90 % of the records.

    Parameters
    ----------
    sizes
        States of each component.

    Raises
    ------
    FloatingPointError
        If the fit diverges.
    """
    settings = settings or COST_PRESETS["default"]
    order = np.random.default_rng(seed).permutation(len(records))
    num_test = max(1, round(settings.test_share * len(records)))
    test, train = order[:num_test], order[num_test:]
    inputs = _inputs(settings, sizes, records.found, records.left)
    mean, spread = 0.0, 1.0
    if settings.standardised:
        mean = float(records.cost[train].mean())
        spread = float(records.cost[train].std()) or 1.0
    goal = ((records.cost - mean) / spread).astype(np.float32)
    network = Network(
        num_features=inputs.shape[1],
        num_actions=1,
        hidden=settings.hidden,
        dueling=False,
        layer_norm=False,
        dropout=settings.dropout,
    )
    parameters = _fit(network, settings, inputs[train], goal[train], seed)
    found = CostNetwork(
        network=network,
        parameters=jax.device_get(parameters),
        settings=settings,
        sizes=sizes,
        mean=mean,
        spread=spread,
        train_rmse=0.0,
        test_rmse=0.0,
        num_train=train.size,
        num_test=test.size,
    )
    error = found(records.found, records.left) - records.cost
    if not np.isfinite(error).all():
        raise FloatingPointError("the fit of the cost diverged; lower its learning_rate.")
    rmse = [float(np.sqrt(np.mean(np.square(error[part])))) for part in (train, test)]
    object.__setattr__(found, "train_rmse", rmse[0])
    object.__setattr__(found, "test_rmse", rmse[1])
    return found


def _fit(
    network: Network,
    settings: CostSettings,
    inputs: NDArray[np.float32],
    goal: NDArray[np.float32],
    seed: int,
) -> Parameters:
    batch = min(settings.batch, len(goal))
    per_pass = len(goal) // batch
    total = per_pass * settings.passes
    end = 0.0 if settings.falling else settings.learning_rate
    optimizer = optax.adam(optax.linear_schedule(settings.learning_rate, end, total))
    seen, wanted, mask = jnp.asarray(inputs), jnp.asarray(goal), jnp.ones((batch, 1), bool)

    def loss(parameters: Parameters, rows: jax.Array, key: jax.Array) -> jax.Array:
        values = network.apply(parameters, seen[rows], mask, key)[:, 0]
        return jnp.square(values - wanted[rows]).mean()

    def step(carry: Any, given: Any) -> tuple[Any, None]:
        parameters, memory = carry
        gradients = jax.grad(loss)(parameters, *given)
        updates, memory = optimizer.update(gradients, memory, parameters)
        return (optax.apply_updates(parameters, updates), memory), None

    def go_over(carry: Any, key: jax.Array) -> tuple[Any, None]:
        shuffling, dropping = jax.random.split(key)
        order = jax.random.permutation(shuffling, len(goal))[: per_pass * batch]
        rows = order.reshape(per_pass, batch), jax.random.split(dropping, per_pass)
        return jax.lax.scan(step, carry, rows)[0], None

    beginning, running = jax.random.split(jax.random.key(seed))
    parameters = network.init(beginning)
    start = parameters, optimizer.init(parameters)
    run = jax.jit(lambda carry, keys: jax.lax.scan(go_over, carry, keys)[0][0])
    fitted: Parameters = run(start, jax.random.split(running, settings.passes))
    return fitted


def _inputs(
    settings: CostSettings, sizes: Layout, found: NDArray[np.int64], left: NDArray[np.int64]
) -> NDArray[np.float32]:
    both = np.concatenate([found, left], axis=1)
    if settings.inputs == "numbers":
        return both.astype(np.float32)
    columns = [both[:, [k]] == np.arange(size) for k, size in enumerate((*sizes, *sizes))]
    return np.concatenate(columns, axis=1).astype(np.float32)
