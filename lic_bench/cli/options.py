"""What several commands take: options, and how their words are read."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

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
