"""The periodic part: projection, least squares, and the number of harmonics."""

import numpy as np
import pytest
from sparing.forecast.fourier import fit_season, project

TIMES = np.arange(1.0, 49.0)


def test_coefficients_are_those_of_the_published_sums():
    rng = np.random.default_rng(0)
    series = rng.poisson(3.0, (2, 48)).astype(float)
    found = project(series, 3)
    for row in range(2):
        assert found.coefficients[row, 0] == pytest.approx(series[row].mean())  # a_0 / 2
        for k in (1, 2, 3):
            angle = 2.0 * np.pi * k * TIMES / 48.0
            a, b = (2.0 / 48.0 * (series[row] * wave(angle)).sum() for wave in (np.cos, np.sin))
            assert found.coefficients[row, 2 * k - 1 : 2 * k + 1] == pytest.approx([a, b])


def test_all_harmonics_give_the_series_back():
    series = np.random.default_rng(1).normal(size=(3, 48))
    assert project(series, 24).at(TIMES) == pytest.approx(series, abs=1e-9)
    odd = series[:, :47]
    assert project(odd, 23).at(TIMES[:47]) == pytest.approx(odd, abs=1e-9)


def test_a_season_that_divides_the_length_is_the_projection_on_its_frequencies():
    series = np.random.default_rng(2).normal(5.0, 1.0, (2, 48))
    season, whole = fit_season(series, 12, 2), project(series, 8)
    expected = whole.coefficients[:, [0, 7, 8, 15, 16]]  # k = 4 and 8 of 48 are 1 and 2 of 12
    assert season.coefficients == pytest.approx(expected, abs=1e-7)


def test_a_pure_season_is_found_and_carried_on_with_values_missing():
    wave = 4.0 + 3.0 * np.cos(2.0 * np.pi * (np.arange(1.0, 61.0) - 2.0) / 12.0)
    series = wave[None, :48].copy()
    series[0, [3, 17, 30]] = np.nan
    found = fit_season(series, 12)
    assert found.num_harmonics[0] >= 1
    assert found.at(np.arange(1.0, 61.0))[0] == pytest.approx(wave, abs=1e-5)


def test_less_than_two_seasons_or_too_few_values_keep_none():
    short = np.random.default_rng(3).normal(size=(1, 20))
    assert fit_season(short, 12).num_harmonics[0] == 0
    late = np.full((1, 48), np.nan)
    late[0, -20:] = short
    assert fit_season(late, 12, 2).num_harmonics[0] == 0


def test_aic_keeps_none_on_most_noise():
    noise = np.random.default_rng(4).normal(size=(300, 48))
    assert (fit_season(noise, 12).num_harmonics == 0).mean() > 0.6


@pytest.mark.parametrize(
    ("demand", "harmonics", "message"),
    [
        (np.zeros((1, 10)), 6, "from 0 to 5"),
        (np.zeros((1, 10)), -1, "from 0 to 5"),
        (np.full((1, 10), np.nan), 1, "needs every value"),
    ],
)
def test_bad_calls(demand, harmonics, message):
    with pytest.raises(ValueError, match=message):
        project(demand, harmonics)
