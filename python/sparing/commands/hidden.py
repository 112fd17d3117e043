"""The commands for hidden degradation: what solve, simulate, compare and cases do with it."""

from sparing.commands.hidden_compare import compare
from sparing.commands.hidden_simulate import simulate
from sparing.commands.hidden_solve import case_row, solve
from sparing.exact.options import Options

CRITERION = "discounted"
DEFAULT_TOL = Options().tol
FURTHER_OPTIONS = ("discount", "gap", "time")

__all__ = [
    "CRITERION",
    "DEFAULT_TOL",
    "FURTHER_OPTIONS",
    "case_row",
    "compare",
    "simulate",
    "solve",
]
