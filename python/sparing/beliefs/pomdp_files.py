"""Models in the `.pomdp` format of pomdp-solve (Cassandra), read and written."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from sparing import _core
from sparing._files import write_atomically
from sparing.beliefs.pomdp_model import ExplicitPOMDP

ROW_TOLERANCE = 1e-4  # files print few digits; rows within it are scaled to one
SUFFIX = ".pomdp"


class PomdpFileError(ValueError):
    """A file that cannot be read; the message names file, line, token and rule."""


def load_pomdp(path: str | Path) -> ExplicitPOMDP:
    """Return the model of a `.pomdp` file.

    The whole grammar is read: names or numbers, rows and tables, ``*``, ``uniform``, ``identity``,
    ``reset``, any form of start. Where statements overlap, the last one counts. Rewards become
    their expectation over next state and observation, which is all that a policy can earn.

    Raises
    ------
    PomdpFileError
        If the file cannot be read, or breaks a rule.
    MemoryError
        If the model does not fit into memory.
    """
    path = Path(path)
    try:
        text = path.read_bytes()
    except OSError as error:
        raise PomdpFileError(f"{path}: cannot be read: {error.strerror}.") from None
    try:
        return parse_pomdp(text)
    except PomdpFileError as error:
        raise PomdpFileError(f"{path}: {error}") from None
    except MemoryError as error:
        raise MemoryError(f"{path}: {error}.") from None


def parse_pomdp(text: bytes | str) -> ExplicitPOMDP:
    """Return the model of the text of a `.pomdp` file; see `load_pomdp`."""
    import scipy.sparse as sp

    data = text.encode() if isinstance(text, str) else text
    try:
        found = _core.read_pomdp(data, ROW_TOLERANCE, _max_entries())
    except ValueError as error:
        raise PomdpFileError(str(error)) from None
    num_states, num_actions = found["num_states"], found["num_actions"]
    rows = num_states * num_actions
    shapes = {"transition": (rows, num_states), "observation": (rows, found["num_observations"])}
    tables: dict[str, Any] = {}
    for name, shape in shapes.items():
        indptr, column, probability = found[name]
        tables[name] = sp.csr_array((probability, column, indptr), shape=shape)
    sign = -1.0 if found["is_reward"] else 1.0
    names: dict[str, Any] = {
        name: None if found[name] is None else tuple(found[name])
        for name in ("states", "actions", "observations")
    }
    return ExplicitPOMDP(
        **tables,
        cost=sign * found["value"].reshape(num_actions, num_states) + 0.0,
        start=found["start"],
        discount=found["discount"],
        values="reward" if found["is_reward"] else "cost",
        **names,
    )


def save_pomdp(model: ExplicitPOMDP, path: str | Path) -> None:
    """Write `model` as a `.pomdp` file, with all digits; `load_pomdp` gives the same model back."""
    write_atomically(Path(path), pomdp_text(model))


def pomdp_text(model: ExplicitPOMDP) -> str:
    """Return the text of the `.pomdp` file of `model`."""
    elements = {
        "states": (model.states, model.num_states),
        "actions": (model.actions, model.num_actions),
        "observations": (model.observations, model.num_observations),
    }
    head = [f"discount: {model.discount!r}", f"values: {model.values}"]
    for name, (names, count) in elements.items():
        head.append(f"{name}: {count if names is None else ' '.join(names)}")
    head.append("start: " + " ".join(repr(float(p)) for p in model.belief))
    parts = chain(
        head,
        _row_lines("T", model.transition, model.num_states),
        _row_lines("O", model.observation, model.num_states),
        _reward_lines(model),
    )
    return "\n".join(parts) + "\n"


def _row_lines(letter: str, rows: Any, num_states: int) -> Iterator[str]:
    """Yield a line per entry: of an action, a state and a column."""
    counts = np.diff(rows.indptr)
    row = np.repeat(np.arange(rows.shape[0]), counts)
    actions, states = (row // num_states).tolist(), (row % num_states).tolist()
    entries = zip(actions, states, rows.indices.tolist(), rows.data.tolist(), strict=True)
    for a, s, column, p in entries:
        yield f"{letter}: {a} : {s} : {column} {p!r}"


def _reward_lines(model: ExplicitPOMDP) -> Iterator[str]:
    sign = -1.0 if model.values == "reward" else 1.0
    for a, row in enumerate((sign * model.cost + 0.0).tolist()):
        for s, value in enumerate(row):
            if value != 0.0:
                yield f"R: {a} : {s} : * : * {value!r}"


def _max_entries() -> int:
    """Return how many entries may be stored: some 50 bytes each while a file is read."""
    from sparing.models._explicit_checks import available_memory

    return min((available_memory() or 1 << 33) // 50, 1 << 40)
