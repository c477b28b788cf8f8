"""The commands. Each reads like a page of contents; what it names is imported only when the command runs."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from lic_bench import __version__, machine
from lic_bench.cost_tables import By, Format
from lic_bench.errors import LicBenchError, RequestError
from lic_bench.records import Call

INTERRUPTED = 130
"""The exit code of a command that Ctrl-C stopped, as shells have it (128 + SIGINT)."""

app = typer.Typer(
    name="lic-bench",
    help="Honest benchmarks and complexity analysis for learned image compression.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

fetch = typer.Typer(help="Download checkpoints or pictures and prove them.", no_args_is_help=True)
app.add_typer(fetch, name="fetch")

Models = Annotated[str, typer.Option("--models", "-m", help='"all", names or globs ("mbt*"), separated by commas.')]
Data = Annotated[Path | None, typer.Option("--data", help="Folder that holds the data set.", show_default=False)]
Anchor = Annotated[
    str | None,
    typer.Option(
        "--anchor",
        help="Codec of the run, or published curve: NAME or NAME/SOURCE. On kodak by default VTM-17.0, else jpeg.",
        show_default=False,
    ),
]


@app.callback(invoke_without_command=True)
def lic_bench(
    version: Annotated[bool, typer.Option("--version", help="Print the version and stop.", is_eager=True)] = False,
) -> None:
    """Honest benchmarks and complexity analysis for learned image compression."""
    if version:
        typer.echo(f"lic-bench {__version__}")
        raise typer.Exit


@app.command()
def run(
    models: Models = "all",
    dataset: Annotated[str, typer.Option(help="kodak, sample, or a folder of pictures.")] = "sample",
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
    output: Annotated[Path, typer.Option("--output", "-o", help="Where run folders are kept.")] = Path("runs"),
    device: Annotated[str, typer.Option(help="cpu, cuda, or auto: CUDA where there is one.")] = "auto",
    threads: Annotated[int, typer.Option(min=1, help="Threads of each process.")] = 1,
    workers: Annotated[int, typer.Option(min=1, help="Jobs at a time; more than 1 puts a doubt on every time.")] = 1,
    timing_repeats: Annotated[int, typer.Option(min=0, help="Timed passes per picture, at most.")] = 5,
    timing_budget: Annotated[
        float, typer.Option(min=0, help="Seconds for timing, per operating point and picture shape.")
    ] = 10.0,
    timeout: Annotated[
        float | None, typer.Option(min=0.1, help="Seconds a codec may take for one picture.", show_default=False)
    ] = None,
    memory: Annotated[bool, typer.Option(help="Measure peak memory in fresh processes.")] = True,
    download: Annotated[bool, typer.Option(help="Fetch missing weights and pictures.")] = True,
    new: Annotated[bool, typer.Option("--new", help="Start anew instead of continuing an interrupted run.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the jobs and an estimate, measure nothing.")
    ] = False,
) -> None:
    """Measure codecs on pictures, keep every row, write the report. Interrupted, the same command continues."""
    from lic_bench import runner, show
    from lic_bench.records import Settings

    request = runner.Request(
        models=models,
        dataset=dataset,
        data=data,
        weights=tuple(weights or ()),
        points=_split(points),
        pictures=pictures,
        anchor=anchor,
        output=output,
        download=download and not dry_run,
        workers=workers,
        timeout_seconds=timeout,
        fresh=new,
        settings=Settings(_device(device), threads, timing_repeats, timing_budget, memory),
    )
    if dry_run:
        show.jobs(runner.prepare(request, show.Notes()))
        return
    with show.progress() as observer:
        done = runner.run(request, observer)
    show.summary(done, anchor)
    raise typer.Exit(1 if done.failures else 0)


@app.command()
def report(
    runs: Annotated[list[Path], typer.Argument(help="Run folders (runs/...).")],
    anchor: Anchor = None,
) -> None:
    """Write the page and tables of finished or interrupted runs again; no codec is loaded."""
    from lic_bench import runner

    for folder in runs:
        typer.echo(runner.report(folder, anchor).page)


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
    from lic_bench import show_cost

    if run is not None:
        show_cost.achieved(run, form)
        return
    show_cost.complexity(models, size or ["768x512"], by, form, call or tuple(Call))


@app.command()
def audit(
    models: Annotated[str, typer.Argument(help='"all", names or globs.')] = "all",
    against: Annotated[
        str, typer.Option(help='Other counters beside ours: "fvcore,ptflops,torch". They run the networks.')
    ] = "",
    form: Annotated[Format, typer.Option("--format", help="How it is written.")] = Format.TABLE,
) -> None:
    """Published claims on complexity beside our counts under every convention, with verdicts."""
    from lic_bench import show_cost

    show_cost.audit(models, against, form)


@app.command()
def models(
    weights: Annotated[
        list[Path] | None, typer.Option("--weights", help="Folder with checkpoints. Repeatable.", show_default=False)
    ] = None,
    select: Annotated[str, typer.Argument(help='"all", names or globs.')] = "all",
) -> None:
    """List the codecs: paper, licence, operating points, and where their weights are."""
    from lic_bench import show

    show.models(select, tuple(weights or ()))


@app.command()
def datasets(data: Data = None) -> None:
    """List the data sets: pictures, licence, and whether they are here."""
    from lic_bench import show

    show.datasets(data)


@app.command()
def doctor(
    model: Annotated[str, typer.Argument(help="A model's name, or file.py:CARD.")],
    weights: Annotated[
        Path | None,
        typer.Option(help="A checkpoint; without it the untrained network.", show_default=False),
    ] = None,
    point: Annotated[str | None, typer.Option(help="Operating point. [default: the first]", show_default=False)] = None,
    device: Annotated[str, typer.Option(help="cpu, cuda, or auto: CUDA where there is one.")] = "cpu",
) -> None:
    """Examine a codec and a checkpoint: layout, width, coding against the forward pass, rates, a first figure."""
    from lic_bench import catalogue, show
    from lic_bench import doctor as practice

    card = catalogue.card(model)
    chosen = card.points[0] if point is None else card.point(point)
    wrong = [found.verdict for found in show.findings(practice.examine(card, chosen, weights, _device(device)))]
    raise typer.Exit(1 if practice.Verdict.WRONG in wrong else 0)


@fetch.command("models")
def fetch_models(
    select: Annotated[list[str], typer.Argument(help='"all", names or globs ("mbt*").')],
    points: Annotated[
        str, typer.Option(help='Operating points, by label or glob ("1,2,ms-ssim-*").', show_default=False)
    ] = "",
) -> None:
    """Download and prove checkpoints; for those no program can read, print the page to visit and the path to use."""
    from lic_bench import catalogue, plan, show, supply

    cards = catalogue.select(",".join(select))
    wanted = [(card, point) for card in cards for point in plan.wanted(card, _split(points))]
    with show.downloads() as watched:
        failed = [done.failed for done in show.supplied(supply.supply(wanted, watched=watched))]
    raise typer.Exit(1 if any(failed) else 0)


@fetch.command("datasets")
def fetch_datasets(
    select: Annotated[list[str], typer.Argument(help="Names of data sets.")],
    data: Data = None,
) -> None:
    """Download and prove the pictures of data sets."""
    from lic_bench import datasets as described

    for name in select:
        found = described.find(name, data, download=True)
        typer.echo(f"{name}: {len(found.pictures)} pictures in {found.pictures[0].path.parent}")


@app.command()
def convert(
    family: Annotated[str, typer.Argument(help="Whose checkpoints: gllmm.")],
    checkpoint: Annotated[Path, typer.Argument(help="The prefix of TensorFlow's files, or an .npz of variables.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="[default: CHECKPOINT.safetensors]", show_default=False)
    ] = None,
) -> None:
    """Turn a checkpoint of another framework into one that `--weights` takes."""
    from lic_bench.convert import convert as converted

    typer.echo(converted(family, checkpoint, output or checkpoint.with_name(f"{checkpoint.name}.safetensors")))


def main() -> None:
    """Run a command; every error ends in one sentence and an exit code, never in a traceback."""
    machine.hush_imports()
    try:
        code = app(standalone_mode=False)
    except LicBenchError as error:
        _stop(str(error), error.exit_code)
    except (typer.Abort, KeyboardInterrupt):
        code = INTERRUPTED
    except typer.TyperException as error:
        _stop(_usage(error), 2)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the reader has gone; say nothing more
        sys.exit(1)
    except Exception as error:  # a fault of ours: named, with a way to see where
        if os.environ.get("LIC_BENCH_DEBUG"):
            raise
        _stop(f"lic-bench failed: {type(error).__name__}: {error}. Set LIC_BENCH_DEBUG=1 to see where.", 1)
    if code == INTERRUPTED:
        _stop("Stopped. What was measured is kept; the same command continues.", INTERRUPTED)
    sys.exit(code if isinstance(code, int) else 0)


def _stop(sentence: str, code: int) -> None:
    typer.echo(f"lic-bench: {sentence}", err=True)
    sys.exit(code)


def _usage(error: typer.TyperException) -> str:
    """What was wrong with the command line, and where help is."""
    message = error.format_message() if hasattr(error, "format_message") else str(error)
    return f"{message.rstrip('.')}. `lic-bench --help` and `lic-bench COMMAND --help` list what there is."


def _split(text: str) -> tuple[str, ...]:
    return tuple(item.strip() for item in text.split(",") if item.strip())


def _device(name: str) -> str:
    if name == "auto":
        from lic_bench.machine import default_device

        return default_device()
    if name == "cpu":
        return name
    import torch

    if name.startswith("cuda") and torch.cuda.is_available():
        return name
    raise RequestError(f"There is no device {name!r} on this machine. Use --device cpu, or auto.")


if __name__ == "__main__":
    main()
