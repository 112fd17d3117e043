"""Exact solution: value iteration, finite horizon, evaluation, hard goals and trade-offs."""
