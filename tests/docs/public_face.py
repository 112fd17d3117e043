"""What is public: the modules that the pages of docs/api list, and the names in them."""

from __future__ import annotations

import importlib
import inspect
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
API = ROOT / "docs" / "api"
SECTIONS = "Parameters|Attributes|Returns|Yields|Raises|Warns|Notes|References|Examples|See Also"
DIRECTIVE = re.compile(r"automodule:: ([\w.]+)\n((?:   :.*\n)*)")
OPTION = re.compile(r":([\w-]+):(.*)")
HEADING = re.compile(rf"^({SECTIONS})\n(-+)$", re.M)


def public_names():
    """Functions and classes that the reference shows, by full name."""
    found = {}
    for page in sorted(API.glob("*.md")):
        for module, options in DIRECTIVE.findall(page.read_text(encoding="utf-8")):
            found |= _names_in(module, dict(OPTION.findall(options)))
    return found


def _names_in(module_name, options):
    module = importlib.import_module(module_name)
    shown = options.get("members") or ",".join(getattr(module, "__all__", vars(module)))
    left = {name.strip() for name in options.get("exclude-members", "").split(",")}
    found = {}
    for name in (name.strip() for name in shown.split(",")):
        value = getattr(module, name)
        listed = "members" in options or "imported-members" in options
        mine = listed or getattr(value, "__module__", None) == module_name
        is_shown = mine and name not in left and not name.startswith("_")
        if is_shown and (inspect.isfunction(value) or inspect.isclass(value)):
            found[f"{module_name}.{name}"] = value
    return found


def with_methods(names):
    """The same with the public methods and properties of the classes."""
    found = dict(names)
    for full_name, value in names.items():
        if not inspect.isclass(value):
            continue
        for name, member in vars(value).items():
            inner = member.fget if isinstance(member, property) else member
            inner = getattr(inner, "__func__", inner)
            if not name.startswith("_") and inspect.isfunction(inner):
                found[f"{full_name}.{name}"] = inner
    return found


def sections(docstring):
    """Return the sections of a docstring in NumPy form, by their names."""
    text = inspect.cleandoc(docstring)
    heads = list(HEADING.finditer(text))
    ends = [head.start() for head in heads[1:]] + [len(text)]
    return {
        head[1]: text[head.end() : end].strip("\n") for head, end in zip(heads, ends, strict=False)
    }


def entries(section):
    """Return the names and the text of each entry of a section of parameters."""
    found, names = {}, ()
    for line in section.splitlines():
        if line and not line.startswith(" "):
            names = tuple(name.strip(" *") for name in line.split(":")[0].split(","))
            found[names] = line.partition(":")[2]
        elif names:
            found[names] += "\n" + line
    return found
