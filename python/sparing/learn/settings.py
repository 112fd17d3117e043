"""What determines a training run: one frozen record, with defaults per learner and presets."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal

LEARNERS = ("dqn", "double-dqn", "d3qn", "n-step", "pqn", "qv")
ROLLOUT_LEARNERS = ("pqn", "qv")  # they learn from what they have just done, without a replay


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Settings of a training run.

    Parameters
    ----------
    learner
        One of `LEARNERS`.
    steps
        Choices in all, over all lanes; rounded up to whole iterations.
    hidden, dueling, layer_norm, dropout
        The network; see `sparing.learn.networks.Network`.
    lanes
        Copies of the model that run at once.
    choices
        Choices per lane in an iteration; for a rollout learner the length of a rollout.
    discount
        Weight per epoch while learning, in place of the model's; None keeps that.
    learning_rate, learning_rate_end, optimizer
        The rate falls linearly to that share of it; "adam" or "radam".
    epsilon, epsilon_end, epsilon_share, epsilon_decay
        Exploration falls linearly over that share of the iterations, or, with a decay, by that
        factor in each iteration.
    restart
        Probability that a lane is restarted in a random state: at the end of an epoch, or at the
        end of a rollout.
    episode
        Epochs after which a lane goes back to the start; 0: never. A lane that is cut off by this
        or by a restart is not at an end: what would have followed is bootstrapped.
    cost_scale
        What costs are multiplied by; None: so that the cost of an epoch under random choices has
        standard deviation `spread`.
    rate_step
        How fast the rate that is taken off the costs moves (see `sparing.learn.learners`).
    penalty
        Cost of a forbidden choice, per unit of how far it goes wrong, in place of the mask; None:
        the mask.
    buffer, batch, updates, num_steps, target_step, target_period
        Replay: transitions held, drawn per update, updates per iteration, steps per transition,
        and how the target network follows.
    trace, passes, parts
        Rollouts: lambda, and passes over a rollout, each in so many parts.
    """

    learner: str = "d3qn"
    steps: int = 800_000
    hidden: tuple[int, ...] = (64, 64)
    dueling: bool = True
    layer_norm: bool = True
    dropout: tuple[float, ...] = ()
    lanes: int = 256
    choices: int = 1
    discount: float | None = None
    learning_rate: float = 1e-3
    learning_rate_end: float = 0.0
    optimizer: Literal["adam", "radam"] = "adam"
    epsilon: float = 1.0
    epsilon_end: float = 0.15
    epsilon_share: float = 0.5
    epsilon_decay: float | None = None
    restart: float = 0.15
    episode: int = 0
    cost_scale: float | None = None
    spread: float = 4.0
    rate_step: float = 0.01
    penalty: float | None = None
    buffer: int = 1 << 18
    batch: int = 512
    updates: int = 4
    num_steps: int = 1
    target_step: float = 0.01
    target_period: int = 1
    trace: float = 0.8
    passes: int = 2
    parts: int = 2

    def __post_init__(self) -> None:
        if self.learner not in LEARNERS:
            raise ValueError(f"learner must be one of {', '.join(LEARNERS)}; got {self.learner!r}.")
        if self.optimizer not in ("adam", "radam"):
            raise ValueError(f"optimizer must be 'adam' or 'radam'; got {self.optimizer!r}.")
        for name in _WHOLE:
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or not value >= 1:
                raise ValueError(f"{name} must be a whole number of at least 1; got {value!r}.")
        if isinstance(self.episode, bool) or not self.episode >= 0:
            raise ValueError(f"episode must be a whole number of at least 0; got {self.episode!r}.")
        for name in _SHARES:
            value = getattr(self, name)
            if value is not None and not 0.0 <= value <= 1.0:
                raise ValueError(f"{name} must be in [0, 1]; got {value!r}.")
        for name in _POSITIVE:
            value = getattr(self, name)
            if value is not None and not 0.0 < value < float("inf"):
                raise ValueError(f"{name} must be above 0 and finite; got {value!r}.")
        object.__setattr__(self, "hidden", tuple(self.hidden))
        object.__setattr__(self, "dropout", tuple(self.dropout))
        if not self.hidden or not all(width >= 1 for width in self.hidden):
            raise ValueError(f"hidden must be widths of at least 1; got {self.hidden}.")
        if not all(0.0 <= rate < 1.0 for rate in self.dropout):
            raise ValueError(f"dropout must be shares in [0, 1); got {self.dropout}.")
        if self.buffer < self.lanes * (self.num_steps + self.choices):
            raise ValueError(
                f"buffer must hold at least {self.num_steps + self.choices} transitions of each of"
                f" {self.lanes} lanes; got {self.buffer}."
            )

    @property
    def uses_rollouts(self) -> bool:
        """Whether the learner learns from what it has just done, without a replay."""
        return self.learner in ROLLOUT_LEARNERS

    @property
    def double(self) -> bool:
        """Whether the network that learns names the next choice."""
        return self.learner != "dqn"

    @property
    def num_iterations(self) -> int:
        """Iterations of `lanes` times `choices` steps."""
        return -(-self.steps // (self.lanes * self.choices))

    @property
    def rows(self) -> int:
        """Rows of the replay, one transition per lane each."""
        return self.buffer // self.lanes

    def as_json(self) -> dict[str, Any]:
        """Return the settings as JSON has them."""
        return {key: list(v) if isinstance(v, tuple) else v for key, v in asdict(self).items()}

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Settings:
        """Return settings that were saved by `as_json`."""
        known = {field.name for field in fields(cls)}
        for name in content:
            if name not in known:
                raise ValueError(f"settings: unknown name {name!r}; known: {sorted(known)}.")
        given: dict[str, Any] = {
            k: tuple(v) if isinstance(v, list) else v for k, v in content.items()
        }
        return cls(**given)


_WHOLE = (
    *("steps", "lanes", "choices", "buffer", "batch", "updates", "num_steps"),
    *("target_period", "passes", "parts"),
)
_SHARES = (
    *("learning_rate_end", "epsilon", "epsilon_end", "epsilon_share", "epsilon_decay"),
    *("restart", "discount", "target_step", "trace"),
)
_POSITIVE = ("learning_rate", "cost_scale", "spread", "rate_step", "penalty")

_ROLLOUTS = Settings(
    learner="pqn",
    steps=3_000_000,
    dueling=False,
    lanes=64,
    choices=16,
    learning_rate=1e-3,
    optimizer="radam",
    epsilon_end=0.05,
    restart=0.25,
    rate_step=0.05,
)
DEFAULTS: dict[str, Settings] = {
    "dqn": Settings(learner="dqn", dueling=False),
    "double-dqn": Settings(learner="double-dqn", dueling=False),
    "d3qn": Settings(),
    "n-step": Settings(learner="n-step", num_steps=3),
    "pqn": _ROLLOUTS,
    "qv": replace(_ROLLOUTS, learner="qv"),
}
