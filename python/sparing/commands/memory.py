"""The option --memory: a size such as 4GiB."""

from __future__ import annotations

import re
from typing import Annotated

import typer

UNITS = {"": 1, "b": 1} | {
    spelling: 1024**power
    for power, letter in enumerate("kmgt", 1)
    for spelling in (letter, f"{letter}b", f"{letter}ib")
}
LEAST = 1 << 20  # bytes; a smaller number is one whose unit was forgotten
MemoryOption = Annotated[
    str | None,
    typer.Option(
        metavar="SIZE",
        help="That an exact solve may take, such as 4GiB or 500MB.",
        show_default="what is free",
    ),
]


def parsed_memory(text: str | None) -> float | None:
    """Return a size in bytes; K, M, G and T are powers of 1024.

    Raises
    ------
    ValueError
        If it is none.
    """
    if text is None:
        return None
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([a-zA-Z]*)\s*", text)
    if not found or found[2].lower() not in UNITS or not float(found[1]) > 0.0:
        raise ValueError(f"--memory must be a size above 0 such as 4GiB or 500MB; got {text!r}.")
    size: float = float(found[1]) * UNITS[found[2].lower()]
    if not found[2] and size < LEAST:
        raise ValueError(f"--memory {text}: is {size:g} bytes without a unit; give one, as 4GiB.")
    return size
