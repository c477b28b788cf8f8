"""The command `new`."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from lic_bench.cli.app import app


@app.command()
def new(
    name: Annotated[str, typer.Argument(help="What the codec and its package are called, such as my-codec.")],
    into: Annotated[Path, typer.Option("--into", help="The folder to write the package's folder in.")] = Path("."),
) -> None:
    """Write a small package to start a codec from: a network, its training, tests, limits and a workflow."""
    from lic_bench import scaffold

    folder, written = scaffold.write(name, into)
    typer.echo(f"{folder} holds {len(written)} files:")
    for path in written:
        typer.echo(f"  {path}")
    typer.echo("README.md says what each is for. From nothing to a checked run:\n")
    typer.echo(f"cd {shlex.quote(str(folder))}")
    typer.echo(scaffold.commands((folder / "README.md").read_text(encoding="utf-8")), nl=False)
