"""Published figures: rate-distortion points, complexity and BD claims, each with its source.

The tables lie in `zoo/published/` as CSV; nothing in them was measured by this project. One published curve is one
value of (codec, dataset, optimised_for, source_id). An empty field is None: the source does not say.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from functools import cache

from lic_bench.assets import resources
from lic_bench.records import Origin

PICTURES = {"kodak": 24, "clic2020-professional-valid": 41, "tecnick": 100, "tecnick-40": 40}
"""How many pictures the published means are over, where the data set is a known list of pictures."""


@dataclass(frozen=True)
class PublishedPoint:
    """One rate-distortion point. `bpp_kind` is "bitstream", "estimated" or "unknown"; `ms_ssim` is linear.

    `how` is "json", "table" or "digitised"; `uncertainty` the rounding or reading error in words, "" for exact.
    """

    codec: str
    dataset: str
    optimised_for: str
    quality: str
    bpp: float
    psnr_db: float | None
    ms_ssim: float | None
    lpips: float | None
    bpp_kind: str
    psnr_kind: str
    source_id: str
    how: str
    uncertainty: str


@dataclass(frozen=True)
class ComplexityClaim:
    """One published figure on cost: `quantity` says what ("kmac_per_pixel_total", "params_m", ...), in `unit`.

    `decimals` is how many of them the source prints.
    """

    codec: str
    quantity: str
    value: float
    unit: str
    conditions: str
    source_id: str
    how: str
    decimals: int = 0


@dataclass(frozen=True)
class BDClaim:
    """One published Bjontegaard figure; `metric` names it with its unit ("bd_rate_psnr_percent")."""

    codec: str
    anchor: str
    dataset: str
    metric: str
    value: float
    source_id: str
    how: str


@dataclass(frozen=True)
class PublishedSource:
    """Where published figures come from. `licence` is None where the source states none."""

    source_id: str
    citation: str
    licence: str | None
    note: str


def origin(how: str) -> Origin:
    """Whether a figure was read off a plot or taken from a table, file or text."""
    return Origin.DIGITISED if how == "digitised" else Origin.PUBLISHED


@cache
def rd_points() -> tuple[PublishedPoint, ...]:
    """Every published rate-distortion point, in the order of the table."""
    return tuple(
        PublishedPoint(
            bpp=float(row.pop("bpp")),
            psnr_db=_number(row.pop("psnr_db")),
            ms_ssim=_number(row.pop("ms_ssim")),
            lpips=_number(row.pop("lpips")),
            **row,
        )
        for row in _rows("rd_points.csv")
    )


@cache
def complexity_claims() -> tuple[ComplexityClaim, ...]:
    """Every published figure on MACs, parameters, times and model sizes."""
    found = []
    for row in _rows("complexity.csv"):
        printed = row.pop("value")
        found.append(ComplexityClaim(value=float(printed), decimals=len(printed.partition(".")[2]), **row))
    return tuple(found)


@cache
def bd_claims() -> tuple[BDClaim, ...]:
    """Every published BD figure, as its source claims it."""
    return tuple(BDClaim(value=float(row.pop("value")), **row) for row in _rows("bd.csv"))


@cache
def sources() -> dict[str, PublishedSource]:
    """The sources by their `source_id`."""
    found = {}
    for row in _rows("sources.csv"):
        licence = None if row["licence"] in ("", "none stated") else row["licence"]
        found[row["source_id"]] = PublishedSource(row["source_id"], row["citation"], licence, row["note"])
    return found


@cache
def cautions() -> dict[tuple[str, str, str], str]:
    """Why a published curve is unconfirmed, by codec, data set and `source_id`."""
    return {(row["codec"], row["dataset"], row["source_id"]): row["caution"] for row in _rows("cautions.csv")}


def _rows(name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(resources.text("published", name))))


def _number(field: str) -> float | None:
    return float(field) if field else None
