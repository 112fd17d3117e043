"""The reader of .pomdp files against a dense one that applies statement by statement."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import sparing
from hypothesis import example, given, settings
from hypothesis import strategies as st
from random_pomdps import random_pomdp
from sparing.beliefs.pomdp_files import PomdpFileError, parse_pomdp, pomdp_text
from sparing.beliefs.pomdp_problems import rock_sample, tag, tiger

TIGER = """# The tiger problem, by hand
discount: 0.95
values: reward
states: left right
actions: listen open-left open-right   # three of them
observations: hear-left hear-right
T: listen identity
T: open-left uniform
T: open-right
0.5 0.5
0.5 0.5
O: * uniform
O: listen
0.85 0.15
0.15 0.85
R: listen : * : * : * -1
R: open-left : left : * : * -100
R: open-left : right : * : * 10
R: 2 : 0 : *
10 10
R:open-right:right:*:*-100
"""


def assert_same(one, other):
    assert np.array_equal(one.transition.toarray(), other.transition.toarray())
    assert np.array_equal(one.observation.toarray(), other.observation.toarray())
    assert np.array_equal(one.cost, other.cost)
    assert np.array_equal(one.start, other.start)
    assert (one.discount, one.values) == (other.discount, other.values)


def test_a_file_by_hand_is_the_tiger_problem():
    found = parse_pomdp(TIGER)
    assert_same(found, tiger())
    assert found.states == ("left", "right")
    assert found.actions[1] == "open-left"


@pytest.mark.parametrize("model", [tiger(), tag(), rock_sample(3, [(1, 1)], (0, 1))])
def test_what_is_written_is_read_back(model, tmp_path):
    path = tmp_path / "model.pomdp"
    sparing.save_pomdp(model, path)
    again = sparing.load(path)
    assert_same(again, model)
    assert again.actions == model.actions


@given(seed=st.integers(0, 10_000), values=st.sampled_from(["reward", "cost"]))
@settings(max_examples=30)
def test_random_models_are_read_back(seed, values):
    model = random_pomdp(seed, values=values)
    assert_same(parse_pomdp(pomdp_text(model)), model)


S, A, O = 3, 2, 2  # noqa: E741
ELEMENT = {size: st.sampled_from(["*", *map(str, range(size))]) for size in (2, 3)}


def picked(text, size):
    return range(size) if text == "*" else [int(text)]


@st.composite
def rows_of(draw, size):
    """A row of chances in eighths."""
    cuts = sorted(draw(st.lists(st.integers(0, 8), min_size=size - 1, max_size=size - 1)))
    return np.diff([0, *cuts, 8]) / 8


@st.composite
def statements(draw):
    """Text, and what it means: T [A, S, S], Z [A, S, O] and R [A, S, S, O], the last one counts."""
    T = np.broadcast_to(np.eye(S), (A, S, S)).copy()
    Z, R = np.full((A, S, O), 0.5), np.zeros((A, S, S, O))
    lines = ["T: * identity", "O: *", "uniform"]
    for _ in range(draw(st.integers(0, 8))):
        letter = draw(st.sampled_from("TOR"))
        a, s = draw(ELEMENT[A]), draw(ELEMENT[S])
        where = np.ix_(picked(a, A), picked(s, S))
        if letter == "R":
            n, o = draw(ELEMENT[S]), draw(ELEMENT[O])
            form = draw(st.sampled_from(["entry", "row", "table"]))
            shape = {"entry": (1, 1), "row": (1, O), "table": (S, O)}[form]
            numbers = draw(st.lists(st.integers(-3, 3), min_size=O * S, max_size=O * S))
            values = np.resize(numbers, shape).astype(float)
            places = [picked(a, A), picked(s, S), picked(n, S), picked(o, O)]
            head = f"R: {a} : {s}" + (f" : {n}" if form != "table" else "")
            head += f" : {o}" if form == "entry" else ""
            if form == "table":
                places[2], places[3] = range(S), range(O)
            elif form == "row":
                places[3] = range(O)
            full = np.broadcast_to(values, (len(places[2]), len(places[3])))
            R[np.ix_(*places)] = full
            lines += [head, *(" ".join(map(str, row)) for row in values)]
            continue
        table, size = (T, S) if letter == "T" else (Z, O)
        row = draw(rows_of(size))
        form = draw(st.sampled_from(["row", "entries", "table", "uniform"]))
        if form == "row":
            lines += [f"{letter} : {a} : {s}", " ".join(map(str, row))]
        elif form == "entries":
            lines.append(f"{letter}: {a} : {s} : * 0")
            lines += [f"{letter}: {a} : {s} : {k} {p}" for k, p in enumerate(row)]
        elif form == "uniform":
            lines.append(f"{letter}: {a} : {s} uniform")
            row = np.full(size, 1 / size)
        else:
            where = np.ix_(picked(a, A), range(S))
            lines += [f"{letter}: {a}", *[" ".join(map(str, row))] * S]
        table[where] = row
    return "\n".join(lines), T, Z, R


@given(statements())
def test_statements_mean_what_a_dense_reader_makes_of_them(found):
    text, T, Z, R = found
    head = f"discount: 1\nvalues: cost\nstates: {S}\nactions: {A}\nobservations: {O}\n"
    model = parse_pomdp(head + text)
    np.testing.assert_allclose(model.transition.toarray().reshape(A, S, S), T, atol=1e-15)
    np.testing.assert_allclose(model.observation.toarray().reshape(A, S, O), Z, atol=1e-15)
    np.testing.assert_allclose(model.cost, np.einsum("asn,ano,asno->as", T, Z, R), atol=1e-12)


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        ("", [1 / 3] * 3),
        ("start: uniform", [1 / 3] * 3),
        ("start: 0.5 0.25 0.25", [0.5, 0.25, 0.25]),
        ("start: b", [0, 1, 0]),
        ("start: 2", [0, 0, 1]),
        ("start include: a 2", [0.5, 0, 0.5]),
        ("start exclude : b", [0.5, 0, 0.5]),
    ],
)
def test_all_forms_of_start(start, expected):
    head = "states: a b c\nactions: 1\nobservations: 1\nvalues: cost\n"
    model = parse_pomdp(f"{start}\n{head}discount: .5\nT: 0 identity\nO: 0 uniform\n")
    assert model.start == pytest.approx(expected)


def test_reset_leads_to_the_start():
    head = "discount: .5 values: cost states: 2 actions: 1 observations: 1 start: 0.25 0.75 "
    model = parse_pomdp(head + "T: 0 : * reset O: * uniform")
    assert model.transition.toarray() == pytest.approx(np.array([[0.25, 0.75]] * 2))


def test_rows_of_few_digits_are_scaled_and_others_are_not_touched():
    text = TIGER.replace("0.85 0.15\n", "0.84999 0.15\n")
    model = parse_pomdp(text)
    assert model.observation.toarray().sum(axis=1) == pytest.approx(1.0, abs=1e-15)
    assert model.observation.toarray()[1].tolist() == [0.15, 0.85]


WORDS = TIGER.split()
ODD = ["*", ":", "#", "T", "O:", "R:", "-1", "1e999", "nan", "0.5", "99", "start", "include", "é"]


def message_of(text):
    """What the reader says, if it refuses; nothing else may be raised."""
    try:
        parse_pomdp(text)
    except PomdpFileError as error:
        return str(error)
    except MemoryError:
        return "line of none: too large"
    return "line of none: it can be read"


@given(st.lists(st.tuples(st.integers(0, len(WORDS)), st.sampled_from(ODD + WORDS)), max_size=4))
@example([(0, "states: 99999999")])
@example([(len(WORDS), "states: 2 actions: 0")])
def test_broken_files_are_refused_by_line_or_read(changes):
    words = list(WORDS)
    for place, word in changes:
        words.insert(place, word)
    for removed in ([], [changes[0][0] % len(words)] if changes else []):
        text = "\n".join(w for k, w in enumerate(words) if k not in removed)
        assert message_of(text).startswith("line ")


@given(st.binary(max_size=200))
def test_bytes_never_crash_the_reader(data):
    for text in (data, TIGER.encode() + data, data + TIGER.encode()):
        assert message_of(text).startswith("line ")


def test_the_example_of_the_documentation_is_read_and_solved():
    page = Path(__file__).parents[2] / "docs" / "pomdp.md"
    text = page.read_text(encoding="utf-8").split("```text\n")[1].split("```")[0]
    model = parse_pomdp(text)
    assert model.values == "cost"
    assert model.cost.tolist() == [[0, 0, 50], [2, 2, 2], [20, 20, 20]]
    best = sparing.solve(model, gap=0.5)
    assert best.converged
    assert best.reported == (best.lower, best.upper)
