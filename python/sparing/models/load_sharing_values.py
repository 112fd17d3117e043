"""What a load-sharing problem is made of: costs, and intervals to search."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from sparing._checks import check_number, is_number


@dataclass(frozen=True, kw_only=True)
class IntervalRange:
    """Inspection intervals to search continuously: from `shortest` to `longest` [time].

    `tolerance` is how closely the best interval is located [time].
    """

    shortest: float
    longest: float
    tolerance: float = 1e-3

    def __post_init__(self) -> None:
        check_number("inspection_interval from", self.shortest)
        check_number("inspection_interval to", self.longest)
        check_number("inspection_interval tolerance", self.tolerance)
        if not 0.0 < self.shortest < self.longest:
            raise ValueError(
                "inspection_interval must go from above 0 to more; got from"
                f" {self.shortest:g} to {self.longest:g}."
            )
        if not self.tolerance > 0.0:
            raise ValueError(
                f"inspection_interval tolerance must be above 0; got {self.tolerance:g}."
            )


@dataclass(frozen=True, kw_only=True)
class LoadSharingCosts:
    """What is paid, in money; all at least 0 and 0 unless given.

    Parameters
    ----------
    inspection, failure
        Per inspection interval begun and per failure of the system.
    downtime
        Per unit of time that the system is left down.
    setup, replacement, corrective
        Per epoch with a replacement, per component replaced, and on top per failed one.
    order, unit, emergency_unit
        Per order, per spare ordered, per spare bought at once while the system is down (inf: no
        emergency supply).
    holding, position
        Per spare on hand and unit of time, and per position of the system and unit of time.
    """

    inspection: float = 0.0
    failure: float = 0.0
    downtime: float = 0.0
    setup: float = 0.0
    replacement: float = 0.0
    corrective: float = 0.0
    order: float = 0.0
    unit: float = 0.0
    emergency_unit: float = 0.0
    holding: float = 0.0
    position: float = 0.0

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            may_be_inf = field.name == "emergency_unit" and is_number(value) and value == np.inf
            if not may_be_inf:
                check_number(f"cost {field.name}", value, at_least=0.0)

    @property
    def has_emergency_supply(self) -> bool:
        """Whether spares can be bought at once while the system is down."""
        return self.emergency_unit < np.inf
