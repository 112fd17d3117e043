"""The environments of Gymnasium and gymnax."""

import warnings

import gymnasium
import jax
import numpy as np
import pytest
import sparing
from gymnasium.utils.env_checker import check_env
from sparing.learn.epoch_environment import flat_environment, sequential_environment
from sparing.learn.gymnasium_adapter import GymnasiumEnvironment, GymnasiumVectorEnvironment
from sparing.learn.gymnax_adapter import GymnaxEnvironment, GymnaxParams


@pytest.fixture(scope="module")
def environment():
    return sequential_environment(sparing.load("three-component"))


def random_actions(mask, rng):
    return np.array([rng.choice(np.flatnonzero(row)) for row in np.atleast_2d(mask)])


def test_gymnasiums_own_checker_passes(environment):
    single = GymnasiumEnvironment(environment, episode_length=20, penalty=1.0)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*render.*|.*spec.*|.*registered.*")
        check_env(single, skip_render_check=True)


def test_the_vector_environment_keeps_gymnasiums_contract(environment):
    rng = np.random.default_rng(0)
    lanes = GymnasiumVectorEnvironment(environment, 5, episode_length=7)
    assert isinstance(lanes, gymnasium.vector.VectorEnv)
    seen, info = lanes.reset(seed=1)
    again, _ = lanes.reset(seed=1)
    np.testing.assert_array_equal(seen, again)
    first = seen
    for step in range(1, 22):
        assert lanes.observation_space.contains(seen)
        mask = info["action_mask"]
        assert mask.dtype == np.int8
        assert mask.shape == (5, environment.num_actions)
        seen, reward, terminated, truncated, info = lanes.step(random_actions(mask, rng))
        assert reward.shape == (5,)
        assert reward.dtype == np.float64
        assert not terminated.any()  # the problem never ends ...
        assert (truncated == (step % 7 == 0)).all()  # ... its episodes are cut off
        if truncated.any():
            assert (seen == first).all()  # all new again
            assert info["final_obs"].shape == seen.shape


def test_a_forbidden_action_raises_or_is_charged(environment):
    strict = GymnasiumVectorEnvironment(environment, 3)
    _, info = strict.reset(seed=0)
    while info["action_mask"].all(axis=1).any():
        info = strict.step(info["action_mask"].argmax(axis=1))[-1]
    wrong = (1 - info["action_mask"]).argmax(axis=1)
    with pytest.raises(ValueError, match=r"environment 0: action \d is not allowed here; allowed:"):
        strict.step(wrong)
    soft = GymnasiumVectorEnvironment(environment, 3, penalty=1000.0)
    _, info = soft.reset(seed=0)
    _, reward, *_ = soft.step((1 - info["action_mask"]).argmax(axis=1))
    charged = info["action_mask"].min(axis=1) == 0
    assert ((reward < -900.0) == charged).all()


def test_bad_sizes_are_refused(environment):
    with pytest.raises(ValueError, match="num_envs must be at least 1; got 0"):
        GymnasiumVectorEnvironment(environment, 0)
    with pytest.raises(ValueError, match="episode_length must be at least 1; got 0"):
        GymnasiumEnvironment(environment, episode_length=0)


def test_gymnax_steps_have_six_values_under_vmap(environment):
    functional = GymnaxEnvironment(environment)
    params = GymnaxParams(max_steps_in_episode=4)
    keys = jax.random.split(jax.random.key(0), 6)
    seen, states = jax.jit(jax.vmap(functional.reset, in_axes=(0, None)))(keys, params)
    step = jax.jit(jax.vmap(functional.step, in_axes=(0, 0, 0, None)))
    rng = np.random.default_rng(0)
    mask = np.asarray(environment.mask(states.state))
    for number in range(1, 9):
        seen, states, reward, terminated, truncated, info = step(
            keys, states, random_actions(mask, rng), params
        )
        assert seen.shape == (6, environment.num_features)
        assert reward.shape == (6,)
        assert not terminated.any()
        assert (truncated == (number % 4 == 0)).all()
        assert np.array_equal(states.time, np.full(6, number % 4))
        assert info["final_observation"].shape == seen.shape
        mask = np.asarray(info["action_mask"])
        assert mask.any(axis=1).all()


@pytest.mark.full
def test_gymnax_spaces(environment):
    spaces = pytest.importorskip("gymnax.environments.spaces", reason="needs gymnax")
    functional = GymnaxEnvironment(environment)
    assert isinstance(functional.action_space(), spaces.Discrete)
    assert functional.observation_space().shape == (environment.num_features,)


@pytest.mark.full
def test_stable_baselines_learns_on_the_flat_view():
    """Its DQN knows no mask, so what is not allowed is charged; it must beat random choices."""
    sb3 = pytest.importorskip("stable_baselines3", reason="needs stable-baselines3 (and torch)")
    flat = flat_environment(sparing.load("three-component-2"))
    lanes = GymnasiumEnvironment(flat, episode_length=100, penalty=3.0)
    model = sb3.DQN(
        "MlpPolicy", lanes, learning_rate=1e-3, gamma=0.9, learning_starts=500, seed=0,
        exploration_fraction=0.5, policy_kwargs={"net_arch": [64, 64]},
    )  # fmt: skip

    def mean_reward(choose):
        seen, info = lanes.reset(seed=5)
        total, rng = 0.0, np.random.default_rng(0)
        for _ in range(1000):
            seen, reward, _, cut, info = lanes.step(choose(seen, info, rng))
            total += reward
            if cut:
                seen, info = lanes.reset()
        return total / 1000

    random = mean_reward(lambda seen, info, rng: rng.choice(np.flatnonzero(info["action_mask"])))
    model.learn(8_000)
    learned = mean_reward(lambda seen, info, rng: int(model.predict(seen, deterministic=True)[0]))
    assert learned > random + 0.2
