"""Progress: what is reported rises to all the work there is, chunk by chunk."""

import numpy as np
import pytest
from series import HORIZON, SEASON, intermittent, panel_of
from sparing.forecast._batches import run_in_chunks
from sparing.forecast.backtest import backtest
from sparing.forecast.forecasting import forecast
from sparing.forecast.methods import Settings
from sparing.forecast.progress import Meter, within

SETTINGS = Settings(season=SEASON)


def test_pieces_add_up_and_parts_of_them_are_told():
    seen = []
    meter = Meter(seen.append, 10.0)
    first = meter.part("one", 4.0)
    within(first, 0.5, 1.0)(0.5)
    meter.part("two", 6.0)(1.0)
    found = [(p.stage, p.done, p.total) for p in seen]
    assert found == [("one", 0, 10), ("one", 3, 10), ("two", 4, 10), ("two", 10, 10)]


def test_the_total_is_never_less_than_what_is_done():
    seen = []
    Meter(seen.append).part("unforeseen", 3.0)(1.0)
    assert (seen[-1].done, seen[-1].total) == (3.0, 3.0)


def test_every_chunk_is_told():
    seen = []
    run_in_chunks(lambda x: [x], [np.arange(300.0)[:, None]], 128, seen.append)
    assert seen == pytest.approx([1 / 3, 2 / 3, 1.0])


@pytest.mark.parametrize("what", ["forecast", "backtest"])
def test_reports_rise_and_end_near_the_whole(what):
    seen = []
    panel = panel_of(intermittent(30))
    if what == "forecast":
        forecast(panel, HORIZON, "imapa", settings=SETTINGS, progress=seen.append)
    else:
        methods = ("sba", "mean")
        backtest(panel, HORIZON, methods=methods, settings=SETTINGS, progress=seen.append)
    done = [p.done for p in seen]
    assert done == sorted(done)
    assert len({round(p.total, 6) for p in seen}) == 1
    assert seen[0].stage.startswith("past window 1 of")
    assert seen[-1].stage.startswith("distributions and stock of")
    assert 0.3 < done[-1] / seen[-1].total <= 1.0  # what is left is the last piece


def test_off_a_terminal_there_is_a_line_a_minute(capsys, monkeypatch):
    from sparing.commands import forecast_progress
    from sparing.forecast.progress import ForecastProgress

    report = ForecastProgress(stage="past window 2 of 6", done=1.0, total=4.0)
    with forecast_progress.shown_forecast_progress() as show:
        show(report)
        assert capsys.readouterr().err == ""
        monkeypatch.setattr(forecast_progress, "EVERY_S", 0.0)
        show(report)
    assert "sparing: past window 2 of 6: 25% of the work after 0 s\n" in capsys.readouterr().err


def test_on_a_terminal_there_is_a_bar(capsys, monkeypatch):
    import sys

    from sparing.commands.forecast_progress import shown_forecast_progress
    from sparing.forecast.progress import ForecastProgress

    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    with shown_forecast_progress() as show:
        show(ForecastProgress(stage="past window 2 of 6", done=1.0, total=4.0))
    text = capsys.readouterr().err
    assert "past window 2 of 6" in text
    assert "25%" in text
