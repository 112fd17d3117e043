from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

# Axes, per axis the group of each state (None: the states themselves), values over the groups.
_CostTerm = tuple[Sequence[int], Sequence[NDArray[np.int32] | None], NDArray[np.float64]]

class SeparableSweep32:
    num_threads: int
    def __init__(
        self,
        sizes: Sequence[int],
        chance: Sequence[NDArray[np.float64] | None],
        decision: Sequence[NDArray[np.float64] | None],
        discount: float,
        branch_cost: float | None,
        start: Sequence[_CostTerm],
        post: Sequence[_CostTerm],
        next: Sequence[_CostTerm],
        keep: Sequence[_CostTerm],
    ) -> None: ...
    @property
    def state(self) -> NDArray[np.float32]: ...
    def load(self, value: NDArray[np.float32] | None) -> None: ...
    def advance(
        self, max_sweeps: int, span_tol: float, shift: float, relative: bool
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], float]: ...
    def certify(
        self,
        policy: NDArray[np.uint32] | None,
        value: NDArray[np.float32] | None,
        probe: int = 0,
        shift: float = 0.0,
    ) -> tuple[float, float, float]: ...
    def backup(self, value: NDArray[np.float32], out: NDArray[np.float32]) -> None: ...
    @staticmethod
    def bytes_needed(sizes: Sequence[int], itemsize: int) -> int: ...

class SeparableSweep64:
    num_threads: int
    def __init__(
        self,
        sizes: Sequence[int],
        chance: Sequence[NDArray[np.float64] | None],
        decision: Sequence[NDArray[np.float64] | None],
        discount: float,
        branch_cost: float | None,
        start: Sequence[_CostTerm],
        post: Sequence[_CostTerm],
        next: Sequence[_CostTerm],
        keep: Sequence[_CostTerm],
    ) -> None: ...
    @property
    def state(self) -> NDArray[np.float64]: ...
    def load(self, value: NDArray[np.float64] | None) -> None: ...
    def advance(
        self, max_sweeps: int, span_tol: float, shift: float, relative: bool
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], float]: ...
    def certify(
        self,
        policy: NDArray[np.uint32] | None,
        value: NDArray[np.float64] | None,
        probe: int = 0,
        shift: float = 0.0,
    ) -> tuple[float, float, float]: ...
    def backup(self, value: NDArray[np.float64], out: NDArray[np.float64]) -> None: ...
    @staticmethod
    def bytes_needed(sizes: Sequence[int], itemsize: int) -> int: ...

def separable_instruction_set() -> str: ...
def parallel_copy(
    source: NDArray[np.float64], target: NDArray[np.float64], num_threads: int
) -> None: ...
