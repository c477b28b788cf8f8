"""The four formats of result files: how each is recognised, read and written.

What the columns mean is the business of `aliases` and `result_points`; here every value stays as it is written.

- CompressAI, JSON: `{"name": ..., "description": ..., "results": {"bpp": [...], "psnr-rgb": [...], ...}}`, a value per
  operating point. Without "results" the lists stand at the top. With single numbers for lists (`--per-image`) the file
  is about one picture, which it names as "source". Infinity stands as Python writes it.
- TensorFlow Compression, CSV: a line per operating point or picture, below a header such as `lmbda,bpp,psnr,msssim`.
- Cool-Chic, TSV: a line per picture and rate constraint, with tabs or other white space between the values.
- codec-compare (github.com/webmproject/codec-compare), JSON: constants are facts, fields are columns:
  `{"constant_descriptions": [{name: text}, ...], "constant_values": [...], "field_descriptions": ..., "field_values":
  [[...], ...]}`.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lic_bench.analysis import text_tables
from lic_bench.analysis.text_tables import TableError, check_distinct
from lic_bench.errors import RequestError

if TYPE_CHECKING:
    import pandas as pd

BATCH_KEYS = ("constant_descriptions", "constant_values", "field_descriptions", "field_values")
"""The keys of a codec-compare file."""

WHITE_SPACE = r"\s+"


class ResultFormat(StrEnum):
    """Whose result files."""

    COMPRESSAI = "compressai"
    TENSORFLOW_COMPRESSION = "tensorflow-compression"
    COOL_CHIC = "cool-chic"
    CODEC_COMPARE = "codec-compare"

    @property
    def suffix(self) -> str:
        """The ending of a file's name."""
        return {self.TENSORFLOW_COMPRESSION: ".csv", self.COOL_CHIC: ".tsv"}.get(self, ".json")

    @property
    def remark(self) -> str:
        """What a reader of the format's PSNR must know."""
        return {
            self.COMPRESSAI: "PSNR is the mean over pictures, as CompressAI takes it",
            self.TENSORFLOW_COMPRESSION: "whether PSNR is the mean over pictures is not stated",
            self.COOL_CHIC: (
                "the PSNR of a point is here the mean over pictures; Cool-Chic's own plots take the PSNR of the mean "
                "MSE, which is lower"
            ),
            self.CODEC_COMPARE: "what colour space PSNR was taken in is not stated",
        }[self]


class TrainingTarget(StrEnum):
    """What a codec was trained for, as files written here say it under "trained_for"."""

    MSE = "mse"
    MS_SSIM = "ms-ssim"
    NONE = "none"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class ResultFile:
    """A result file of another tool as it is: a table under the file's own column names, and facts about the whole.

    A row is an operating point, or one picture of it. Cells are text in CSV and TSV, JSON scalars elsewhere.
    `is_one_picture` marks CompressAI's files of one picture.
    """

    format: ResultFormat
    table: pd.DataFrame
    facts: Mapping[str, Any] = field(default_factory=dict)
    is_one_picture: bool = False

    def fact(self, name: str) -> str:
        """What the file says of itself under a name, as text; "" where it says nothing."""
        found = self.facts.get(name)
        return str(found) if isinstance(found, str | int) else ""


