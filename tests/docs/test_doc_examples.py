"""The Python blocks of the pages run, one page in one go, and print the text behind them."""

from __future__ import annotations

import contextlib
import io
import re
import shutil
from datetime import datetime, timedelta

import numpy as np
import pytest
import sparing
from large_systems import redundant
from public_face import ROOT
from sparing.planning.demo import write_demo
from sparing.records.failures import FailureRecord, write_failures
from test_readme import assert_same, blocks

DATA = ROOT.parent / "shared" / "data"  # real records, which are not in the project
REAL = {"real-records": ("valveseat", "machineh", "deviceb")}
SLOW = {
    *("environments", "fleets", "large-systems", "learning"),
    *("learning-spares", "plan", "plan-spares", "pomdp"),
}
PAGES = sorted(
    page.stem
    for page in (ROOT / "docs").glob("*.md")
    if any(kind == "python" for kind, _ in blocks(page))
)


def write_inputs(folder):
    """Write the files that the pages read."""
    shutil.copy(ROOT / "tests" / "data" / "known_spares_serial.toml", folder / "serial.toml")
    shutil.copy(ROOT / "tests" / "data" / "spares-twin.toml", folder)
    fifty = redundant(50, "30-of(ALL)", setup_cost=200.0, downtime_cost=5000.0)
    sparing.save_case(fifty, folder / "fifty.toml")
    write_demo(folder / "ess", seed=0)
    for site in ("north", "south"):
        write_demo(folder / "sites" / site, spares=False)
    lines = (folder / "ess" / "inspections.csv").read_text().splitlines()
    unit, component = lines[1].split(",")[:2]
    (folder / "new.csv").write_text(f"{lines[0]}\n{unit},{component},2026-02-10,3\n")
    machine = next(t for k, t in blocks(ROOT / "docs" / "pomdp.md") if k == "text" and "T:" in t)
    (folder / "machine.pomdp").write_text(machine)
    rng = np.random.default_rng(0)
    records = []
    for month, name in enumerate(["inverter", "rack"] * 30):
        warm = 20.0 + 10.0 * float(np.sin(month / 6.0))
        records.append(
            FailureRecord(
                component=name,
                location="site",
                start=datetime(2020, 1, 1) + timedelta(days=30 * month),
                failures=int(rng.poisson(3.0 * np.exp(0.03 * (warm - 20.0)))),
                exposure=100.0,
                temperature=warm,
                humidity=float(rng.uniform(40.0, 90.0)),
            )
        )
    write_failures(records, folder / "failures.csv")


@pytest.mark.parametrize(
    "page",
    [pytest.param(p, marks=pytest.mark.full) if p in SLOW else p for p in PAGES],
)
def test_python_blocks_of_a_page_run(page, tmp_path, monkeypatch):
    write_inputs(tmp_path)
    for name in REAL.get(page, ()):
        if not (DATA / f"smrd_{name}.csv").exists():
            pytest.skip(f"real records smrd_{name}.csv are not in shared/data beside the checkout")
        shutil.copy(DATA / f"smrd_{name}.csv", tmp_path / f"{name}.csv")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    path = ROOT / "docs" / f"{page}.md"
    names = {}
    exec("import sparing", names)
    found = blocks(path)
    text = path.read_text(encoding="utf-8")
    for number, (kind, code) in enumerate(found):
        if kind != "python":
            continue
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            exec(compile(code, str(path), "exec"), names)
        expected = found[number + 1 :][:1]
        if expected and re.search(re.escape(code) + r"```\n\n```text\n", text):
            assert_same(out.getvalue(), expected[0][1])


def test_pages_with_examples_are_many():
    assert len(PAGES) >= 10
