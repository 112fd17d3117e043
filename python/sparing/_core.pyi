from collections.abc import Callable, Sequence
from typing import Any, TypeAlias, overload

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
        dense: _Numbers,
        dense_size: int,
        dense_outer: int,
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
    def set_blocks(self, counts: list[int], largest: int) -> None: ...
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
        dense: _Numbers,
        dense_size: int,
        dense_outer: int,
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
    def set_blocks(self, counts: list[int], largest: int) -> None: ...
    def run(
        self, end: NDArray[Any], start: NDArray[Any], posts: list[NDArray[np.uint32]]
    ) -> None: ...

def range_of_difference(
    a: NDArray[Any], b: NDArray[Any], num_threads: int
) -> tuple[float, float]: ...
def subtract(value: NDArray[Any], shift: float, num_threads: int) -> None: ...

_Reads: TypeAlias = Sequence[tuple[int, int, NDArray[np.int64]]]
_Costs: TypeAlias = Sequence[tuple[int, NDArray[np.float64]]]

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

class CrewSystem:
    def __init__(
        self,
        types: Sequence[tuple[NDArray[np.int32], NDArray[np.float64]]],
        groups: Sequence[tuple[int, Sequence[int], Sequence[int]]],
        setup_cost: float,
        restore_when_down: bool,
    ) -> None: ...

class CrewRule:
    def __init__(self, /, *args: object, **kwargs: object) -> None: ...  # of its kinds only
    def decide(
        self, states: NDArray[np.int32], post: NDArray[np.int32], num_threads: int
    ) -> None: ...

class LimitRule(CrewRule):
    def __init__(
        self, system: CrewSystem, renew: Sequence[int], call: Sequence[int], callers: int
    ) -> None: ...

class LookaheadRule(CrewRule):
    def __init__(
        self,
        system: CrewSystem,
        value: NDArray[np.float64],
        outlooks: Sequence[tuple[float, NDArray[np.float64]]],
    ) -> None: ...
    def chance_down(
        self, post: NDArray[np.int32], down: NDArray[np.float64], num_threads: int
    ) -> None: ...

class RolloutPlan:
    @property
    def is_small(self) -> bool: ...
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
    def use_rule(self, rule: CrewRule) -> None: ...
    def use_network(
        self,
        joint: bool,
        rows: NDArray[np.float32],
        layers: Sequence[
            tuple[
                int,
                int,
                NDArray[np.float32],
                NDArray[np.float32],
                NDArray[np.float32],
                NDArray[np.float32],
            ]
        ],
    ) -> None: ...
    def observe_counts(
        self,
        num_sorts: int,
        num_states: int,
        exact_parts: int,
        share: Sequence[float],
        components: Sequence[tuple[int, int, Sequence[float], Sequence[float]]],
        nodes: Sequence[tuple[int, Sequence[int], Sequence[int]]],
        points: Sequence[tuple[int, int, int]],
    ) -> None: ...
    def add_network_point(
        self,
        place: int,
        reads: Sequence[tuple[int, int, NDArray[np.int64]]],
        indptr: NDArray[np.int64],
        choice: NDArray[np.int32],
        entry: NDArray[np.int64],
        base: NDArray[np.float32],
        lookups: Sequence[tuple[int, int]],
        checks: Sequence[
            Sequence[tuple[Sequence[tuple[int, int, NDArray[np.int64]]], NDArray[np.uint8]]]
        ],
        to: NDArray[np.int32],
        costs: NDArray[np.float64],
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
        kernel: str,
    ) -> tuple[int, int, int, int, list[int], list[int]] | None: ...
    def explain(
        self, stage: int, from_state: Sequence[int], goal: Sequence[int]
    ) -> list[int] | None: ...
    def pair_costs(
        self,
        stage: int,
        states: NDArray[np.int64],
        posts: NDArray[np.uint32 | np.int64],
        costs: NDArray[np.float64],
        num_threads: int,
    ) -> None: ...

def philox4x32(counter: Sequence[int], key: Sequence[int]) -> list[int]: ...
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
        self,
        max_sweeps: int,
        span_tol: float,
        shift: float,
        relative: bool,
        extra: float = 0.0,
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], float]: ...
    def certify(
        self,
        policy: NDArray[np.uint32] | None,
        value: NDArray[np.float32] | None,
        probe: int = 0,
        shift: float = 0.0,
    ) -> tuple[float, float, float, float]: ...
    def finish(self, out: NDArray[np.float32], shift: float) -> None: ...
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
        self,
        max_sweeps: int,
        span_tol: float,
        shift: float,
        relative: bool,
        extra: float = 0.0,
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], float]: ...
    def certify(
        self,
        policy: NDArray[np.uint32] | None,
        value: NDArray[np.float64] | None,
        probe: int = 0,
        shift: float = 0.0,
    ) -> tuple[float, float, float, float]: ...
    def finish(self, out: NDArray[np.float64], shift: float) -> None: ...
    def backup(self, value: NDArray[np.float64], out: NDArray[np.float64]) -> None: ...
    @staticmethod
    def bytes_needed(sizes: Sequence[int], itemsize: int) -> int: ...

