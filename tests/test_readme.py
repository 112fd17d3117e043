"""The code of README and docs is run, and what it prints is compared."""

import contextlib
import io
import itertools
import re
import shlex
import shutil
from pathlib import Path

import pytest
from case_texts import write_case
from large_systems import redundant
from sparing import cli
from sparing.models.case_files import save_case

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
PAGES = [README, *sorted((ROOT / "docs").glob("*.md"))]
NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e[-+]?\d+)?")


def blocks(page):
    text = page.read_text(encoding="utf-8")
    return re.findall(r"^```(\w+)\n(.*?)^```$", text, re.M | re.S)


def assert_same(found, expected):
    """Compare words exactly and numbers to seven digits; times and tiny gaps differ by run."""
    assert NUMBER.sub("#", found).split() == NUMBER.sub("#", expected).split()
    found, expected = (re.sub(r"\d+\.\d+ s\b", "", text) for text in (found, expected))
    for one, other in zip(NUMBER.findall(found), NUMBER.findall(expected), strict=True):
        assert float(one) == pytest.approx(float(other), rel=1e-7, abs=1e-6)


def test_python_blocks_print_what_stands_behind_them():
    names, compared = {}, 0
    found_blocks = blocks(README)
    for (kind, text), (next_kind, expected) in itertools.pairwise(found_blocks):
        if kind != "python":
            continue
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            exec(compile(text, str(README), "exec"), names)
        assert next_kind == "text"
        assert_same(out.getvalue(), expected)
        compared += 1
    assert compared >= 3


CONSOLE = [
    (line.removeprefix("$ "), rest)
    for page in PAGES
    for kind, text in blocks(page)
    if kind == "console"
    for line, _, rest in [text.partition("\n")]
    if line.startswith("$ sparing ")
]


@pytest.mark.parametrize(("command", "expected"), CONSOLE, ids=[c for c, _ in CONSOLE])
def test_console_blocks_print_what_stands_in_them(capsys, tmp_path, monkeypatch, command, expected):
    goals = {"weight": 0.0, "at_least": 0.925}
    write_case(
        tmp_path / "goals.toml", criterion="average", cost={"weight": 1.0}, reliability=goals
    )
    shutil.copy(ROOT / "tests" / "data" / "rationing-day.json", tmp_path / "day.json")
    shutil.copy(ROOT / "tests" / "data" / "known_spares_serial.toml", tmp_path / "serial.toml")
    shutil.copy(ROOT / "tests" / "data" / "spares-twin.toml", tmp_path)
    save_case(redundant(10, "c1 & 5-of(REST)"), tmp_path / "ten.toml")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with pytest.raises(SystemExit) as ended:
        cli.main(shlex.split(command)[1:])
    assert ended.value.code == 0
    if expected.strip():
        assert_same(capsys.readouterr().out, expected)


@pytest.mark.full
def test_the_first_command_prints_its_excerpt(capsys, tmp_path, monkeypatch):
    text = README.read_text(encoding="utf-8")
    command, excerpt = re.search(r"\$ (pip install .*?)\n.*?```text\n(.*?)```", text, re.S).groups()
    monkeypatch.chdir(tmp_path)
    for part in command.split(" && ")[1:]:
        with pytest.raises(SystemExit) as ended:
            cli.main(shlex.split(part)[1:])
        assert ended.value.code == 0
    printed = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    for line in excerpt.splitlines():
        assert " ".join(line.split()) in printed


def test_the_two_commands_are_there():
    text = README.read_text(encoding="utf-8")
    assert "$ pip install . && sparing demo ess && sparing plan ess\n" in text
    assert "$ pip install '.[test]' && pytest\n" in text


@pytest.mark.parametrize("page", PAGES, ids=[p.name for p in PAGES])
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target
