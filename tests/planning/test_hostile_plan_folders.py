"""Folders with names, numbers and settings that mean harm: a safe plan, or one message."""

from __future__ import annotations

import html.parser
import json
import sys

import pytest
from plan_folders import PUMP
from sparing.cli import main
from sparing.planning.planning import make_plan
from sparing.records.problems import RecordsError
from sparing.report.plan_files import save_plan

SETTINGS = PUMP.replace("period = 1", "period = 1\ndraws = 20")
SEEN = "Unit,Component,Time,State\na,pump,0,0\na,pump,1,0\na,pump,2,1\na,pump,3,2\nb,pump,0,0\n"
HOSTILE = {
    "script": "<script>document.title='taken'</script>",
    "image": '"><img src=x onerror=alert(1)>',
    "attribute": "' onmouseover='alert(1)",
    "closing tag": "</td></table></body></html>",
    "style": "<style>*{display:none}</style>",
    "comment": "<!-- the rest is gone",
    "entity": "&lt;b&gt;",
    "link": "javascript:alert(1)",
    "path": "../../../../tmp/taken",
    "formula": "=HYPERLINK(0)",
    "format": "%s%n{0}{unit.__class__}",
    "terminal": "[red]x[/red]",
}


def written(folder, settings=SETTINGS, seen=SEEN):
    folder.mkdir(exist_ok=True)
    (folder / "plan.toml").write_text(settings, encoding="utf-8")
    (folder / "inspections.csv").write_text(seen, encoding="utf-8")
    return folder


class Page(html.parser.HTMLParser):
    """The tags and the text of a page."""

    def __init__(self):
        super().__init__()
        self.tags, self.attributes, self.words = [], set(), []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data):
        self.words.append(data)


def parsed(path):
    page = Page()
    page.feed(path.read_text(encoding="utf-8"))
    return page


def quoted(text):
    return '"' + text.replace('"', '""') + '"'


@pytest.mark.parametrize("name", HOSTILE)
def test_names_of_units_are_text_wherever_they_are_written(name, tmp_path, capsys):
    """The page has the tags of a harmless plan, the text holds the name, nothing else is there."""
    harmless = written(tmp_path / "harmless")
    save_plan(make_plan(harmless), harmless / "plan")
    hostile = written(
        tmp_path / "hostile", seen=SEEN.replace("b,pump", f"{quoted(HOSTILE[name])},pump")
    )
    with pytest.raises(SystemExit) as ended:
        main(["plan", str(hostile)])
    assert ended.value.code == 0
    plain, page = (parsed(f / "plan" / "report.html") for f in (harmless, hostile))
    assert page.tags == plain.tags
    assert page.attributes == plain.attributes
    assert HOSTILE[name] in page.words
    metrics = json.loads((hostile / "plan" / "metrics.json").read_text(encoding="utf-8"))
    assert [a["unit"] for a in metrics["advice"]] == sorted(["a", HOSTILE[name]])
    assert {p.name for p in tmp_path.iterdir()} == {"harmless", "hostile"}
    first, second = (
        sorted(str(p.relative_to(f)) for p in f.rglob("*")) for f in (harmless, hostile)
    )
    assert first == second
    capsys.readouterr()


@pytest.mark.parametrize("name", ["script", "image", "comment", "path", "formula"])
def test_a_folder_with_such_a_name_is_escaped_too(name, tmp_path):
    folder = written(tmp_path / HOSTILE[name].replace("/", "|"))
    save_plan(make_plan(folder), folder / "plan")
    page = parsed(folder / "plan" / "report.html")
    assert "img" not in page.tags
    assert page.tags.count("script") == 1
    assert any(folder.name in words for words in page.words)


@pytest.mark.parametrize("name", ["script", "path", "formula", "format"])
def test_components_need_plain_names(name, tmp_path):
    settings = SETTINGS.replace('name = "pump"', f"name = {json.dumps(HOSTILE[name])}")
    folder = written(tmp_path, settings, SEEN.replace("pump", quoted(HOSTILE[name])))
    with pytest.raises((RecordsError, ValueError), match=r"name|structure"):
        make_plan(folder)


