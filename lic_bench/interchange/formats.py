"""The formats there are, and which of them a file is of."""

from __future__ import annotations

from pathlib import Path

from lic_bench.errors import RequestError, unknown
from lic_bench.interchange import codec_compare, compressai_json, cool_chic, tensorflow_compression
from lic_bench.interchange.sheet import Format, Sheet, SheetError

FORMATS = {
    one.name: one
    for one in (compressai_json.FORMAT, tensorflow_compression.FORMAT, cool_chic.FORMAT, codec_compare.FORMAT)
}


def named(name: str) -> Format:
    """The format of that name; RequestError with those there are."""
    if name not in FORMATS:
        raise RequestError(f"{unknown('format', name, list(FORMATS)).split('? `')[0]} There are {', '.join(FORMATS)}.")
    return FORMATS[name]


def read(path: Path, form: str | None = None, columns: tuple[str, ...] = ()) -> tuple[Format, Sheet]:
    """A file's format, found from what it holds where `form` does not say, and its sheet.

    `columns` are names for a table of text without a header line. Raises RequestError naming the file and the place.
    """
    asked = named(form) if form else None
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise RequestError(f"{path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise RequestError(f"{path} is no text in UTF-8: byte {error.start} is not.") from error
    found = asked or guess(text, path)
    if columns:
        if found.suffix == ".json":
            raise RequestError(f"{path} is JSON and names its columns; --columns is for tables without a header line.")
        text = ("\t" if "\t" in text or found.suffix == ".tsv" else ",").join(columns) + "\n" + text
    try:
        return found, found.read(text)
    except SheetError as error:
        advice = " (--columns names them)" if "the first line holds numbers" in str(error) else ""
        raise RequestError(f"{path}, read as {found.name}: {error}{advice}.") from error


def guess(text: str, path: Path) -> Format:
    """The format a text looks like, by its first characters. RequestError where it looks like none."""
    start = text.lstrip("\ufeff \t\r\n")
    lines = [line for line in start.splitlines() if line.strip() and not line.startswith("#")]
    if start.startswith("{"):
        return FORMATS["codec-compare" if '"field_values"' in text else "compressai"]
    if lines and "\t" in lines[0]:
        return FORMATS["cool-chic"]
    if lines and "," in lines[0]:
        return FORMATS["tensorflow-compression"]
    if lines and len(lines[0].split()) > 1:
        return FORMATS["cool-chic"]
    raise RequestError(
        f"{path} looks like no result file: neither JSON nor a table. --format says what it is: {', '.join(FORMATS)}."
    )
