"""Today's rule from records, against a count that looks at every action for every inspection."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from sparing.planning.observed import observed_limits


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