@pytest.mark.parametrize("times", ["1e12", "1e300", "-1e9", "99999999"])
def test_far_times_are_told_or_shown(times, tmp_path):
    """No date has such a name: the number stands in the report."""
    folder = written(tmp_path, seen=SEEN + f"c,pump,{times},1\n")
    found = make_plan(folder)
    save_plan(found, folder / "plan")
    assert f"{float(times):g}" in (folder / "plan" / "report.html").read_text()


def test_times_whose_distance_is_beyond_all_numbers_are_told(tmp_path):
    folder = written(tmp_path, seen=SEEN + "c,pump,-1e308,0\nc,pump,1.7e308,1\n")
    with pytest.raises(ValueError, match=r"inspections.*c|duration|span"):
        make_plan(folder)


SPOILED = {
    "deep lists": ("[plan]\nperiod = " + "[" * 100_000, "is no TOML file"),
    "deep tables": ("a." * 2_000 + "b = 1", "plan.toml"),
    "zero bytes": (SETTINGS + "\0", "is no TOML file"),
    "UTF-16": (SETTINGS.encode("utf-16").decode("latin-1"), "is no TOML file"),
    "cut off": (SETTINGS[:-30], "is no TOML file"),
    "twice": (SETTINGS + SETTINGS, "is no TOML file"),
    "huge states": (SETTINGS.replace("states = 3", "states = 10000000000"), "from 2 to"),
    "huge draws": (SETTINGS.replace("draws = 20", "draws = 1000000000"), "plan.draws"),
    "negative period": (SETTINGS.replace("period = 1", "period = -1"), "must be a number > 0"),
    "nan period": (SETTINGS.replace("period = 1", "period = nan"), "must be a number > 0"),
    "nan cost": (SETTINGS.replace("downtime_cost = 50", "downtime_cost = nan"), "downtime_cost"),
    "deep structure": (
        SETTINGS.replace(
            '"pump"\ndowntime', '"' + "(" * 50_000 + "pump" + ")" * 50_000 + '"\ndowntime'
        ),
        "structure",
    ),
}


@pytest.mark.parametrize("name", SPOILED)
def test_spoiled_settings_end_with_a_message(name, tmp_path, capsys):
    text, message = SPOILED[name]
    folder = written(tmp_path, text)
    with pytest.raises(SystemExit) as ended:
        main(["plan", str(folder)])
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert message in said
    assert "Traceback" not in said
    assert len(said) < 5_000
    assert not (folder / "plan").exists()


def test_a_folder_that_is_a_file_or_a_loop_is_told(tmp_path, capsys):
    (tmp_path / "file").write_text("x")
    (tmp_path / "loop").symlink_to("loop")
    for name in ("file", "loop", "absent", "file/inside"):
        with pytest.raises(SystemExit) as ended:
            main(["plan", str(tmp_path / name)])
        assert ended.value.code == 2, name
        assert "Traceback" not in capsys.readouterr().err


def test_a_list_of_many_problems_is_short_and_the_first_are_named(tmp_path, capsys):
    count = 20_000
    folder = written(tmp_path, seen=SEEN + "a,pump,x,9\n" * count)
    with pytest.raises(SystemExit) as ended:
        main(["plan", str(folder)])
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert "line 7, 'State': must be a whole number from 0 to 2; got 9" in said
    assert "more (inspections.csv: " in said
    assert len(said.splitlines()) < 50


@pytest.mark.full
def test_a_million_bad_rows_are_told_in_time(tmp_path):
    folder = written(tmp_path, seen=SEEN + "a,pump,x,9\n" * 1_000_000)
    with pytest.raises(RecordsError) as caught:
        make_plan(folder)
    assert len(caught.value.problems) >= 2_000_000
    assert sys.getsizeof(str(caught.value)) < 10_000
