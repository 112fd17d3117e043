"""The public names stay what they are, whatever else is imported."""

from __future__ import annotations

import contextlib
import importlib
import pkgutil
import subprocess
import sys
from types import ModuleType

import sparing


def test_no_room_hides_a_public_name():
    """A sub-package sets its own name on `sparing` when it is first imported."""
    for module in pkgutil.walk_packages(sparing.__path__, "sparing."):
        if not module.name.endswith(("__main__", "cli")):
            with contextlib.suppress(ModuleNotFoundError):  # of an optional dependency
                importlib.import_module(module.name)
    for name in sparing.__all__:
        assert not isinstance(getattr(sparing, name), ModuleType), name


def test_importing_sparing_imports_no_solver_library():
    code = "import sys, sparing; print([m for m in ('scipy', 'jax', 'rich') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
