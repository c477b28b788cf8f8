"""The one application that every command joins."""

from __future__ import annotations

from typing import Annotated

import typer

from lic_bench import __version__

app = typer.Typer(
    name="lic-bench",
    help="Honest benchmarks and complexity analysis for learned image compression.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback(invoke_without_command=True)
def lic_bench(
    version: Annotated[bool, typer.Option("--version", help="Print the version and stop.", is_eager=True)] = False,
) -> None:
    """Honest benchmarks and complexity analysis for learned image compression."""
    if version:
        typer.echo(f"lic-bench {__version__}")
        raise typer.Exit
