"""Published BD claims beside our own figures: which anchor curve and which interpolation explain each of them.

A BD-rate names its anchor as "VTM" and hides which curve that is: software, colour conversion, scoring and points. So
each claim is recomputed from its authors' points against every curve held that may be its anchor, by PCHIP, Akima and
the classic cubic, and the one that meets it within a tenth of a point explains it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from lic_bench.analysis import curves, default_curves, published
from lic_bench.analysis.bdrate import BDFigure, bd_psnr, bd_rate
from lic_bench.analysis.curves import Metric, RDCurve
from lic_bench.analysis.interpolation import METHODS, Unit
from lic_bench.analysis.published import BDClaim

TOLERANCES = {"bd_rate_psnr_percent": 0.1, "bd_psnr_db": 0.01, "bd_ms_ssim": 0.001}
"""How far a figure may be from a claim that it explains, in the claim's unit: percentage points, dB, MS-SSIM."""

METRICS: Mapping[str, tuple[Unit, Metric]] = {
    "bd_rate_psnr_percent": ("%", "psnr_db"),
    "bd_psnr_db": ("dB", "psnr_db"),
    "bd_ms_ssim": ("dB", "ms_ssim"),
}

SAME_CODEC = {
    "tcm": ("tcm-large",),
    "evc": ("evc-l",),
    "cool-chic-5.0.1": ("cool-chic-5.0",),
    "cool-chic-4.0": ("cool-chic-4.2",),  # their image results are identical
    "cheng2020": ("cheng2020", "cheng2020-anchor"),
    "vtm-9.1": ("vtm-9.1", "vtm"),  # CompressAI's Kodak curve, reproduced to the byte with that version
}
"""Names under which the points of a claimed codec or anchor are held, where they differ from the claim's."""

SAME_DATASET = {"kodak-presumed": "kodak"}

MOST_USED = "compressai-classical"
"""The source of the anchors that most papers take; where several curves meet a claim, one of these is named."""

CUTS = {("vtm", "compressai-classical", "kodak"): ((0.11, 1.44), (0.11, 0.88))}
"""Ranges in bpp to which some cut an anchor's points, because the uncut curve explains their figure less well."""


class BDVerdict(StrEnum):
    """What comes out for one claim."""

    HOLDS = "holds"
    HOLDS_AGAINST_ANOTHER = "holds_against_another_anchor"
    DOES_NOT_HOLD = "does_not_hold"
    NOT_EXPLAINED = "not_explained"  # no curve held meets it, and its own anchor is not held
    NOT_CHECKABLE = "not_checkable"


class Missing(StrEnum):
    """What it would take to check a claim."""

    METRIC = "metric"
    DATASET = "dataset"
    POINTS = "points"
    ANCHOR = "anchor"
    OVERLAP = "overlap"


@dataclass(frozen=True)
class Fit:
    """Our figure for a claim from one pair of curves. `cut` is the range in bpp of the anchor's points, None for all.

    `named` says whether the anchor is the one that the claim names, `difference` our figure less the claim.
    """

    anchor: str
    anchor_source_id: str
    points_source_id: str
    method: str
    value: float
    difference: float
    named: bool
    cut: tuple[float, float] | None = None

    @property
    def anchor_id(self) -> str:
        """The anchor with its source, and the range that it was cut to."""
        cut = f" ({self.cut[0]:g} to {self.cut[1]:g} bpp)" if self.cut else ""
        return f"{self.anchor}/{self.anchor_source_id}{cut}"


