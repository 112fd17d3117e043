"""The command line: sparing cases, solve, simulate, compare, front and the other commands."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import typer

from sparing.commands.base_stock import base_stock
from sparing.commands.cases import cases
from sparing.commands.compare import compare
from sparing.commands.forecast import forecast
from sparing.commands.front import front
from sparing.commands.output import print_error
from sparing.commands.plan import demo, plan, policy, update
from sparing.commands.rates import rates
from sparing.commands.ration import ration
from sparing.commands.replay import replay
from sparing.commands.simulate import simulate
from sparing.commands.solve import solve
from sparing.commands.train import train
from sparing.commands.twin import twin

app = typer.Typer(
    name="sparing",
    help="What to repair now, what to stock where, and how sure we are of it.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
CASES = (cases, solve, simulate, compare, front, train, twin, replay)
RECORDS = (forecast, rates, base_stock, ration)
PLANNING = (demo, plan, update, policy)
for command in (*CASES, *RECORDS, *PLANNING):
    app.command()(command)

_USAGE_ERROR: type[Exception] = typer.BadParameter.__bases__[0]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command; a wrong one ends with one line on stderr and exit code 2."""
    try:
        given = list(sys.argv[1:] if arguments is None else arguments)
        code = app(given or ["--help"], standalone_mode=False)
    except _USAGE_ERROR as error:
        message = error.format_message() if hasattr(error, "format_message") else str(error)
        print_error(message)
        sys.exit(2)
    except typer.Abort:
        sys.exit(130)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(0)
    sys.exit(code if isinstance(code, int) else 0)


if __name__ == "__main__":
    main()
