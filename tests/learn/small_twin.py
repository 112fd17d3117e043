"""A training on a small twin, of some seconds."""

from pathlib import Path

from sparing.learn.location_start import LocationSettings
from sparing.learn.twin_training import train_on_twin
from sparing.simulate.twin_files import load_twin

CASE = Path(__file__).parents[1] / "data" / "spares-twin.toml"
SETTINGS = LocationSettings(
    hidden=(8,), samples=4, fit_steps=20, fleets=4, reviews=2, passes=1, batch=8
)


def run(**options):
    """Return the result of a small run, four rollouts long."""
    twin = load_twin(CASE)
    months = twin.period_hours / 24.0
    given = {"days": [4 * months, 8 * months], "num_replications": 4, "checkpoint_s": 0.0}
    settings = options.pop("settings", SETTINGS)
    return train_on_twin(twin, settings, step_hours=twin.period_hours, **(given | options))
