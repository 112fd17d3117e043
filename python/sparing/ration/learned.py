"""Opportunity costs learned from simulated days: our own online rule."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sparing import _core
from sparing._checks import check_number, frozen_array
from sparing.ration.margins import Margins
from sparing.ration.model_files import read_arrays, write_arrays
from sparing.ration.orders import Orders
from sparing.ration.outlook import Outlook

LINE_FEATURES: int = _core.RATION_LINE_FEATURES
ORDER_FEATURES: int = _core.RATION_ORDER_FEATURES
HIDDEN: int = _core.RATION_HIDDEN
LAYERS = ((LINE_FEATURES, HIDDEN), (HIDDEN, HIDDEN), (HIDDEN + ORDER_FEATURES, HIDDEN), (HIDDEN, 2))
NUM_WEIGHTS = sum((size + 1) * width for size, width in LAYERS)


@dataclass(frozen=True, kw_only=True, eq=False)
class Learned:
    """Serve an order that fits if what it brings is at least what it is expected to take.

    A small network says what serving an order takes from later ones: margin, and orders that will
    then not fit. It sums over the order's lines what it makes of each (quantity, stock before and
    after, what is still expected of this SKU and its spread), so its size does not depend on the
    number of SKUs. An order is served if

        gain - margin taken + order_value * (1 - orders taken) >= 0,

    all in mean gains of an order. Without weights it serves whatever fits.
    """

    weights: NDArray[np.float32]  # [NUM_WEIGHTS], or [0]
    order_value: float = 0.0  # in mean gains of an order
    key: str = "learned"

    def __post_init__(self) -> None:
        weights = frozen_array("weights", self.weights, np.float32)
        if weights.shape not in ((NUM_WEIGHTS,), (0,)):
            raise ValueError(f"weights must have shape ({NUM_WEIGHTS},); got {weights.shape}.")
        if not np.isfinite(weights).all():
            raise ValueError("weights must be finite.")
        object.__setattr__(self, "weights", weights)
        check_number("order_value", self.order_value)

    def open(self, margins: Margins, outlook: Outlook) -> OpenLearned:
        """Begin a day."""
        return OpenLearned(self, margins, outlook)

    def save(self, path: str | Path) -> None:
        """Write an npz file without pickles."""
        content = {"weights": self.weights, "order_value": np.float64(self.order_value)}
        write_arrays(Path(path), self.key, content)

    @classmethod
    def load(cls, path: str | Path) -> Learned:
        """Read what `save` wrote.

        Raises
        ------
        ValueError
            If the file is no such model.
        """
        content = read_arrays(Path(path), "learned", ("weights", "order_value"))
        return cls(weights=content["weights"], order_value=float(content["order_value"]))


def shipped() -> Learned:
    """Return the model that comes along; `sparing compare dropship --out DIR` trains it anew."""
    with resources.as_file(resources.files("sparing") / "ration" / "learned.npz") as path:
        return Learned.load(path)


class OpenLearned:
    """The learned rule in the course of a day: counts of demand, and how many orders came."""

    def __init__(self, rule: Learned, margins: Margins, outlook: Outlook) -> None:
        history = outlook.history
        self._rule, self._margins, self._outlook = rule, margins, outlook
        self._units = _counts(history, 1)
        self._squares = _counts(history, 2)
        self._gains = float(margins.gain(history).sum())
        self._arrived, self._lines = 0, history.sku.size
        mean = float(margins.unit_gain.mean()) if margins.num_skus else 0.0
        self._unit_gain = margins.unit_gain / (mean if mean > 0.0 else 1.0)

    def answer(self, orders: Orders, stock: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Decide the orders that arrive now."""
        own = np.zeros(len(orders), np.bool_)
        seen = self.outlined(orders)
        seen.decide(self._rule.weights, self._rule.order_value, stock, own)
        return own

    def prepare(self, stock: NDArray[np.int64]) -> None:
        """Nothing is to be done between orders."""

    def outlined(self, orders: Orders) -> Any:
        """Return the arrivals as the network sees them, and count them."""
        gain = self._margins.gain(orders)
        before = len(self._outlook.history) + self._arrived
        sums = self._gains + np.cumsum(gain)
        mean = sums / (before + 1.0 + np.arange(len(orders)))
        found = _core.RationOutlined(
            *orders.parts,
            gain,
            np.where(mean > 0.0, mean, 1.0),
            self._unit_gain,
            float(self._outlook.num_orders),
            float(self._arrived),
            self._units,
            self._squares,
            float(before),
            float(self._lines),
        )
        self._arrived += len(orders)
        self._lines += orders.sku.size
        self._gains = float(sums[-1]) if len(orders) else self._gains
        return found


def _counts(history: Orders, power: int) -> NDArray[np.float64]:
    amounts = history.quantity.astype(np.float64) ** power
    counts = np.bincount(history.sku, weights=amounts, minlength=history.num_skus)
    return counts.astype(np.float64)
