"""Solutions of partially observable models on disk: the policy, its record and the model."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sparing._files import replaced_folder, write_atomically
from sparing.beliefs.alpha_vectors import AlphaVectorPolicy
from sparing.beliefs.pomdp_solver import PomdpSolution

FORMAT = "sparing-pomdp-1"
ALPHA_NUMBERS = 1 << 24  # numbers up to which the policy is also written as text


@dataclass(frozen=True, kw_only=True, eq=False)
class SavedPomdpSolution:
    """A solution read back: `record` is what the solve reported."""

    record: dict[str, Any]
    policy: AlphaVectorPolicy

    @property
    def horizon(self) -> int | None:
        """Number of periods, or None for a discounted process without end."""
        horizon: int | None = self.record["horizon"]
        return horizon


def save_pomdp_solution(
    solution: PomdpSolution, directory: str | Path, *, record: dict[str, Any] | None = None
) -> Path:
    """Write a solution as a folder: solution.json, policy.npz and, if not large, policy.alpha.

    The folder is written beside its place and renamed, so that it is whole or not there.
    """
    content = {"format": FORMAT, **(record or record_of(solution))}
    policy = solution.policy
    with replaced_folder(Path(directory)) as part:
        policy.save(part / "policy.npz")
        if policy.num_vectors * policy.num_states <= ALPHA_NUMBERS:
            policy.save_alpha(part / "policy.alpha", solution.model)
        write_atomically(part / "solution.json", json.dumps(content, indent=1) + "\n")
    return Path(directory)


def load_pomdp_solution(directory: str | Path) -> SavedPomdpSolution:
    """Read a saved solution.

    Raises
    ------
    ValueError
        If the folder holds none.
    """
    folder = Path(directory)
    try:
        record = json.loads((folder / "solution.json").read_text(encoding="utf-8"))
        found = record["format"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{folder}: holds no saved solution: {error}") from None
    if found != FORMAT:
        raise ValueError(f"{folder}: format must be {FORMAT!r}; got {found!r}.")
    return SavedPomdpSolution(record=record, policy=AlphaVectorPolicy.load(folder / "policy.npz"))


def record_of(solution: PomdpSolution) -> dict[str, Any]:
    """Return what a solve reports, ready for JSON; bounds are in the model's own sense."""
    model = solution.model
    lower, upper = solution.reported
    first = solution.policy.act(model.belief)
    return {
        "criterion": "discounted" if solution.horizon is None else "total",
        "values": model.values,
        "discount": model.discount,
        "horizon": solution.horizon,
        "states": model.num_states,
        "actions": model.num_actions,
        "observations": model.num_observations,
        "sweeps": solution.num_trials,
        "seconds": round(solution.seconds, 6),
        "objective": {"lower": lower, "upper": upper},
        "converged": solution.converged,
        "message": solution.message,
        "metrics": {
            "vectors": solution.num_vectors,
            "points": solution.num_points,
            "beliefs": solution.num_beliefs,
            "domains": solution.num_domains,
        },
        "first_decision": str(first) if model.actions is None else model.actions[first],
    }
