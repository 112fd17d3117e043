"""Training on disk: arrays as safetensors, the rest as JSON, whole or not there."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import jax
import numpy as np

from sparing._files import write_atomically

FORMAT = "sparing-training-1"
FILE = "checkpoint.json"


def named_arrays(tree: Any) -> dict[str, np.ndarray[Any, Any]]:
    """Return the leaves of a tree by their paths, on the host."""
    leaves = jax.tree_util.tree_flatten_with_path(jax.device_get(tree))[0]
    return {jax.tree_util.keystr(path): np.asarray(leaf) for path, leaf in leaves}


def tree_of(arrays: dict[str, np.ndarray[Any, Any]], like: Any) -> Any:
    """Return the tree of the shape of `like` with these leaves; the inverse of `named_arrays`.

    Raises
    ------
    ValueError
        If a leaf is missing, or has another shape or type.
    """
    leaves, structure = jax.tree_util.tree_flatten_with_path(like)
    found = []
    for path, leaf in leaves:
        name = jax.tree_util.keystr(path)
        array = arrays.get(name)
        if array is None or array.shape != leaf.shape or array.dtype != leaf.dtype:
            has = "nothing" if array is None else f"{array.dtype} {list(array.shape)}"
            raise ValueError(
                f"{name}: the file holds {has}, {leaf.dtype} {list(leaf.shape)} is needed."
            )
        found.append(array)
    return jax.tree_util.tree_unflatten(structure, found)


def save_arrays(path: Path, tree: Any, metadata: dict[str, str] | None = None) -> None:
    """Write a tree of arrays as safetensors, by a temporary file and a rename."""
    from safetensors.numpy import save_file

    temporary = path.with_name(path.name + ".part")
    arrays = {name: np.asarray(a, order="C") for name, a in named_arrays(tree).items()}
    save_file(arrays, temporary, metadata=metadata)
    temporary.replace(path)


def load_arrays(path: Path, like: Any) -> Any:
    """Read a tree that `save_arrays` wrote."""
    from safetensors.numpy import load_file

    try:
        return tree_of(load_file(path), like)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def require_safetensors() -> None:
    """Raise, before any work is done, if training cannot be saved."""
    try:
        import safetensors.numpy  # noqa: F401
    except ImportError:
        raise ImportError(
            "saving a training run needs safetensors: pip install 'sparing[learn]'"
        ) from None


def save_checkpoint(folder: Path, carry: Any, content: dict[str, Any]) -> None:
    """Save the state of a run: the arrays first, then the record that names their file."""
    folder.mkdir(parents=True, exist_ok=True)
    name = f"state-{content['iteration']}.safetensors"
    save_arrays(folder / name, carry)
    record = {"format": FORMAT, "file": name, **content}
    write_atomically(folder / FILE, json.dumps(record, indent=1) + "\n")
    for other in folder.glob("state-*.safetensors*"):
        if other.name != name:
            with suppress(OSError):
                other.unlink()


def load_checkpoint(folder: Path, like: Any, key: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """Return state and record of the run in `folder`.

    Parameters
    ----------
    key
        What the run must have been started with.

    Raises
    ------
    ValueError
        If it was started with something else, naming it.
    """
    record = json.loads((folder / FILE).read_text(encoding="utf-8"))
    if record.get("format") != FORMAT:
        raise ValueError(f"{folder / FILE}: format must be {FORMAT!r}; got {record.get('format')}.")
    for name, value in key.items():
        found = record.get(name)
        if found != value:
            raise ValueError(
                f"{folder}: holds a run with {name} {_brief(found, value)}; now it is"
                f" {_brief(value, found)}. Give the same case and settings, or another folder."
            )
    return load_arrays(folder / record["file"], like), record


def _brief(value: Any, other: Any) -> str:
    """Return what of `value` differs from `other`."""
    if isinstance(value, dict) and isinstance(other, dict):
        return str({k: v for k, v in value.items() if other.get(k) != v})
    return repr(value)
