from typing import TypeAlias, overload

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
    def run(self, end: _Numbers, start: _Numbers, posts: list[NDArray[np.uint32]]) -> None: ...

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
        self, end: NDArray[np.float32], start: NDArray[np.float32], posts: list[NDArray[np.uint32]]
    ) -> None: ...

@overload
def range_of_difference(a: _Numbers, b: _Numbers, num_threads: int) -> tuple[float, float]: ...
@overload
def range_of_difference(
    a: NDArray[np.float32], b: NDArray[np.float32], num_threads: int
) -> tuple[float, float]: ...
@overload
def subtract(value: _Numbers, shift: float, num_threads: int) -> None: ...
@overload
def subtract(value: NDArray[np.float32], shift: float, num_threads: int) -> None: ...
