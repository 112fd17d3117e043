"""The lower bound of a spares network: exact where it is to be, below every optimum elsewhere."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import sparing
from hypothesis import given, settings
from hypothesis import strategies as st
from random_network import random_network
from sparing.cli import main
from sparing.evaluate import echelon_bound
from sparing.evaluate.echelon_bound import Echelon, least_cost
from sparing.evaluate.location_plan import failure_law
from sparing.evaluate.network_bound import SHARES, Shares, lower_bound
from sparing.models.network_rules import StockRules
from sparing.models.network_values import GammaPrior
from sparing.simulate.spares_network import simulate_network

DATA = Path(__file__).parent.parent / "data"
RARE = GammaPrior(shape=2.0, rate=8.0)  # so that `truncate` is out of reach


@pytest.mark.parametrize("seed", range(8))
def test_of_a_single_site_the_bound_is_the_optimum(seed):
    """Nothing is relaxed there; with lead times, orders under way, discount and `truncate`."""
    rng = np.random.default_rng(seed)
    problem = random_network(rng, sites=1, periods=4)
    found = lower_bound(problem, shares=SHARES[:1])
    assert found.lower == pytest.approx(sparing.solve(problem).objective, rel=1e-4, abs=1e-6)


def test_the_known_single_site():
    """55.586243264451; its belief axis is not cut short but for a tail of 1e-6."""
    found = lower_bound(sparing.load(DATA / "known_spares_single.toml"))
    assert found.lower == pytest.approx(55.586243264451, abs=1e-6)


@settings(max_examples=20)
@given(seed=st.integers(0, 2**32 - 1), sites=st.integers(1, 2))
def test_no_optimum_is_below_the_bound(seed, sites):
    """For the shares given and for any drawn; sites below a centre, exposures by period."""
    rng = np.random.default_rng(seed)
    problem = random_network(rng, sites=sites, central=True, periods=2)
    (part,) = problem.parts
    problem = replace(problem, parts=(replace(part, prior=RARE, truncate=6),))
    optimum = sparing.solve(problem).objective
    drawn = Shares(
        holding=tuple(0.5 * rng.random(2)), downtime=tuple(0.5 * rng.random(2))
    )  # fmt: skip
    for shares in (*SHARES, drawn):
        assert lower_bound(problem, shares=[shares]).lower <= optimum * (1 + 1e-5) + 1e-5


def test_the_bound_is_the_optimum_where_stock_moves_freely():
    """A site that is supplied at once and for nothing pools its stock with the centre's."""
    problem = sparing.load(DATA / "known_spares_serial.toml")
    (part,) = problem.parts
    central, site = part.locations
    central = replace(central, holding_cost=1.0, capacity=8)
    site = replace(
        site, lead_time=0, order_fixed=0.0, order_unit=0.0, holding_cost=1.0, capacity=8,
        max_order=8, emergency_cost=1e4,
    )  # fmt: skip
    free = replace(part, prior=RARE, locations=(central, site))
    problem = replace(problem, parts=(free,))
    optimum = sparing.solve(problem).objective
    shares = Shares(holding=(1.0,), downtime=(1.0,))
    assert lower_bound(problem, shares=[shares]).lower == pytest.approx(optimum, rel=2e-4)


def test_every_rule_costs_more():
    problem = sparing.load(DATA / "known_spares_serial.toml")
    bound = lower_bound(problem)
    assert 0.6 * 94.663190396441 < bound.lower < 94.663190396441
    for least, most in (([0, 0], [2, 2]), ([1, 0], [3, 2]), ([3, 1], [4, 2])):
        rules = StockRules.min_max(least, most)
        found = simulate_network(problem, rules, num_replications=2000, seed=1)
        assert found.objective - found.half_width > bound.lower
    assert bound.parts[0].lower == bound.lower
    assert bound.parts[0].shares in SHARES


def test_cutting_stocks_off_only_lowers_a_pool(monkeypatch):
    """Units lifted far below nought and stocks far above the start: below the whole, and near."""
    part = sparing.load("ess-fleet").parts[3]
    exposure = np.full(12, 0.385)
    law = failure_law(part, exposure, 1e-6)
    pool = Echelon(
        pool=True, start=4, capacity=30, backorders=25, under_way=(0, 0), largest=8, fixed=30.0,
        unit=1.0, holding=0.5, downtime=60.0, emergency=300.0,
        arrival=(0.1, 0.4, 1.0), share=(1.0,) * 12,
    )  # fmt: skip
    cut = least_cost(pool, law, 1.0)
    monkeypatch.setattr(echelon_bound, "LIFTED_AT", 25)
    monkeypatch.setattr(echelon_bound, "ABOVE", 30)
    whole = least_cost(pool, law, 1.0)
    assert cut <= whole * (1 + 1e-12)
    assert cut == pytest.approx(whole, rel=1e-3)


def test_ages_are_refused():
    with pytest.raises(ValueError, match="the bound knows no ages of units"):
        lower_bound(sparing.load(DATA / "known_spares_age.toml"))


def test_comparisons_print_the_bound_unless_they_are_quick(capsys):
    case = str(DATA / "known_spares_serial.toml")
    with pytest.raises(SystemExit) as ended:
        main(["compare", case])
    assert ended.value.code == 0
    bound = lower_bound(sparing.load(case)).lower
    text = capsys.readouterr().out
    assert f"No policy whatever has an expected cost below {bound:.6g};" in text
    with pytest.raises(SystemExit):
        main(["compare", case, "--quick", "--json"])
    assert json.loads(capsys.readouterr().out)["lower_bound"] is None