def separable_instruction_set() -> str: ...
def parallel_copy(
    source: NDArray[np.float64], target: NDArray[np.float64], num_threads: int
) -> None: ...
def count_reachable(
    indptr: _Indices,
    to: NDArray[np.int32],
    rate: _Numbers,
    lengths: _Indices,
    num_threads: int,
) -> None: ...
def transient_rows(
    indptr: _Indices,
    to: NDArray[np.int32],
    rate: _Numbers,
    time: float,
    mark_rate: float,
    tolerance: float,
    row_indptr: _Indices,
    row_to: NDArray[np.int32],
    early: _Numbers,
    marked: _Numbers,
    time_early: _Numbers,
    time_marked: _Numbers,
    num_threads: int,
) -> tuple[int, float, float, float]: ...
def simulate_network(
    arrays: dict[str, Any],
    shape: float,
    truncate: int,
    most_failures: int,
    weighted: bool,
    reorder_at: NDArray[np.int32],
    order_up_to: NDArray[np.int32],
    quantity: NDArray[np.int32],
    review: NDArray[np.int32],
    posts: list[NDArray[np.uint32]],
    seed: int,
    replications: int,
    totals: NDArray[np.float64],
    stock: NDArray[np.int32],
    paid: NDArray[np.float64],
    num_threads: int,
    kernel: str,
) -> None: ...
def simulate_load_sharing(
    size: int,
    conditions: int,
    required: int,
    rates: _Numbers,
    speed: _Numbers,
    interval: float,
    delivery_rate: float,
    lead_time: float,
    fixed_grid: bool,
    step: float,
    clock_steps: int,
    lead_steps: int,
    keys: _Indices,
    vectors: _Indices,
    hand: _Indices,
    on_order: _Indices,
    stock_of: _Indices,
    posts: _Indices,
    capacity: int,
    seed: int,
    warm_up: float,
    horizon: float,
    totals: _Numbers,
    num_threads: int,
) -> None: ...

RATION_HIDDEN: int
RATION_LINE_FEATURES: int
RATION_ORDER_FEATURES: int

def read_pomdp(text: Any, tolerance: float, max_entries: int) -> dict[str, Any]: ...

class PomdpSearch:
    def __init__(
        self,
        transition_indptr: _Indices,
        transition_column: NDArray[np.int32],
        transition_probability: _Numbers,
        observation_indptr: _Indices,
        observation_column: NDArray[np.int32],
        observation_probability: _Numbers,
        reward: _Numbers,
        start: _Numbers,
        floor: _Numbers,
        ceiling: _Numbers,
        num_actions: int,
        num_observations: int,
        discount: float,
        improve_lower: bool,
        improve_upper: bool,
        initial_tolerance: float,
        memory_limit: int,
        num_threads: int,
    ) -> None: ...
    def run(self, seconds: float, max_trials: int, gap: float) -> int: ...
    def bounds(self) -> tuple[float, float]: ...
    def counts(self) -> tuple[int, int, int, int, int]: ...
    def is_full(self) -> bool: ...
    def domains(self) -> tuple[int, list[NDArray[np.int32]]]: ...
    def alphas(self, domain: int) -> tuple[NDArray[np.int32], _Numbers]: ...
    def points(self, domain: int) -> tuple[_Indices, NDArray[np.int32], _Numbers, _Numbers]: ...
    def add_alphas(self, domain: int, action: NDArray[np.int32], values: _Numbers) -> None: ...
    def add_points(
        self,
        domain: int,
        indptr: _Indices,
        place: NDArray[np.int32],
        weight: _Numbers,
        value: _Numbers,
    ) -> None: ...

class PomdpRollout:
    def __init__(
        self,
        transition_indptr: _Indices,
        transition_column: NDArray[np.int32],
        transition_probability: _Numbers,
        observation_indptr: _Indices,
        observation_column: NDArray[np.int32],
        observation_probability: _Numbers,
        reward: _Numbers,
        start: _Numbers,
        num_actions: int,
        num_observations: int,
        discount: float,
    ) -> None: ...
    def domains(self) -> tuple[int, list[NDArray[np.int32]]]: ...
    def add_alphas(self, domain: int, action: NDArray[np.int32], values: _Numbers) -> None: ...
    def run(
        self, seed: int, first: int, horizon: int, totals: _Numbers, num_threads: int
    ) -> None: ...

