"""The command line: sparing cases, solve, simulate, compare, front and the other commands."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Annotated

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


def _print_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        print(f"sparing {version('sparing')}")
        raise typer.Exit


@app.callback()
def common(
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            is_eager=True,
            callback=_print_version,
            help="Print the version and exit.",
        ),
    ] = False,
) -> None:
    """Take the options that stand before a command; the text of --help is that of the app."""


_USAGE_ERROR: type[Exception] = typer.BadParameter.__bases__[0]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command; a wrong one ends with one line on stderr and exit code 2."""
    try:
        given = list(sys.argv[1:] if arguments is None else arguments)
        code = app(given or ["--help"], standalone_mode=False)
        sys.stdout.flush()  # so that a full disk is found here, not on the way out
    except _USAGE_ERROR as error:
        print_error(_usage_message(error))
        sys.exit(2)
    except typer.Abort:
        sys.exit(130)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(0)
    except OSError as error:  # of printing; files that commands write are named by themselves
        print_error(f"what was found could not be printed: {error.strerror}.")
        with suppress(OSError):  # nor can what is left in the buffer
            sys.stdout.close()
        sys.exit(2)
    sys.exit(code if isinstance(code, int) else 0)


def _usage_message(error: Exception) -> str:
    """Return what is wrong with a call, and what was given."""
    message = error.format_message() if hasattr(error, "format_message") else str(error)
    message = message.replace("Value error, ", "")  # of the validation behind typer
    failed = getattr(error.__cause__, "errors", None)
    given = failed()[0].get("input") if callable(failed) else None
    if given is None or repr(given) in message:
        return message
    return f"{message.rstrip('.')}; got {given!r}."


if __name__ == "__main__":
    main()
