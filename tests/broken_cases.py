"""Case files with one thing wrong, and what is said of them."""

from __future__ import annotations

from pathlib import Path

import pytest
import sparing
from sparing.models.case_files import CaseError

Replacement = tuple[str, str, str]  # what stands in the file, what is put there, the message


def assert_refused(folder: Path, text: str, broken: Replacement, *, more: str = "") -> None:
    """Assert that `text`, once changed, is refused in one line that names file and message."""
    old, new, message = broken
    assert old in text
    file = folder / "case.toml"
    file.write_text(text.replace(old, new, 1) + more, encoding="utf-8")
    with pytest.raises(CaseError) as caught:
        sparing.load(file)
    found = str(caught.value)
    assert message in found
    assert found.startswith(f"{file}: ")
    assert "\n" not in found
