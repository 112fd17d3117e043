"""A trained policy on disk: its network as safetensors, its table, curves and report."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sparing._files import replaced_folder, write_atomically
from sparing.learn.checkpoints import (
    FORMAT,
    REPORT,
    load_arrays,
    require_safetensors,
    save_arrays,
)
from sparing.learn.networks import Network, Parameters
from sparing.learn.result import TrainingResult
from sparing.learn.run_records import TrainedSeed
from sparing.models.multi_component import MultiComponentProblem
from sparing.policies import TablePolicy

if TYPE_CHECKING:
    from sparing.learn.network_policy import NetworkPolicy

NETWORK = "network.safetensors"


def save_training(result: TrainingResult, folder: Path, report: dict[str, Any]) -> None:
    """Write network, policy, curves and report of a finished run.

    The states of the seeds stay, so that the run can be shown to go on from them.
    """
    save_network(folder / NETWORK, result.network, result.best.trained.parameters)
    if result.crew is not None and result.crew_is_better:
        from sparing.large.saved_policy import save_crew_policy

        with replaced_folder(folder / "policy") as part:
            save_crew_policy(result.crew.policy, part)
    elif isinstance(result.policy, TablePolicy):
        with replaced_folder(folder / "policy") as part:
            result.policy.save(part)
    write_curves([seed.trained for seed in result.seeds], folder / "curves.csv")
    content = {"format": FORMAT, **report, "finished": True, "settings": result.settings.as_json()}
    write_atomically(folder / REPORT, json.dumps(content, indent=1, allow_nan=False) + "\n")


def write_curves(seeds: Sequence[TrainedSeed], path: Path) -> None:
    """Write the histories of seeds as a table."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        names = ["env_steps", "cost", "loss", "epsilon", "rate"]
        writer.writerow(["seed", *names])
        for seed in seeds:
            columns = [seed.history[name].tolist() for name in names]
            writer.writerows([seed.seed, *row] for row in zip(*columns, strict=True))


def save_network(path: Path, network: Network, parameters: Parameters) -> None:
    """Write a network: its arrays, and its shape as the file's metadata."""
    save_arrays(path, parameters, {"format": FORMAT, "network": json.dumps(asdict(network))})


def load_network_policy(folder: str | Path, problem: MultiComponentProblem) -> NetworkPolicy:
    """Return the network of a finished run as a policy of `problem`.

    Raises
    ------
    ValueError
        If it was trained on other components.
    """
    from sparing.learn.network_policy import NetworkPolicy
    from sparing.learn.views import environment_of

    folder = Path(folder)
    network, parameters = load_network(folder / NETWORK)
    view = json.loads((folder / REPORT).read_text(encoding="utf-8")).get("view", "sequential")
    counts = [] if view == "flat" or problem.spares else ["typed-counts"]
    for features in (*counts, "one-hot"):
        environment = environment_of(problem, view=view, features=features)
        shape = environment.num_features, environment.num_actions
        if shape == (network.num_features, network.num_actions):
            return NetworkPolicy(environment, parameters, network.apply)
    raise ValueError(
        f"{folder}: the network sees {network.num_features} features and has"
        f" {network.num_actions} choices, which fits no view of {problem.name!r}."
    )


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
