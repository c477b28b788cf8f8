"""Commands about what there is to measure: models, datasets, fetch, convert."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lic_bench.cli.app import app
from lic_bench.cli.options import Data, split

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
    from lic_bench.cli import progress, rendering
    from lic_bench.registry import lookup

    chosen = lookup.selection(",".join(select))
    wanted = [(card, point) for card in chosen.cards for point in plan.wanted(card, split(points))]
    with progress.of_downloads() as progress_of:
        failed = [done.failed for done in rendering.fetched(fetch.fetch_all(wanted, progress_for=progress_of))]
    rendering.broken(chosen.broken)
    raise typer.Exit(1 if any(failed) or chosen.broken else 0)


@fetch.command("datasets")
def fetch_datasets(
    select: Annotated[list[str], typer.Argument(help="Names of data sets.")],
    data: Data = None,
) -> None:
    """Download and prove the pictures of data sets."""
    from lic_bench.registry import lookup

    for name in select:
        found = lookup.dataset(name, data, download=True)
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
