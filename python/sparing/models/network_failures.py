"""Failures of a site and what they teach: the node that shifts stock and belief together.

Given what was seen so far, the failures of a site in a period are negative binomial with shape
``a + n`` and success probability ``b / (b + E)``: n failures and b - b0 exposure so far, E the
exposure of the period (Gelman et al. 2013, section 2.6). Site after site in file order this is the
negative multinomial of all of them.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import accumulate
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sparing.models.network_stock import StockAxis
from sparing.nodes import Axis, Chance
from sparing.table import Table

if TYPE_CHECKING:
    from sparing.models.spares_network import Part, SparesNetwork

Floats: TypeAlias = NDArray[np.float64]
Levels: TypeAlias = tuple[Fraction, ...]
Known: TypeAlias = tuple[int, Levels]  # values of the failures and of the exposure so far


def predictive(shape: ArrayLike, rate: ArrayLike, exposure: ArrayLike, truncate: int) -> Floats:
    """Return the chances [..., truncate + 1] of 0, 1, ... failures; the rest is in the last.

    Parameters
    ----------
    shape, rate
        Of the Gamma belief.
    exposure
        Of the period, > 0; the three are broadcast.
    """
    from scipy.special import betainc  # here, so that importing sparing stays quick

    a, b, e = np.broadcast_arrays(
        *(np.asarray(x, dtype=np.float64) for x in (shape, rate, exposure))
    )
    share = e / (b + e)
    logs = np.empty((*a.shape, truncate + 1))
    logs[..., 0] = -a * np.log1p(e / b)
    for d in range(truncate):
        logs[..., d + 1] = np.log((a + d) / (d + 1) * share)
    chance: Floats = np.exp(np.cumsum(logs, axis=-1))
    chance[..., truncate] = betainc(truncate, a, share)  # of `truncate` failures or more
    return chance


def failure_levels(network: SparesNetwork, part: Part) -> list[list[int]]:
    """Return per period the number of values of the failures so far, before each site and behind.

    One more than the failures that can have been counted, or `belief_levels` if that is less.
    """
    sites, most = len(part.sites), network.belief_levels
    levels = []
    for period in range(network.periods):
        counted = [(period * sites + site) * part.truncate + 1 for site in range(sites + 1)]
        levels.append([n if most is None else min(n, most) for n in counted])
    return levels


def exposure_levels(network: SparesNetwork, part: Part) -> list[list[Levels]]:
    """Return per period the values that the exposure so far can have, before each site and behind.

    One value where no site has ages. Sums are of the decimals that the numbers print as, so that
    equal exposures are one level.
    """
    given = [site.exposures(network.periods).tolist() for site in part.sites]
    exact = {value: Fraction(str(value)) for values in given for value in values}
    if not any(site.age for site in part.sites):
        return _certain_levels([[exact[value] for value in values] for values in given])
    bins = {site.name: {site.age.initial} for site in part.sites if site.age}
    here: set[Fraction] = {Fraction(0)}
    levels = []
    for period in range(network.periods):
        row = [here]
        for site, values in zip(part.sites, given, strict=True):
            exposure = exact[values[period]]
            multipliers = {1}
            if site.age:
                multipliers = {site.age.multiplier[age] for age in bins[site.name]}
            row.append({x + exposure * m for x in row[-1] for m in multipliers})
        for site in part.sites:
            if site.age:
                last = len(site.age.multiplier) - 1
                older = {min(age + 1, last) for age in bins[site.name]}
                bins[site.name] = {0, *older}
        here = row[-1]
        levels.append([tuple(sorted(values)) for values in row])
    return levels


def _certain_levels(exposures: list[list[Fraction]]) -> list[list[Levels]]:
    """Return the same from exposures [sites][periods] that no age changes: one value each."""
    here, levels = Fraction(0), list[list[Levels]]()
    for row in zip(*exposures, strict=True):
        sums = list(accumulate(row, initial=here))
        levels.append([(value,) for value in sums])
        here = sums[-1]
    return levels


class FailureNode:
    """The failures of site number `position` of `part` in `period`."""

    def __init__(self, part: Part, position: int, period: int, network: SparesNetwork) -> None:
        self.part, self.site = part, part.sites[position]
        self.exposure = float(self.site.exposures(network.periods)[period])
        exact = Fraction(str(self.exposure))
        age = self.site.age
        self.multipliers = age.multiplier if age else (1,)
        self.steps = [exact * m for m in self.multipliers]

    def node(self, stock: StockAxis, now: Known, then: Known) -> Chance:
        """Return the node: stock down, failures up, age and exposure on.

        Its rows are (stock, age, exposure, failures); axes that there are not have one value.
        """
        age_axis = f"{self.site.name} age"
        with_ages = any(site.age for site in self.part.sites)
        axes, to = [stock.location.name], [stock.location.name]
        if self.site.age:
            axes.append(age_axis)
            to.append(age_axis)
        ends = list[Axis | str](to)
        if with_ages:
            axes.append("exposure")
            ends.append(Axis("exposure", len(then[1])))
        axes.append("failures")
        ends.append(Axis("failures", then[0]))
        return Chance(axes, self._table(stock, now, then), to=ends, name=f"fail {self.site.name}")

    def _table(self, stock: StockAxis, now: Known, then: Known) -> Table:
        """Return rows [stock, age, exposure, failures] of entries by number of failures."""
        most, tuples, location = self.part.truncate, stock.found, stock.location
        d = np.arange(most + 1)
        low = -location.backorders
        left = np.maximum(tuples.stock[:, None] - d, low)  # [stock, d]
        stock_to = tuples.index(left, tuples.ordered[:, None], tuples.age[:, None])
        beyond = np.maximum(d - (tuples.stock[:, None] - low), 0)
        place = self.exposures(now[1], then[1])  # [age, exposure]
        ages = np.arange(len(self.multipliers))
        older = np.minimum(ages + 1, ages[-1])
        age_to = np.where(d > 0, 0, older[:, None])  # [age, d]
        failures = np.arange(now[0])
        failures_to = np.minimum(failures[:, None] + d, then[0] - 1)  # [failures, d]
        chance = self._chances(now)  # [age, exposure, failures, d]
        shape = (tuples.size, *chance.shape)
        to = stock_to[:, None, None, None, :] * len(ages) + age_to[None, :, None, None, :]
        to = to * len(then[1]) + place[None, :, :, None, None]
        to = to * then[0] + failures_to[None, None, None, :, :]
        units = np.broadcast_to(beyond[:, None, None, None, :], shape).ravel().astype(np.float64)
        assert location.emergency_cost is not None
        return Table(
            indptr=np.arange(np.prod(shape[:-1]) + 1) * (most + 1),
            to=np.broadcast_to(to, shape).ravel(),
            probability=np.broadcast_to(chance, shape).ravel(),
            cost={"emergency": location.emergency_cost * units, "emergencies": units},
        )

    def exposures(self, now: Levels, then: Levels) -> NDArray[np.int64]:
        """Return where each (age, exposure) leads; pairs that cannot be met, to the first."""
        index = {value: k for k, value in enumerate(then)}
        return np.array([[index.get(x + step, 0) for x in now] for step in self.steps])

    def _chances(self, now: Known) -> Floats:
        """Return the chances [age, exposure, failures, d]."""
        prior = self.part.prior
        exposure = self.exposure * np.array(self.multipliers, dtype=np.float64)[:, None, None]
        rate = prior.rate + np.array([float(x) for x in now[1]])[None, :, None]
        shape = prior.shape + np.arange(now[0])[None, None, :]
        return predictive(shape, rate, exposure, self.part.truncate)
