"""Stock levels by rule of thumb: the quantile of what is asked for while an order is under way.

They are a start where nothing better is at hand, not tuned: expected rates, no shared risk.
"""

from __future__ import annotations

from sparing._checks import check_number
from sparing.models.spare import GammaLeadTime
from sparing.models.spares_network import Part, SparesNetwork
from sparing.simulate.twin_rules import FixedQuantity, MinMax, OneForOne


def service_levels(
    network: SparesNetwork, service: float = 0.98, *, more_periods: float = 0.0
) -> dict[str, dict[str, int]]:
    """Return per part and location the least level that lead-time demand stays below.

    Parameters
    ----------
    service
        Probability that Poisson demand over the mean lead time and `more_periods` is at most the
        level; the demand of a location without failures is that of all below it.
    """
    if not 0.0 < check_number("service", service) < 1.0:
        raise ValueError(f"service must be above 0 and below 1; got {service:g}.")
    from scipy.stats import poisson

    found = {}
    for part in network.parts:
        demand = _demand(network, part)
        levels = {}
        for location, mean in zip(part.locations, demand, strict=True):
            lead = location.lead_time
            periods = lead.shape * lead.scale if isinstance(lead, GammaLeadTime) else float(lead)
            level = int(poisson.ppf(service, mean * (periods + more_periods)))
            levels[location.name] = min(level, location.capacity)
        found[part.name] = levels
    return found


def default_rule(
    name: str, network: SparesNetwork, service: float
) -> OneForOne | MinMax | FixedQuantity:
    """Return the rule "one-for-one", "min-max" or "fixed-quantity" at `service_levels`.

    Min-max and the fixed quantity order at reviews, so their minimum also covers half a period; the
    quantity is the expected demand of two periods.
    """
    if name == "one-for-one":
        return OneForOne(service_levels(network, service))
    least = service_levels(network, service, more_periods=0.5)
    quantity = {
        part.name: {
            location.name: max(min(round(2.0 * mean), location.largest_order), 1)
            for location, mean in zip(part.locations, _demand(network, part), strict=True)
        }
        for part in network.parts
    }
    if name == "fixed-quantity":
        return FixedQuantity(least, quantity)
    if name != "min-max":
        raise ValueError(f"no rule {name!r}; rules: one-for-one, min-max, fixed-quantity.")
    most = {
        part: {place: levels[place] + quantity[part][place] for place in levels}
        for part, levels in least.items()
    }
    return MinMax(least, most)


def _demand(network: SparesNetwork, part: Part) -> list[float]:
    """Return the expected demand a period of each location, with that of all below it."""
    demand = [
        part.prior.mean * float(x.exposures(network.periods).mean()) if x.is_site else 0.0
        for x in part.locations
    ]
    for index in reversed(part.top_down):
        supplier = part.suppliers[index]
        if supplier >= 0:
            demand[supplier] += demand[index]
    return demand
