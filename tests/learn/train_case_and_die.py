"""Runs `sparing train` and kills itself with SIGKILL while seed SEED is half way.

Run by a test: python train_case_and_die.py SEED ARGUMENTS. The state is saved after every report.
"""

import os
import signal
import sys

import sparing.learn.train
from sparing import cli

learn = sparing.learn.train.train


def dying(model, *, progress, **options):
    """Train as the command does, but not to the end."""

    def die(report):
        if report.seed == int(sys.argv[1]) and 2 * report.env_steps >= report.total_steps:
            os.kill(os.getpid(), signal.SIGKILL)

    return learn(model, progress=die, checkpoint_s=0.0, **options)


if __name__ == "__main__":
    sparing.learn.train.train = dying
    cli.main(["train", *sys.argv[2:]])
