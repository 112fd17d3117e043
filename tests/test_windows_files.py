"""Files as Windows editors write them: with a byte order mark, and carriage returns."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import sparing
from sparing.planning.folder import read_plan_folder
from sparing.ration.case_files import is_dropship
from sparing.ration.day_files import read_day
from sparing.records.problems import RecordsError
from sparing.simulate.twin_files import load_twin

DATA = Path(__file__).parent / "data"


def as_windows(source, target):
    target.write_bytes(b"\xef\xbb\xbf" + source.read_bytes().replace(b"\n", b"\r\n"))
    return target


def test_case_files_are_read(tmp_path):
    file = as_windows(DATA / "known_spares_serial.toml", tmp_path / "case.toml")
    assert sparing.load(file).periods == 5
    assert load_twin(file).network.periods == 5


def test_an_etailers_file_is_known_by_its_kind(tmp_path):
    (tmp_path / "plain.toml").write_text('[system]\nkind = "dropship"\n')
    assert is_dropship(as_windows(tmp_path / "plain.toml", tmp_path / "case.toml"))


def test_days_are_read(tmp_path):
    file = as_windows(DATA / "rationing-day.json", tmp_path / "day.json")
    stock = json.loads((DATA / "rationing-day.json").read_text())["stock"]
    assert read_day(file).day.stock.tolist() == stock


def test_settings_of_a_plan_are_read(tmp_path):
    """What is wrong is that nothing else is there, not the first line of plan.toml."""
    (tmp_path / "plain.toml").write_text("[plan]\nperiod = 30\n")
    as_windows(tmp_path / "plain.toml", tmp_path / "plan.toml")
    with pytest.raises(RecordsError) as error:
        read_plan_folder(tmp_path)
    assert "is no TOML file" not in str(error.value)
