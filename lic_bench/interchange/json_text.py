"""JSON read strictly: a name that is there twice, or text that is no JSON, is refused with its place."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from lic_bench.interchange.sheet import SheetError, distinct


def read(text: str, infinities: bool) -> dict[str, Any]:
    """An object. `infinities` says whether NaN and Infinity, which Python writes and JSON lacks, are let in."""
    try:
        found = json.loads(text, object_pairs_hook=_unique, parse_constant=float if infinities else _refuse)
    except json.JSONDecodeError as error:
        raise SheetError(f"line {error.lineno}, column {error.colno} is no JSON ({error.msg})") from error
    except RecursionError:
        raise SheetError("the JSON is nested too deeply") from None
    except ValueError as error:  # an integer of thousands of digits
        raise SheetError(f"a number cannot be read ({error})") from error
    if not isinstance(found, dict):
        raise SheetError("the outermost value is no object")
    try:
        json.dumps(found, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise SheetError(f"a text holds half a character ({error.reason})") from error
    return found


def write(value: dict[str, Any], infinities: bool) -> str:
    """Indented text, Unicode as it is. SheetError for infinite values where JSON is kept to."""
    try:
        return json.dumps(value, indent=2, ensure_ascii=False, allow_nan=infinities) + "\n"
    except ValueError:
        raise SheetError("JSON has no infinity and no NaN") from None


def is_scalar(value: object) -> bool:
    """Whether a JSON value can stand in a cell."""
    return value is None or isinstance(value, str | int | float | bool)


def _unique(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    distinct([name for name, _ in pairs], "name")
    return dict(pairs)


def _refuse(constant: str) -> float:
    raise SheetError(f"{constant} is no JSON")
