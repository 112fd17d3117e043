"""Orders in order of arrival, as sparse lines: memory grows with what is asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sparing._checks import frozen_array, read_only


@dataclass(frozen=True, kw_only=True, eq=False)
class Orders:
    """Orders over SKUs 0 to num_skus - 1; order i has the lines indptr[i] to indptr[i + 1] - 1.

    Raises
    ------
    ValueError
        If a quantity is below 1, a SKU is unknown, or an order asks for a SKU twice.
    """

    indptr: NDArray[np.int64]  # [N + 1]
    sku: NDArray[np.int32]  # [L]
    quantity: NDArray[np.int64]  # [L] at least 1
    num_skus: int

    def __post_init__(self) -> None:
        for name, dtype in (("indptr", np.int64), ("sku", np.int32), ("quantity", np.int64)):
            object.__setattr__(self, name, frozen_array(name, getattr(self, name), dtype))
        steps = np.diff(self.indptr)
        if (
            self.indptr.ndim != 1
            or not self.indptr.size
            or self.indptr[0] != 0
            or (steps < 0).any()
        ):
            raise ValueError("indptr must rise from 0.")
        if self.sku.shape != (self.indptr[-1],) or self.quantity.shape != self.sku.shape:
            raise ValueError(f"sku and quantity must have shape ({self.indptr[-1]},).")
        self._check_lines()

    def _check_lines(self) -> None:
        for k in np.flatnonzero((self.sku < 0) | (self.sku >= self.num_skus))[:1]:
            raise ValueError(
                f"order {self.order[k]}: SKU {self.sku[k]} is unknown; there are {self.num_skus},"
                " counted from 0."
            )
        for k in np.flatnonzero(self.quantity < 1)[:1]:
            raise ValueError(
                f"order {self.order[k]}: quantity of SKU {self.sku[k]} must be at least 1; got"
                f" {self.quantity[k]}."
            )
        line = self.order.astype(np.int64) * max(self.num_skus, 1) + self.sku
        ranked = np.sort(line)
        for twice in ranked[1:][ranked[1:] == ranked[:-1]][:1]:
            order, sku = divmod(int(twice), self.num_skus)
            raise ValueError(f"order {order} asks for SKU {sku} twice; add the quantities up.")

    @classmethod
    def from_dense(cls, quantities: ArrayLike, *, num_skus: int | None = None) -> Orders:
        """Return the orders whose quantities [N, n] are given in full.

        Raises
        ------
        ValueError
            If a quantity is negative or not whole.
        """
        given = np.asarray(quantities)
        if given.size == 0:
            given = given.reshape(0, num_skus or 0).astype(np.int64)
        dense = frozen_array("orders", given, np.int64)
        if dense.ndim != 2:
            raise ValueError(f"orders must be a table [orders, SKUs]; got shape {dense.shape}.")
        for i, j in np.argwhere(dense < 0)[:1]:
            raise ValueError(f"orders[{i}][{j}] must not be negative; got {dense[i, j]}.")
        order, sku = np.nonzero(dense)
        counts = np.bincount(order, minlength=len(dense))
        return cls(
            indptr=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
            sku=sku.astype(np.int32),
            quantity=dense[order, sku],
            num_skus=dense.shape[1],
        )

    @classmethod
    def from_lines(cls, lines: Sequence[Mapping[int, int]], *, num_skus: int) -> Orders:
        """Return the orders given as one mapping SKU -> quantity each."""
        sizes = [len(order) for order in lines]
        return cls(
            indptr=np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
            sku=np.array([j for order in lines for j in order], np.int32),
            quantity=np.array([d for order in lines for d in order.values()], np.int64),
            num_skus=num_skus,
        )

    def __len__(self) -> int:
        return self.indptr.size - 1

    @cached_property
    def order(self) -> NDArray[np.int32]:
        """The order of each line [L]."""
        return read_only(np.repeat(np.arange(len(self), dtype=np.int32), np.diff(self.indptr)))

    @cached_property
    def askers(self) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        """The orders by SKU: those that ask for j are order[indptr[j] : indptr[j + 1]]."""
        ranked = np.argsort(self.sku, kind="stable")
        counts = np.bincount(self.sku, minlength=self.num_skus)
        indptr = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        return read_only(indptr), read_only(self.order[ranked])

    @property
    def parts(self) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int64]]:
        """What the kernels take."""
        return self.indptr, self.sku, self.quantity

    def totals(self, per_unit: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the sum of per_unit [n] x quantity of every order [N]."""
        values = per_unit[self.sku] * self.quantity
        return np.bincount(self.order, weights=values, minlength=len(self)).astype(np.float64)

    def dense(self) -> NDArray[np.int64]:
        """Return the quantities in full [N, n]."""
        table = np.zeros((len(self), self.num_skus), np.int64)
        table[self.order, self.sku] = self.quantity
        return table

    def rows(self, chosen: ArrayLike) -> Orders:
        """Return the orders of these positions, in this order."""
        positions = np.asarray(chosen, np.int64)
        sizes = np.diff(self.indptr)[positions]
        indptr = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        start = np.repeat(self.indptr[positions] - indptr[:-1], sizes)
        lines = start + np.arange(indptr[-1])
        return Orders(
            indptr=indptr,
            sku=self.sku[lines],
            quantity=self.quantity[lines],
            num_skus=self.num_skus,
        )

    def matrix(self) -> Any:
        """Return the quantities as a scipy sparse array [N, n]."""
        from scipy.sparse import csr_array

        shape = (len(self), self.num_skus)
        return csr_array((self.quantity.astype(np.float64), self.sku, self.indptr), shape=shape)


def joined(parts: Sequence[Orders]) -> Orders:
    """Return the orders of `parts` one after the other."""
    sizes = np.concatenate([np.diff(part.indptr) for part in parts])
    return Orders(
        indptr=np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
        sku=np.concatenate([part.sku for part in parts]),
        quantity=np.concatenate([part.quantity for part in parts]),
        num_skus=parts[0].num_skus,
    )
