from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

_Reads = Sequence[tuple[int, int, NDArray[np.int64]]]
_Costs = Sequence[tuple[int, NDArray[np.float64]]]

class ForwardProgram:
    def __init__(self, num_slots: int, num_kinds: int) -> None: ...
    def add_layout(self, axes: Sequence[tuple[int, int]]) -> None: ...
    def add_stage(self, first: int, last: int) -> None: ...
    def add_cost(self, reads: _Reads, costs: _Costs) -> None: ...
    def add_rows(
        self,
        decides: bool,
        reads: _Reads,
        costs: _Costs,
        writes: Sequence[int],
        indptr: NDArray[np.int64],
        to: NDArray[np.int32],
        thresholds: NDArray[np.uint32],
    ) -> None: ...
    def add_branch(self, costs: _Costs) -> None: ...
    def open_alternative(self) -> None: ...
    def close_branch(self) -> None: ...

class RolloutPlan:
    def __init__(self, program: ForwardProgram, weights: Sequence[float]) -> None: ...
    def use_tables(
        self,
        tables: Sequence[NDArray[np.uint32 | np.int64]],
        resolve: bool,
        num_threads: int,
    ) -> None: ...
    def use_rules(self, rules: Sequence[tuple[int, NDArray[np.uint32]]]) -> None: ...
    def use_callback(
        self, function: Callable[[int, NDArray[np.int32]], NDArray[np.int32]]
    ) -> None: ...
    def run(
        self,
        states: NDArray[np.int32],
        totals: NDArray[np.float64],
        seed: int,
        first_epoch: int,
        num_epochs: int,
        first_replication: int,
        epoch_weights: NDArray[np.float64],
        counted: bool,
        lanes: int,
        num_threads: int,
    ) -> tuple[int, int, int, int, list[int], list[int]] | None: ...
    def explain(
        self, stage: int, from_state: Sequence[int], goal: Sequence[int]
    ) -> list[int] | None: ...
    def stage_costs(
        self,
        stage: int,
        table: NDArray[np.uint32 | np.int64],
        costs: NDArray[np.float64],
        num_threads: int,
    ) -> None: ...

def philox4x32(counter: Sequence[int], key: Sequence[int]) -> list[int]: ...
