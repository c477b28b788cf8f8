"""The one application that every command joins."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from lic_bench import __version__

ORDER = (
    "run", "report", "bd", "published", "complexity", "audit", "models", "datasets", "fetch", "convert", "new",
    "doctor", "check", "baseline", "import", "export",
)  # fmt: skip
"""The commands as `--help` lists them: measuring, what there is to measure, a codec of one's own, other tools."""


class InOrder(TyperGroup):
    """Lists its commands in ORDER, whatever order they joined in."""

    def list_commands(self, ctx: Any) -> list[str]:
        """The commands' names; ValueError for one that has no place in ORDER."""
        return sorted(super().list_commands(ctx), key=ORDER.index)


app = typer.Typer(
    name="lic-bench",
    cls=InOrder,
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
