"""Published figures: rate-distortion points, complexity and BD claims, claims in words, each with its source.

The tables lie in `zoo/published/` as CSV. One published curve is one value of (codec, dataset, optimised_for,
source_id). An empty field is None: the source does not say. `published_checks` refuses a damaged table when it is
read. Only `vtm_runs.csv` was measured for this project.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from functools import cache

from lic_bench.analysis import published_checks
from lic_bench.assets import resources
from lic_bench.caveats import Caveat
from lic_bench.records import Origin

PICTURES = {
    "kodak": 24,
    "clic2020-professional-valid": 41,
    "tecnick": 100,
    "tecnick-40": 40,
    "jpeg-ai-test": 16,
    "kodak-500x500-presumed": 24,
}
"""How many pictures the published means are over, where the data set is a known list of pictures."""

LOOK_ALIKES = {
    "tecnick-40": "tecnick",
    "kodak-500x500-presumed": "kodak",
    "clic2020-professional-compressai": "clic2020-professional-valid",
    "clic-validation-unspecified": "clic2020-professional-valid",
    "clic2021-test": "clic2020-professional-valid",
}
"""Data sets that are taken for another one, by the name of that other: their pictures differ, or may differ."""


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
class WordedClaim:
    """A published claim without a figure to plot; `checkable_by` says what it would take to check it."""

    codec: str
    claim: str
    source_id: str
    checkable_by: str

    @property
    def text(self) -> str:
        """The claim as shown to people."""
        said = f"{self.codec}: \u201c{self.claim}\u201d ({self.source_id})"
        return f"Claimed in words, not measured: {said}. To check: {self.checkable_by}."


@dataclass(frozen=True)
class VtmRun:
    """One picture coded by VTM for this project, scored in four ways; a PSNR is in dB, RGB.

    `psnr_rounded_db`, `psnr_truncated_db` and `psnr_float_db` compare with the picture as given: after rounding to 8
    bit, after cutting off, and without either. `psnr_against_converted_original_db` compares with the picture after
    the encoder's own colour conversion and back, in floating point.
    """

    encoder: str
    configuration: str
    colour_path: str
    qp: int
    picture: str
    bytes: int
    bpp: float
    psnr_rounded_db: float
    psnr_truncated_db: float
    psnr_float_db: float
    psnr_against_converted_original_db: float


@dataclass(frozen=True)
class Caution:
    """Why a published curve is to be taken with care: its caveat and a sentence."""

    caveat: Caveat
    text: str


@dataclass(frozen=True)
class CurveUse:
    """Whether curves are shown by default ("default") or only where asked for ("left_out"), and why.

    "*" stands for any codec, data set, training target or source; of several rows that fit, the first counts.
    """

    codec: str
    dataset: str
    optimised_for: str
    source_id: str
    use: str
    reason: str

    def fits(self, codec: str, dataset: str, optimised_for: str, source_id: str) -> bool:
        """Whether the row speaks of this curve."""
        own = self.codec, self.dataset, self.optimised_for, self.source_id
        return all(mine in ("*", theirs) for mine, theirs in zip(own, (codec, dataset, optimised_for, source_id),
                                                                 strict=True))  # fmt: skip


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
    """Every published rate-distortion point, in the order of the table, checked: see `published_checks.points`."""
    rows = _rows("rd_points.csv")
    published_checks.points(rows, sources(), "rd_points.csv")
    return tuple(
        PublishedPoint(
            bpp=float(row.pop("bpp")),
            psnr_db=_number(row.pop("psnr_db")),
            ms_ssim=_number(row.pop("ms_ssim")),
            lpips=_number(row.pop("lpips")),
            **row,
        )
        for row in rows
    )


@cache
def complexity_claims() -> tuple[ComplexityClaim, ...]:
    """Every published figure on MACs, parameters, times and model sizes."""
    found = []
    for row in _claims("complexity.csv"):
        printed = row.pop("value")
        found.append(ComplexityClaim(value=float(printed), decimals=len(printed.partition(".")[2]), **row))
    return tuple(found)


@cache
def bd_claims() -> tuple[BDClaim, ...]:
    """Every published BD figure, as its source claims it."""
    return tuple(BDClaim(value=float(row.pop("value")), **row) for row in _claims("bd.csv"))


@cache
def worded_claims() -> tuple[WordedClaim, ...]:
    """Every published claim in words."""
    return tuple(WordedClaim(**row) for row in _claims("claims_in_words.csv"))


@cache
def vtm_runs() -> tuple[VtmRun, ...]:
    """Every picture that VTM coded for this project."""
    return tuple(
        VtmRun(
            row["encoder"], row["configuration"], row["colour_path"], int(row["qp"]), row["picture"],
            int(row["bytes"]), float(row["bpp"]), float(row["psnr_rounded_db"]), float(row["psnr_truncated_db"]),
            float(row["psnr_float_db"]), float(row["psnr_against_converted_original_db"]),
        )
        for row in _rows("vtm_runs.csv")
    )  # fmt: skip


@cache
def sources() -> dict[str, PublishedSource]:
    """The sources by their `source_id`."""
    found = {}
    for row in _rows("sources.csv"):
        licence = None if row["licence"] in ("", "none stated") else row["licence"]
        found[row["source_id"]] = PublishedSource(row["source_id"], row["citation"], licence, row["note"])
    return found


@cache
def cautions() -> dict[tuple[str, str, str], Caution]:
    """What to take care of in a published curve, by codec, data set and `source_id`."""
    return {
        (row["codec"], row["dataset"], row["source_id"]): Caution(Caveat(row["caveat"]), row["caution"])
        for row in _rows("cautions.csv")
    }


@cache
def bd_remarks() -> tuple[dict[str, str], ...]:
    """What is known of claimed BD figures beside our own: rows of codec, dataset, source_id and remark ("*": any)."""
    return tuple(_rows("bd_remarks.csv"))


@cache
def curve_uses() -> tuple[CurveUse, ...]:
    """Which curves are shown by default and which are not."""
    return tuple(CurveUse(**row) for row in _rows("default_curves.csv"))


def use_of(codec: str, dataset: str, optimised_for: str, source_id: str) -> CurveUse | None:
    """What the table of defaults says of a curve; None where it says nothing."""
    fitting = (use for use in curve_uses() if use.fits(codec, dataset, optimised_for, source_id))
    return next(fitting, None)


def _claims(name: str) -> list[dict[str, str]]:
    rows = _rows(name)
    published_checks.claims(rows, sources(), name)
    return rows


def _rows(name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(resources.text("published", name))))


def _number(field: str) -> float | None:
    return float(field) if field else None
