"""Names and phrases that several parts of a report share."""

from __future__ import annotations

from collections.abc import Iterable

from lic_bench.analysis.curves import Metric
from lic_bench.caveats import Caveat

METRIC_NAMES: dict[Metric, str] = {"psnr_db": "PSNR", "ms_ssim_db": "MS-SSIM"}


def plural(number: int, noun: str) -> str:
    """A number with its noun: "1 picture", "24 pictures"."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def caveat_names(caveats: Iterable[Caveat]) -> str:
    """The short names of caveats, as in a cell of a table: "few timings, busy machine"."""
    return ", ".join(caveat.value.replace("_", " ") for caveat in caveats)


def capitalised(sentence: str) -> str:
    """A sentence with its first letter in upper case and the others as they are."""
    return sentence[:1].upper() + sentence[1:]
