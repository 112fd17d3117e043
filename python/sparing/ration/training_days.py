"""The days on which the learned rule that comes along was trained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from sparing.ration.case import Catalogue, DropshipCase
from sparing.ration.day import Day
from sparing.ration.orders import Orders, joined
from sparing.ration.outlook import Outlook

HISTORY_DAYS = 50
SIZES = tuple((skus, orders) for skus in (300, 350, 400, 450) for orders in (200, 210, 220, 230))
TRAINING_SEED = 1_000_000  # added to the seed, so that no e-tailer of training is one of a test


class TrainingDays(NamedTuple):
    """Days, and what is known before each of them."""

    days: list[Day]
    outlooks: list[Outlook]


def history_of(catalogue: Catalogue, num_days: int = HISTORY_DAYS) -> Outlook:
    """Return the outlook of one who has kept the orders of the first `num_days` days."""
    case = catalogue.case
    none = Orders.from_lines([], num_skus=case.num_skus)
    kept = joined([none, *(day.orders for day in catalogue.days(0, num_days))])
    return Outlook(history=kept, num_orders=case.orders_per_day)


def training_days(
    case: DropshipCase,
    sizes: Sequence[tuple[int, int]] = SIZES,
    *,
    num_days: int,
    seed: int,
) -> TrainingDays:
    """Draw days to train on, none of them of an e-tailer that is tested.

    Two thirds are days of `case` at these numbers of SKUs and orders, a third are of e-tailers of
    any size, any scarcity and any length of history, so that the rule knows days unlike these too.
    """
    rng = np.random.default_rng([seed, 5])
    found = TrainingDays([], [])
    for number, (num_skus, num_orders) in enumerate(sizes):
        sized = case.resized(num_skus=num_skus, orders_per_day=num_orders)
        _add(found, sized, HISTORY_DAYS, 2 * num_days // (3 * len(sizes)), seed, number)
    for number in range(64):
        other = _other_case(case, rng)
        history = int(rng.choice([0, 1, 5, HISTORY_DAYS]))
        _add(found, other, history, num_days // (3 * 64), seed, len(sizes) + number)
    return found


def _add(
    found: TrainingDays, case: DropshipCase, history: int, count: int, seed: int, number: int
) -> None:
    catalogue = case.catalogue(TRAINING_SEED * (number + 1) + seed)
    found.days.extend(catalogue.days(HISTORY_DAYS, count))
    found.outlooks.extend([history_of(catalogue, history)] * count)


def _other_case(case: DropshipCase, rng: np.random.Generator) -> DropshipCase:
    """Return an e-tailer whose stock covers between a half and three times the demand."""
    num_skus = int(2.0 ** rng.uniform(3.0, 9.0))
    num_orders = int(2.0 ** rng.uniform(3.5, 8.0))
    lines = (1, int(rng.integers(2, min(7, num_skus) + 1)))
    quantity = (1.0, 2.0, float(rng.integers(2, 9)))
    demand = num_orders * 0.5 * sum(lines) * sum(quantity) / 3.0 / num_skus
    mean = max(demand * 2.0 ** rng.uniform(-1.0, 1.6), 2.0)
    return replace(
        case,
        num_skus=num_skus,
        orders_per_day=num_orders,
        lines=lines,
        quantity=quantity,
        stock=(mean, 0.2 * mean),
    )
