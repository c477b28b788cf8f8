"""Commands for the result files of other tools: import, export."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from lic_bench.analysis.curves import Rate
from lic_bench.cli.app import app
from lic_bench.cli.options import split
from lic_bench.interchange.formats import ResultFormat, TrainingTarget


class ImportedAs(StrEnum):
    """What is made of result files."""

    RUN = "run"
    CURVE = "curve"


class Keys(StrEnum):
    """The keys of the scores in CompressAI's JSON."""

    RGB = "psnr-rgb"
    PLAIN = "psnr"


Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace files that are there already.")]


@app.command("import")
def import_(
    files: Annotated[list[Path], typer.Argument(help="Result files of other tools.")],
    dataset: Annotated[
        str | None, typer.Option(help="The pictures they are about (kodak, ...).", show_default=False)
    ] = None,
    imported_as: Annotated[
        ImportedAs | None,
        typer.Option(
            "--as",
            help="A run folder (needs pictures with sizes), or a file of published curves.",
            show_default="what the files allow",
        ),
    ] = None,
    form: Annotated[
        ResultFormat | None, typer.Option("--format", help="Whose files.", show_default="by what is in them")
    ] = None,
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            help="The file of curves; with a slash at the end, the folder that gets FILE.curve.csv; for a run, the "
            "folder of runs.",
            metavar="<path>",
            show_default="FILE.curve.csv, or runs",
        ),
    ] = None,
    name: Annotated[str, typer.Option(help="The codec, where the file does not say.", show_default=False)] = "",
    trained_for: Annotated[
        TrainingTarget | None, typer.Option(help="What the codec was trained for.", show_default=False)
    ] = None,
    citation: Annotated[str, typer.Option(help="Whose figures they are.", show_default=False)] = "",
    licence: Annotated[str, typer.Option(help="The licence of the figures.", show_default=False)] = "",
    columns: Annotated[
        str, typer.Option(help='Names for a table without a header line ("bpp,psnr").', show_default=False)
    ] = "",
    overwrite: Overwrite = False,
) -> None:
    """Make a published curve or an imported run of other people's result files; never a measured one."""
    from lic_bench import api
    from lic_bench.analysis import curve_files
    from lic_bench.benchmark import environment
    from lic_bench.interchange import importing
    from lic_bench.interchange import output as outputs

    options = importing.ImportOptions(dataset, name, trained_for or "", citation, licence)
    results = importing.read(files, options, form, split(columns))
    for one in results:
        if one.unused_columns:
            typer.echo(f"{one.name}: not taken over: {', '.join(one.unused_columns)}.", err=True)
    if imported_as is ImportedAs.RUN or (imported_as is None and all(one.has_sizes for one in results)):
        folder = importing.as_run(results, Path(output or "runs"), environment.command())
        typer.echo(api.write_report(folder).page)
        return
    path = outputs.file_path(output, f"{Path(results[0].name).name}.curve.csv")
    outputs.write({path: curve_files.write(importing.as_curves(results, options))}, overwrite, files)
    typer.echo(path)


@app.command()
def export(
    run: Annotated[Path, typer.Argument(help="A run folder (runs/...).")],
    form: Annotated[ResultFormat, typer.Option("--format", help="For whom.")] = ResultFormat.COMPRESSAI,
    codec: Annotated[str | None, typer.Option(help="Only this codec.", show_default="all")] = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="The folder that gets a file per codec.")] = Path(),
    rate: Annotated[
        Rate, typer.Option(help="What bpp is: whole streams, the payload alone as CompressAI counts it, or estimates.")
    ] = "stream",
    keys: Annotated[
        Keys, typer.Option(help='CompressAI: "psnr-rgb" as its plot tool reads, or "psnr" as in older files.')
    ] = Keys.RGB,
    overwrite: Overwrite = False,
) -> None:
    """Write a run's rate and distortion as files that other tools read, and say what the format cannot hold."""
    from lic_bench.benchmark import run_folder
    from lic_bench.interchange import exporting
    from lic_bench.interchange import output as outputs
    from lic_bench.records import Measurement

    header, rows = run_folder.read(run)
    measured = [row for row in run_folder.latest(rows) if isinstance(row, Measurement)]
    found, skipped = exporting.run_curves(header, measured, codec, rate)
    texts = {}
    lost = [*skipped, f"Files of {form} do not hold {exporting.NOT_HELD[form]}."]
    for one in found:
        texts[output / f"{one.stem}{form.suffix}"], left_out = exporting.text(one, form, keys is Keys.PLAIN)
        lost += [f"{one.stem}: left out is {what}." for what in left_out]
    for sentence in lost:
        typer.echo(sentence, err=True)
    outputs.write(texts, overwrite)
    for path in texts:
        typer.echo(path)
