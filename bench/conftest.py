"""Benches keep their figures: every run saves its JSON under bench/results."""

from pathlib import Path


def pytest_configure(config):
    option = config.option
    if not config.pluginmanager.hasplugin("benchmark") or option.benchmark_disable:
        return
    option.benchmark_storage = (Path(__file__).parent / "results").as_uri()
    if not (option.benchmark_save or option.benchmark_autosave):
        option.benchmark_autosave = "run"
