"""A training of a second or two, two seeds wide."""

from learn.probes import PROBES
from sparing.learn.learners import Centre
from sparing.learn.run import train_seeds
from sparing.learn.run_records import RunOptions
from sparing.learn.settings import Settings

SETTINGS = Settings(
    lanes=4, buffer=4 * 32, batch=16, updates=1, steps=4 * 200, hidden=(8, 8), num_steps=2
)


def run(settings=SETTINGS, **options):
    """Return the seeds of a small run."""
    chosen = RunOptions(checkpoint_s=0.0, **options)
    given = {"centre": Centre.gain, "options": chosen, "width": 2, "name": "probe"}
    return train_seeds(PROBES["masked bargain"](), settings, **given)[1]
