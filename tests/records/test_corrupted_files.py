"""Files of every kind of record, spoiled in every way: told with place, value and fix, or safe."""

from __future__ import annotations

import pytest
from corruptions import BAD_PARQUET, READ_THE_SAME, REFUSED, changed, parquet_of, reordered
from record_kinds import KINDS

BY_NAME = {kind.name: kind for kind in KINDS}
DATED = {"30 February", "month 13", "year 0", "American days", "no day", "a day far beyond"}


def refused():
    for kind in KINDS:
        for name in REFUSED:
            if (name in DATED and not kind.day) or (kind.name, name) in WITHOUT:
                continue
            yield pytest.param(kind, name, id=f"{kind.name}-{name}")


WITHOUT = {  # what is a good file of that kind
    ("demand", "no header"),  # any names do for parts and periods
    ("demand", "a column twice, in capitals"),  # periods may be called 1 and 1.0
    ("demand", "names of two columns swapped"),
    ("orders", "names of two columns swapped"),  # orders may be called 2, 1 and 3
    ("orders", "a header alone"),  # a day without orders
    ("maintenance", "a header alone"),  # nothing was done
    ("stock", "a header alone"),  # nothing was counted
    ("purchases", "a header alone"),  # nothing was ordered
    ("inspections", "a header alone"),  # told when a transition is to be estimated
}


@pytest.mark.parametrize(("kind", "name"), list(refused()))
def test_a_spoiled_file_is_refused_with_its_place(kind, name, tmp_path):
    make, message = REFUSED[name]
    path = tmp_path / f"{kind.file}.csv"
    path.write_bytes(make(kind))
    with pytest.raises(ValueError, match=message) as caught:
        kind.read(path)
    assert path.name in str(caught.value)


@pytest.mark.parametrize("name", READ_THE_SAME)
@pytest.mark.parametrize("kind", KINDS, ids=BY_NAME)
def test_an_odd_file_reads_as_the_plain_one(kind, name, tmp_path):
    path = tmp_path / f"{kind.file}.csv"
    path.write_text(kind.text)
    expected = repr(kind.read(path))
    path.write_bytes(READ_THE_SAME[name](kind))
    assert repr(kind.read(path)) == expected


@pytest.mark.parametrize("kind", [k for k in KINDS if k.name != "demand"], ids=lambda k: k.name)
def test_the_order_of_columns_does_not_matter(kind, tmp_path):
    path = tmp_path / f"{kind.file}.csv"
    path.write_text(kind.text)
    expected = repr(kind.read(path))
    path.write_bytes(reordered(kind))
    assert repr(kind.read(path)) == expected


@pytest.mark.parametrize("name", BAD_PARQUET)
@pytest.mark.parametrize("kind", KINDS, ids=BY_NAME)
def test_a_spoiled_parquet_file_is_refused(kind, name, tmp_path):
    make, message = BAD_PARQUET[name]
    path = tmp_path / f"{kind.file}.parquet"
    path.write_bytes(make(kind))
    with pytest.raises((ValueError, OSError), match=message):
        kind.read(path)


@pytest.mark.parametrize("kind", KINDS, ids=BY_NAME)
def test_parquet_reads_as_csv_does(kind, tmp_path):
    path = tmp_path / f"{kind.file}.csv"
    path.write_text(kind.text)
    expected = repr(kind.read(path))
    other = tmp_path / f"{kind.file}.parquet"
    other.write_bytes(parquet_of(kind))
    assert repr(kind.read(other)) == expected


@pytest.mark.parametrize("ending", ["csv", "parquet"])
@pytest.mark.parametrize("what", ["folder", "loop", "dangling"])
@pytest.mark.parametrize("kind", KINDS, ids=BY_NAME)
def test_what_is_no_file_is_refused(kind, what, ending, tmp_path):
    path = tmp_path / f"{kind.file}.{ending}"
    if what == "folder":
        path.mkdir()
    else:
        path.symlink_to(path.name if what == "loop" else "nowhere")
    with pytest.raises((ValueError, OSError), match=r"folder|directory|symbolic|No such file"):
        kind.read(path)


NAMES = {
    "formula": '=HYPERLINK("http://x")',
    "command": "=cmd|' /C calc'!A0",
    "markup": "<script>alert(1)</script>",
    "path": "../../../etc/passwd",
    "template": "{{7*7}}${7*7}%s%n",
    "query": "'; DROP TABLE units; --",
    "right to left": "a\u202eb",
    "combined": "e\u0301\U0001f600",
    "long": "x" * 10_000,
}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", [k for k in KINDS if k.name != "orders"], ids=lambda k: k.name)
def test_strange_names_are_only_names(kind, name, tmp_path):
    """They are read as they stand; what is written from them is tested where it is written."""
    cells = kind.cells()
    quoted = '"' + NAMES[name].replace('"', '""') + '"'
    path = tmp_path / f"{kind.file}.csv"
    path.write_bytes(changed(kind, cells[0][0], quoted))
    assert NAMES[name] in str(_flat(kind.read(path)))
    assert {p.name for p in tmp_path.iterdir()} <= {path.name, "plan.toml", "inspections.csv"}


def _flat(found):
    """Return the names in what was read, as they are and not as `repr` writes them."""
    if isinstance(found, dict):
        return "\n".join(found["unit"])
    if hasattr(found[0], "component"):
        return "\n".join(record.component for record in found)
    return "\n".join(found[0])
