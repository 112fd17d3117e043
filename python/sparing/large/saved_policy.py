"""Control limits and lookahead policies on disk, as JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from sparing._files import write_atomically
from sparing.large.crew_policies import CrewLimits, CrewPolicy, LookaheadPolicy
from sparing.large.crew_system import CrewSystem
from sparing.models.multi_component import MultiComponentProblem

FILE = "crew-policy.json"
FORMAT = "sparing-crew-policy-1"


def save_crew_policy(policy: CrewPolicy, folder: Path) -> Path:
    """Write `policy` as crew-policy.json into `folder`, which is made if it is missing."""
    content: dict[str, Any] = {"format": FORMAT, "types": _types(policy.system)}
    if isinstance(policy, CrewLimits):
        content |= {"kind": "limits", "renew": policy.renew, "call": policy.call}
        content["callers"] = policy.callers
    elif isinstance(policy, LookaheadPolicy):
        content |= {"kind": "lookahead", "value": policy.value.tolist(), "price": policy.price}
        content["later_price"] = policy.later_price
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(folder / FILE, json.dumps(content, indent=1) + "\n")
    return folder / FILE


def load_crew_policy(folder: str | Path, problem: MultiComponentProblem) -> CrewPolicy:
    """Read a policy that `save_crew_policy` wrote.

    Raises
    ------
    ValueError
        If the file is no such policy, or one for other types of components.
    """
    path = Path(folder) / FILE
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: is no JSON ({error}).") from None
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise ValueError(f"{path}: format must be {FORMAT!r}.")
    system = CrewSystem(problem)
    if found.get("types") != _types(system):
        raise ValueError(
            f"{path}: was made for other types of components than those of {problem.name!r}."
        )
    try:
        if found["kind"] == "limits":
            renew, call = tuple(found["renew"]), tuple(found["call"])
            return CrewLimits(system, renew, call, found["callers"])
        if found["kind"] == "lookahead":
            value = np.array(found["value"], dtype=np.float64)
            return LookaheadPolicy(system, value, found["price"], found["later_price"])
    except (KeyError, TypeError) as error:
        raise ValueError(f"{path}: is incomplete or has a wrong value ({error}).") from None
    raise ValueError(f"{path}: kind must be 'limits' or 'lookahead'; got {found['kind']!r}.")


def _types(system: CrewSystem) -> list[dict[str, Any]]:
    names = system.problem.names
    return [
        {"components": [names[i] for i in members], "states": kind.num_states}
        for members, kind in zip(system.members, system.kinds, strict=True)
    ]
