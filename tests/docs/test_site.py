"""The site is built without a warning, and everything public is in it."""

from __future__ import annotations

import re
import subprocess
import sys

import headless
import pytest
from public_face import ROOT, public_names

pytestmark = pytest.mark.full


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    pytest.importorskip("furo", reason="needs pip install '.[docs]'")
    pytest.importorskip("myst_parser", reason="needs pip install '.[docs]'")
    out = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "docs", str(out)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return out


def test_every_public_name_is_in_the_site(site):
    text = "".join(page.read_text(encoding="utf-8") for page in (site / "api").glob("*.html"))
    shown = set(re.findall(r'id="(sparing\.[\w.]+)"', text))
    assert set(public_names()) <= shown


def test_every_page_and_command_is_in_the_site(site):
    from sparing.cli import app

    for page in (ROOT / "docs").glob("*.md"):
        assert (site / f"{page.stem}.html").exists()
    text = (site / "commands.html").read_text(encoding="utf-8")
    commands = [command.name or command.callback.__name__ for command in app.registered_commands]
    assert len(commands) > 12
    for name in commands:
        assert f"sparing {name.replace('_', '-')}<" in text, name


@pytest.fixture(scope="module")
def browser():
    driver = headless.start()
    yield driver
    driver.quit()


@pytest.mark.parametrize("page", ["index", "plan", "commands", "api/records"])
@pytest.mark.parametrize("width", [1280, 375])
def test_pages_are_readable_without_a_network(site, browser, page, width):
    headless.show(browser, site / f"{page}.html", width=width)
    assert headless.said(browser) == []
    assert headless.overflow(browser) == 0
    assert {u.split(":")[0] for u in headless.requested(browser)} <= {"file", "data"}
    assert browser.find_element("tag name", "h1").is_displayed()


def test_a_page_can_be_printed(site, browser):
    headless.show(browser, site / "maintenance.html")
    assert headless.printed(browser).startswith(b"%PDF")
