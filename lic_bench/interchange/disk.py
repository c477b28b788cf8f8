"""Puts curves and sheets on the disk: whole or not at all, and never over what they were made from."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from lic_bench.analysis import curve_files
from lic_bench.analysis.curves import RDCurve
from lic_bench.errors import RequestError
from lic_bench.interchange.exporting import Written
from lic_bench.interchange.sheet import Format, SheetError


def write_curves(some: Iterable[RDCurve], path: Path, sources: Iterable[Path]) -> Path:
    """Write a file of curves and return its path. RequestError where it cannot be, or would replace a source."""
    if path.exists() and any(path.samefile(source) for source in sources):
        raise RequestError(f"{path} is what is imported; --output names another file.")
    return _write(path, curve_files.write(some))


def write_sheet(written: Written, form: Format, folder: Path) -> Path:
    """Write one codec's file into a folder, made where it is missing, and return its path."""
    path = folder / f"{written.stem}{form.suffix}"
    try:
        text = form.write(written.sheet)
    except SheetError as error:
        raise RequestError(f"{written.stem} cannot be written as {form.name}: {error}.") from error
    return _write(path, text)


def _write(path: Path, text: str) -> Path:
    draft = path.with_name(f".{path.name}.draft")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft.write_text(text, encoding="utf-8", newline="")
        os.replace(draft, path)
    except OSError as error:
        raise RequestError(f"{path} cannot be written: {error.strerror}.") from error
    return path
