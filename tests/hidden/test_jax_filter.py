"""The Bayes filter in JAX is the one of the kernels."""

import numpy as np
import pytest
import sparing
from sparing.beliefs.component_filter import jax_update, update_beliefs


def test_filter_in_jax_agrees():
    import jax

    rng = np.random.default_rng(1)
    component = sparing.load("hidden-1-of-5").components[1]
    beliefs = rng.dirichlet(np.ones(4), size=200)
    options, observations = rng.integers(3, size=200), rng.integers(4, size=200)
    found, chance = update_beliefs(component, beliefs, options, observations)
    next_beliefs, chances = jax.jit(jax_update(component))(beliefs, options, observations)
    assert np.asarray(next_beliefs) == pytest.approx(found, abs=1e-5)
    assert np.asarray(chances) == pytest.approx(chance, abs=1e-6)
