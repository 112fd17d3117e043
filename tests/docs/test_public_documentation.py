"""Every public name is in the reference, and its docstring says what its signature does not."""

from __future__ import annotations

import importlib
import inspect
import re

import pytest
import sparing
from public_face import HEADING, ROOT, entries, public_names, sections, with_methods

ARRAYS = re.compile(r"NDArray|ArrayLike|\bArray\b|Floats|jax\.Array")
SHAPE = re.compile(r"\[[^\]\n]*\]|\([\w.]+,[^)]*\)|[Ss]hape")
UNDERLINED = re.compile(r"^(\S.*)\n(-{3,})$", re.M)
NAMED = re.compile(r"`(sparing(?:\.\w+)+)`")
METHODS = (  # what computes something by a formula or method of somebody's
    "exact.value_iteration.value_iteration",
    "exact.modified_policy_iteration.modified_policy_iteration",
    "exact.semi_markov.solve_semi_markov",
    "beliefs.pomdp_exact.incremental_pruning",
    "beliefs.pomdp_solver.solve_pomdp",
    "inventory.base_stock.measure_base_stocks",
    "inventory.reorder_point.best_reorder_policy",
    "inventory.serial.solve_serial_system",
    "inventory.palm.one_for_one",
    "records.transitions.transition_posterior",
    "records.generator.generator_posterior",
    "records.lead_times.fit_lead_times",
    "records.gamma_rate.GammaRate",
    "learn.learners.dqn",
    "learn.rollout_learners.pqn",
    "learn.rollout_learners.qv",
)

FACE = public_names()
EVERYTHING = with_methods(FACE)


def test_the_package_itself_is_in_the_reference():
    assert {f"sparing.{name}" for name in sparing.__all__} <= set(FACE)
    assert len(EVERYTHING) > 500


def test_what_pages_name_is_there():
    for page in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]:
        for name in NAMED.findall(page.read_text(encoding="utf-8")):
            assert found(name) is not None, f"{page.name}: {name}"


def found(name):
    """Return what a dotted name leads to, or None."""
    parts = name.split(".")
    for size in range(len(parts), 0, -1):
        try:
            value = importlib.import_module(".".join(parts[:size]))
        except ModuleNotFoundError:
            continue
        for part in parts[size:]:
            value = getattr(value, part, None)
        return value
    return None


def room_of(name):
    return ".".join(name.split(".")[:2]) if name.count(".") > 1 else "sparing"


ROOMS = sorted({room_of(name) for name in FACE})


@pytest.mark.parametrize("room", ROOMS)
def test_docstrings_are_in_numpy_form_and_fit_their_signatures(room):
    checked = [check_docstring(n, value) for n, value in EVERYTHING.items() if room_of(n) == room]
    assert checked


def check_docstring(name, value):
    text = inspect.getdoc(value)
    assert text, f"{name} has no docstring"
    assert not text.startswith(f"{value.__name__}("), f"{name} has only a generated docstring"
    assert re.match(r"[^\n]+[.:?](\n|$)", text), f"{name}: first line {text.splitlines()[0]!r}"
    for head in UNDERLINED.finditer(text):
        assert HEADING.match(head[0]), f"{name}: {head[1]!r} is no section"
        assert len(head[1]) == len(head[2]), f"{name}: underline of {head[1]!r}"
    if inspect.isfunction(value):
        known = set(inspect.signature(value).parameters)
    else:
        known = set(inspect.signature(value.__init__).parameters)
        known |= {key for base in value.__mro__ for key in (*vars(base), *_annotations(base))}
        known |= set(re.findall(r"self\.(\w+)\b[^\n]* = ", inspect.getsource(value)))
    for section in ("Parameters", "Attributes"):
        for names in entries(sections(text).get(section, "")):
            assert set(names) <= known, f"{name}: {section} has {names}"


@pytest.mark.parametrize("room", ROOMS)
def test_arrays_have_their_shapes(room):
    """In the docstring, or as a comment where a field stands."""
    for name, value in FACE.items():
        if room_of(name) == room:
            check_shapes(name, value)


def check_shapes(name, value):
    text, source = inspect.getdoc(value) or "", inspect.getsource(value)
    for argument, annotation in _annotations(value).items():
        if not ARRAYS.search(str(annotation)) or argument == "key":
            continue
        commented = re.search(rf"^ *{argument}: .*#.*\[", source, re.M)
        told = SHAPE.search(text) and (argument == "return" or re.search(rf"\b{argument}\b", text))
        assert told or commented, f"{name}: {argument} has no shape"


@pytest.mark.parametrize("name", METHODS)
def test_methods_name_their_source(name):
    """Where a formula stands: in the docstring or in that of the module; author and year."""
    value = FACE[f"sparing.{name}"]
    text = (inspect.getdoc(value) or "") + (inspect.getmodule(value).__doc__ or "")
    assert re.search(r"[A-Z]\w+[^.]*?\(?(19|20)\d\d|3rd ed\.", text), name


def _annotations(value):
    return vars(value).get("__annotations__", {})


def test_every_page_has_its_place_in_the_site():
    pages = {page.stem for page in (ROOT / "docs").glob("*.md")} - {"index"}
    entries = set((ROOT / "docs" / "index.md").read_text(encoding="utf-8").split())
    assert pages <= entries
