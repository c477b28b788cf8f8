"""Commands for other people's files: import, export."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from lic_bench.cli.app import app
from lic_bench.cli.options import split


class Form(StrEnum):
    """Whose files."""

    COMPRESSAI = "compressai"
    TENSORFLOW_COMPRESSION = "tensorflow-compression"
    COOL_CHIC = "cool-chic"
    CODEC_COMPARE = "codec-compare"


class Made(StrEnum):
    """What is made of foreign files."""

    RUN = "run"
    CURVE = "curve"


class Target(StrEnum):
    """What a codec was trained for."""

    MSE = "mse"
    MS_SSIM = "ms-ssim"
    NONE = "none"
    UNKNOWN = "unknown"


class Bits(StrEnum):
    """Which bits are counted."""

    STREAM = "stream"
    PAYLOAD = "payload"
    ESTIMATED = "estimated"


class Keys(StrEnum):
    """How CompressAI's JSON calls the scores."""

    RGB = "psnr-rgb"
    PLAIN = "psnr"


@app.command("import")
def import_(
    files: Annotated[list[Path], typer.Argument(help="Result files of other tools.")],
    dataset: Annotated[
        str | None, typer.Option(help="The pictures they are about (kodak, ...).", show_default=False)
    ] = None,
    made: Annotated[
        Made | None,
        typer.Option(
            "--as",
            help="A run folder (needs pictures with sizes), or a file of published curves.",
            show_default="what the files allow",
        ),
    ] = None,
    form: Annotated[
        Form | None, typer.Option("--format", help="Whose files.", show_default="by what is in them")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="The file of curves, or the folder for it (FILE.curve.csv), or where run folders are (runs).",
            show_default=False,
        ),
    ] = None,
    name: Annotated[str, typer.Option(help="The codec, where the file does not say.", show_default=False)] = "",
    trained_for: Annotated[
        Target | None, typer.Option(help="What the codec was trained for.", show_default=False)
    ] = None,
    citation: Annotated[str, typer.Option(help="Whose figures they are.", show_default=False)] = "",
    licence: Annotated[str, typer.Option(help="The licence of the figures.", show_default=False)] = "",
    columns: Annotated[
        str, typer.Option(help='Names for a table without a header line ("bpp,psnr").', show_default=False)
    ] = "",
) -> None:
    """Make a published curve or an imported run of other people's result files; never a measured one."""
    from lic_bench import api
    from lic_bench.benchmark import environment
    from lic_bench.interchange import disk, importing

    asked = importing.Asked(dataset, name, trained_for or "", citation, licence)
    taken = importing.take(files, asked, form, split(columns))
    for one in taken:
        if one.left_out:
            typer.echo(f"{one.file}: not taken over: {', '.join(one.left_out)}.", err=True)
    if made is Made.RUN or (made is None and all(one.weighed for one in taken)):
        folder = importing.as_run(taken, asked, output or Path("runs"), environment.command())
        typer.echo(api.report(folder).page)
        return
    usual = f"{Path(taken[0].file).name}.curve.csv"
    path = output / usual if output is not None and output.is_dir() else output or Path(usual)
    typer.echo(disk.write_curves(importing.as_curves(taken, asked), path, files))


@app.command()
def export(
    run: Annotated[Path, typer.Argument(help="A run folder (runs/...).")],
    form: Annotated[Form, typer.Option("--format", help="For whom.")] = Form.COMPRESSAI,
    codec: Annotated[str | None, typer.Option(help="Only this codec.", show_default="all")] = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="The folder that gets a file per codec.")] = Path(),
    rate: Annotated[
        Bits, typer.Option(help="What bpp is: whole streams, or the payload alone as CompressAI counts it.")
    ] = Bits.STREAM,
    keys: Annotated[
        Keys, typer.Option(help='CompressAI: "psnr-rgb" as its plot tool reads, or "psnr" as in older files.')
    ] = Keys.RGB,
) -> None:
    """Write a run's rate and distortion as files that other tools read; what a format cannot hold is said."""
    from functools import partial

    from lic_bench.benchmark import run_folder
    from lic_bench.interchange import disk, exporting, formats
    from lic_bench.records import Measurement

    header, rows = run_folder.read(run)
    measured = [row for row in run_folder.latest(rows) if isinstance(row, Measurement)]
    chosen, said = exporting.choose(header, measured, codec, rate.value)
    writer = exporting.WRITERS[form]
    if form is Form.COMPRESSAI:
        writer = partial(exporting.compressai, plain_keys=keys is Keys.PLAIN)
    for sentence in (*said, f"Files of {form} do not hold {exporting.LOST[form]}."):
        typer.echo(sentence, err=True)
    for written in map(writer, chosen):
        for sentence in written.lost:
            typer.echo(sentence, err=True)
        typer.echo(disk.write_sheet(written, formats.named(form), output))
