"""The commands of the command line, one file each; only here are typer and rich imported."""
