"""Tables of the commands: in a narrow terminal, and away from one."""

from __future__ import annotations

import re

import pytest
from rich.console import Console
from sparing.commands.output import WIDTH, print_table

COLUMNS = ["policy", *(f"measure {i}" for i in range(8))]
ROWS = [[name, *(f"{i}.12345678" for i in range(8))] for name in ("optimum", "best control limits")]


@pytest.fixture
def printed(monkeypatch, capsys):
    """Print the table in a terminal of so many columns (None: no terminal): its lines."""

    def printed(width, columns=COLUMNS, rows=ROWS, **options):
        monkeypatch.setattr(Console, "is_terminal", property(lambda self: width is not None))
        if width is not None:
            monkeypatch.setenv("COLUMNS", str(width))
        print_table(columns, rows, **options)
        plain = re.sub(r"\x1b\[[0-9;]*m", "", capsys.readouterr().out)
        return [line.rstrip() for line in plain.splitlines()]

    return printed


@pytest.mark.parametrize("width", [40, 60, 80, 100, None])
def test_no_figure_is_cut(printed, width):
    """Where the table is too wide, its columns go on below with the first one beside them."""
    lines = printed(width, title="exact")
    assert max(map(len, lines)) <= (width or WIDTH)
    assert "…" not in "".join(lines)
    assert lines[0] == "exact"
    for cells in (COLUMNS, *ROWS):
        found = [line for line in lines if line.startswith(f" {cells[0]}")]
        words = " ".join(line.removeprefix(f" {cells[0]}") for line in found).split()
        assert words == " ".join(cells[1:]).split()


def test_a_table_that_fits_is_one_block(printed):
    lines = printed(80, COLUMNS[:4], [row[:4] for row in ROWS])
    assert len(lines) == 3


def test_first_columns_that_leave_no_room_are_not_repeated(printed):
    """Blocks of one column each would be worse than lines that the terminal wraps."""
    lines = printed(40, COLUMNS, ROWS, left=5)
    assert len(lines) == 3
    assert "…" not in "".join(lines)


@pytest.mark.parametrize("width", [40, None])
def test_an_empty_table_and_a_short_row_are_printed(printed, width):
    assert printed(width, ["a", "b"], []) == [" a  b"]
    assert printed(width, ["a", "b"], [["x"]]) == [" a  b", " x"]
