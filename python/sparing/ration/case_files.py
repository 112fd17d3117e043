"""Case files of kind "dropship": an e-tailer to simulate, as TOML."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import asdict, fields
from importlib import resources
from pathlib import Path
from typing import Any

import tomli_w

from sparing._files import write_atomically
from sparing.models.file_tables import check_keys
from sparing.ration.case import DropshipCase, SupplierTerms

KIND = "dropship"
BUILT_IN = ("dropship",)


def is_dropship(path_or_name: str | Path) -> bool:
    """Whether this is a built-in case or a readable file of kind "dropship"."""
    if str(path_or_name) in BUILT_IN:
        return True
    try:
        table = tomllib.loads(Path(path_or_name).read_text(encoding="utf-8-sig"))
    except (OSError, ValueError):
        return False
    system = table.get("system")
    return isinstance(system, dict) and system.get("kind") == KIND


def load_dropship(path_or_name: str | Path) -> DropshipCase:
    """Return the e-tailer of a built-in case or of a TOML file.

    Raises
    ------
    ValueError
        If there is no such file, or its content breaks a rule; the message names both.
    """
    name = str(path_or_name)
    if name in BUILT_IN:
        text = (resources.files("sparing") / "cases" / f"{name}.toml").read_text(encoding="utf-8")
    else:
        try:
            text = Path(name).read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise ValueError(f"{name}: cannot be read: {error}.") from None
    try:
        return _case(tomllib.loads(text), Path(name).stem)
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{name}: is not valid TOML: {error}.") from None
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None


def save_dropship(case: DropshipCase, path: str | Path) -> None:
    """Write `case` as a file that loads to an equal case."""
    system: dict[str, Any] = {"kind": KIND}
    for field in fields(DropshipCase):
        if field.name not in ("suppliers", "name"):
            value = getattr(case, field.name)
            system[field.name] = list(value) if isinstance(value, tuple) else value
    content = {"system": system, "supplier": [asdict(terms) for terms in case.suppliers]}
    write_atomically(Path(path), tomli_w.dumps(content))


def _case(table: Mapping[str, Any], name: str) -> DropshipCase:
    check_keys(table, {"system", "supplier"}, "the file")
    system: dict[str, Any] = dict(table.get("system", {}))
    if system.pop("kind", None) != KIND:
        raise ValueError(f'[system] kind must be "{KIND}".')
    known = {field.name for field in fields(DropshipCase)} - {"suppliers", "name"}
    check_keys(system, known, "[system]")
    values: dict[str, Any] = {
        key: tuple(v) if isinstance(v, list) else v for key, v in system.items()
    }
    entries = table.get("supplier", [])
    if not isinstance(entries, list) or not entries:
        raise ValueError("[[supplier]] is missing: a case needs at least one supplier.")
    try:
        suppliers = tuple(_supplier(entry, i) for i, entry in enumerate(entries))
        return DropshipCase(**values, suppliers=suppliers, name=name)
    except TypeError as error:
        raise ValueError(f"[system]: {error}.") from None


def _supplier(entry: Any, position: int) -> SupplierTerms:
    place = f"[[supplier]] number {position + 1}"
    if not isinstance(entry, dict):
        raise ValueError(f"{place} must be a table.")
    check_keys(entry, {field.name for field in fields(SupplierTerms)}, place)
    if "name" not in entry:
        raise ValueError(f"{place}: name is missing.")
    try:
        return SupplierTerms(**entry)
    except ValueError as error:
        raise ValueError(f"{place}: {error}") from None
