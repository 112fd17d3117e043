"""The report of a plan in a real browser: on a desk, on a phone and on paper."""

from __future__ import annotations

import re
import shutil
import subprocess

import headless
import pytest
from sparing.cli import main

pytestmark = pytest.mark.full
A4 = (595.0, 842.0)  # points


@pytest.fixture(scope="module")
def browser():
    driver = headless.start()
    yield driver
    driver.quit()


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    folder = tmp_path_factory.mktemp("plan") / "ess"
    for arguments in (["demo", str(folder)], ["plan", str(folder)]):
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        assert ended.value.code == 0
    return folder / "plan" / "report.html"


@pytest.mark.parametrize("width", [1280, 375, 320])
def test_nothing_is_cut_off_asked_for_or_complained_of(browser, report, width):
    headless.show(browser, report, width=width)
    assert headless.said(browser) == []
    assert headless.requested(browser) == [report.as_uri()]
    assert headless.overflow(browser) == 0
    assert headless.cut_off(browser) == []


def test_text_on_a_phone_is_large_enough_to_read(browser, report):
    headless.show(browser, report, width=375)
    sizes = browser.execute_script(
        """
        return [...document.querySelectorAll("p, td, th, svg text")].map(element => {
          const svg = element.closest("svg");
          const scale = svg ? svg.getBoundingClientRect().width / svg.viewBox.baseVal.width : 1;
          return scale * parseFloat(getComputedStyle(element).fontSize);
        });
        """
    )
    assert len(sizes) > 100
    assert min(sizes) >= 10.0


def test_what_to_do_stands_in_the_first_screen_of_a_phone(browser, report):
    headless.show(browser, report, width=375, height=700)
    box = browser.find_element("css selector", "td.act").rect
    assert box["x"] + box["width"] <= 375
    assert box["y"] + box["height"] <= 700


def test_plots_are_drawn(browser, report):
    headless.show(browser, report)
    bars = browser.find_elements("css selector", "svg rect")
    widths = {bar.rect["width"] for bar in bars}
    assert len(bars) >= 4
    assert len(widths) >= 4
    assert min(widths) > 0
    for words in browser.find_elements("css selector", "svg text"):
        assert words.rect["width"] > 0


def column(browser, number):
    rows = "[...document.querySelectorAll('#sorted tbody tr')]"
    return browser.execute_script(
        f"return {rows}.map(row => row.cells[arguments[0]].innerText)", number
    )


def test_every_table_is_sorted_by_a_click_on_each_head_both_ways(browser, report):
    headless.show(browser, report)
    browser.execute_script("document.querySelectorAll('details').forEach(d => d.open = true)")
    tables = browser.find_elements("css selector", "table.sortable")
    assert len(tables) >= 6
    moved = 0
    for table in tables:
        browser.execute_script(
            "document.querySelectorAll('table').forEach(t => t.id = '');arguments[0].id = 'sorted'",
            table,
        )
        for number, head in enumerate(table.find_elements("css selector", "th button")):
            before = column(browser, number)
            head.click()
            up = column(browser, number)
            head.click()
            down = column(browser, number)
            assert sorted(before) == sorted(up) == sorted(down)
            assert is_ascending(up)
            assert is_ascending(down[::-1])
            moved += up != before or down != before
    assert moved > 10


def is_ascending(cells):
    """Numbers by size, texts by their order; what is mixed is not asked for."""
    if all(re.fullmatch(r"-?[\d.]+", cell) for cell in cells):
        return sorted(map(float, cells)) == [*map(float, cells)]
    if all(re.fullmatch(r"[A-Z]+-\d+|\d{4}-\d\d-\d\d", cell) for cell in cells):
        return sorted(cells) == cells
    return True


def test_on_paper_all_is_there(browser, report, tmp_path):
    """A4 pages, the folded policy unfolded, and the last column of the widest table inside."""
    headless.show(browser, report)
    printed = headless.printed(browser)
    pages = re.findall(rb"/MediaBox\s*\[([\d. ]+)\]", printed)
    assert 2 <= len(pages) <= 11  # with the scores of every period and review unfolded
    for page in pages:
        assert [float(x) for x in page.split()][2:] == pytest.approx(A4, abs=2.0)
    if shutil.which("pdftotext") is None:
        pytest.skip("the text of the pages is read by pdftotext: apt-get install poppler-utils")
    (tmp_path / "report.pdf").write_bytes(printed)
    done = subprocess.run(
        ["pdftotext", "-layout", tmp_path / "report.pdf", "-"], capture_output=True, check=True
    )
    words = " ".join(done.stdout.decode().split())
    page_words = browser.execute_script(
        """
        document.querySelectorAll('details').forEach(d => d.open = true);
        return [...document.querySelectorAll("h1, h2, p, td, th")].map(e => e.innerText);
        """
    )
    squeezed = words.replace(" ", "")
    missing = [w for w in page_words if "".join(w.split()).strip("▸▾") not in squeezed]
    assert missing == []
