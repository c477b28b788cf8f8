"""What other people's columns are called, and what they mean: the one place that knows the synonyms.

Names are compared in lower case, with `-`, `.` and blanks taken as `_`. Of two columns that mean the same, the one
named first here is taken and the other is told as left out. A column that is not here is unknown: it is named, never
guessed.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from lic_bench.interchange.sheet import Cell, SheetError

WORDS: dict[str, tuple[str, ...]] = {
    "codec": ("codec", "codec_name", "model", "method", "encoder"),
    "label": ("point", "label", "quality", "q", "qp", "lmbda", "lambda", "rate_constraint"),
    "variant": ("effort", "speed", "preset", "chroma_subsampling"),
    "picture": ("original_name", "seq_name", "picture", "image", "image_name", "img", "filename", "file_name", "file"),
    "width": ("width",),
    "height": ("height",),
    "stream_bytes": ("encoded_size", "stream_bytes", "size_bytes", "n_bytes", "bytes"),
    "bpp": ("bpp", "rate_bpp", "total_rate_bpp", "bits_per_pixel"),
    "psnr_db": ("psnr_rgb", "psnr_rgb_db", "psnr", "psnr_db"),
    "ms_ssim": ("ms_ssim_rgb", "ms_ssim", "msssim"),
    "ms_ssim_db": ("ms_ssim_rgb_db", "ms_ssim_db", "msssim_db"),
    "lpips": ("lpips",),
}
"""Our quantities, and the names that other people's files give them."""

MISSING = ("", "nan", "n/a", "na", "none", "null", "-")
"""What stands for a value that does not exist, in lower case; null as well where a format has one."""

RANGES = {
    "width": (1, 10**6),
    "height": (1, 10**6),
    "stream_bytes": (1, 10**12),
    "bpp": (0.0, 10**4),
    "psnr_db": (-200.0, math.inf),
    "ms_ssim": (-1.0, 1.0),
    "ms_ssim_db": (-10.0, math.inf),
    "lpips": (0.0, 100.0),
}
"""Beyond these a value is not what its column says: an MS-SSIM of 14 is in dB, for instance."""


def understood(columns: Iterable[str]) -> dict[str, str]:
    """Which column is which of our quantities: {quantity: column}, the preferred where several say the same."""
    known = {_plain(column): column for column in reversed(list(columns))}
    found = {}
    for quantity, words in WORDS.items():
        column = next((known[word] for word in words if word in known), None)
        if column is not None:
            found[quantity] = column
    return found


def variants(columns: Mapping[str, tuple[Cell, ...]]) -> list[str]:
    """Columns that set codecs apart beside their quality (effort and the like), where they take several values."""
    return [name for name, values in columns.items() if _plain(name) in WORDS["variant"] and len(set(values)) > 1]


def number(cell: Cell, quantity: str, place: str) -> float | None:
    """A cell as a number within the quantity's range; None where the value is missing. Raises SheetError."""
    if cell is None or (isinstance(cell, str) and cell.strip().lower() in MISSING):
        return None
    try:
        found = float("" if isinstance(cell, bool) else cell)
    except (ValueError, OverflowError):
        raise SheetError(f"{place}: {cell!r} is no number") from None
    if math.isnan(found):
        return None
    low, high = RANGES[quantity]
    if not low <= found <= high:
        hint = "; a column in dB is called ms_ssim_db" if quantity == "ms_ssim" else ""
        raise SheetError(f"{place}: {cell} cannot be a value of {quantity}{hint}")
    return found


def whole(cell: Cell, quantity: str, place: str) -> int | None:
    """A cell as a whole number within the quantity's range; None where it is missing. Raises SheetError."""
    found = number(cell, quantity, place)
    if found is not None and found != int(found):
        raise SheetError(f"{place}: {cell!r} is no whole number")
    return None if found is None else int(found)


def text(cell: Cell) -> str:
    """A cell as text, without blanks around it; "" where it is missing."""
    found = "" if cell is None else str(cell).strip()
    return "" if found.lower() in MISSING else found


def _plain(column: str) -> str:
    return "".join("_" if mark in "-. " else mark for mark in column.strip().lower())