@dataclass(frozen=True)
class BDClaimCheck:
    """One claim, our figures, and the verdict.

    `explained` is the figure that meets the claim, if one does, `nearest` the nearest in any case. `own` are our
    figures against the very anchor that the claim names, by interpolation; empty where it is not held.
    """

    claim: BDClaim
    fits: tuple[Fit, ...]
    verdict: BDVerdict
    explained: Fit | None = None
    nearest: Fit | None = None
    own: Mapping[str, float] | None = None
    missing: tuple[Missing, ...] = ()
    remark: str = ""

    def against(self, anchor: RDCurve, method: str = "pchip") -> float | None:
        """Our figure against another anchor, with all its points; None where it is not among those tried."""
        wanted = anchor.codec, anchor.source.source_id, method, None
        found = (fit for fit in self.fits if (fit.anchor, fit.anchor_source_id, fit.method, fit.cut) == wanted)
        return next((fit.value for fit in found), None)

    @property
    def within(self) -> tuple[Fit, ...]:
        """Every figure that meets the claim."""
        return tuple(fit for fit in self.fits if abs(fit.difference) <= TOLERANCES[self.claim.metric] + 1e-9)


@dataclass(frozen=True)
class Standing:
    """One codec's figures against several anchors, all from the same points; `claims` is what was claimed for it."""

    curve: RDCurve
    figures: Mapping[str, BDFigure]
    claims: tuple[BDClaim, ...]


def audit(codec: str = "all") -> tuple[BDClaimCheck, ...]:
    """Every published BD claim with our figures and a verdict; of one codec, or all."""
    return tuple(check(claim) for claim in published.bd_claims() if codec in ("all", claim.codec))


def check(claim: BDClaim) -> BDClaimCheck:
    """One claim against every curve that may be its anchor."""
    remark = remark_on(claim)
    missing = _missing(claim)
    if missing:
        return BDClaimCheck(claim, (), BDVerdict.NOT_CHECKABLE, missing=missing, remark=remark)
    fits = tuple(_fits(claim))
    if not fits:
        return BDClaimCheck(claim, (), BDVerdict.NOT_CHECKABLE, missing=(Missing.OVERLAP,), remark=remark)
    held = any(fit.named for fit in fits)
    found = BDClaimCheck(
        claim,
        fits,
        BDVerdict.DOES_NOT_HOLD if held else BDVerdict.NOT_EXPLAINED,
        nearest=min(fits, key=lambda fit: (fit.cut is not None, abs(fit.difference))),
        own={fit.method: fit.value for fit in reversed(fits) if fit.named and fit.cut is None},
        missing=() if held else (Missing.ANCHOR,),
        remark=remark,
    )
    if not found.within:
        return found
    best = min(found.within, key=_preference)
    verdict = BDVerdict.HOLDS if best.named else BDVerdict.HOLDS_AGAINST_ANOTHER
    return replace(found, verdict=verdict, explained=best, missing=())


def standings(dataset: str, anchors: Sequence[RDCurve]) -> tuple[Standing, ...]:
    """Every codec with a claim and points on a data set against the same anchors, the best by the first one first."""
    claims: dict[str, list[BDClaim]] = {}
    for claim in published.bd_claims():
        if (
            claim.metric in ("bd_rate_psnr_percent", "bd_psnr_db")
            and SAME_DATASET.get(claim.dataset, claim.dataset) == dataset
        ):
            for name in SAME_CODEC.get(claim.codec, (claim.codec,)):
                claims.setdefault(name, []).append(claim)
    found = []
    for curve in default_curves.default_published(dataset):
        if curve.codec in claims and curve.optimised_for in ("mse", "unknown"):
            figures = {anchor.name: bd_rate(anchor, curve, bootstrap=False) for anchor in anchors}
            found.append(Standing(curve, figures, tuple(claims[curve.codec])))
    first = anchors[0].name
    return tuple(sorted(found, key=lambda one: (one.figures[first].value is None, one.figures[first].value or 0.0)))


def vtm_curves(dataset: str) -> tuple[RDCurve, ...]:
    """The curves of VTM held on a data set, 4:4:4 and scored in RGB; not those left out of defaults."""
    return tuple(curve for curve in default_curves.default_published(dataset) if _is_vtm(curve.codec))


