"""Trained rules as npz files: arrays and nothing that runs."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

FORMAT = "sparing-ration-1"


def write_arrays(path: Path, rule: str, content: Mapping[str, Any]) -> None:
    """Write arrays under the name of their rule; the same content gives the same bytes."""
    held = {"format": np.array(f"{FORMAT} {rule}"), **content}
    temporary = path.with_name(path.name + ".part")
    with zipfile.ZipFile(temporary, "w") as archive:
        for name, array in held.items():
            buffer = io.BytesIO()
            np.lib.format.write_array(buffer, np.asarray(array), allow_pickle=False)
            entry = zipfile.ZipInfo(f"{name}.npy")  # of no date
            archive.writestr(entry, buffer.getvalue())
    temporary.replace(path)


def rule_of(path: Path) -> str:
    """Return the key of the rule a file holds.

    Raises
    ------
    ValueError
        If it is not a trained rule.
    """
    return _opened(path)[0]


def read_arrays(path: Path, rule: str, names: Sequence[str]) -> dict[str, NDArray[Any]]:
    """Return the arrays of a file of this rule.

    Raises
    ------
    ValueError
        If the file holds something else.
    """
    found, content = _opened(path)
    if found != rule:
        raise ValueError(f"{path}: holds the rule {found!r}, not {rule!r}.")
    for name in names:
        if name not in content:
            raise ValueError(f"{path}: {name} is missing.")
    return content


def _opened(path: Path) -> tuple[str, dict[str, NDArray[Any]]]:
    if not path.is_file():
        raise ValueError(f"{path}: no such file.")
    try:
        with np.load(path, allow_pickle=False) as archive:
            content = {name: archive[name] for name in archive.files}
        mark, rule = str(content.pop("format")).split(" ")
        if mark != FORMAT:
            raise ValueError(mark)
    except (OSError, ValueError, KeyError, AttributeError, zipfile.BadZipFile):
        raise ValueError(f"{path}: is not a trained rationing rule ({FORMAT}, npz).") from None
    return rule, content
