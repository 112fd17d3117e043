"""The commands for spares networks: what solve, simulate, compare and cases do with them."""

from sparing.commands.spares_network_simulate import simulate
from sparing.commands.spares_network_solve import solve
from sparing.commands.spares_network_text import case_row

CRITERION = "total"
DEFAULT_TOL = 1e-6  # backward induction is exact: what is left is rounding
PRECISIONS = ("float64", "float32")

__all__ = ["CRITERION", "DEFAULT_TOL", "PRECISIONS", "case_row", "simulate", "solve"]
