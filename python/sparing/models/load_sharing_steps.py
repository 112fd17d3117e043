"""A load-sharing system whose clock is fixed or whose orders take a certain time, on a time grid.

Times that are known but not whole intervals (until the next inspection after a failure, until an
order comes) are followed in steps. Up to an inspection everything is exact; a failure inside a
step is put at its two ends by weights that keep the mean time (in the last step before a fixed
inspection at its start, as the inspection is still to come).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from sparing.nodes import Axis, Chance, Cost, Node
from sparing.table import Table

if TYPE_CHECKING:
    from sparing.models.load_sharing_system import LoadSharingSystem


def nodes_until_next(system: LoadSharingSystem) -> list[Node]:
    """Return what the time to the next epoch costs, wear, and what the clock and stock show."""
    steps = _Steps.of(system)
    names = [axis.name for axis in system.axes]
    kinds = steps.costs()
    return [
        Cost(("counts", "stock"), steps.waiting(), "down", name="left down, nothing on order"),
        *(Cost(names, values, kind, name=kind) for kind, values in kinds.items()),
        Cost((), 1.0, "epochs", name="epochs"),
        steps.wear(),
        steps.arrive(),
    ]


@dataclass(frozen=True, kw_only=True, eq=False)
class _Steps:
    """How the system is after 0, 1, ... steps from every counts left behind.

    Attributes
    ----------
    up, failed
        Per step and mark (0 early, 1 delivered) the probabilities [counts, counts]: still up
        after the step; failed inside it (the first entry, before any step, is empty).
    late
        Shape (steps + 1, counts): where in its step a failure lies, from 0 to 1, on average.
    time, marked
        Shape (steps + 1, counts): expected time up until then, and of it after a delivery.
    """

    system: LoadSharingSystem
    num_steps: int
    up: list[list[sparse.csr_matrix]]
    failed: list[list[sparse.csr_matrix]]
    late: NDArray[np.float64]
    time: NDArray[np.float64]
    marked: NDArray[np.float64]

    @classmethod
    def of(cls, system: LoadSharingSystem) -> _Steps:
        kernel, is_up, step = system.kernel, system.is_up, system.kernel_time
        num_steps = round(system.interval / step)
        size = system.counts.size
        early, marked = (
            sparse.csr_matrix((values, kernel.to, kernel.indptr), shape=(size, size))
            for values in (kernel.early, kernel.marked)
        )
        keep, drop = sparse.diags(is_up.astype(float)), sparse.diags((~is_up).astype(float))
        empty = sparse.csr_matrix((size, size))
        ups: list[list[Any]] = [[keep.tocsr(), empty]]
        fails: list[list[Any]] = [[empty, empty]]
        late, times, marks = (np.zeros((num_steps + 1, size)) for _ in range(3))
        for k in range(1, num_steps + 1):
            a, b = ups[-1]
            after = a @ early, a @ marked + b @ (early + marked)
            spent = a @ kernel.time_early + (a + b) @ kernel.time_marked + b @ kernel.time_early
            marks[k] = marks[k - 1] + a @ kernel.time_marked
            marks[k] += b @ (kernel.time_early + kernel.time_marked)
            times[k] = times[k - 1] + spent
            ups.append([(part @ keep).tocsr() for part in after])
            fails.append([(part @ drop).tocsr() for part in after])
            lost = _sum(fails[-1])
            time_lost = spent - step * _sum(ups[-1])
            share = np.divide(time_lost, step * lost, out=np.full(size, 0.5), where=lost > 1e-300)
            late[k] = np.clip(share, 0.0, 1.0)
        return cls(
            system=system,
            num_steps=num_steps,
            up=ups,
            failed=fails,
            late=late,
            time=times,
            marked=marks,
        )

    @property
    def _left(self) -> NDArray[np.int64]:
        """Shape (clocks,): steps until the next inspection."""
        return np.asarray(self.num_steps - np.arange(self.system.num_clocks))

    @property
    def _num_seen(self) -> int:
        """Ways an interval ends: after 0, 1, ... steps, delivered or not; or left down."""
        return 2 * (self.num_steps + 1) + 1

    def waiting(self) -> NDArray[np.float64]:
        """Return inf [counts, stock] where the system is left down with nothing on order."""
        order = self.system.stocks[:, 1]
        return np.where(np.logical_or.outer(self.system.is_up, order > 0), 0.0, np.inf)

    def costs(self) -> dict[str, NDArray[np.float64]]:
        """Return the expected units of each kind in the epoch, in the shape of the state."""
        system, left = self.system, self._left
        up = system.is_up[None, :, None]
        hand, order = (system.stocks[:, i][None, None, :] for i in (0, 1))
        if system.problem.lead_time is None:
            down = np.full(hand.shape, 1.0 / (system.problem.delivery_rate or np.inf))
            with_order = self.marked[left][:, :, None]
        else:
            down = system.leads[None, None, :] * system.kernel_time
            least = np.minimum(system.leads[None, :], left[:, None])  # [clock, stock]
            until = np.moveaxis(self.time[least], 2, 1)  # [clock, counts, stock]
            with_order = self.time[left][:, :, None] - until
        time = np.where(up, self.time[left][:, :, None], down)
        on_hand = hand * time + np.where(up, order * with_order, 0.0)
        failures = np.cumsum([_sum(parts) for parts in self.failed], axis=0)[left][:, :, None]
        kinds = {
            "inspections": np.where(up, 1.0, 0.0),
            "failures": np.where(up, failures, 0.0),
            "down": np.where(up, 0.0, time),
            "positions": system.size * time,
            "duration": time,
            "on hand": on_hand,
        }
        whole = (system.num_clocks, system.counts.size, len(system.stocks))
        shape = [axis.size for axis in system.axes]
        return {k: np.broadcast_to(v, whole).reshape(shape) for k, v in kinds.items()}

    def wear(self) -> Chance:
        """Draw the counts found next, after how many steps, and whether an order has come."""
        system, num_seen = self.system, self._num_seen
        size = system.counts.size
        rows, to, probability = [], [], []
        for clock, left in enumerate(self._left.tolist()):
            ends = [(left, mark, self.up[left][mark]) for mark in (0, 1)]
            for k in range(1, left + 1):
                # On a fixed clock a failure never falls on the inspection, which is still to come.
                merges = k == left and system.problem.clock == "fixed"
                for mark, part in enumerate(self.failed[k]):
                    late = sparse.diags(0.0 * self.late[k] if merges else self.late[k])
                    ends.append((k, mark, late @ part))
                    ends.append((k - 1, mark, part - late @ part))
            for steps, mark, part in ends:
                entries = part.tocoo()
                rows.append(clock * size + entries.row.astype(np.int64))
                to.append(entries.col.astype(np.int64) * num_seen + 2 * steps + mark)
                probability.append(entries.data)
            down = np.flatnonzero(~system.is_up)
            rows.append(clock * size + down)
            to.append(down * num_seen + num_seen - 1)
            probability.append(np.ones(down.size))
        matrix = sparse.coo_matrix(
            (np.concatenate(probability), (np.concatenate(rows), np.concatenate(to))),
            shape=(system.num_clocks * size, size * num_seen),
        ).tocsr()
        sums = np.asarray(matrix.sum(axis=1)).ravel()
        table = Table(
            indptr=matrix.indptr.astype(np.int64),
            to=matrix.indices.astype(np.int64),
            probability=matrix.data / np.repeat(sums, np.diff(matrix.indptr)),
        )
        context = [axis.name for axis in system.axes[:-2]]
        seen = Axis("seen", num_seen)
        return Chance("counts", table, to=("counts", seen), context=context, name="wear")

    def arrive(self) -> Chance:
        """Move clock and stock on by the steps that have passed, or to the delivery."""
        system = self.system
        entries: list[tuple[int, int, float]] = []
        row = 0
        for seen in range(self._num_seen):
            for clock in range(system.num_clocks):
                for stock in range(len(system.stocks)):
                    for to, chance in self._arrivals(seen, clock, stock):
                        entries.append((row, to, chance))
                    row += 1
        rows, to_all, chances = (np.array(column) for column in zip(*entries, strict=True))
        table = Table(
            indptr=np.searchsorted(rows, np.arange(row + 1)).astype(np.int64),
            to=to_all.astype(np.int64),
            probability=chances.astype(np.float64),
        )
        clock_axes = [axis.name for axis in system.axes[:-2]]
        axes = ("seen", *clock_axes, "stock")
        return Chance(axes, table, to=(*clock_axes, "stock"), name="arrive")

    def _arrivals(self, seen: int, clock: int, stock: int) -> list[tuple[int, float]]:
        """Return the next (clock, stock), flat, with their chances."""
        system, num_stocks = self.system, len(self.system.stocks)
        hand, order = system.stocks[stock].tolist()
        lead = int(system.leads[stock])
        certain = system.problem.lead_time is not None
        arrived = int(system.stock_index(hand + order, 0))
        if seen == self._num_seen - 1:  # left down until the order comes
            if certain or system.num_clocks == 1:
                return [((clock + lead) % system.num_clocks * num_stocks + arrived, 1.0)]
            chances = _steps_of_exponential(
                (system.problem.delivery_rate or 1.0) * system.kernel_time, system.num_clocks
            )
            clocks = (clock + np.arange(system.num_clocks)) % system.num_clocks
            return [
                (int(c) * num_stocks + arrived, float(p))
                for c, p in zip(clocks, chances, strict=True)
            ]
        steps, mark = divmod(seen, 2)
        later = (clock + steps) % system.num_clocks
        comes = order > 0 and (steps >= lead if certain else mark == 1)
        if comes:
            return [(later * num_stocks + arrived, 1.0)]
        still = lead - steps if certain and order > 0 else lead
        return [(later * num_stocks + int(system.stock_index(hand, order, still)), 1.0)]


def _steps_of_exponential(rate: float, num_steps: int) -> NDArray[np.float64]:
    """Return the chances [steps] of an exponential time, modulo `num_steps`, on whole steps.

    `rate` is per step. Inside a step the weights of its ends keep the mean.
    """
    inside = np.exp(-rate * np.arange(num_steps)) * -np.expm1(-rate)
    inside /= -np.expm1(-rate * num_steps)
    late = 1.0 / rate - 1.0 / np.expm1(rate)
    return np.asarray(inside * (1.0 - late) + np.roll(inside * late, 1))


def _sum(parts: list[Any]) -> NDArray[np.float64]:
    """Return the row sums of both marks together [counts]."""
    return np.asarray(sum(np.asarray(part.sum(axis=1)).ravel() for part in parts))
