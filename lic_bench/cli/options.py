"""What several commands take: options, and how their words are read."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lic_bench.errors import RequestError

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


def split(text: str) -> tuple[str, ...]:
    """The items of a list that commas separate."""
    return tuple(item.strip() for item in text.split(",") if item.strip())


def chosen_device(name: str) -> str:
    """The device to run on; RequestError for one that is not here."""
    if name == "auto":
        from lic_bench.benchmark.environment import default_device

        return default_device()
    if name == "cpu":
        return name
    import torch

    if name.startswith("cuda") and torch.cuda.is_available():
        return name
    raise RequestError(f"There is no device {name!r} on this machine. Use --device cpu, or auto.")
