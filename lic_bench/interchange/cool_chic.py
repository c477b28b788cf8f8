"""Cool-Chic's TSV: a line per picture and rate constraint, such as `seq_name`, `lmbda`, `rate_bpp`, `psnr_db`.

Tabs stand between the values (layout "tabs"), or any white space (layout "spaces"). Values are kept as text.
"""

from __future__ import annotations

from lic_bench.interchange import delimited
from lic_bench.interchange.sheet import Format, Sheet, SheetError


def read(text: str) -> Sheet:
    """The sheet of a table; SheetError for what is none."""
    comments, rest = delimited.split_comments(text)
    lines = [line.removesuffix("\r") for line in rest.split("\n") if line.strip()]
    tabs = bool(lines) and "\t" in lines[0]
    rows = [line.split("\t") if tabs else line.split() for line in lines]
    return delimited.read(rows, comments, "tabs" if tabs else "spaces")


def write(sheet: Sheet) -> str:
    """The text of a table; SheetError for what it cannot hold."""
    comments, rows = delimited.rows_to_write(sheet)
    if sheet.layout not in ("tabs", "spaces"):
        raise SheetError(f"Cool-Chic's tables have no layout {sheet.layout!r}")
    for value in (value for row in rows for value in row):
        if sheet.layout == "spaces" and value.split() != [value]:
            raise SheetError(f"{value!r} cannot stand between spaces")
        if any(mark in value for mark in "\t\n\r"):
            raise SheetError(f"{value!r} cannot stand between tabs")
    if sheet.layout == "tabs" and (len(rows[0]) < 2 or any(not "".join(row).strip() for row in rows)):
        raise SheetError("between tabs there must be two columns, and a value in every row")
    separator = "\t" if sheet.layout == "tabs" else " "
    return "".join(f"{line}\n" for line in [*comments, *(separator.join(row) for row in rows)])


FORMAT = Format(
    "cool-chic",
    ".tsv",
    read,
    write,
    (
        "the PSNR of a point is here the mean over pictures; Cool-Chic's own plots take the PSNR of the mean MSE, "
        "which is lower",
    ),
)
