"""Trains on a small twin and kills itself behind a checkpoint.

Run by a test: python train_twin_and_die.py FOLDER SEED ROLLOUTS. The path of the tests comes first,
so that their packages are found.
"""

import os
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from learn.small_twin import run


def main() -> None:
    folder, seed, rollouts = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])

    def die(progress):
        if progress.env_steps >= rollouts * progress.total_steps // 4:
            os.kill(os.getpid(), signal.SIGKILL)

    run(seeds=(seed,), folder=folder, progress=die)


if __name__ == "__main__":
    main()
