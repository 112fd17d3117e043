"""The documentation site: ``sphinx-build -W --keep-going docs build/site``."""

import sys
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT / "_ext"))

project = "sparing"
author = "The sparing developers"
project_copyright = author
release = version = metadata.version("sparing")

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "command_reference",
]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_ext", "_build"]

# Headings get the anchors that GitHub gives them, so the pages read the same in both places.
myst_heading_anchors = 3
myst_enable_extensions = ["colon_fence"]

autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
autodoc_default_options = {"members": True, "show-inheritance": False}
napoleon_google_docstring = False
napoleon_use_rtype = False
napoleon_use_ivar = True

html_theme = "furo"
html_title = "sparing"
html_copy_source = False
html_theme_options = {"navigation_with_keys": True}
suppress_warnings = [
    "ref.python",  # fields such as "mean" and "cost" that several classes have
    "misc.highlighting_failure",  # blocks of CSV
]


def _to_pages(app, name, source):
    """Let links to files that are pages here lead to those pages."""
    source[0] = source[0].replace("(../bench/README.md", "(benches.md")


def setup(app):
    """Connect what the pages need."""
    app.connect("source-read", _to_pages)
