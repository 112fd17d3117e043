"""Structure functions: when does a system of components work (Barlow & Proschan 1975, ch. 1).

A structure is a monotone expression over component names: ``c1 & (c2 | c3)``,
``2-of(c1, c2, c3 & c4)``, nested at will.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_TOKEN = re.compile(r"\s*(?:(\d+)\s*-\s*of\b|([A-Za-z_][\w.-]*)|([&|(),]))")


@dataclass(frozen=True)
class Structure:
    """A parsed structure: a component name, or at least `required` of `parts` work."""

    required: int
    parts: tuple[Structure, ...]
    component: str = ""

    @property
    def components(self) -> frozenset[str]:
        """Names of the components that occur."""
        if self.component:
            return frozenset({self.component})
        return frozenset().union(*(part.components for part in self.parts))

    def works(self, names: Sequence[str]) -> NDArray[np.bool_]:
        """Return whether the system works, shape (2,) * N: index 0 is down and 1 is up."""
        if self.component:
            shape = [1] * len(names)
            shape[names.index(self.component)] = 2
            return np.array([False, True]).reshape(shape)
        count = sum(part.works(names).astype(np.int16) for part in self.parts)
        return np.asarray(count >= self.required)


def parse_structure(text: str, names: Sequence[str]) -> Structure:
    """Return the structure that `text` describes.

    Raises
    ------
    ValueError
        If `text` is no such expression, or names a component that is not in `names`; the message
        gives the position.
    """
    if not isinstance(text, str):
        raise ValueError(f"structure must be a text such as 'c1 & (c2 | c3)'; got {text!r}.")
    try:
        structure = _Parser(text).parse()
    except RecursionError:
        raise ValueError(f"structure {text[:40]!r}...: is nested too deeply.") from None
    for unknown in sorted(structure.components - set(names)):
        raise ValueError(
            f"structure {text!r}: unknown component {unknown!r}; components: {', '.join(names)}."
        )
    return structure


class _Parser:
    """Recursive descent: | binds less than &, both less than k-of(...) and parentheses."""

    def __init__(self, text: str) -> None:
        self.text, self.position = text, 0

    def parse(self) -> Structure:
        structure = self._any()
        if self._peek() is not None:
            raise self._error("expected & or |")
        return structure

    def _any(self) -> Structure:
        parts = [self._all()]
        while self._take("|"):
            parts.append(self._all())
        return parts[0] if len(parts) == 1 else Structure(1, tuple(parts))

    def _all(self) -> Structure:
        parts = [self._atom()]
        while self._take("&"):
            parts.append(self._atom())
        return parts[0] if len(parts) == 1 else Structure(len(parts), tuple(parts))

    def _atom(self) -> Structure:
        match = self._peek()
        if match is None:
            raise self._error("expected a component, k-of(...) or (")
        required, name, symbol = match.groups()
        start = self.position
        self.position = match.end()
        if name:
            return Structure(1, (), name)
        if required:
            return self._k_of(int(required), start)
        if symbol == "(":
            inner = self._any()
            self._expect(")")
            return inner
        self.position = start
        raise self._error("expected a component, k-of(...) or (")

    def _k_of(self, required: int, start: int) -> Structure:
        self._expect("(")
        parts = [self._any()]
        while self._take(","):
            parts.append(self._any())
        self._expect(")")
        if not 1 <= required <= len(parts):
            self.position = start
            raise self._error(f"{required}-of needs 1 to {len(parts)} of its {len(parts)} parts")
        return Structure(required, tuple(parts))

    def _peek(self) -> re.Match[str] | None:
        match = _TOKEN.match(self.text, self.position)
        if match is None and self.text[self.position :].strip():
            raise self._error("unexpected character")
        return match

    def _take(self, symbol: str) -> bool:
        match = self._peek()
        if match is not None and match.group(3) == symbol:
            self.position = match.end()
            return True
        return False

    def _expect(self, symbol: str) -> None:
        if not self._take(symbol):
            raise self._error(f"expected {symbol!r}")

    def _error(self, what: str) -> ValueError:
        place = len(self.text) - len(self.text[self.position :].lstrip())
        found = self.text[place : place + 12] or "the end"
        return ValueError(f"structure {self.text!r}: {what} at position {place}, found {found!r}.")
