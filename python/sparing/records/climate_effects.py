"""The posterior of the effects of climate on failure rates, the rates themselves integrated out."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from sparing._checks import check_number

Floats: TypeAlias = NDArray[np.float64]
Rows: TypeAlias = tuple[NDArray[np.intp], Floats, Floats, Floats]  # component, count, exposure, x

DEGREES = 5.0  # of freedom of the proposal: heavier tails than any normal prior
WIDER = 1.2  # than the curvature at the mode says
BLOCK = 1 << 22  # exponents at a time
LEAST_SHARE = 0.05  # effective draws over draws below which no answer is given


@dataclass(frozen=True, kw_only=True)
class ClimateEffects:
    """Effects of climate: the logarithm of the factor on the rate per 10 degrees or 10 percent.

    Attributes
    ----------
    mean, standard_deviation, lower, upper
        Of the posterior, per covariate; the interval has 95 %.
    likelihood_estimate, likelihood_error
        Maximum likelihood and its standard error (statsmodels' Poisson regression), which the
        prior has no part in; NaN where the likelihood has no maximum.
    effective_draws
        Independent draws that the weighted ones are worth.
    """

    covariates: tuple[str, ...]
    mean: tuple[float, ...]
    standard_deviation: tuple[float, ...]
    lower: tuple[float, ...]
    upper: tuple[float, ...]
    likelihood_estimate: tuple[float, ...]
    likelihood_error: tuple[float, ...]
    effective_draws: float


def check_statsmodels() -> None:
    """Raise unless statsmodels can be imported.

    Raises
    ------
    ImportError
        Saying how to install it.
    """
    try:
        import statsmodels.api  # noqa: F401
    except ImportError:
        raise ImportError(
            "the effects of climate need statsmodels: pip install 'sparing[inference]'."
        ) from None


def maximum_likelihood(
    at: NDArray[np.intp], counts: Floats, exposure: Floats, shift: Floats
) -> tuple[Floats, Floats]:
    """Return estimates and standard errors of the effects by Poisson regression, one level a type.

    NaN where there is no maximum: no failures, or a covariate that failures only lie at the end of.
    """
    check_statsmodels()
    import statsmodels.api as sm

    unknown = np.full(shift.shape[1], np.nan)
    failing = np.flatnonzero(np.bincount(at, counts) > 0)
    used = np.isin(at, failing) & (exposure > 0.0)
    levels = (at[used, None] == failing).astype(np.float64)
    design = np.hstack([levels, shift[used]])
    if not failing.size or np.linalg.matrix_rank(design) < design.shape[1]:
        return unknown, unknown
    model = sm.GLM(counts[used], design, family=sm.families.Poisson(), exposure=exposure[used])
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # whether it converged is asked below
        try:
            fit = model.fit(maxiter=100)
        except (ValueError, np.linalg.LinAlgError):
            return unknown, unknown
    estimate, error = fit.params[failing.size :], fit.bse[failing.size :]
    if not fit.converged or not np.isfinite([estimate, error]).all() or (error > 50.0).any():
        return unknown, unknown
    return np.asarray(estimate), np.asarray(error)


def profile_likelihood(rows: Rows) -> tuple[Floats, Floats]:
    """Return the same as `maximum_likelihood`, from sums over the rows alone.

    The levels of the components are at their best for given effects; what is left, sum_i y_i x_i.t
    - sum_c Y_c log sum_{i in c} E_i exp(x_i.t), has the same maximum, and the same curvature there.
    """
    at, counts, _, shift = rows
    failures = np.bincount(at, counts)
    unknown = np.full(shift.shape[1], np.nan)
    if not failures.max() > 0.5:
        return unknown, unknown
    flat = np.where(failures > 0.5, failures, 0.0), np.zeros(failures.size)
    mode, curvature = _mode(np.zeros(shift.shape[1]), rows, flat, np.inf)
    spread = np.linalg.eigvalsh(curvature)
    if not (np.isfinite(mode).all() and spread.min() > 1e-12 * max(spread.max(), 1.0)):
        return unknown, unknown
    error = np.sqrt(np.diag(np.linalg.inv(curvature)))
    return (mode, error) if (error <= 50.0).all() else (unknown, unknown)


def draw_effects(
    covariates: tuple[str, ...],
    rows: Rows,
    posterior: tuple[Floats, Floats],
    deviation: float,
    likelihood: tuple[Floats, Floats],
    num_draws: int,
    generator: np.random.Generator,
) -> tuple[ClimateEffects, Floats]:
    """Return the posterior of the effects and equally weighted draws [num_draws, covariates].

    Parameters
    ----------
    posterior
        Per component the shape behind the failures, and the rate before the exposure.

    Raises
    ------
    ValueError
        If the draws are worth less than `LEAST_SHARE` of their number.
    """
    if not check_number("effect_deviation", deviation) > 0.0:
        raise ValueError(f"effect_deviation must be > 0; got {deviation:g}.")
    size = len(covariates)
    start = np.clip(np.nan_to_num(likelihood[0]), -3.0 * deviation, 3.0 * deviation)
    mode, curvature = _mode(start, rows, posterior, deviation)
    root = np.linalg.cholesky(np.linalg.inv(curvature)) * WIDER
    normal = generator.standard_normal((2 * num_draws, size))
    scale = np.sqrt(DEGREES / generator.chisquare(DEGREES, 2 * num_draws))
    spread = normal * scale[:, None]
    proposed = mode + spread @ root.T
    log_proposal = -0.5 * (DEGREES + size) * np.log1p((spread**2).sum(axis=1) / DEGREES)
    log_weight = log_density(proposed, rows, posterior, deviation) - log_proposal
    weight = np.exp(log_weight - log_weight.max())
    weight /= weight.sum()
    effective = 1.0 / float((weight**2).sum())
    if effective < LEAST_SHARE * weight.size:
        raise ValueError(
            f"{weight.size} draws of the effects are worth {effective:.0f}: the climate in the"
            " records is too uneven for this method; fit one covariate, or fewer outliers."
        )
    mean = weight @ proposed
    ranks = (generator.random() + np.arange(num_draws)) / num_draws  # systematic resampling
    kept = np.minimum(np.searchsorted(np.cumsum(weight), ranks), weight.size - 1)
    draws = generator.permutation(proposed[kept])
    low, high = np.quantile(draws, [0.025, 0.975], axis=0)
    effects = ClimateEffects(
        covariates=covariates,
        mean=tuple(mean.tolist()),
        standard_deviation=tuple(np.sqrt(weight @ (proposed - mean) ** 2).tolist()),
        lower=tuple(low.tolist()),
        upper=tuple(high.tolist()),
        likelihood_estimate=tuple(likelihood[0].tolist()),
        likelihood_error=tuple(likelihood[1].tolist()),
        effective_draws=effective,
    )
    return effects, draws


def log_density(
    effects: Floats, rows: Rows, posterior: tuple[Floats, Floats], deviation: float
) -> Floats:
    """Return the logarithm, but for a constant, of the posterior density of effects [B, K]: [B].

    sum_i y_i x_i.t - sum_c A_c log(b_c + sum_{i in c} E_i exp(x_i.t)) - t.t / (2 deviation^2),
    the rates integrated out under their Gamma priors; A_c the shape behind the failures.
    """
    at, counts, exposure, shift = rows
    shapes, rates = posterior
    found = effects @ (counts @ shift) - 0.5 * (effects**2).sum(axis=1) / deviation**2
    for component, (shape, rate) in enumerate(zip(shapes, rates, strict=True)):
        inside = (at == component) & (exposure != 0.0)
        if not inside.any():
            continue
        top, total = weighted_sums(effects, exposure[inside], shift[inside])
        found -= shape * (top + np.log(rate * np.exp(-top) + total))
    return np.asarray(found, dtype=np.float64)


def weighted_sums(effects: Floats, exposure: Floats, shift: Floats) -> tuple[Floats, Floats]:
    """Return top [B] and sum_i exposure_i exp(x_i.t - top) [B] for each of the effects t [B, K].

    The top is the largest exponent, at least 0. Rows are taken in blocks, so that memory does not
    grow with their number.
    """
    top, total = np.zeros(len(effects)), np.zeros(len(effects))
    size = max(BLOCK // len(effects), 1)
    for begin in range(0, exposure.size, size):
        linear = effects @ shift[begin : begin + size].T  # [B, rows]
        highest = np.maximum(top, linear.max(axis=1))
        linear -= highest[:, None]
        np.exp(linear, out=linear)
        total = total * np.exp(top - highest) + linear @ exposure[begin : begin + size]
        top = highest
    return top, total


def _mode(
    start: Floats, rows: Rows, posterior: tuple[Floats, Floats], deviation: float
) -> tuple[Floats, Floats]:
    """Return the mode of the density, which is concave, and its curvature there."""
    from scipy.optimize import minimize

    def negative(effects: Any) -> float:
        return -float(log_density(effects[None], rows, posterior, deviation)[0])

    def gradient(effects: Any) -> Any:
        return _slopes(effects, rows, posterior, deviation)[0]

    def hessian(effects: Any) -> Any:
        return _slopes(effects, rows, posterior, deviation)[1]

    found = minimize(negative, start, method="trust-exact", jac=gradient, hess=hessian)
    mode: Floats = np.asarray(found.x)
    return mode, _slopes(mode, rows, posterior, deviation)[1]


def _slopes(
    effects: Floats, rows: Rows, posterior: tuple[Floats, Floats], deviation: float
) -> tuple[Floats, Floats]:
    """Return gradient [K] and Hessian [K, K] of minus the log density."""
    at, counts, exposure, shift = rows
    gradient = effects / deviation**2 - counts @ shift
    hessian = np.eye(effects.size) / deviation**2
    for component, (shape, rate) in enumerate(zip(*posterior, strict=True)):
        inside = at == component
        x = shift[inside]
        linear = x @ effects
        top = linear.max(initial=0.0)
        weight = exposure[inside] * np.exp(linear - top)
        total = rate * np.exp(-top) + weight.sum()
        if not total > 0.0:
            continue
        first = weight @ x / total
        gradient = gradient + shape * first
        hessian = hessian + shape * ((x * weight[:, None]).T @ x / total - np.outer(first, first))
    return gradient, hessian
