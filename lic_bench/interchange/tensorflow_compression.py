"""The CSV tables of TensorFlow Compression's results: a header line, then a line per operating point or per picture.

Columns met: `bpp`, `psnr`, `msssim`, with `q` or `lmbda`, `mse` and others beside them. Values are kept as text.
"""

from __future__ import annotations

from lic_bench.interchange import delimited
from lic_bench.interchange.sheet import Format, Sheet, SheetError


def read(text: str) -> Sheet:
    """The sheet of a table; SheetError for what is none."""
    comments, rest = delimited.split_comments(text)
    return delimited.read(delimited.read_csv(rest), comments, "")


def write(sheet: Sheet) -> str:
    """The text of a table; SheetError for what it cannot hold."""
    comments, rows = delimited.rows_to_write(sheet)
    if sheet.layout:
        raise SheetError(f"a CSV table has no layout {sheet.layout!r}")
    if [""] in rows:
        raise SheetError("a row without any value would be a blank line")
    return "".join(f"{line}\n" for line in comments) + delimited.write_csv(rows)


FORMAT = Format("tensorflow-compression", ".csv", read, write, ("whether PSNR is the mean over pictures is not told",))
