"""The rows of a result file in our quantities: operating points, or single pictures of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PureWindowsPath
from typing import Any

from lic_bench.analysis.text_tables import TableError
from lic_bench.interchange import aliases
from lic_bench.interchange.formats import ResultFile

USED_FACTS = ("name", "description", "codec", "dataset", "rate", "trained_for", "source", "pictures", "version")
"""Facts that are taken over, into a curve or its source."""

RATE_TOLERANCE_BPP = 0.006
"""How far a rate may be from its size in bytes: rates are printed with two decimals or more."""


@dataclass(frozen=True)
class ResultPoint:
    """One operating point, or one picture of it. None stands for what the file does not say."""

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
    def has_sizes(self) -> bool:
        """Whether picture, size and bytes are known, as a row of a run needs them."""
        return None not in (self.picture, self.width, self.height, self.stream_bytes)


def read(file: ResultFile, codec: str) -> tuple[ResultPoint, ...]:
    """The points of a file; `codec` is the codec's name where no column has it. Raises TableError with the row.

    Pictures lose the folder before their file's name. Points without a label are numbered p1, p2, ... by position, or
    by how often a picture came before. An encoder's setting that varies is part of the codec's name, since its points
    are another curve.
    """
    column = aliases.find(list(file.table.columns))
    if "bpp" not in column and not {"stream_bytes", "width", "height"} <= set(column):
        raise TableError("no column has the rate: neither bits per pixel, nor bytes with width and height")
    if not {"psnr_db", "ms_ssim", "ms_ssim_db", "lpips"} & set(column):
        raise TableError("no column has the quality: neither PSNR, nor MS-SSIM, nor LPIPS")
    picture = file.fact("source") if file.is_one_picture else ""
    settings = _varying_settings(file)
    count: Counter[tuple[str, str | None]] = Counter()
    points = []
    for number, row in enumerate(file.table.to_dict("records"), start=1):
        point = _point(row, number, column, codec, picture)
        name = " ".join([point.codec, *(f"{setting} {aliases.text(row[setting])}" for setting in settings)])
        count[name, point.picture] += 1
        points.append(replace(point, codec=name, label=point.label or f"p{count[name, point.picture]}"))
    _check_pictures(points)
    return tuple(points)


def unused_columns(file: ResultFile) -> tuple[str, ...]:
    """Columns and facts whose content no curve and no run holds, by the file's own names."""
    column = aliases.find(list(file.table.columns))
    if "ms_ssim" in column:
        column.pop("ms_ssim_db", None)
    used = {*column.values(), *_varying_settings(file)}
    return (
        *(name for name in file.table.columns if name not in used),
        *(name for name in file.facts if name not in USED_FACTS),
    )


def _varying_settings(file: ResultFile) -> list[str]:
    """The settings beside the quality that take several values."""
    return [name for name in aliases.encoder_settings(list(file.table.columns)) if len(set(file.table[name])) > 1]


def _point(row: Mapping[str, Any], at: int, column: Mapping[str, str], codec: str, picture: str) -> ResultPoint:
    def text(quantity: str) -> str:
        return aliases.text(row[column[quantity]]) if quantity in column else ""

    def number(quantity: str) -> float | None:
        if quantity not in column:
            return None
        return aliases.number(row[column[quantity]], quantity, f"row {at}, column {column[quantity]!r}")

    width, height, stream_bytes = (
        None if (found := number(quantity)) is None else int(found) for quantity in ("width", "height", "stream_bytes")
    )
    bpp, ms_ssim, ms_ssim_db = number("bpp"), number("ms_ssim"), number("ms_ssim_db")
    if width and height and stream_bytes:
        of_stream = 8 * stream_bytes / (width * height)
        bpp = of_stream if bpp is None else bpp
        if abs(of_stream - bpp) > RATE_TOLERANCE_BPP:
            raise TableError(f"row {at}: its bytes make {of_stream:.4f} bits per pixel, not {bpp:g}")
    if not bpp:
        raise TableError(f"row {at} has no rate")
    if ms_ssim is None and ms_ssim_db is not None:
        ms_ssim = 1 - 10 ** (-ms_ssim_db / 10)
    return ResultPoint(
        codec=text("codec") or codec,
        label=text("label"),
        picture=PureWindowsPath(text("picture") or picture).name or None,  # either kind of slash
        bpp=bpp,
        psnr_db=number("psnr_db"),
        ms_ssim=ms_ssim,
        lpips=number("lpips"),
        width=width,
        height=height,
        stream_bytes=stream_bytes,
    )


def _check_pictures(points: Sequence[ResultPoint]) -> None:
    """Raises TableError where pictures and means are mixed, or a picture comes twice at a point."""
    for codec in dict.fromkeys(point.codec for point in points):
        some = [point for point in points if point.codec == codec]
        if len({point.picture is None for point in some}) > 1:
            raise TableError(f"some rows of {codec} name a picture and some do not; means and pictures are not joined")
        rows = Counter((point.label, point.picture) for point in some if point.picture is not None)
        twice = sorted(f"{picture} at {label}" for (label, picture), count in rows.items() if count > 1)
        if twice:
            raise TableError(f"{codec} has more than one row for {', '.join(twice[:3])}")
