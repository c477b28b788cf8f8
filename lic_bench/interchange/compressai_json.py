"""CompressAI's JSON, as its `eval_model` and `bench` write it and its `plot` reads it.

    {"name": ..., "description": ..., "results": {"bpp": [...], "psnr-rgb": [...], "ms-ssim-rgb": [...], ...}}

One value per operating point, means over the pictures. Keys are `psnr-rgb` and `ms-ssim-rgb`; older files have `psnr`
and `ms-ssim`. Layouts: "lists" as above; "single", the results being single numbers (`--per-image`: one picture, which
the file calls "source"); "bare", without the name "results" around the lists. Infinity stands as Python writes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lic_bench.interchange import json_text
from lic_bench.interchange.sheet import Cell, Format, Sheet, SheetError, checked

RESULTS = "results"


def read(text: str) -> Sheet:
    """The sheet of a file; SheetError for what is no such file."""
    found = json_text.read(text, infinities=True)
    if RESULTS not in found:
        columns = {name: value for name, value in found.items() if isinstance(value, list)}
        facts = {name: value for name, value in found.items() if name not in columns}
        return checked(Sheet(_columns(columns), facts, layout="bare"))
    results = found[RESULTS]
    facts = {name: value for name, value in found.items() if name != RESULTS}
    if not isinstance(results, dict):
        raise SheetError('"results" is no object')
    if results and all(json_text.is_scalar(value) for value in results.values()):
        return checked(Sheet({name: (value,) for name, value in results.items()}, facts, layout="single"))
    return checked(Sheet(_columns(results), facts, layout="lists"))


def write(sheet: Sheet) -> str:
    """The text of a file; SheetError for what the layout cannot hold."""
    checked(sheet)
    if sheet.meanings:
        raise SheetError("CompressAI's files have no descriptions of columns")
    if RESULTS in sheet.facts:
        raise SheetError('"results" is the name of the columns, not of a fact')
    lists: dict[str, Any] = {name: list(values) for name, values in sheet.columns.items()}
    if sheet.layout == "bare":
        if RESULTS in lists or any(name in lists or isinstance(fact, list) for name, fact in sheet.facts.items()):
            raise SheetError('without "results" around them, facts cannot be told from columns')
        return json_text.write(dict(sheet.facts) | lists, infinities=True)
    if sheet.layout == "single":
        if sheet.length != 1:
            raise SheetError("a file of single numbers holds one row")
        lists = {name: values[0] for name, values in sheet.columns.items()}
    elif sheet.layout != "lists":
        raise SheetError(f"CompressAI's files have no layout {sheet.layout!r}")
    return json_text.write(dict(sheet.facts) | {RESULTS: lists}, infinities=True)


def _columns(lists: Mapping[str, Any]) -> dict[str, tuple[Cell, ...]]:
    for name, values in lists.items():
        if not isinstance(values, list) or not all(json_text.is_scalar(value) for value in values):
            raise SheetError(f"{name!r} is no list of numbers")
    return {name: tuple(values) for name, values in lists.items()}


FORMAT = Format("compressai", ".json", read, write, ("PSNR is the mean over pictures, as CompressAI takes it",))
