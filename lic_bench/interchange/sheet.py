"""A result file of another tool as it is: statements about the whole, and columns of equal length."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lic_bench.errors import RequestError

Cell = str | int | float | bool | None
"""A value: text in CSV and TSV, a JSON scalar elsewhere; None only where the format has a null."""


class SheetError(RequestError):
    """A file is damaged, or a sheet holds what a format cannot: the sentence says where."""


@dataclass(frozen=True)
class Sheet:
    """One file of results.

    `columns` holds the values under the file's own names; `facts` what it says about the whole (JSON values);
    `meanings` its own descriptions of columns and facts (codec-compare). `layout` tells apart the shapes that a format
    may have, so that a file is written as it was read; see each format.
    """

    columns: Mapping[str, tuple[Cell, ...]]
    facts: Mapping[str, Any] = field(default_factory=dict)
    meanings: Mapping[str, str] = field(default_factory=dict)
    layout: str = ""

    @property
    def length(self) -> int:
        """How many values each column has."""
        return len(next(iter(self.columns.values()), ()))


@dataclass(frozen=True)
class Format:
    """How files of one kind are read and written, and what must be known about their figures.

    `read` and `write` are each other's inverse over what the format can hold, and raise SheetError for the rest.
    """

    name: str
    suffix: str
    read: Callable[[str], Sheet]
    write: Callable[[Sheet], str]
    notes: tuple[str, ...] = ()


def checked(sheet: Sheet) -> Sheet:
    """The sheet, if it has columns of equal length and at least one value in each. Raises SheetError."""
    if not sheet.columns:
        raise SheetError("there is no column")
    lengths = {name: len(values) for name, values in sheet.columns.items()}
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"{name} {length}" for name, length in lengths.items())
        raise SheetError(f"the columns are not equally long ({told})")
    if not sheet.length:
        raise SheetError("the columns are empty")
    return sheet


def distinct(names: Sequence[str], what: str = "column") -> Sequence[str]:
    """The names, if none is there twice. Raises SheetError."""
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise SheetError(f"the {what} {', '.join(map(repr, twice))} is there twice")
    return names
