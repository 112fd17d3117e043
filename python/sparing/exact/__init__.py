"""Exact solvers; every result carries lower and upper bounds."""
