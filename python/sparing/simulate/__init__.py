"""Batched rollouts of an epoch under a policy, and comparisons under common random numbers."""

from sparing.simulate.results import Comparison, Difference, SimulationResult
from sparing.simulate.rollouts import compare_policies, sample_paths, simulate

__all__ = [
    "Comparison",
    "Difference",
    "SimulationResult",
    "compare_policies",
    "sample_paths",
    "simulate",
]
