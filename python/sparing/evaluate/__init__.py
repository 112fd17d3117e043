"""Comparison of policies, and searches over their parameters."""
