"""Sheets in our words: an `Entry` per operating point, or per picture of one; and what of a sheet is left out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import PureWindowsPath

from lic_bench.interchange import words
from lic_bench.interchange.sheet import Cell, Sheet, SheetError

TOLD = {"name", "description", "codec", "dataset", "rate", "trained_for", "source", "pictures", "comments", "version"}
"""Facts that are taken over, into the curve or its note."""

SIZES_AGREE_BPP = 0.006
"""How far a rate may be from its size in bytes: rates are printed with two decimals or more."""


@dataclass(frozen=True)
class Entry:
    """One operating point, or one picture of it. None stands for what the file does not tell."""

    codec: str
    label: str
    picture: str | None
    bpp: float
    psnr_db: float | None = None
    ms_ssim: float | None = None
    lpips: float | None = None
    width: int | None = None
    height: int | None = None
    stream_bytes: int | None = None

    @property
    def weighed(self) -> bool:
        """Whether picture, size and bytes are known, as a row of a run needs them."""
        return None not in (self.picture, self.width, self.height, self.stream_bytes)


def entries(sheet: Sheet, codec: str) -> tuple[Entry, ...]:
    """The entries of a sheet; `codec` where the sheet does not name one. Raises SheetError with the row.

    Pictures lose the folder before their file's name. Points without a label are numbered: p1, p2, ... by
    position, or by how often a picture came before. A setting beside the quality that varies is part of the codec's
    name, since its points are another curve.
    """
    column = words.understood(sheet.columns)
    if "bpp" not in column and not {"stream_bytes", "width", "height"} <= set(column):
        raise SheetError("no column tells the rate: neither bits per pixel, nor bytes with width and height")
    if not {"psnr_db", "ms_ssim", "ms_ssim_db", "lpips"} & set(column):
        raise SheetError("no column tells the quality: neither PSNR, nor MS-SSIM, nor LPIPS")
    single = words.text(sheet.facts.get("source")) if sheet.layout == "single" else ""
    seen: dict[tuple[str, str | None], int] = defaultdict(int)
    found = []
    for at in range(sheet.length):
        entry = _entry(sheet, column, at, codec, single)
        seen[entry.codec, entry.picture] += 1
        found.append(entry if entry.label else replace(entry, label=f"p{seen[entry.codec, entry.picture]}"))
    return _distinct(found)


def left_out(sheet: Sheet) -> tuple[str, ...]:
    """Columns and facts whose content no curve and no run of ours holds, by the file's own names."""
    column = words.understood(sheet.columns)
    taken = set(column.values()) | set(words.variants(sheet.columns))
    if {"ms_ssim", "ms_ssim_db"} <= set(column):
        taken -= {column["ms_ssim_db"]}
    if column.get("variant") not in words.variants(sheet.columns):
        taken -= {column.get("variant", "")}
    return (*(name for name in sheet.columns if name not in taken), *(name for name in sheet.facts if name not in TOLD))


def _entry(sheet: Sheet, column: dict[str, str], at: int, codec: str, single: str) -> Entry:
    def cell(quantity: str) -> Cell:
        return sheet.columns[column[quantity]][at] if quantity in column else None

    def number(quantity: str) -> float | None:
        return words.number(cell(quantity), quantity, place(quantity))

    def whole(quantity: str) -> int | None:
        return words.whole(cell(quantity), quantity, place(quantity))

    def place(quantity: str) -> str:
        return f"row {at + 1}, column {column.get(quantity, quantity)!r}"

    width, height, size = whole("width"), whole("height"), whole("stream_bytes")
    told = number("bpp")
    weighed = None if width is None or height is None or size is None else 8 * size / (width * height)
    rate = weighed if told is None else told
    if not rate:
        raise SheetError(f"row {at + 1} has no rate")
    if weighed is not None and abs(weighed - rate) > SIZES_AGREE_BPP:
        raise SheetError(f"row {at + 1}: its bytes make {weighed:.4f} bits per pixel, not {rate:g}")
    ms_ssim, db = number("ms_ssim"), number("ms_ssim_db")
    if ms_ssim is None and db is not None:
        ms_ssim = 1 - 10 ** (-db / 10)
    settings = [f"{name} {words.text(sheet.columns[name][at])}" for name in words.variants(sheet.columns)]
    picture = _base(words.text(cell("picture")) or single)
    return Entry(
        " ".join([words.text(cell("codec")) or codec, *settings]),
        words.text(cell("label")),
        picture or None,
        rate,
        number("psnr_db"),
        ms_ssim,
        number("lpips"),
        width,
        height,
        size,
    )


def _distinct(found: Sequence[Entry]) -> tuple[Entry, ...]:
    """The entries, if pictures and means are not mixed and no picture comes twice at a point."""
    for codec in {entry.codec for entry in found}:
        some = [entry for entry in found if entry.codec == codec]
        if len({entry.picture is None for entry in some}) > 1:
            raise SheetError(f"some rows of {codec} name a picture and some do not; means and pictures are not joined")
        keys = [(entry.label, entry.picture) for entry in some if entry.picture is not None]
        twice = sorted({f"{picture} at {label}" for label, picture in keys if keys.count((label, picture)) > 1})
        if twice:
            raise SheetError(f"{codec} has more than one row for {', '.join(twice[:3])}")
    return tuple(found)


def _base(name: str) -> str:
    """A picture's name without the folder it lay in, whichever way its slashes lean."""
    return PureWindowsPath(name).name
