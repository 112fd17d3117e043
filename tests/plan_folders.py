"""Folders of records for tests of plans, and what is said of bad ones."""

import pytest
from sparing.cli import main
from sparing.records.problems import RecordsError

PUMP = """
[plan]
period = 1
[system]
kind = "multi-component"
structure = "pump"
downtime_cost = 50
[[component]]
name = "pump"
states = 3
renewals = ["replace"]
maintenance_cost = [[0, 0, 0], [5, 0, 0], [9, inf, inf]]
"""


def assert_refused(folder, make, message, capsys):
    """Assert that no plan is made: by `make` with the message, by the command with exit code 2."""
    with pytest.raises((RecordsError, ValueError), match=message):
        make(folder)
    with pytest.raises(SystemExit) as stopped:
        main(["plan", str(folder)])
    assert stopped.value.code == 2
    assert "Traceback" not in capsys.readouterr().err
    assert not (folder / "plan").exists()


def stopped(arguments, code):
    """Run a command, which has to end with this exit code."""
    with pytest.raises(SystemExit) as found:
        main(arguments)
    assert found.value.code == code
