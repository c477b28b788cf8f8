"""Commands about what there is to measure: models, datasets, doctor, fetch, convert."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from lic_bench.cli.app import app
from lic_bench.cli.options import Data, split
from lic_bench.errors import RequestError

fetch = typer.Typer(help="Download checkpoints or pictures and prove them.", no_args_is_help=True)
app.add_typer(fetch, name="fetch")


@app.command()
def models(
    weights: Annotated[
        list[Path] | None, typer.Option("--weights", help="Folder with checkpoints. Repeatable.", show_default=False)
    ] = None,
    select: Annotated[str, typer.Argument(help='"all", names or globs.')] = "all",
) -> None:
    """List the codecs: paper, licence, operating points, and where their weights are."""
    from lic_bench.cli import rendering

    rendering.models(select, tuple(weights or ()))


@app.command()
def datasets(data: Data = None) -> None:
    """List the data sets: pictures, licence, and whether they are here."""
    from lic_bench.cli import rendering

    rendering.datasets(data)


@app.command()
def doctor(
    model: Annotated[str, typer.Argument(help="A model's name, package.module:NAME or path/to/file.py:NAME.")],
    weights: Annotated[
        Path | None,
        typer.Option(
            help="A checkpoint. [default: the one in the package or the cache, else the untrained network]",
            show_default=False,
        ),
    ] = None,
    point: Annotated[str | None, typer.Option(help="Operating point. [default: the first]", show_default=False)] = None,
    device: Annotated[str, typer.Option(help="cpu, cuda, or auto: CUDA where there is one.")] = "cpu",
    large: Annotated[str, typer.Option(help="Width x height of the largest picture tried.")] = "768x512",
    timeout: Annotated[float, typer.Option(min=0.1, help="Seconds a codec may take for one picture.")] = 600.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
) -> None:
    """Is a codec sound? Sizes, streams, threads, devices, rates, weights, and what to do about each finding."""
    import torch

    from lic_bench import doctor as practice
    from lic_bench.benchmark import environment
    from lic_bench.cli import rendering
    from lic_bench.complexity import tables
    from lic_bench.doctor import checkpoint, examination
    from lic_bench.registry import lookup

    card, *others = lookup.selection(model, timeout).cards
    if others:
        raise RequestError(f"The doctor examines one model at a time, and {model!r} names {1 + len(others)}.")
    chosen = card.points[0] if point is None else card.point(point)
    weights = weights or checkpoint.at_hand(card, chosen)
    where, threads, size = environment.resolve_device(device), torch.get_num_threads(), tables.size(large)
    examined = examination.examine(card, chosen, weights, where, large=size, threads=threads, timeout_seconds=timeout)
    codes = not card.estimates_only
    if as_json:
        found = list(examined)
        about = {
            "model": card.name,
            "point": chosen.label,
            "weights": None if weights is None else str(weights),
            "device": where,
            "threads": threads,
        }
        typer.echo(json.dumps(about | practice.as_plain(found, codes), indent=2, ensure_ascii=False))
    else:
        found = rendering.findings(examined)
        typer.echo(practice.conclusion(found, codes))
    raise typer.Exit(1 if practice.unsound(found) else 0)


@fetch.command("models")
def fetch_models(
    select: Annotated[list[str], typer.Argument(help='"all", names or globs ("mbt*").')],
    points: Annotated[
        str, typer.Option(help='Operating points, by label or glob ("1,2,ms-ssim-*").', show_default=False)
    ] = "",
) -> None:
    """Download and prove checkpoints; for those no program can read, print the page to visit and the path to use."""
    from lic_bench.assets import fetch
    from lic_bench.benchmark import plan
    from lic_bench.cli import rendering
    from lic_bench.registry import lookup

    chosen = lookup.selection(",".join(select))
    wanted = [(card, point) for card in chosen.cards for point in plan.wanted(card, split(points))]
    with rendering.downloads() as watched:
        failed = [done.failed for done in rendering.supplied(fetch.fetch_all(wanted, watched=watched))]
    rendering.broken(chosen)
    raise typer.Exit(1 if any(failed) or chosen.broken else 0)


@fetch.command("datasets")
def fetch_datasets(
    select: Annotated[list[str], typer.Argument(help="Names of data sets.")],
    data: Data = None,
) -> None:
    """Download and prove the pictures of data sets."""
    from lic_bench.assets import datasets as described

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
    from lic_bench.registry.converters import convert as converted

    typer.echo(converted(family, checkpoint, output or checkpoint.with_name(f"{checkpoint.name}.safetensors")))
