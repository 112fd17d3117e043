from typing import overload

import numpy as np
from numpy.typing import NDArray

@overload
def check_rows(
    indptr: NDArray[np.int32],
    indices: NDArray[np.int32],
    probs: NDArray[np.float64],
    num_states: int,
    used: NDArray[np.bool_],
    tol: float,
    num_threads: int,
) -> tuple[int, float]: ...
@overload
def check_rows(
    indptr: NDArray[np.int64],
    indices: NDArray[np.int64],
    probs: NDArray[np.float64],
    num_states: int,
    used: NDArray[np.bool_],
    tol: float,
    num_threads: int,
) -> tuple[int, float]: ...
@overload
def row_products(
    indptr: NDArray[np.int32],
    indices: NDArray[np.int32],
    probs: NDArray[np.float64],
    used: NDArray[np.bool_],
    value: NDArray[np.float64],
    products: NDArray[np.float64],
    num_threads: int,
) -> None: ...
@overload
def row_products(
    indptr: NDArray[np.int64],
    indices: NDArray[np.int64],
    probs: NDArray[np.float64],
    used: NDArray[np.bool_],
    value: NDArray[np.float64],
    products: NDArray[np.float64],
    num_threads: int,
) -> None: ...
@overload
def optimality_backup(
    indptr: NDArray[np.int32],
    indices: NDArray[np.int32],
    probs: NDArray[np.float64],
    state_indptr: NDArray[np.int64],
    cost: NDArray[np.float64],
    row: NDArray[np.int32],
    discount: float,
    value: NDArray[np.float64],
    threshold: float,
    gap: NDArray[np.float64],
    next: NDArray[np.float64],
    policy: NDArray[np.int64],
    num_threads: int,
) -> tuple[float, float]: ...
@overload
def optimality_backup(
    indptr: NDArray[np.int64],
    indices: NDArray[np.int64],
    probs: NDArray[np.float64],
    state_indptr: NDArray[np.int64],
    cost: NDArray[np.float64],
    row: NDArray[np.int32],
    discount: float,
    value: NDArray[np.float64],
    threshold: float,
    gap: NDArray[np.float64],
    next: NDArray[np.float64],
    policy: NDArray[np.int64],
    num_threads: int,
) -> tuple[float, float]: ...
@overload
def gather_rows(
    indptr: NDArray[np.int32],
    indices: NDArray[np.int32],
    probs: NDArray[np.float64],
    source: NDArray[np.int64],
    slots: NDArray[np.int64],
    policy_indptr: NDArray[np.int64],
    policy_indices: NDArray[np.int32],
    policy_probs: NDArray[np.float64],
    num_threads: int,
) -> None: ...
@overload
def gather_rows(
    indptr: NDArray[np.int64],
    indices: NDArray[np.int64],
    probs: NDArray[np.float64],
    source: NDArray[np.int64],
    slots: NDArray[np.int64],
    policy_indptr: NDArray[np.int64],
    policy_indices: NDArray[np.int32],
    policy_probs: NDArray[np.float64],
    num_threads: int,
) -> None: ...
def best_pairs(
    state_indptr: NDArray[np.int64],
    cost: NDArray[np.float64],
    row: NDArray[np.int32],
    products: NDArray[np.float64],
    discount: float,
    value: NDArray[np.float64],
    threshold: float,
    gap: NDArray[np.float64],
    next: NDArray[np.float64],
    policy: NDArray[np.int64],
    num_threads: int,
) -> tuple[float, float]: ...
def policy_backup(
    indptr: NDArray[np.int64],
    indices: NDArray[np.int32],
    probs: NDArray[np.float64],
    row: NDArray[np.int32],
    cost: NDArray[np.float64],
    discount: float,
    weight: float,
    value: NDArray[np.float64],
    products: NDArray[np.float64],
    next: NDArray[np.float64],
    num_threads: int,
) -> tuple[float, float]: ...
