"""The registry of converters: checkpoints of other frameworks turned into ours.

A converter is a callable `(checkpoint, output) -> str` under its family's name; it writes `output` and returns a
sentence about it.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

from lic_bench.errors import RequestError
from lic_bench.registry.base import Entry, Registry

Converter: TypeAlias = Callable[[Path, Path], str]


def _converter(found: Any, entry: Entry) -> Converter:
    if not callable(found):
        raise RequestError(f"it is a {type(found).__name__}, which cannot be called with two paths")
    converter: Converter = found
    return converter


CONVERTERS: Registry[Converter] = Registry("converter", "lic_bench.converters", _converter)


def names() -> tuple[str, ...]:
    """The names of the families whose checkpoints can be converted, alphabetical."""
    return CONVERTERS.names()


def convert(family: str, checkpoint: Path, output: Path) -> str:
    """Convert a family's checkpoint into the file `output`; returns a sentence about it for people.

    Raises RequestError for a family without a converter, and what the converter raises: WeightsError for a file that
    is not the family's, RequestError where a package to read it with is missing.
    """
    if family not in names():
        raise RequestError(f"No checkpoints of {family!r} can be converted, only those of {', '.join(names())}.")
    return CONVERTERS.get(family)(checkpoint, output)
