"""A trained policy on disk: its network as safetensors, its table, curves and report."""

from __future__ import annotations

import csv
import json
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

from sparing._files import replaced_folder, write_atomically
from sparing.learn.checkpoints import FORMAT, load_arrays, require_safetensors, save_arrays
from sparing.learn.networks import Network, Parameters
from sparing.learn.result import TrainingResult
from sparing.policies import TablePolicy

REPORT = "training.json"


def prepare(folder: Path, case: str, *, resume: bool) -> None:
    """Make the folder of a run, by which it is known; a new run clears an earlier one's state."""
    require_safetensors()
    folder.mkdir(parents=True, exist_ok=True)
    if not resume:
        for old in folder.glob("seed-*"):
            shutil.rmtree(old, ignore_errors=True)
    if not (resume and (folder / REPORT).exists()):
        text = json.dumps({"format": FORMAT, "case": case, "finished": False}, indent=1)
        write_atomically(folder / REPORT, text + "\n")


def save_training(result: TrainingResult, folder: Path, report: dict[str, Any]) -> None:
    """Write network, policy, curves and report of a finished run.

    The states of the seeds stay, so that the run can be shown to go on from them.
    """
    save_network(folder / "network.safetensors", result.network, result.best.trained.parameters)
    if result.crew is not None and result.crew_is_better:
        from sparing.large.saved_policy import save_crew_policy

        with replaced_folder(folder / "policy") as part:
            save_crew_policy(result.crew.policy, part)
    elif isinstance(result.policy, TablePolicy):
        with replaced_folder(folder / "policy") as part:
            result.policy.save(part)
    with (folder / "curves.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        names = ["env_steps", "cost", "loss", "epsilon", "rate"]
        writer.writerow(["seed", *names])
        for seed in result.seeds:
            columns = [seed.trained.history[name].tolist() for name in names]
            writer.writerows([seed.seed, *row] for row in zip(*columns, strict=True))
    content = {"format": FORMAT, **report, "finished": True, "settings": result.settings.as_json()}
    write_atomically(folder / REPORT, json.dumps(content, indent=1, allow_nan=False) + "\n")


def save_network(path: Path, network: Network, parameters: Parameters) -> None:
    """Write a network: its arrays, and its shape as the file's metadata."""
    save_arrays(path, parameters, {"format": FORMAT, "network": json.dumps(asdict(network))})


def load_network(path: str | Path) -> tuple[Network, Parameters]:
    """Read a network that `save_network` wrote.

    Raises
    ------
    ValueError
        If the file is not one.
    """
    import jax
    from safetensors import safe_open

    require_safetensors()
    with safe_open(path, framework="numpy") as file:
        metadata = file.metadata() or {}
    if metadata.get("format") != FORMAT:
        raise ValueError(f"{path}: format must be {FORMAT!r}; got {metadata.get('format')!r}.")
    shape = json.loads(metadata["network"])
    for name in ("hidden", "dropout"):
        shape[name] = tuple(shape[name])
    network = Network(**shape)
    return network, load_arrays(Path(path), jax.eval_shape(network.init, jax.random.key(0)))
