"""Commands about rate-distortion curves without a run: bd, published."""

from __future__ import annotations

from typing import Annotated

import typer

from lic_bench.cli.app import app
from lic_bench.complexity.tables import Format


@app.command()
def bd(
    curves: Annotated[
        list[str],
        typer.Argument(
            help="Run folders, files (curves, CompressAI's JSON, other tools' results), published curves as NAME, "
            'NAME/SOURCE or a glob, or "all" for every published default.'
        ),
    ],
    anchor: Annotated[
        str | None,
        typer.Option(
            help="The curve to compare with: NAME or NAME/SOURCE. By default the first where it names one codec; else "
            "that of the data set, or jpeg of the run.",
            show_default=False,
        ),
    ] = None,
    dataset: Annotated[
        str | None,
        typer.Option(
            help="The pictures of published curves, and of files that do not say.", show_default="as the runs"
        ),
    ] = None,
    details: Annotated[
        bool, typer.Option("--details", help="All tables: over pictures, sensitivity, differences along the curves.")
    ] = False,
    form: Annotated[
        Format, typer.Option("--format", help="How it is written; markdown and json hold everything.")
    ] = Format.TABLE,
) -> None:
    """Compares rate-distortion curves: BD-rate, BD-PSNR, BD-MS-SSIM, with intervals where pictures are known."""
    from lic_bench.cli import bd_rendering

    bd_rendering.compare(curves, anchor, dataset, details, form)


@app.command()
def published(
    codec: Annotated[str, typer.Argument(help="A codec or glob; all where none is given.", show_default=False)] = "*",
    dataset: Annotated[str, typer.Option(help="Only this data set.", show_default="all")] = "*",
    form: Annotated[Format, typer.Option("--format", help="How it is written.")] = Format.TABLE,
) -> None:
    """Lists published curves with their sources, which of them stand for a codec, and claims in words."""
    from lic_bench.cli import bd_rendering

    bd_rendering.published_curves(codec, dataset, form)