def remark_on(claim: BDClaim) -> str:
    """What is known of a claim besides; empty where nothing is."""
    for row in published.bd_remarks():
        own = row["codec"], row["dataset"], row["source_id"]
        if all(mine in ("*", theirs) for mine, theirs in zip(own, (claim.codec, claim.dataset, claim.source_id),
                                                             strict=True)):  # fmt: skip
            return row["remark"]
    return ""


def _missing(claim: BDClaim) -> tuple[Missing, ...]:
    """What the tables lack for a claim: everything at once, not the first thing alone."""
    if claim.metric not in METRICS:
        return (Missing.METRIC,)
    if not curves.published_curves(SAME_DATASET.get(claim.dataset, claim.dataset)):
        return (Missing.DATASET,)
    missing = []
    if not _points(claim):
        missing.append(Missing.POINTS)
    if not _anchors(claim):
        missing.append(Missing.ANCHOR)
    return tuple(missing)


def _points(claim: BDClaim) -> list[RDCurve]:
    """The curves of the claimed codec that were not made by somebody else to compare with."""
    return _held(claim.codec, claim)


def _anchors(claim: BDClaim) -> list[RDCurve]:
    """The curves that may be the anchor of a claim."""
    if _is_vtm(claim.anchor) or claim.anchor.startswith("vvc"):
        return list(vtm_curves(SAME_DATASET.get(claim.dataset, claim.dataset)))
    return _held(claim.anchor, claim)


def _held(name: str, claim: BDClaim) -> list[RDCurve]:
    """Curves of a codec on a claim's data set, for MSE; of a claim's own source where that holds one."""
    names = SAME_CODEC.get(name, (name,))
    dataset = SAME_DATASET.get(claim.dataset, claim.dataset)
    found = [
        curve
        for curve in curves.published_curves(dataset)
        if curve.codec in names and curve.optimised_for in ("mse", None) and not _left_out(curve)
    ]
    own = [
        curve
        for curve in curves.published_curves(dataset)
        if curve.codec in names and curve.source.source_id == claim.source_id
    ]
    return own + [curve for curve in found if curve not in own]


def _left_out(curve: RDCurve) -> bool:
    use = published.use_of(curve.codec, curve.dataset, curve.optimised_for or "none", curve.source.source_id)
    return use is not None and use.use == "left_out"


def _is_vtm(name: str) -> bool:
    return name == "vtm" or name.startswith(("vtm-", "vvc-intra-444"))


def _fits(claim: BDClaim) -> Iterable[Fit]:
    unit, metric = METRICS[claim.metric]
    take = bd_rate if unit == "%" else bd_psnr
    for test in _points(claim):
        for anchor, cut in _cut(_anchors(claim)):
            figure = take(anchor, test, metric, bootstrap=False)
            for method in METHODS:
                if method in figure.by_method:
                    value = figure.by_method[method]
                    yield Fit(
                        anchor.codec, anchor.source.source_id, test.source.source_id, method, value,
                        value - claim.value, _is_named(anchor, claim), cut,
                    )  # fmt: skip


def _cut(some: Iterable[RDCurve]) -> Iterable[tuple[RDCurve, tuple[float, float] | None]]:
    """Every curve with all its points, and with those inside of a range where some are known to have cut it."""
    for curve in some:
        yield curve, None
        for low, high in CUTS.get((curve.codec, curve.source.source_id, curve.dataset), ()):
            yield replace(curve, points=tuple(p for p in curve.points if low <= p.bpp <= high)), (low, high)


def _is_named(anchor: RDCurve, claim: BDClaim) -> bool:
    return anchor.codec in SAME_CODEC.get(claim.anchor, (claim.anchor,))


def _preference(fit: Fit) -> tuple[bool, bool, bool, float]:
    """The anchor that is named first, then the one that most use, uncut before cut, then the nearest."""
    return not fit.named, fit.anchor_source_id != MOST_USED, fit.cut is not None, abs(fit.difference)
