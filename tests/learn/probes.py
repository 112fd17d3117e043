"""Five small environments whose values are known in closed form, as learners meet them.

Each is a list of states with their allowed choices; a choice has a cost, a duration, a weight of
what follows, and successors with probabilities. `best` holds the optimal values of the choices
under the discount, or, for the long-run probes, differences of them and the gain.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import jax
import jax.numpy as jnp
import numpy as np
from sparing.learn.environment import Transition


@dataclass(frozen=True, eq=False)
class TableEnvironment:
    """An environment from tables [S, A]: everything is looked up."""

    allowed: np.ndarray  # bool [S, A]
    cost: np.ndarray  # [S, A]
    successor: np.ndarray  # [S, A, S] probabilities
    weight: np.ndarray  # [S, A]
    duration: np.ndarray  # [S, A]; 0 within an epoch
    values: np.ndarray  # [S, A] optimal, NaN where not allowed; up to a constant if there is a gain
    gain: float | None = None
    starts: tuple[int, ...] = field(default=(0,))

    state_width = 1
    finite = True  # as far as the tables say; lanes begin at the first of `starts`

    @property
    def num_actions(self):
        return self.allowed.shape[1]

    @property
    def num_features(self):
        return self.allowed.shape[0]

    def initial(self, key, lanes):
        return jnp.full((lanes, 1), jnp.asarray(self.starts)[0], jnp.int32)

    def random_states(self, key, lanes):
        starts = jnp.asarray(self.starts, jnp.int32)
        return starts[jax.random.randint(key, (lanes,), 0, starts.size)][:, None]

    def features(self, states):
        return jax.nn.one_hot(states[:, 0], self.num_features, dtype=jnp.float32)

    def mask(self, states):
        return jnp.asarray(self.allowed)[states[:, 0]]

    def step(self, key, states, actions):
        at = states[:, 0], actions
        reached = jnp.cumsum(jnp.asarray(self.successor, jnp.float32), axis=-1)[at]
        draws = jax.random.uniform(key, (states.shape[0], 1))
        following = jnp.minimum((draws >= reached).sum(-1), self.num_features - 1)
        duration = jnp.asarray(self.duration, jnp.float32)[at]
        return Transition(
            states=following[:, None].astype(jnp.int32),
            cost=jnp.asarray(self.cost, jnp.float32)[at],
            duration=duration,
            discount=jnp.asarray(self.weight, jnp.float32)[at],
            epoch_ended=duration > 0.0,
        )


def _tables(num_states, num_actions):
    shape = num_states, num_actions
    return {
        "allowed": np.zeros(shape, bool),
        "cost": np.zeros(shape),
        "successor": np.zeros((*shape, num_states)),
        "weight": np.ones(shape),
        "duration": np.ones(shape),
        "values": np.full(shape, np.nan),
    }


def _choice(tables, state, action, cost, to, *, weight=1.0, duration=1.0, value=np.nan):
    for name, given in (("allowed", True), ("cost", cost), ("weight", weight)):
        tables[name][state, action] = given
    tables["duration"][state, action] = duration
    tables["values"][state, action] = value
    for following, probability in to.items():
        tables["successor"][state, action, following] = probability


def two_periods():
    """Horizon of two: a first choice costs 1 or 2, and leads to a last one of 5 or 1.

    The cheap first choice is the dear one in all: 1 + 5 = 6 against 2 + 1 = 3.
    """
    tables = _tables(3, 2)
    _choice(tables, 0, 0, 1.0, {1: 1.0}, value=6.0)
    _choice(tables, 0, 1, 2.0, {2: 1.0}, value=3.0)
    _choice(tables, 1, 0, 5.0, {0: 1.0}, weight=0.0, value=5.0)
    _choice(tables, 2, 0, 1.0, {0: 1.0}, weight=0.0, value=1.0)
    return TableEnvironment(**tables, starts=(0,))


def run_to_failure():
    """A unit fails with chance p a period; a failed one is replaced at cost r. Discount g.

    v0 = g p r / ((1 - g)(1 + g p)) and v1 = r + g v0 (the closed form of the solver's own test).
    One may replace a working unit too, at the same cost: r + g v0.
    """
    g, p, r = 0.9, 0.1, 10.0
    failure = g * p * r / ((1 - g) * (1 + g * p))
    tables = _tables(2, 2)
    _choice(tables, 0, 0, 0.0, {0: 1 - p, 1: p}, weight=g, value=failure)
    _choice(tables, 0, 1, r, {0: 1.0}, weight=g, value=r + g * failure)
    _choice(tables, 1, 1, r, {0: 1.0}, weight=g, value=r + g * failure)
    return TableEnvironment(**tables, starts=(0, 1))


def rare_and_dear():
    """Leave (a loss of 100 with chance .02 a period) or pay 1.5 for certain; discount .9.

    Paying is better: 15 for ever, against .02 * 100 + .9 * 15 = 15.5 for leaving once. A loss
    function that is robust to outliers hardly sees the losses, and leaves. The draw is met within
    the epoch: states 1 and 2, in which lanes may start as well, are "lost" and "not lost".
    """
    tables = _tables(3, 2)
    _choice(tables, 0, 0, 0.0, {1: 0.02, 2: 0.98}, duration=0.0, value=15.5)
    _choice(tables, 0, 1, 1.5, {0: 1.0}, weight=0.9, value=15.0)
    _choice(tables, 1, 0, 100.0, {0: 1.0}, weight=0.9, value=113.5)
    _choice(tables, 2, 0, 0.0, {0: 1.0}, weight=0.9, value=13.5)
    return TableEnvironment(**tables, starts=(0, 1, 2))


def unequal_lengths():
    """Pay 6 for two units of time or 4 for one: the dearer choice has the lower rate, 3 < 4.

    Values: 6 - 3 * 2 = 0 and 4 - 3 * 1 = 1.
    """
    tables = _tables(1, 2)
    _choice(tables, 0, 0, 6.0, {0: 1.0}, duration=2.0, value=0.0)
    _choice(tables, 0, 1, 4.0, {0: 1.0}, duration=1.0, value=1.0)
    return TableEnvironment(**tables, gain=3.0)


def masked_bargain():
    """The forbidden choices would seem to pay 100, within an epoch of two choices as well.

    Waiting costs 2 a period; sending a crew costs .5 and its work 1, in all 1.5, which is the
    gain. Values: 2 - 1.5 = .5, .5 - .5 = 0, and 1 - 1.5 = -.5.
    """
    tables = _tables(2, 3)
    tables["cost"][:] = -100.0
    _choice(tables, 0, 1, 2.0, {0: 1.0}, value=0.5)
    _choice(tables, 0, 2, 0.5, {1: 1.0}, duration=0.0, value=0.0)
    _choice(tables, 1, 0, 1.0, {0: 1.0}, value=-0.5)
    tables["successor"][~tables["allowed"], 0] = 1.0
    return TableEnvironment(**tables, gain=1.5, starts=(0,))


PROBES = {
    "two periods": two_periods,
    "run to failure": run_to_failure,
    "rare and dear": rare_and_dear,
    "unequal lengths": unequal_lengths,
    "masked bargain": masked_bargain,
}
