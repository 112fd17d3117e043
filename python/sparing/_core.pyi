from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

_Indices: TypeAlias = NDArray[np.int64]
_Numbers: TypeAlias = NDArray[np.float64]

class EpochProgram64:
    def __init__(self, buffer_sizes: list[int], num_threads: int) -> None: ...
    def add_product(
        self,
        minimise: bool,
        source_buffer: int,
        target_buffer: int,
        indptr: _Indices,
        source: _Indices,
        weight: _Numbers,
        start: _Numbers,
        target: _Indices,
        count: _Indices,
        out_stride: _Indices,
        in_stride: _Indices,
        lanes: int,
    ) -> None: ...
    def add_cost(
        self,
        source_buffer: int,
        target_buffer: int,
        outer: _Indices,
        inner: _Indices,
        values: _Numbers,
    ) -> None: ...
    def add_scale(self, source_buffer: int, target_buffer: int, factor: float) -> None: ...
    def add_take_cheaper(
        self, source_buffer: int, target_buffer: int, cost: float, first: bool
    ) -> None: ...
    def add_stage_end(self, buffer: int) -> None: ...
    def add_stage_start(self, buffer: int, stage: int) -> None: ...
    def run(
        self, end: NDArray[Any], start: NDArray[Any], posts: list[NDArray[np.uint32]]
    ) -> None: ...

class EpochProgram32:
    def __init__(self, buffer_sizes: list[int], num_threads: int) -> None: ...
    def add_product(
        self,
        minimise: bool,
        source_buffer: int,
        target_buffer: int,
        indptr: _Indices,
        source: _Indices,
        weight: _Numbers,
        start: _Numbers,
        target: _Indices,
        count: _Indices,
        out_stride: _Indices,
        in_stride: _Indices,
        lanes: int,
    ) -> None: ...
    def add_cost(
        self,
        source_buffer: int,
        target_buffer: int,
        outer: _Indices,
        inner: _Indices,
        values: _Numbers,
    ) -> None: ...
    def add_scale(self, source_buffer: int, target_buffer: int, factor: float) -> None: ...
    def add_take_cheaper(
        self, source_buffer: int, target_buffer: int, cost: float, first: bool
    ) -> None: ...
    def add_stage_end(self, buffer: int) -> None: ...
    def add_stage_start(self, buffer: int, stage: int) -> None: ...
    def run(
        self, end: NDArray[Any], start: NDArray[Any], posts: list[NDArray[np.uint32]]
    ) -> None: ...

def range_of_difference(
    a: NDArray[Any], b: NDArray[Any], num_threads: int
) -> tuple[float, float]: ...
def subtract(value: NDArray[Any], shift: float, num_threads: int) -> None: ...
