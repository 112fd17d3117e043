"""Structure expressions: the parser against Python's own, and its errors with their position."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sparing.models.structure import parse_structure

NAMES = ["c1", "c2", "pump-a", "_x", "v.2"]


def k_of(parts):
    return st.tuples(st.integers(1, len(parts)), st.just(parts)).map(
        lambda drawn: f"{drawn[0]}-of({', '.join(drawn[1])})"
    )


def combined(inner):
    several = st.lists(inner, min_size=1, max_size=4)
    joined = st.tuples(several, st.sampled_from([" & ", " | ", "&", "|", "  &\n"])).map(
        lambda drawn: drawn[1].join(drawn[0])
    )
    return joined | joined.map(lambda text: f"({text})") | several.flatmap(k_of)


EXPRESSIONS = st.recursive(st.sampled_from(NAMES), combined, max_leaves=12)


@given(text=EXPRESSIONS)
def test_an_expression_means_what_it_means_in_python(text):
    """For every combination of units that work; & binds more than | there too."""
    works = np.broadcast_to(parse_structure(text, NAMES).works(NAMES), (2,) * len(NAMES))
    code = re.sub(r"(\d+)-of\(", r"at_least(\1, ", text)
    for place, name in enumerate(NAMES):
        code = re.sub(rf"(?<![\w.-]){re.escape(name)}(?![\w.-])", f"unit[{place}]", code)
    program = compile(code.replace("\n", " "), text, "eval")
    for unit in np.ndindex(works.shape):
        scope = {"unit": [bool(u) for u in unit], "at_least": lambda k, *parts: sum(parts) >= k}
        assert works[unit] == eval(program, scope), unit


@given(text=EXPRESSIONS)
def test_a_structure_is_monotone_and_names_its_components(text):
    """A repaired unit never takes the system down."""
    structure = parse_structure(text, NAMES)
    works = np.broadcast_to(structure.works(NAMES), (2,) * len(NAMES))
    for axis in range(works.ndim):
        assert (works.take(0, axis) <= works.take(1, axis)).all()
    assert structure.components <= set(NAMES)
    assert not works[(0,) * works.ndim]
    assert works[(1,) * works.ndim]


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("c1 & c2 | _x", "(c1 & c2) | _x"),
        ("c1 | c2 & _x", "c1 | (c2 & _x)"),
        ("1-of(c1, c2)", "c1 | c2"),
        ("2-of(c1, c2)", "c1 & c2"),
        ("2 - of ( c1,c2 , _x )", "c1 & c2 | c1 & _x | c2 & _x"),
        ("((c1))", "c1"),
        ("c1 & c1", "c1"),
        ("2-of(c1 & c2, _x | v.2, pump-a)", "2-of(pump-a, v.2 | _x, c2 & c1)"),
    ],
)
def test_two_ways_to_write_the_same(text, same):
    one, two = (parse_structure(t, NAMES).works(NAMES) for t in (text, same))
    np.testing.assert_array_equal(*np.broadcast_arrays(one, two))


WRONG = {
    "empty": ("", "expected a component, k-of(...) or ( at position 0, found 'the end'"),
    "blank": ("  ", "at position 2, found 'the end'"),
    "ends early": ("c1 &", "expected a component, k-of(...) or ( at position 4, found 'the end'"),
    "two operators": ("c1 & & c2", "at position 5, found '& c2'"),
    "two names": ("c1 c2", "expected & or | at position 3, found 'c2'"),
    "open bracket": ("(c1 | c2", "expected ')' at position 8, found 'the end'"),
    "closed bracket": ("c1)", "expected & or | at position 2, found ')'"),
    "unknown sign": ("c1 + c2", "unexpected character at position 3, found '+ c2'"),
    "not": ("!c1", "unexpected character at position 0"),
    "number alone": ("2", "unexpected character at position 0, found '2'"),
    "k of nothing": ("2-of()", "at position 5, found ')'"),
    "k without brackets": ("2-of c1", "expected '(' at position 5, found 'c1'"),
    "k too large": ("c1 | 3-of(c1, c2)", "3-of needs 1 to 2 of its 2 parts at position 5"),
    "k of zero": ("0-of(c1, c2)", "0-of needs 1 to 2 of its 2 parts at position 0"),
    "comma missing": ("2-of(c1 c2)", "expected ')' at position 8, found 'c2)'"),
    "unknown": ("c1 & c9", "unknown component 'c9'; components: c1, c2"),
    "other case": ("C1", "unknown component 'C1'"),
    "too deep": ("(" * 100_000 + "c1", "is nested too deeply"),
}


@pytest.mark.parametrize(("text", "message"), WRONG.values(), ids=WRONG.keys())
def test_a_wrong_expression_is_refused_with_its_position(text, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        parse_structure(text, ["c1", "c2"])


@given(text=st.text(alphabet="c12&|(),-of x", max_size=20))
def test_any_text_is_parsed_or_refused_with_a_message(text):
    refused = ""
    try:
        parse_structure(text, ["c1", "c2", "x"])
    except ValueError as error:
        refused = str(error)
    assert refused == "" or refused.startswith("structure ")
