"""Commands that watch a model over time: check and baseline."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from lic_bench.cli.app import app


class CheckFormat(StrEnum):
    """How an outcome is printed."""

    TABLE = "table"
    JSON = "json"
    MARKDOWN = "markdown"
    JUNIT = "junit"


@app.command()
def check(
    run: Annotated[Path, typer.Argument(help="A run folder, or a folder of runs: its newest finished one.")],
    against: Annotated[Path, typer.Option("--against", help="The baseline: a run folder or a baseline file.")],
    limits: Annotated[
        Path | None, typer.Option("--limits", help="TOML of limits, such as psnr_db = 0.02.", show_default=False)
    ] = None,
    form: Annotated[CheckFormat, typer.Option("--format", help="How it is printed.")] = CheckFormat.TABLE,
    json: Annotated[Path | None, typer.Option("--json", help="Also write JSON there.", show_default=False)] = None,
    junit: Annotated[
        Path | None, typer.Option("--junit", help="Also write JUnit XML there.", show_default=False)
    ] = None,
    markdown: Annotated[
        Path | None, typer.Option("--markdown", help="Also write Markdown there.", show_default=False)
    ] = None,
    update: Annotated[
        bool, typer.Option("--update", help="Make the run the new baseline, and print what changes.")
    ] = False,
) -> None:
    """Compare a run with a baseline: exit code 1 when something got worse, vanished, or nothing could be compared."""
    from lic_bench.cli import check_rendering

    files = {CheckFormat.JSON.value: json, CheckFormat.JUNIT.value: junit, CheckFormat.MARKDOWN.value: markdown}
    failed = check_rendering.check(run, against, limits, form.value, files, update)
    raise typer.Exit(1 if failed else 0)


@app.command()
def baseline(
    run: Annotated[Path, typer.Argument(help="A run folder, or a folder of runs: its newest finished one.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The file to write.")] = Path("baseline.json"),
) -> None:
    """Write a finished run as one file, to check later runs against."""
    from lic_bench.check import baseline as baselines

    stored = baselines.read(run)
    baselines.require_complete(stored)
    baselines.write(stored, output)
    typer.echo(f"{output}: {len(stored.measured)} rows of {stored.name}.")
