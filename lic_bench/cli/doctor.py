"""The command `doctor`: examines a codec."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lic_bench.cli.app import app
from lic_bench.errors import RequestError


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
    """Examine a codec: sizes, streams, threads, devices, rates, weights, and what to do about each finding."""
    import torch

    from lic_bench.benchmark import environment
    from lic_bench.cli import doctor_rendering
    from lic_bench.complexity import tables
    from lic_bench.doctor import checkpoint_checks, examination, passes
    from lic_bench.registry import lookup

    card, *others = lookup.selection(model, timeout).cards
    if others:
        raise RequestError(f"The doctor examines one model at a time, and {model!r} names {1 + len(others)}.")
    chosen = card.points[0] if point is None else card.point(point)
    weights = weights or checkpoint_checks.local_checkpoint(card, chosen)
    where, threads, size = environment.resolve_device(device), torch.get_num_threads(), tables.size(large)
    examined = examination.examine(card, chosen, weights, where, large=size, threads=threads, timeout_seconds=timeout)
    if as_json:
        findings = tuple(examined)
        about = {
            "model": card.name,
            "point": chosen.label,
            "weights": None if weights is None else str(weights),
            "device": where,
            "threads": threads,
            "is_codec": not card.estimates_only,
        }
        typer.echo(doctor_rendering.to_json(about, findings))
    else:
        findings = tuple(doctor_rendering.shown(examined))
        typer.echo(doctor_rendering.conclusion(findings, is_codec=not card.estimates_only))
    raise typer.Exit(0 if passes(findings) else 1)
