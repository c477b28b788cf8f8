"""What other people's columns are called and what they mean: the one table of aliases.

Names are compared in lower case, with `-`, `.` and blanks read as `_`. Of two columns that mean the same, the one
whose alias comes first is used. A column that is not here is unknown: it is reported, its meaning is not guessed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from lic_bench.analysis.text_tables import TableError


@dataclass(frozen=True)
class KnownColumn:
    """What others call one quantity, in order of preference, and what its values can be.

    A value below `low` or above `high` is not of this quantity: an MS-SSIM of 14 is in dB, for instance.
    """

    aliases: tuple[str, ...]
    low: float = -math.inf
    high: float = math.inf
    whole_numbers: bool = False


COLUMNS = {
    "codec": KnownColumn(("codec", "codec_name", "model", "method", "encoder")),
    "label": KnownColumn(("point", "label", "quality", "q", "qp", "lmbda", "lambda", "rate_constraint")),
    "picture": KnownColumn(
        ("original_name", "seq_name", "picture", "image", "image_name", "img", "filename", "file_name", "file")
    ),
    "width": KnownColumn(("width",), 1, 10**6, whole_numbers=True),
    "height": KnownColumn(("height",), 1, 10**6, whole_numbers=True),
    "stream_bytes": KnownColumn(
        ("encoded_size", "stream_bytes", "size_bytes", "n_bytes", "bytes"), 1, 10**12, whole_numbers=True
    ),
    "bpp": KnownColumn(("bpp", "rate_bpp", "total_rate_bpp", "bits_per_pixel"), 0, 10**4),
    "psnr_db": KnownColumn(("psnr_rgb", "psnr_rgb_db", "psnr", "psnr_db"), -200),
    "ms_ssim": KnownColumn(("ms_ssim_rgb", "ms_ssim", "msssim"), -1, 1),
    "ms_ssim_db": KnownColumn(("ms_ssim_rgb_db", "ms_ssim_db", "msssim_db"), -10),
    "lpips": KnownColumn(("lpips",), 0, 100),
}
"""Our quantities by name. `ms_ssim_db` is -10 log10(1 - MS-SSIM)."""

ENCODER_SETTINGS = ("effort", "speed", "preset", "chroma_subsampling")
"""Settings beside the quality: where one varies, each of its values makes a codec of its own."""

MISSING = ("", "nan", "n/a", "na", "none", "null", "-")
"""What stands for a value that does not exist, in lower case; JSON's null as well."""

COMPRESSAI_RATES = {
    "Inference (entropy estimation)": "estimated",
    "Inference (entropy-estimation)": "estimated",
    "Inference (ans)": "payload",
    "Inference (rangecoder)": "payload",
}
"""The bits that CompressAI's `eval_model` counts, by the description it writes: likelihoods, or the coded strings."""


def find(columns: Sequence[str]) -> dict[str, str]:
    """The column of each quantity that a file has, by the quantity's name."""
    found = {}
    plain = {_plain(column): column for column in reversed(columns)}
    for quantity, known in COLUMNS.items():
        column = next((plain[alias] for alias in known.aliases if alias in plain), None)
        if column is not None:
            found[quantity] = column
    return found


def encoder_settings(columns: Sequence[str]) -> list[str]:
    """The columns that hold an encoder's settings beside the quality."""
    return [column for column in columns if _plain(column) in ENCODER_SETTINGS]


def number(cell: object, quantity: str, place: str) -> float | None:
    """A cell as a number, None where the value is missing. TableError naming `place` where it cannot be one."""
    known = COLUMNS[quantity]
    if not text(cell):
        return None
    try:
        value = float("" if isinstance(cell, bool) else str(cell))
    except ValueError:
        raise TableError(f"{place}: {cell!r} is no number") from None
    if math.isnan(value):
        return None
    if not known.low <= value <= known.high:
        hint = "; a column in dB is called ms_ssim_db" if quantity == "ms_ssim" else ""
        raise TableError(f"{place}: {cell} cannot be a value of {quantity}{hint}")
    if known.whole_numbers and value != int(value):
        raise TableError(f"{place}: {cell!r} is no whole number")
    return value


def text(cell: object) -> str:
    """A cell as text without blanks around it, "" where the value is missing."""
    found = "" if cell is None else str(cell).strip()
    return "" if found.lower() in MISSING else found


def _plain(column: str) -> str:
    return "".join("_" if mark in "-. " else mark for mark in column.strip().lower())
