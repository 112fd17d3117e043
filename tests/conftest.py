"""What tests of every room share; being here puts this folder on the path for their imports."""

import json

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "sparing", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.load_profile("sparing")


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    """So that no test finds, or leaves, the checkpoint of a solve in the user's cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def run(capsys):
    """Run a command in this process: exit code, stdout, stderr."""
    from sparing import cli

    def run(*arguments):
        with pytest.raises(SystemExit) as ended:
            cli.main([str(a) for a in arguments])
        out, err = capsys.readouterr()
        return ended.value.code, out, err

    return run


@pytest.fixture
def run_json(run):
    """Run a command with --json, which must succeed: what it printed."""

    def run_json(*arguments):
        code, out, _ = run(*arguments, "--json")
        assert code == 0
        return json.loads(out, parse_constant=pytest.fail)

    return run_json
