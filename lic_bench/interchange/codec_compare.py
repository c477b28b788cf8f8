"""Batches of codec-compare (github.com/webmproject/codec-compare): JSON, a row per picture and setting.

    {"constant_descriptions": [{name: text}, ...], "constant_values": [...],
     "field_descriptions": [{name: text}, ...], "field_values": [[...], ...]}

Constants are facts, fields are columns, the texts are `meanings`. It is read by browsers, so that there is no infinity.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from lic_bench.interchange import json_text
from lic_bench.interchange.sheet import Format, Sheet, SheetError, checked, distinct

KEYS = ("constant_descriptions", "constant_values", "field_descriptions", "field_values")


def read(text: str) -> Sheet:
    """The sheet of a batch; SheetError for what is no batch."""
    found = json_text.read(text, infinities=False)
    if set(found) != set(KEYS):
        other = sorted(set(found) ^ set(KEYS))
        raise SheetError(f"a batch has {', '.join(KEYS)} and nothing else; not so: {', '.join(other)}")
    for key in KEYS:
        if not isinstance(found[key], list):
            raise SheetError(f"{key} is no list")
    constants, fields = (_descriptions(found[key], key) for key in (KEYS[0], KEYS[2]))
    distinct([*constants, *fields], "name")
    if len(found["constant_values"]) != len(constants):
        raise SheetError(f"there are {len(constants)} constants and {len(found['constant_values'])} values of them")
    for number, row in enumerate(found["field_values"], start=1):
        if not isinstance(row, list) or not all(map(json_text.is_scalar, row)):
            raise SheetError(f"row {number} of field_values is no list of values")
        if len(row) != len(fields):
            raise SheetError(f"row {number} of field_values has {len(row)} values for {len(fields)} fields")
    columns = {name: tuple(row[at] for row in found["field_values"]) for at, name in enumerate(fields)}
    facts = dict(zip(constants, found["constant_values"], strict=True))
    return checked(Sheet(columns, facts, constants | fields))


def write(sheet: Sheet) -> str:
    """The text of a batch; SheetError for what it cannot hold."""
    checked(sheet)
    distinct([*sheet.facts, *sheet.columns], "name")
    strange = set(sheet.meanings) - set(sheet.facts) - set(sheet.columns)
    if strange:
        raise SheetError(f"there are descriptions of what is not there: {', '.join(sorted(strange))}")
    if sheet.layout:
        raise SheetError(f"batches have no layout {sheet.layout!r}")

    def told(names: Iterable[str]) -> list[dict[str, str]]:
        return [{name: sheet.meanings.get(name, "")} for name in names]

    rows = [list(row) for row in zip(*sheet.columns.values(), strict=True)]
    values = (told(sheet.facts), list(sheet.facts.values()), told(sheet.columns), rows)
    return json_text.write(dict(zip(KEYS, values, strict=True)), infinities=False)


def _descriptions(found: list[Any], key: str) -> dict[str, str]:
    """Names with their texts, in order."""
    for number, one in enumerate(found, start=1):
        if not isinstance(one, dict) or len(one) != 1 or not all(isinstance(text, str) for text in one.values()):
            raise SheetError(f"entry {number} of {key} is not one name with one text")
    distinct([name for one in found for name in one], "name")
    return {name: text for one in found for name, text in one.items()}


FORMAT = Format("codec-compare", ".json", read, write, ("what colour space PSNR was taken in is not told",))
