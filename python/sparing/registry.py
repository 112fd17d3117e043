"""Which modules answer for problems that are more than one epoch: by the type of the problem.

A `MultiComponentProblem` is one epoch, which the public functions and the commands solve
themselves. A problem of another type has a module beside `sparing.api` (solve, evaluate,
simulate) and one in `sparing.commands` (case_row, solve, compare, simulate).
"""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from sparing.models.load_sharing import LoadSharingProblem
from sparing.models.load_sharing_system import LoadSharingSystem
from sparing.models.spares_network import SparesNetwork

_LOAD_SHARING = ("sparing.api_load_sharing", "sparing.commands.load_sharing")
MODULES: dict[type, tuple[str, str]] = {
    LoadSharingProblem: _LOAD_SHARING,
    LoadSharingSystem: _LOAD_SHARING,
    SparesNetwork: ("sparing.api_spares_network", "sparing.commands.spares_network"),
}


def public_face(model: object) -> ModuleType | None:
    """Return the module with the public functions for `model`, or None for a plain epoch."""
    found = MODULES.get(type(model))
    return None if found is None else import_module(found[0])


def command_face(model: object) -> ModuleType | None:
    """Return the module with the commands for `model`, or None for a `MultiComponentProblem`."""
    found = MODULES.get(type(model))
    return None if found is None else import_module(found[1])
