"""Checkpoints of other frameworks turned into ours, by whoever registered a converter for them."""

from __future__ import annotations

from importlib.metadata import entry_points
from pathlib import Path

from lic_bench.errors import RequestError

GROUP = "lic_bench.converters"


def names() -> tuple[str, ...]:
    """The families whose checkpoints can be converted."""
    return tuple(sorted(door.name for door in entry_points(group=GROUP)))


def convert(family: str, checkpoint: Path, output: Path) -> str:
    """Write a family's converted checkpoint; returns a sentence about it.

    Raises RequestError for a family without a converter, and what the converter raises: WeightsError for a file that
    is not the family's, RequestError where a package to read it with is missing.
    """
    doors = {door.name: door for door in entry_points(group=GROUP)}
    if family not in doors:
        raise RequestError(f"No checkpoints of {family!r} can be converted, only those of {', '.join(names())}.")
    sentence: str = doors[family].load()(checkpoint, output)
    return sentence
