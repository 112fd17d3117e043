"""The directive ``command-reference``: every command with its arguments and options."""

import inspect

import typer.main
from docutils import nodes
from docutils.statemachine import StringList
from sparing.cli import app
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx.util.nodes import nested_parse_with_titles


class CommandReference(SphinxDirective):
    """One section a command: what it does, how it is called, what can be set."""

    def run(self) -> list[nodes.Node]:
        """Return the sections."""
        group = typer.main.get_command(app)
        lines = [line for command in group.commands.values() for line in described(command)]
        holder = nodes.Element()
        content = StringList(lines, source="sparing --help")
        nested_parse_with_titles(self.state, content, holder)
        return holder.children


def described(command) -> list[str]:
    """Return the Markdown of one command."""
    context = command.make_context(command.name, [], resilient_parsing=True)
    usage = " ".join(["sparing", command.name, *command.collect_usage_pieces(context)])
    words = inspect.cleandoc(command.help or "").splitlines()
    records = [parameter.get_help_record(context) for parameter in command.get_params(context)]
    entries = [f"- `{names}`: {' '.join(text.split())}" for names, text in filter(None, records)]
    return [f"## sparing {command.name}", "", "```text", usage, "```", "", *words, "", *entries, ""]


def setup(app: Sphinx) -> dict[str, bool]:
    """Make the directive known."""
    app.add_directive("command-reference", CommandReference)
    return {"parallel_read_safe": True}
