"""Tables of text (CSV, TSV) as pandas frames of strings: every value as it is written, nothing guessed or filled in."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from lic_bench.errors import RequestError

if TYPE_CHECKING:
    import pandas as pd


class TableError(RequestError):
    """A table is damaged, or a value is none of its column. The message says where; callers add the file's name."""


def read(text: str, separator: str = ",", quotes: bool = True, names: Sequence[str] = ()) -> pd.DataFrame:
    """A frame of strings. Blank lines are no rows.

    `separator` is a character, or r"\\s+" for white space. `names` are the columns of a table without a header line.
    Raises TableError for rows of unequal length, for a damaged quotation and for a header that does not name each
    column once.
    """
    import pandas as pd

    quoting = csv.QUOTE_MINIMAL if quotes else csv.QUOTE_NONE
    exact: dict[str, Any] = {"header": None, "dtype": object, "keep_default_na": False}
    try:  # of pandas' readers, the one written in Python refuses damaged quotations and marks missing fields
        frame = pd.read_csv(io.StringIO(text), sep=separator, quoting=quoting, engine="python", **exact)
    except pd.errors.EmptyDataError:
        raise TableError("there is no header line") from None
    except (ValueError, csv.Error) as error:
        raise TableError(f"the table is damaged ({str(error).rstrip('.')})") from error
    header = list(names) or [str(name or "").strip() for name in frame.iloc[0]]
    _check_header(header, frame.shape[1])
    rows = frame.set_axis(header, axis=1).iloc[0 if names else 1 :].reset_index(drop=True)
    for at, count in enumerate(rows.notna().sum(axis=1), start=1):
        if count != len(header):
            raise TableError(f"row {at} has {count} values for {len(header)} columns")
    return rows


def check_distinct(names: Sequence[Any], what: str) -> None:
    """Raises TableError where a name is there twice."""
    twice = sorted({str(name) for name in names if names.count(name) > 1})
    if twice:
        raise TableError(f"the {what} {', '.join(map(repr, twice))} is there twice")


def _check_header(header: list[str], columns: int) -> None:
    if all(map(_is_number, header)):
        raise TableError(
            "the first line holds numbers; a line with the columns' names must stand above them (`lic-bench import "
            "--columns` gives them)"
        )
    check_distinct(header, "column")
    if "" in header:
        raise TableError(f"column {header.index('') + 1} has no name")
    if len(header) != columns:
        raise TableError(f"there are {len(header)} names for {columns} columns")


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
