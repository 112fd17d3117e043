"""sparing policy: what is asked about is what is answered."""

from __future__ import annotations

import pytest
from spares_folder import write_folder
from sparing.planning.whole import plan_folder


@pytest.fixture(scope="module")
def planned(tmp_path_factory):
    folder = write_folder(tmp_path_factory.mktemp("planned"))
    plan_folder(folder).save(folder / "plan")
    return folder


def test_an_order_under_way_alone_asks_for_stocks(run, planned):
    """It was answered with what to maintain, as if nothing had been said of an order."""
    code, out, _ = run("policy", planned, "--ordered", "west=1@1")
    assert code == 0
    assert out.startswith("pump: order ")
    code, _, error = run("policy", planned, "--ordered", "west=1@1", "--state", "pump=1")
    assert code == 2
    assert "give --state or --stock, not both" in error
