"""Trains on a probe as the second of two devices and kills itself behind a checkpoint.

Run by a test: python train_and_die.py FOLDER CHUNK. It must not import the test's own packages by
relative name, so the path of the tests comes first.
"""

import os
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import jax
from learn.small_run import run


def main() -> None:
    folder, chunk = Path(sys.argv[1]), int(sys.argv[2])
    assert len(jax.devices()) == 2

    def die(progress):
        if progress.env_steps >= chunk * progress.total_steps // 50:
            os.kill(os.getpid(), signal.SIGKILL)

    run(seeds=(3,), folder=folder, device="cpu:1", progress=die)


if __name__ == "__main__":
    main()