def read(path: Path, form: ResultFormat | None = None, columns: Sequence[str] = ()) -> ResultFile:
    """A result file; its format is recognised where `form` does not name it.

    `columns` names the columns of a table without a header line. Raises RequestError with the file and the place.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise RequestError(f"{path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise RequestError(f"{path} is no text in UTF-8: byte {error.start} is not.") from error
    try:
        form = form or recognise(text)
        return parse(text, form, columns)
    except TableError as error:
        raise RequestError(f"{path}{f', read as {form}' if form else ''}: {error}.") from error


def recognise(text: str) -> ResultFormat:
    """The format of a text: JSON by its keys, a table by what stands between its names. TableError for none."""
    if text.lstrip().startswith("{"):
        return ResultFormat.CODEC_COMPARE if "field_values" in _json(text) else ResultFormat.COMPRESSAI
    header = _without_comments(text).partition("\n")[0]
    if "," in header and "\t" not in header:
        return ResultFormat.TENSORFLOW_COMPRESSION
    if len(header.split()) > 1:
        return ResultFormat.COOL_CHIC
    raise TableError(
        "it looks like no result file: neither JSON nor a table. --format says what it is: " + ", ".join(ResultFormat)
    )


def parse(text: str, form: ResultFormat, columns: Sequence[str] = ()) -> ResultFile:
    """The content of a result file. TableError with the place for a damaged one."""
    if form.suffix == ".json":
        if columns:
            raise TableError("JSON names its columns; --columns is for tables without a header line")
        return (_compressai if form is ResultFormat.COMPRESSAI else _codec_compare)(_json(text))
    text = _without_comments(text)
    if form is ResultFormat.TENSORFLOW_COMPRESSION:
        table = text_tables.read(text, names=columns)
    else:
        separator = "\t" if "\t" in text.partition("\n")[0] else WHITE_SPACE
        table = text_tables.read(text, separator, quotes=False, names=columns)
    if table.empty:
        raise TableError("the columns are empty")
    return ResultFile(form, table)


def write(file: ResultFile, meanings: Mapping[str, str] | None = None) -> str:
    """The text of a result file; `parse` gives back the same cells.

    `meanings` describes codec-compare's constants and fields. CSV and TSV hold no facts. Raises TableError for a value
    that the format cannot hold.
    """
    columns = file.table.to_dict("list")
    if file.format is ResultFormat.COMPRESSAI:
        return _json_text(dict(file.facts) | {"results": columns}, infinity=True)
    if file.format is ResultFormat.CODEC_COMPARE:
        described = [[{name: (meanings or {}).get(name, "")} for name in names] for names in (file.facts, columns)]
        rows = [list(row) for row in zip(*columns.values(), strict=True)]
        values = (described[0], list(file.facts.values()), described[1], rows)
        return _json_text(dict(zip(BATCH_KEYS, values, strict=True)), infinity=False)
    layout = {} if file.format is ResultFormat.TENSORFLOW_COMPRESSION else {"sep": "\t", "quoting": csv.QUOTE_NONE}
    try:
        text = str(file.table.to_csv(index=False, lineterminator="\n", **layout))
    except csv.Error:
        raise TableError("a value holds a tab or the end of a line, which cannot stand between tabs") from None
    if "\r" in text:  # the csv module writes it without quotation marks, and no reader takes it back
        raise TableError("a value holds a carriage return, which a table of text cannot hold")
    return text


def _compressai(content: Mapping[str, Any]) -> ResultFile:
    if "results" in content:
        results = content["results"]
        facts = {name: value for name, value in content.items() if name != "results"}
    else:
        results = {name: value for name, value in content.items() if isinstance(value, list)}
        facts = {name: value for name, value in content.items() if name not in results}
    if not isinstance(results, dict):
        raise TableError('"results" is no object')
    one_picture = bool(results) and all(map(_is_scalar, results.values()))
    if one_picture:
        results = {name: [value] for name, value in results.items()}
    return ResultFile(ResultFormat.COMPRESSAI, _frame(results), facts, one_picture)


def _codec_compare(content: Mapping[str, Any]) -> ResultFile:
    for key in BATCH_KEYS:
        if not isinstance(content.get(key), list):
            raise TableError(f"there is no list {key!r}")
    for key, kind in (("constant_descriptions", dict), ("field_descriptions", dict), ("field_values", list)):
        for number, one in enumerate(content[key], start=1):
            if not isinstance(one, kind):
                raise TableError(f"entry {number} of {key} is no {'list' if kind is list else 'object'}")
    constants, fields = (
        [name for described in content[key] for name in described]
        for key in ("constant_descriptions", "field_descriptions")
    )
    check_distinct([*constants, *fields], "name")
    rows = [content["constant_values"], *content["field_values"]]
    for number, row in enumerate(rows):
        place = f"row {number} of field_values" if number else "constant_values"
        wanted = fields if number else constants
        if len(row) != len(wanted):
            raise TableError(f"{place} has {len(row)} values for {len(wanted)} names")
    columns = {name: [row[at] for row in rows[1:]] for at, name in enumerate(fields)}
    return ResultFile(ResultFormat.CODEC_COMPARE, _frame(columns), dict(zip(constants, rows[0], strict=True)))


def _frame(columns: Mapping[str, list[Any]]) -> pd.DataFrame:
    """A frame that keeps every value as it is. TableError for columns of unequal length."""
    import pandas as pd

    for name, values in columns.items():
        if not isinstance(values, list) or not all(map(_is_scalar, values)):
            raise TableError(f"{name!r} is no list of numbers")
    lengths = {name: len(values) for name, values in columns.items()}
    if not columns:
        raise TableError("there is no column")
    if len(set(lengths.values())) > 1:
        counts = ", ".join(f"{name} {length}" for name, length in lengths.items())
        raise TableError(f"the columns are not equally long ({counts})")
    frame = pd.DataFrame(dict(columns), dtype=object)
    if frame.empty:
        raise TableError("the columns are empty")
    return frame


def _json(text: str) -> dict[str, Any]:
    """A JSON object whose names are there once each."""

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        check_distinct([name for name, _ in pairs], "name")
        return dict(pairs)

    try:
        found = json.loads(text, object_pairs_hook=unique)
        json.dumps(found, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        raise TableError(f"line {error.lineno}, column {error.colno} is no JSON ({error.msg})") from error
    except (ValueError, RecursionError) as error:  # half a character, thousands of digits, thousands of brackets
        raise TableError(f"the JSON cannot be read ({error})") from error
    if not isinstance(found, dict):
        raise TableError("the outermost value is no object")
    return found


def _json_text(content: Mapping[str, Any], infinity: bool) -> str:
    try:
        return json.dumps(content, indent=2, ensure_ascii=False, allow_nan=infinity) + "\n"
    except ValueError:
        raise TableError("JSON has no infinity and no NaN") from None


def _is_scalar(value: object) -> bool:
    return value is None or isinstance(value, str | int | float | bool)


def _without_comments(text: str) -> str:
    """A table's text without the blank lines and the lines beginning with # above it."""
    lines = text.split("\n")
    first = next((at for at, line in enumerate(lines) if line.strip() and not line.startswith("#")), len(lines))
    return "\n".join(lines[first:])
