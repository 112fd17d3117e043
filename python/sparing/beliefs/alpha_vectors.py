"""Policies of alpha vectors: loaded, saved, and asked for actions."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sparing._checks import frozen_array
from sparing._files import write_atomically
from sparing.beliefs.pomdp_model import ExplicitPOMDP

FORMAT = "sparing-alpha-vectors-1"


@dataclass(frozen=True, kw_only=True, eq=False)
class AlphaVectorPolicy:
    """Take the action of the vector that promises the least cost at the belief.

    Vectors are kept by domain, a set of states that they are about: where much of the state is
    known for certain, that is a small part of all states.

    Parameters
    ----------
    num_states
        S, of the model.
    domains
        Per domain its states [n], rising.
    vectors
        Per domain [K, n]: what a plan costs from each of the states [money], at most.
    actions
        Per domain [K]: the first action of each plan.
    elsewhere
        What a plan costs at most from a state outside of its domain [money].
    """

    num_states: int
    domains: tuple[NDArray[np.int32], ...]
    vectors: tuple[NDArray[np.float64], ...]
    actions: tuple[NDArray[np.int32], ...]
    elsewhere: float

    def __post_init__(self) -> None:
        if not len(self.domains) == len(self.vectors) == len(self.actions) > 0:
            raise ValueError(
                "domains, vectors and actions must have one entry a domain, at least 1."
            )
        domains, vectors, actions = [], [], []
        for d, states in enumerate(self.domains):
            domain = frozen_array(f"domains[{d}]", states, np.int32)
            if domain.size == 0 or np.any(np.diff(domain) <= 0) or domain[0] < 0:
                raise ValueError(f"domains[{d}] must be rising numbers of states.")
            if domain[-1] >= self.num_states:
                raise ValueError(f"domains[{d}] must be below {self.num_states}; got {domain[-1]}.")
            chosen = frozen_array(f"actions[{d}]", self.actions[d], np.int32)
            shape = (chosen.size, domain.size)
            values = frozen_array(f"vectors[{d}]", self.vectors[d], shape=shape)
            domains.append(domain)
            vectors.append(values)
            actions.append(chosen)
        if not any(len(chosen) for chosen in actions):
            raise ValueError("a policy needs at least one vector.")
        for name, value in (("domains", domains), ("vectors", vectors), ("actions", actions)):
            object.__setattr__(self, name, tuple(value))

    @property
    def num_vectors(self) -> int:
        """Number of vectors over all domains."""
        return sum(len(chosen) for chosen in self.actions)

    def act(self, belief: ArrayLike) -> int:
        """Return the action at `belief` [S]."""
        return self._best(belief)[1]

    def cost(self, belief: ArrayLike) -> float:
        """Return the least cost promised at `belief` [S]: an upper bound of the optimal cost."""
        return self._best(belief)[0]

    def _best(self, belief: ArrayLike) -> tuple[float, int]:
        given = np.asarray(belief, dtype=np.float64)
        if given.shape != (self.num_states,):
            raise ValueError(f"belief must have shape ({self.num_states},); got {given.shape}.")
        if not (abs(given.sum() - 1.0) <= 1e-6 and np.all(given >= 0.0)):
            raise ValueError("belief must be probabilities that sum to 1.")
        best, action = np.inf, 0
        for states, vectors, actions in zip(self.domains, self.vectors, self.actions, strict=True):
            if not len(actions):
                continue
            inside = given[states]
            costs = vectors @ inside + self.elsewhere * max(given.sum() - inside.sum(), 0.0)
            k = int(costs.argmin())
            if costs[k] < best:
                best, action = float(costs[k]), int(actions[k])
        return best, action

    def of_domain(self, states: NDArray[Any]) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
        """Return actions [K] and vectors [K, n] of all plans, for beliefs on `states` [n] alone."""
        inside = [np.isin(states, domain) for domain in self.domains]
        fitting = [d for d, found in enumerate(inside) if found.all() and len(self.actions[d])]
        chosen, values = [np.zeros(0, np.int32)], [np.zeros((0, len(states)))]
        for d in fitting or [d for d, found in enumerate(inside) if found.any()]:
            part = np.full((len(self.actions[d]), len(states)), self.elsewhere)
            places = np.searchsorted(self.domains[d], states[inside[d]])
            part[:, inside[d]] = self.vectors[d][:, places]
            chosen.append(self.actions[d])
            values.append(part)
        return np.concatenate(chosen), np.concatenate(values)

    def save(self, path: str | Path) -> None:
        """Write the policy as an npz file without pickles."""
        arrays: dict[str, Any] = {}
        for d, parts in enumerate(zip(self.domains, self.vectors, self.actions, strict=True)):
            for name, array in zip(("domain", "vectors", "actions"), parts, strict=True):
                arrays[f"{name}{d}"] = array
        record = {
            "format": FORMAT,
            "num_states": self.num_states,
            "num_domains": len(self.domains),
            "elsewhere": self.elsewhere,
        }
        target = Path(path)
        part = target.with_name(target.name + ".part")
        with part.open("wb") as file:
            np.savez(file, record=np.array(json.dumps(record)), **arrays)
        part.replace(target)

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read a policy that `save` wrote.

        Raises
        ------
        ValueError
            If the file holds no such policy.
        """
        try:
            with np.load(path, allow_pickle=False) as saved:
                record = json.loads(str(saved["record"]))
                if record["format"] != FORMAT:
                    raise ValueError(f"format must be {FORMAT!r}; got {record['format']!r}")
                found = {
                    name: tuple(saved[f"{name}{d}"] for d in range(record["num_domains"]))
                    for name in ("domain", "vectors", "actions")
                }
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ValueError(f"{path}: holds no policy of alpha vectors: {error}.") from None
        return cls(
            num_states=record["num_states"],
            domains=found["domain"],
            vectors=found["vectors"],
            actions=found["actions"],
            elsewhere=record["elsewhere"],
        )

    def save_alpha(self, path: str | Path, model: ExplicitPOMDP) -> None:
        """Write pomdp-solve's `.alpha` text: per vector its action, and S values.

        The values are in the model's own sense: rewards as they are, costs as they are. States that
        a vector is not about get the bound `elsewhere`.
        """
        sign = -1.0 if model.values == "reward" else 1.0
        lines = []
        for states, vectors, actions in zip(self.domains, self.vectors, self.actions, strict=True):
            for action, vector in zip(actions.tolist(), vectors, strict=True):
                full = np.full(self.num_states, self.elsewhere)
                full[states] = vector
                lines.append(f"{action}\n{' '.join(map(repr, (sign * full + 0.0).tolist()))}\n\n")
        write_atomically(Path(path), "".join(lines))

    @classmethod
    def load_alpha(cls, path: str | Path, model: ExplicitPOMDP) -> Self:
        """Read pomdp-solve's `.alpha` text, in the model's own sense.

        Raises
        ------
        ValueError
            If a number is missing or is none, naming the vector.
        """
        words = Path(path).read_text(encoding="utf-8").split()
        size = model.num_states + 1
        if not words or len(words) % size:
            raise ValueError(
                f"{path}: expected vectors of an action and {size - 1} values; got {len(words)}"
                " numbers."
            )
        try:
            table = np.array(words, dtype=np.float64).reshape(-1, size)
        except ValueError as error:
            raise ValueError(f"{path}: {error}.") from None
        for k in np.flatnonzero(~np.isfinite(table).all(axis=1))[:1]:
            raise ValueError(f"{path}: vector {k} holds a value that is not finite.")
        actions = table[:, 0]
        for k in np.flatnonzero(~np.isin(actions, np.arange(model.num_actions)))[:1]:
            raise ValueError(
                f"{path}: vector {k}: the action must be from 0 to {model.num_actions - 1}; got"
                f" {actions[k]:g}."
            )
        sign = -1.0 if model.values == "reward" else 1.0
        costs = sign * table[:, 1:] + 0.0
        return cls(
            num_states=model.num_states,
            domains=(np.arange(model.num_states, dtype=np.int32),),
            vectors=(costs,),
            actions=(actions.astype(np.int32),),
            elsewhere=float(costs.max()),
        )
