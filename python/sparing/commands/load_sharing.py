"""The commands for load-sharing systems: what solve, simulate, compare and cases do with them."""

from sparing.commands.load_sharing_compare import compare
from sparing.commands.load_sharing_simulate import simulate
from sparing.commands.load_sharing_solve import solve
from sparing.commands.load_sharing_text import case_row
from sparing.evaluate.sizing import DEFAULT_TOL

TAKES_EPOCHS = True  # of simulate: units of time

__all__ = ["DEFAULT_TOL", "TAKES_EPOCHS", "case_row", "compare", "simulate", "solve"]
