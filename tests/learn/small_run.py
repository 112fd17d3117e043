"""A training of a second or two, two seeds wide."""

from learn.probes import PROBES
from sparing.learn.learners import Centre
from sparing.learn.run import train_seeds
from sparing.learn.settings import Settings

SETTINGS = Settings(
    lanes=4, buffer=4 * 32, batch=16, updates=1, steps=4 * 200, hidden=(8, 8), num_steps=2
)


def run(**options):
    """Return the seeds of a small run."""
    probe = PROBES["masked bargain"]()
    given = {"centre": Centre.gain, "width": 2, "checkpoint_s": 0.0, "name": "probe", **options}
    return train_seeds(probe, given.pop("settings", SETTINGS), **given)[1]
