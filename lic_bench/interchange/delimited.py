"""Tables as text, for the formats that are one: values are kept as they are written, so that nothing is rounded."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from lic_bench.interchange.sheet import Sheet, SheetError, checked, distinct

COMMENTS = "comments"
"""The fact that holds the lines before the header that begin with #."""


def read(rows: Sequence[Sequence[str]], comments: Sequence[str], layout: str) -> Sheet:
    """A sheet from rows of text, the names of the columns first."""
    if not rows:
        raise SheetError("there is no header line")
    header = [name.strip() for name in rows[0]]
    if all(map(is_number, header)):
        raise SheetError("the first line holds numbers; a line with the columns' names must stand above them")
    distinct(header)
    if "" in header:
        raise SheetError(f"column {header.index('') + 1} has no name")
    for number, row in enumerate(rows[1:], start=1):
        if len(row) != len(header):
            raise SheetError(f"row {number} has {len(row)} values for {len(header)} columns")
    columns = {name: tuple(row[at] for row in rows[1:]) for at, name in enumerate(header)}
    return checked(Sheet(columns, {COMMENTS: list(comments)} if comments else {}, layout=layout))


def split_comments(text: str) -> tuple[list[str], str]:
    """The lines at the top that begin with #, and the rest. A byte order mark is no part of either."""
    lines = text.removeprefix("\ufeff").split("\n")
    count = next((at for at, line in enumerate(lines) if not line.startswith("#")), len(lines))
    return [line.removesuffix("\r") for line in lines[:count]], "\n".join(lines[count:])


def rows_to_write(sheet: Sheet) -> tuple[list[str], list[list[str]]]:
    """Comments and rows of text, the names first; SheetError for what a table of text cannot hold."""
    checked(sheet)
    if sheet.meanings or set(sheet.facts) - {COMMENTS}:
        raise SheetError("a table of text has no place for facts about the whole")
    comments = sheet.facts.get(COMMENTS, [])
    whole = isinstance(comments, list) and all(isinstance(line, str) for line in comments)
    if not whole or any(not line.startswith("#") or "\n" in line or line.endswith("\r") for line in comments):
        raise SheetError("comments are lines that begin with #")
    for name, values in sheet.columns.items():
        if not name or name != name.strip():
            raise SheetError(f"{name!r} cannot be the name of a column")
        if not all(isinstance(value, str) for value in values):
            raise SheetError(f"column {name!r} holds what is no text")
    if all(map(is_number, sheet.columns)) or next(iter(sheet.columns)).startswith(("#", "\ufeff")):
        raise SheetError("these names would not be read as a header")
    for value in (*sheet.columns, *(value for values in sheet.columns.values() for value in values)):
        if "\r" in str(value):
            raise SheetError(f"a carriage return cannot stand in a table, as in {value!r}")
    rows = [[str(value) for value in row] for row in zip(*sheet.columns.values(), strict=True)]
    return comments, [list(sheet.columns), *rows]


def is_number(text: str) -> bool:
    """Whether a text is a number, as Python reads one."""
    try:
        float(text)
    except ValueError:
        return False
    return True


def read_csv(text: str) -> list[list[str]]:
    """Rows of a comma-separated table, without blank lines."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        return [row for row in reader if row and row != [""]] if text.strip() else []
    except csv.Error as error:
        raise SheetError(f"line {reader.line_num} is damaged ({error})") from error


def write_csv(rows: Sequence[Sequence[str]]) -> str:
    """A comma-separated table; a value that could be taken for a blank line is quoted."""
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue()
