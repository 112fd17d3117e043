"""Settings of published agents."""

from __future__ import annotations

from dataclasses import replace

from sparing.learn.settings import Settings

_THESIS = Settings(
    learner="dqn",
    steps=10_000 * 2_000,
    hidden=(1200, 300, 100),
    dueling=False,
    layer_norm=False,
    dropout=(0.1,),
    lanes=1,
    choices=2_000,
    discount=0.95,
    learning_rate=1e-4,
    learning_rate_end=1.0,
    epsilon=1.0,
    epsilon_end=0.005,
    epsilon_decay=0.9994,
    restart=0.0,
    episode=2_000,
    cost_scale=1.0,
    penalty=10.0,
    buffer=2_001,
    batch=2_000,
    updates=1,
    target_step=1.0,
    target_period=100,
)
PRESETS: dict[str, Settings] = {
    # Algorithm 1 of Jimenez Gonzalez (2021) to the letter: one lane, an episode of 2000
    # inspections, then one retraining on what it held; the target network does the maximising.
    "thesis": _THESIS,
    # What its title says: double DQN that keeps its memory and learns as it goes, with the same
    # network, rates and batches; forbidden actions are masked.
    "thesis-double": replace(
        _THESIS,
        learner="double-dqn",
        steps=400_000,
        lanes=16,
        choices=10,
        buffer=64_000,
        epsilon_decay=None,
        epsilon_share=0.5,
        penalty=None,
    ),
}


def preset_settings(name: str) -> Settings:
    """Return the settings of that name.

    Raises
    ------
    ValueError
        If there are none, listing those there are.
    """
    if name not in PRESETS:
        raise ValueError(f"preset {name!r}: there is none; there are {', '.join(PRESETS)}.")
    return PRESETS[name]
