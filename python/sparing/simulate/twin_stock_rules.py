"""The rules of the exact model, tuned in its rollouts, at work in a twin."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sparing._checks import Frozen
from sparing.models.network_rules import StockRules
from sparing.simulate.twin_rules import Review


@dataclass(frozen=True, eq=False)
class StockRulesAtReviews(Frozen):
    """Each part's rules, asked at its own reviews, for a twin with ``orders = "single"``.

    Parameters
    ----------
    rules
        By part: one set of rules for all locations, in file order.
    locations
        Their names, in that order; needed where stocks at the start are the rules' own.
    """

    rules: Mapping[str, StockRules]
    locations: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for part, rules in self.rules.items():
            if len(rules) != 1:
                raise ValueError(f"one set of rules is needed for {part!r}; got {len(rules)}.")

    def orders(self, review: Review) -> Mapping[str, int]:
        """Return what a location without an order under way is short of, as its rule says."""
        rules = self.rules[review.part]
        if review.period % int(rules.review[0]):
            return {}
        places = zip(review.locations, review.net, review.ordered, strict=True)
        found = {}
        for index, (name, net, ordered) in enumerate(places):
            if ordered == 0 and net <= rules.reorder_at[0, index]:
                missing = rules.order_up_to[0, index] - net
                found[name] = int(min(rules.quantity[0, index], missing))
        return found

    def base_stock(self, part: str, location: str) -> int | None:
        """Return None: the rules order at reviews."""
        return None

    def full_stock(self, part: str, location: str) -> int | None:
        """Return the stock behind an order that is placed at the reorder level."""
        if location not in self.locations:
            return None
        rules, index = self.rules[part], self.locations.index(location)
        reorder, quantity = rules.reorder_at[0, index], rules.quantity[0, index]
        return int(min(rules.order_up_to[0, index], reorder + quantity))