def ration_first_come(
    indptr: _Indices,
    sku: NDArray[np.int32],
    quantity: _Indices,
    strict: bool,
    stock: _Indices,
    own: NDArray[np.bool_],
) -> None: ...
def ration_priced(
    indptr: _Indices,
    sku: NDArray[np.int32],
    quantity: _Indices,
    gain: _Numbers,
    price: _Numbers,
    first: int,
    last: int,
    stock: _Indices,
    own: NDArray[np.bool_],
) -> None: ...
def ration_criticality(
    indptr: _Indices,
    sku: NDArray[np.int32],
    quantity: _Indices,
    sku_indptr: _Indices,
    sku_order: NDArray[np.int32],
    margin: _Numbers,
    stock: _Indices,
    own: NDArray[np.bool_],
    sequence: NDArray[np.int32],
) -> None: ...
def ration_network(
    indptr: _Indices,
    sku: NDArray[np.int32],
    quantity: _Indices,
    margins: NDArray[np.float32],
    weights: Sequence[NDArray[np.float32]],
    stock_scale: float,
    quantity_scale: float,
    threshold: float,
    stock: _Indices,
    own: NDArray[np.bool_],
    probability: NDArray[np.float32],
) -> None: ...

class RationOutlined:
    def __init__(
        self,
        indptr: _Indices,
        sku: NDArray[np.int32],
        quantity: _Indices,
        gain: _Numbers,
        mean_gain: _Numbers,
        unit_gain: _Numbers,
        expected_orders: float,
        position: float,
        units: _Numbers,
        squares: _Numbers,
        num_orders: float,
        num_lines: float,
    ) -> None: ...
    def decide(
        self,
        weights: NDArray[np.float32],
        order_value: float,
        stock: _Indices,
        own: NDArray[np.bool_],
    ) -> None: ...
    def labels(
        self,
        weights: NDArray[np.float32],
        order_value: float,
        stock: _Indices,
        own: NDArray[np.bool_],
        line_features: NDArray[np.float32],
        order_features: NDArray[np.float32],
        label: NDArray[np.float32],
    ) -> None: ...

BELIEF_LANES: int

def filter_beliefs(
    transition: _Numbers,
    success: _Numbers,
    cost: _Numbers,
    channel: _Numbers,
    belief: _Numbers,
    option: NDArray[np.int32],
    observation: NDArray[np.int32],
    next: _Numbers,
    chance: _Numbers,
    num_threads: int,
) -> None: ...
def locate_beliefs(
    simplices: NDArray[np.int32],
    inverse: _Numbers,
    beliefs: _Numbers,
    to: NDArray[np.int32],
    weight: _Numbers,
) -> None: ...
def belief_sweep(
    axes: Sequence[tuple[_Indices, NDArray[np.int32], _Numbers, _Numbers]],
    discount: float,
    following: _Numbers,
    value: _Numbers,
    work: _Numbers,
    num_threads: int,
) -> None: ...

class BeliefSystem:
    def __init__(
        self,
        works: NDArray[np.uint8],
        downtime_cost: float,
        discount: float,
        num_threads: int,
    ) -> None: ...
    def add_axis(
        self,
        transition: _Numbers,
        success: _Numbers,
        cost: _Numbers,
        channel: _Numbers,
        simplices: NDArray[np.int32],
        inverse: _Numbers,
        stride: int,
        indptr: _Indices,
        to: NDArray[np.int32],
        weight: _Numbers,
    ) -> None: ...
    def greedy(
        self,
        now: NDArray[np.float32],
        next: NDArray[np.float32],
        beliefs: _Numbers,
        least: _Numbers,
        value: _Numbers,
        options: NDArray[np.int32],
    ) -> None: ...
    def rollout(
        self,
        values: NDArray[np.float32],
        tensor: int,
        periods: int,
        seed: int,
        first_episode: int,
        recorded: int,
        estimate: _Numbers,
        cost: _Numbers,
        loss: _Numbers,
        belief: _Numbers,
    ) -> None: ...

def base_stock_curves(
    supplier: NDArray[np.int32],
    own_mean: _Numbers,
    share: _Numbers,
    length: NDArray[np.int32],
    max_level: NDArray[np.int32],
    resupply: int,
    shortage: int,
    weight: _Numbers,
    convex: bool,
    curve: _Numbers,
    num_threads: int,
) -> None: ...
def cheapest_base_stocks(
    supplier: NDArray[np.int32],
    own_mean: _Numbers,
    share: _Numbers,
    length: NDArray[np.int32],
    max_level: NDArray[np.int32],
    resupply: int,
    shortage: int,
    price: _Numbers,
    holding: _Numbers,
    weight: _Numbers,
    level: NDArray[np.int32],
    cost: _Numbers,
    num_threads: int,
) -> None: ...
def measure_base_stocks(
    supplier: NDArray[np.int32],
    own_mean: _Numbers,
    share: _Numbers,
    length: NDArray[np.int32],
    max_level: NDArray[np.int32],
    resupply: int,
    shortage: int,
    level: NDArray[np.int32],
    backorders: _Numbers,
    on_hand: _Numbers,
    ready: _Numbers,
    fill: _Numbers,
    num_threads: int,
) -> None: ...
def expect_failures(
    chance: _Numbers,
    value: _Numbers,
    paid: _Numbers,
    emergency: float,
    result: _Numbers,
    num_threads: int,
) -> None: ...
