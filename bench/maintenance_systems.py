"""N four-state components: those of the built-in case in turn, failed units may be left."""

from dataclasses import replace

import sparing
from sparing.models.multi_component import MultiComponentProblem

DISCOUNT = 0.95


def system_of(num_components, criterion="average"):
    """Return the problem with structure ``c1 & 2-of(the rest)``."""
    base = sparing.load("three-component-2").components
    components = tuple(replace(base[i % 3], name=f"c{i + 1}") for i in range(num_components))
    others = ", ".join(component.name for component in components[1:])
    return MultiComponentProblem(
        components=components,
        structure=f"c1 & 2-of({others})",
        setup_cost=20.0,
        downtime_cost=500.0,
        criterion=criterion,
        discount=DISCOUNT if criterion == "discounted" else 1.0,
    )
