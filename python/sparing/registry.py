"""Which rooms answer for problems that are more than one epoch: by the type of the problem.

A `MultiComponentProblem` is one epoch, which the public functions and the commands solve
themselves. A problem of another type has a module of that name in `sparing.faces` (solve,
evaluate, simulate) and, if it has commands, one in `sparing.commands`.
"""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from sparing.models.load_sharing import LoadSharingProblem
from sparing.models.load_sharing_system import LoadSharingSystem

MODULES: dict[type, str] = {
    LoadSharingProblem: "load_sharing",
    LoadSharingSystem: "load_sharing",
}


def public_face(model: object) -> ModuleType | None:
    """Return the module with the public functions for `model`, or None for a plain epoch."""
    return _module("sparing.faces", model)


def command_face(model: object) -> ModuleType | None:
    """Return the module with the commands for `model`, or None for a `MultiComponentProblem`."""
    return _module("sparing.commands", model)


def _module(room: str, model: object) -> ModuleType | None:
    name = MODULES.get(type(model))
    return None if name is None else import_module(f"{room}.{name}")
