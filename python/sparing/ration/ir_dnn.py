"""IR-DNN, the network of Jiménez González (2021): decides as it arrives what criticality would."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sparing import _core
from sparing._checks import check_number, frozen_array
from sparing.ration.margins import Margins
from sparing.ration.model_files import read_arrays, write_arrays
from sparing.ration.orders import Orders
from sparing.ration.outlook import Outlook

SCALES = ("quantity", "stock", "own margin", "dropshipped margin")


@dataclass(frozen=True, kw_only=True, eq=False)
class IrDnn:
    """A network over 2 n + 2 inputs that says how likely an order is the supplier's (sec. 3.3).

    Inputs, scaled by their greatest value in training: quantity of every SKU, stock of every SKU,
    the order's margin from own stock and dropshipped. An order whose probability of "supplier" is
    at least `threshold` is dropshipped, and so is one that does not fit (the stock constraint).
    """

    layers: tuple[NDArray[np.float32], ...]  # weight [inputs, width], bias [width], and so on
    scales: tuple[float, float, float, float]  # of `SCALES`
    threshold: float = 0.8
    key: str = "ir_dnn"

    def __post_init__(self) -> None:
        layers = [frozen_array(f"layers[{i}]", w, np.float32) for i, w in enumerate(self.layers)]
        object.__setattr__(self, "layers", tuple(layers))
        if len(layers) < 4 or len(layers) % 2 or layers[0].ndim != 2 or layers[0].shape[0] % 2:
            raise ValueError(
                "layers must be weight and bias of one hidden layer or more, and last."
            )
        width = layers[0].shape[0]
        for weight, bias in zip(layers[::2], layers[1::2], strict=True):
            if weight.shape != (width, bias.size):
                raise ValueError(f"a layer of shape {weight.shape} does not follow {width} values.")
            width = bias.size
        if width != 1:
            raise ValueError(f"the last layer must have one output; got {width}.")
        for name, scale in zip(SCALES, self.scales, strict=True):
            if not check_number(f"scale of {name}", scale) > 0.0:
                raise ValueError(f"scale of {name} must be above 0; got {scale}.")
        check_number("threshold", self.threshold, at_least=0.0)

    @property
    def num_skus(self) -> int:
        """The number of SKUs it was trained for; it takes no other."""
        return int(self.layers[0].shape[0] - 2) // 2

    def open(self, margins: Margins, outlook: Outlook) -> OpenIrDnn:
        """Begin a day; nothing needs to be known of demand.

        Raises
        ------
        ValueError
            If it was trained for another number of SKUs.
        """
        if margins.num_skus != self.num_skus:
            raise ValueError(
                f"this ir_dnn was trained for {self.num_skus} SKUs, but the day has"
                f" {margins.num_skus}: its inputs are those SKUs; train it anew."
            )
        return OpenIrDnn(self, margins)

    def scaled_margins(self, margins: Margins, orders: Orders) -> NDArray[np.float32]:
        """Return the last two inputs of each order [N, 2]."""
        dropped = margins.of_suppliers(orders).max(axis=0)
        own, drop = self.scales[2:]
        pair = np.stack([margins.of_own(orders) / own, dropped / drop], axis=1)
        return pair.astype(np.float32)

    def save(self, path: str | Path) -> None:
        """Write an npz file without pickles."""
        content = {f"layer_{i}": layer for i, layer in enumerate(self.layers)}
        content |= {"scales": np.array(self.scales), "threshold": np.array(self.threshold)}
        write_arrays(Path(path), self.key, content)

    @classmethod
    def load(cls, path: str | Path) -> IrDnn:
        """Read what `save` wrote.

        Raises
        ------
        ValueError
            If the file is no such model.
        """
        content = read_arrays(Path(path), "ir_dnn", ("layer_0", "scales", "threshold"))
        count = sum(name.startswith("layer_") for name in content)
        quantity, stock, own, dropped = content["scales"].tolist()
        return cls(
            layers=tuple(content[f"layer_{i}"] for i in range(count)),
            scales=(quantity, stock, own, dropped),
            threshold=float(content["threshold"]),
        )


class OpenIrDnn:
    """IR-DNN in the course of a day; it keeps nothing between orders."""

    def __init__(self, rule: IrDnn, margins: Margins) -> None:
        self._rule, self._margins = rule, margins

    def answer(self, orders: Orders, stock: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Decide the orders that arrive now."""
        return self.judged(orders, stock)[0]

    def prepare(self, stock: NDArray[np.int64]) -> None:
        """Nothing is to be done between orders."""

    def judged(
        self, orders: Orders, stock: NDArray[np.int64]
    ) -> tuple[NDArray[np.bool_], NDArray[np.float32]]:
        """Return who serves, and the probability of "supplier" that the network gave [N]."""
        rule = self._rule
        own = np.zeros(len(orders), np.bool_)
        probability = np.zeros(len(orders), np.float32)
        _core.ration_network(
            *orders.parts,
            rule.scaled_margins(self._margins, orders),
            list(rule.layers),
            rule.scales[1],
            rule.scales[0],
            rule.threshold,
            stock,
            own,
            probability,
        )
        return own, probability
