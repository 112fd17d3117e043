"""The commands for hidden degradation: what solve, simulate, compare and cases do with it."""

from sparing.commands.hidden_compare import compare
from sparing.commands.hidden_simulate import simulate
from sparing.commands.hidden_solve import case_row, solve

__all__ = ["case_row", "compare", "simulate", "solve"]
