"""The README's code is run, and what it prints is compared."""

import contextlib
import io
import re
import shlex
from pathlib import Path

import pytest
from case_texts import write_case
from sparing import cli

README = Path(__file__).parents[1] / "README.md"
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", README.read_text(encoding="utf-8"), re.M | re.S)


def printed(run, *arguments):
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        run(*arguments)
    return out.getvalue()


def timeless(text):
    """Blank what differs from run to run: times, and the last digits of very small gaps."""
    text = re.sub(r"\d+\.\d+ s\b", "T s", text)
    text = re.sub(r"\d(\.\d+)?e-\d+", "G", text)
    return [line.rstrip() for line in text.strip().splitlines()]


def test_python_blocks_print_what_stands_behind_them():
    names = {}
    compared = 0
    for (kind, text), (next_kind, expected) in zip(BLOCKS, [*BLOCKS[1:], ("", "")], strict=True):
        if kind != "python":
            continue
        found = printed(exec, compile(text, str(README), "exec"), names)
        assert next_kind == "text"
        assert timeless(found) == timeless(expected)
        compared += 1
    assert compared >= 3


CONSOLE = [
    (line[len("$ ") :], rest)
    for kind, text in BLOCKS
    if kind == "console"
    for line, _, rest in [text.partition("\n")]
    if line.startswith("$ sparing ")
]


@pytest.mark.parametrize(("command", "expected"), CONSOLE, ids=[c for c, _ in CONSOLE])
def test_console_blocks_print_what_stands_in_them(
    capsys, tmp_path, monkeypatch, command, expected
):
    goals = {"weight": 0.0, "at_least": 0.925}
    write_case(
        tmp_path / "goals.toml", criterion="average", cost={"weight": 1.0}, reliability=goals
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with pytest.raises(SystemExit) as ended:
        cli.main(shlex.split(command)[1:])
    assert ended.value.code == 0
    found = capsys.readouterr().out
    if expected.strip():
        assert timeless(found) == timeless(expected)


def test_the_two_commands_are_there():
    text = README.read_text(encoding="utf-8")
    assert "$ pip install . && sparing solve three-component\n" in text
    assert "$ pip install '.[test]' && pytest\n" in text


def test_links_lead_somewhere():
    for target in re.findall(r"\]\(([^)#:]+)\)", README.read_text(encoding="utf-8")):
        assert (README.parent / target).exists(), target
