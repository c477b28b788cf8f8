"""Commands that measure and report: run, report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lic_bench.benchmark.options import RunOptions, changed
from lic_bench.cli import options
from lic_bench.cli.app import app

DEFAULTS = RunOptions()


@app.command()
def run(
    models: options.Models = str(DEFAULTS.models),
    dataset: options.DatasetName = DEFAULTS.dataset,
    data: options.Data = DEFAULTS.data,
    weights: options.Weights = None,
    points: options.Points = "",
    pictures: options.Pictures = DEFAULTS.pictures,
    anchor: options.Anchor = DEFAULTS.anchor,
    output: options.Output = DEFAULTS.output,
    device: options.Device = DEFAULTS.device,
    threads: options.Threads = DEFAULTS.threads,
    workers: options.Workers = DEFAULTS.workers,
    timing_repeats: options.TimingRepeats = DEFAULTS.timing_repeats,
    timing_budget: options.TimingBudget = DEFAULTS.timing_budget_seconds,
    timeout: options.Timeout = DEFAULTS.timeout_seconds,
    metric: options.Metrics = None,
    executor: options.Executor = DEFAULTS.executor,
    memory: options.Memory = DEFAULTS.memory,
    cache: options.Cache = DEFAULTS.cache,
    download: options.Download = DEFAULTS.download,
    new: options.New = DEFAULTS.new,
    target_bpp: options.TargetBpp = "",
    target_psnr: options.TargetPsnr = "",
    vtm_bin: options.VtmBin = None,
    dry_run: options.DryRun = False,
) -> None:
    """Measure codecs on pictures, keep every row, write the report. Interrupted, the same command continues."""
    from lic_bench import api
    from lic_bench.assets.requirements import vtm_folder
    from lic_bench.benchmark import runner
    from lic_bench.cli import progress, rendering

    asked = RunOptions(
        models=models,
        dataset=dataset,
        data=data,
        weights=tuple(weights or ()),
        points=options.split(points),
        pictures=pictures,
        anchor=anchor,
        output=output,
        cache=cache,
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
    asked = changed(asked, {"target_bpp": target_bpp, "target_psnr": target_psnr, "vtm_bin": vtm_bin})
    if dry_run:
        notes = progress.Notes()
        with vtm_folder(asked.vtm_bin):
            prepared = runner.prepare(asked, notes)
            rendering.planned_jobs(prepared, runner.time_left(prepared.plan.jobs, prepared, asked, notes))
        return
    with progress.of_run() as observer:
        done = api.run_with_options(asked, observer=observer)
    rendering.summary(done, anchor)
    raise typer.Exit(1 if done.failures else 0)


@app.command()
def report(
    runs: Annotated[list[Path], typer.Argument(help="Run folders (runs/...).")],
    anchor: options.Anchor = None,
    curve: Annotated[
        list[Path] | None,
        typer.Option(
            "--curve",
            help="A file of published curves (`lic-bench import` makes one) to draw as well. Repeatable.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Write the page and tables of finished or interrupted runs again; no codec is loaded."""
    from lic_bench import api

    curves = [one for path in curve or () for one in api.read_curves(path)]
    for folder in runs:
        typer.echo(api.write_report(folder, anchor, curves).page)
