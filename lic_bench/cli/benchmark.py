"""Commands that measure, count and show: run, report, complexity, audit."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lic_bench.benchmark.options import RunOptions
from lic_bench.cli.app import app
from lic_bench.cli.options import Anchor, Data, Models, split
from lic_bench.complexity.tables import By, Format
from lic_bench.records import Call

DEFAULTS = RunOptions()


@app.command()
def run(
    models: Models = str(DEFAULTS.models),
    dataset: Annotated[
        str, typer.Option(help="A name (kodak, sample), a folder of pictures, or a description: SET.toml.")
    ] = DEFAULTS.dataset,
    data: Data = None,
    weights: Annotated[
        list[Path] | None,
        typer.Option(
            "--weights", help="Folder with MODEL/POINT.pth.tar or .safetensors. Repeatable.", show_default=False
        ),
    ] = None,
    points: Annotated[
        str, typer.Option(help='Operating points to measure, by label or glob ("1,2,ms-ssim-*").', show_default=False)
    ] = "",
    pictures: Annotated[
        int | None, typer.Option("--pictures", min=1, help="Only the first N pictures.", show_default=False)
    ] = None,
    anchor: Anchor = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="Where run folders are kept.")] = DEFAULTS.output,
    device: Annotated[str, typer.Option(help="cpu, cuda, or auto: CUDA where there is one.")] = DEFAULTS.device,
    threads: Annotated[int, typer.Option(min=1, help="Threads of each process.")] = DEFAULTS.threads,
    workers: Annotated[
        int, typer.Option(min=1, help="Jobs at a time; more than 1 puts a caveat on every time.")
    ] = DEFAULTS.workers,
    timing_repeats: Annotated[
        int, typer.Option(min=0, help="Timed passes per picture, at most.")
    ] = DEFAULTS.timing_repeats,
    timing_budget: Annotated[
        float, typer.Option(min=0, help="Seconds for timing, per operating point and picture shape.")
    ] = DEFAULTS.timing_budget_seconds,
    timeout: Annotated[
        float | None, typer.Option(min=0.1, help="Seconds a codec may take for one picture.", show_default=False)
    ] = None,
    metric: Annotated[
        list[str] | None,
        typer.Option(
            "--metric",
            help="A metric beside PSNR and MS-SSIM: a registered name, module:NAME or file.py:NAME. Repeatable.",
            show_default=False,
        ),
    ] = None,
    executor: Annotated[str, typer.Option(help="Where jobs are done, by name.")] = DEFAULTS.executor,
    memory: Annotated[bool, typer.Option(help="Measure peak memory in fresh processes.")] = DEFAULTS.memory,
    download: Annotated[bool, typer.Option(help="Fetch missing weights and pictures.")] = DEFAULTS.download,
    new: Annotated[bool, typer.Option("--new", help="Start anew instead of continuing an interrupted run.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the jobs and an estimate, measure nothing.")
    ] = False,
) -> None:
    """Measure codecs on pictures, keep every row, write the report. Interrupted, the same command continues."""
    from lic_bench import api
    from lic_bench.benchmark import runner
    from lic_bench.cli import rendering

    options = RunOptions(
        models=models,
        dataset=dataset,
        data=data,
        weights=tuple(weights or ()),
        points=split(points),
        pictures=pictures,
        anchor=anchor,
        output=output,
        download=download and not dry_run,
        workers=workers,
        timeout_seconds=timeout,
        new=new,
        executor=executor,
        device=device,
        threads=threads,
        timing_repeats=timing_repeats,
        timing_budget_seconds=timing_budget,
        memory=memory,
        metrics=tuple(metric or ()),
    )
    if dry_run:
        rendering.jobs(runner.prepare(options, rendering.Notes()))
        return
    with rendering.progress() as observer:
        done = api.run(options, observer=observer)
    rendering.summary(done, anchor)
    raise typer.Exit(1 if done.failures else 0)


@app.command()
def report(
    runs: Annotated[list[Path], typer.Argument(help="Run folders (runs/...).")],
    anchor: Anchor = None,
    curve: Annotated[
        list[Path] | None,
        typer.Option(
            "--curve",
            help="A file of published curves (`lic-bench import` makes one) to draw besides. Repeatable.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Write the page and tables of finished or interrupted runs again; no codec is loaded."""
    from lic_bench import api

    curves = [one for path in curve or () for one in api.read_curves(path)]
    for folder in runs:
        typer.echo(api.report(folder, anchor, curves).page)


@app.command()
def complexity(
    models: Models = "all",
    size: Annotated[
        list[str] | None, typer.Option("--size", help="Width x height, such as 768x512 (the default). Repeatable.")
    ] = None,
    by: Annotated[By | None, typer.Option("--by", help="Take the work of each call apart.", show_default=False)] = None,
    form: Annotated[Format, typer.Option("--format", help="How it is written.")] = Format.TABLE,
    call: Annotated[
        list[Call] | None, typer.Option("--call", help="Only this call. Repeatable.", show_default=False)
    ] = None,
    run: Annotated[
        Path | None,
        typer.Option("--run", help="A run: the rates reached in it beside this machine's limits.", show_default=False),
    ] = None,
) -> None:
    """Multiply-accumulates by part, parameters, memory and serial steps, without running the networks."""
    from lic_bench.cli import complexity_rendering

    if run is not None:
        complexity_rendering.achieved(run, form)
        return
    sound = complexity_rendering.complexity(models, size or ["768x512"], by, form, call or tuple(Call))
    raise typer.Exit(0 if sound else 1)


@app.command()
def audit(
    models: Annotated[str, typer.Argument(help='"all", names or globs.')] = "all",
    against: Annotated[
        str, typer.Option(help='Other counters beside ours: "fvcore,ptflops,torch". They run the networks.')
    ] = "",
    form: Annotated[Format, typer.Option("--format", help="How it is written.")] = Format.TABLE,
) -> None:
    """Published claims on complexity beside our counts under every convention, with verdicts."""
    from lic_bench.cli import complexity_rendering

    raise typer.Exit(0 if complexity_rendering.audit(models, against, form) else 1)
