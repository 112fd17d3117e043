"""Today's rule from records, against a count that looks at every action for every inspection."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from plan_folders import PUMP
from sparing.planning.observed import observed_limits
from sparing.planning.planning import make_plan


def slow_limit(seen, done, num_states):
    acted, asked = np.zeros(num_states), np.zeros(num_states)
    for unit, time, state in seen:
        later = [t for u, t, _ in seen if u == unit and t > time]
        end = min(later, default=np.inf)
        asked[state] += 1
        acted[state] += any(u == unit and time <= t < end for u, t in done)
    usual = [s for s in range(1, num_states) if asked[s] and acted[s] >= 0.5 * asked[s]]
    return min([*usual, num_states - 1])


@given(seed=st.integers(0, 2**32 - 1))
def test_limits_are_those_of_the_slow_count(seed):
    rng = np.random.default_rng(seed)
    pairs = sorted({(str(rng.integers(3)), int(rng.integers(12))) for _ in range(20)})
    seen = [(unit, time, int(rng.integers(4))) for unit, time in pairs]
    done = [(str(rng.integers(3)), float(rng.integers(24)) / 2.0) for _ in range(8)]
    units, times, states = zip(*seen, strict=True)
    source = SimpleNamespace(
        components=(SimpleNamespace(name="pump", num_states=4),),
        inspections=SimpleNamespace(
            unit=units,
            component=("pump",) * len(seen),
            time=np.array(times, float),
            state=np.array(states),
        ),
        maintenance=SimpleNamespace(
            unit=[u for u, _ in done], component=["pump"] * 8, time=[t for _, t in done]
        ),
    )
    assert observed_limits(source) == (slow_limit(seen, done, 4),)


def test_what_is_renewed_is_as_new_in_the_rules_too(tmp_path):
    """Only renewals are possible here: rules that reach states in between could not be run.

    Renewed at 1 or 2 of four states; the reference is the policy written down state by state.
    """
    (tmp_path / "plan.toml").write_text(
        PUMP.replace("states = 3", "states = 4")
        .replace(
            "[5, 0, 0], [9, inf, inf]",
            "[5, 0, 0, 0], [5, inf, 0, 0], [9, inf, inf, inf]",
        )
        .replace("[[0, 0, 0]", "[[0, 0, 0, 0]")
        .replace("period = 1", "period = 1\ndraws = 20")
    )
    seen = "".join(f"a,pump,{t},{s}\n" for t, s in enumerate([0, 0, 1, 1, 2, 0, 1, 2, 0, 3, 0, 1]))
    (tmp_path / "inspections.csv").write_text("Unit,Component,Time,State\n" + seen)
    done = "".join(f"a,pump,{t},replace,5\n" for t in (4, 7, 9))
    (tmp_path / "maintenance.csv").write_text("Unit,Component,Time,Action,Cost\n" + done)
    plan = make_plan(tmp_path)
    assert plan.remarks == ()
    assert set(plan.rows) == {"corrective", "limits", "cheapest"}
    assert plan.today.name == "today: control limits 2"
    (component,) = plan.problem.components
    wear = component.transition[[0, 1, 0, 0]]  # renewed at 2 and 3
    share = np.linalg.svd(wear.T - np.eye(4))[2][-1]
    share /= share.sum()
    cost = share @ (np.array([0.0, 0.0, 5.0, 9.0]) + 50.0 * (np.arange(4) == 3))
    assert plan.today.cost == pytest.approx(cost)
