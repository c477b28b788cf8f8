"""BD-rate and BD-PSNR between two curves: log rate against quality, within the range that both cover.

G. Bjontegaard, "Calculation of average PSNR differences between RD-curves", VCEG-M33 (2001). PCHIP is the headline
(today's JVET and AOM practice); Akima and the classic cubic fit are computed beside it, so that the spread shows how
much the figure owes to the interpolation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from lic_bench.analysis import bootstrap as resampling
from lic_bench.analysis import published
from lic_bench.analysis.bootstrap import Comparison, NoInterval, PictureSpread
from lic_bench.analysis.curves import Metric, RDCurve, RDPoint
from lic_bench.analysis.interpolation import LEAST_OVERLAP, METHODS, Unit, common_range, delta, in_unit, rising_line
from lic_bench.caveats import Caveat
from lic_bench.records import Origin

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Column = npt.NDArray[np.float64]
    Line = tuple[Column, Column]

ENOUGH_POINTS = 4
ENOUGH_OVERLAP = 0.75
LEAST_PICTURES = 3


class Refusal(StrEnum):
    """Why two curves have no BD figure."""

    DIFFERENT_DATASETS = "different_datasets"
    NO_SHARED_PICTURE = "no_shared_picture"
    DIFFERENT_PICTURE_COUNTS = "different_picture_counts"
    TOO_FEW_POINTS = "too_few_points"  # fewer than two with a score of the metric
    NOT_RISING = "not_rising"  # quality does not rise with rate
    NO_OVERLAP = "no_overlap"


@dataclass(frozen=True)
class BDFigure:
    """A BD-rate (`unit` "%") or BD-quality (`unit` "dB"); `value` is None and `refusal` says why where there is none.

    `value` is PCHIP's; below zero the test codec needs less rate (BD-rate) or is worse (BD-PSNR). `overlap` is the
    share of the test curve's range that its anchor covers, 0 to 1: how much of the curve the figure speaks for. `low`
    to `high` is what both cover, over which alone was integrated: of quality for a BD-rate, of log10 rate for a
    BD-PSNR. `interval` is the 95 % interval of a paired bootstrap over pictures, `probability` the share of its
    resamples in which the test beats the anchor; both None where `no_interval` says why. `datasets`, `picture_counts`
    and `origins` are of the anchor and of the test; a count is None where it is not known.
    """

    value: float | None
    unit: Unit
    metric: Metric
    anchor: str
    test: str
    by_method: Mapping[str, float] = field(default_factory=dict)
    overlap: float = 0.0
    low: float | None = None
    high: float | None = None
    anchor_points: tuple[RDPoint, ...] = ()
    test_points: tuple[RDPoint, ...] = ()
    by_picture: Mapping[str, float] = field(default_factory=dict)
    interval: tuple[float, float] | None = None
    probability: float | None = None
    no_interval: NoInterval | None = NoInterval.NOT_ASKED
    caveats: tuple[Caveat, ...] = ()
    refusal: Refusal | None = None
    datasets: tuple[str, str] = ("", "")
    picture_counts: tuple[int | None, int | None] = (None, None)
    origins: tuple[Origin, Origin] = (Origin.MEASURED, Origin.MEASURED)

    @property
    def percent(self) -> float | None:
        """A BD-rate in per cent; None where there is no figure."""
        return self.value if self.unit == "%" else None

    @property
    def db(self) -> float | None:
        """A BD-PSNR (or BD-MS-SSIM) in dB; None where there is no figure."""
        return self.value if self.unit == "dB" else None

    @property
    def spread(self) -> float | None:
        """Largest less smallest value over the interpolations, in the figure's unit."""
        return max(self.by_method.values()) - min(self.by_method.values()) if self.by_method else None

    @property
    def comparison(self) -> Comparison:
        """Whether the test is better than its anchor, as far as the interval over pictures says so."""
        if self.interval is None:
            return Comparison.NO_INTERVAL
        low, high = self.interval if self.unit == "%" else (-self.interval[1], -self.interval[0])
        return Comparison.BETTER if high < 0 else Comparison.WORSE if low > 0 else Comparison.NOT_DECIDED

    @property
    def pictures(self) -> PictureSpread | None:
        """Mean, median, best and worst over single pictures; None where no picture has a figure by itself."""
        return PictureSpread.of(self.by_picture, self.unit) if self.by_picture else None

    @property
    def interval_reason(self) -> str:
        """Why there is no interval, as shown to people; empty where there is one."""
        match self.no_interval:
            case None:
                return ""
            case NoInterval.NO_PICTURES:
                return "published curves have no pictures"
            case NoInterval.FEW_PICTURES:
                return f"the curves share fewer than {LEAST_PICTURES} pictures"
            case NoInterval.RESAMPLE_WITHOUT_FIGURE:
                return "some resamples of the pictures have no figure"
            case NoInterval.NOT_ASKED:
                return "nothing was resampled" if self.refusal is None else "there is no figure"

    @property
    def reason(self) -> str:
        """Why there is no figure, as shown to people; empty where there is one."""
        match self.refusal:
            case None:
                return ""
            case Refusal.DIFFERENT_DATASETS:
                alike = set(self.datasets) in ({name, other} for name, other in published.LOOK_ALIKES.items())
                said = "the anchor was taken on {}, not on {}".format(*self.datasets)
                return said + (", which are different pictures in spite of the names" if alike else "")
            case Refusal.NO_SHARED_PICTURE:
                return "the curves share no picture"
            case Refusal.DIFFERENT_PICTURE_COUNTS:
                return "the anchor is a mean over {} pictures, the test over {}".format(*self.picture_counts)
            case Refusal.TOO_FEW_POINTS:
                both = ((self.anchor, len(self.anchor_points)), (self.test, len(self.test_points)))
                name, count = next(each for each in both if each[1] < 2)
                return f"{name} has {count or 'no'} point{'s' * (count != 1)} with {self.metric}; two are needed"
            case Refusal.NOT_RISING:
                return "quality does not rise with rate on one of the curves"
            case Refusal.NO_OVERLAP:
                axis = "quality" if self.unit == "%" else "rate"
                return f"the anchor covers {self.overlap:.0%} of the curve's range of {axis}"


def bd_rate(anchor: RDCurve, test: RDCurve, metric: Metric = "psnr_db", bootstrap: bool = True) -> BDFigure:
    """Mean rate difference at equal quality, in per cent of the anchor's rate; below zero `test` needs less."""
    return _figure(anchor, test, metric, "%", bootstrap)


def bd_psnr(anchor: RDCurve, test: RDCurve, metric: Metric = "psnr_db", bootstrap: bool = True) -> BDFigure:
    """Mean quality difference at equal rate, in dB; above zero `test` is better."""
    return _figure(anchor, test, metric, "dB", bootstrap)


def bd_ms_ssim(anchor: RDCurve, test: RDCurve, bootstrap: bool = True) -> BDFigure:
    """Mean difference of MS-SSIM at equal rate, in dB (of -10 log10(1 - mean)); above zero `test` is better."""
    return bd_psnr(anchor, test, "ms_ssim_db", bootstrap)


def line_of(points: Sequence[RDPoint], metric: Metric, unit: Unit) -> Line:
    """Points that have a score as a line to be integrated; see `interpolation.rising_line`."""
    return rising_line(*_columns(points, metric), unit)


def _figure(anchor: RDCurve, test: RDCurve, metric: Metric, unit: Unit, bootstrap: bool) -> BDFigure:
    figure = BDFigure(
        None, unit, metric, anchor.name, test.name, datasets=(anchor.dataset, test.dataset),
        picture_counts=(anchor.picture_count, test.picture_count),
        origins=(anchor.source.origin, test.source.origin),
        caveats=_merged(*(_of_metric(curve.caveats, metric) for curve in (anchor, test)), _caveats(anchor, test)),
    )  # fmt: skip
    refusal = _refusal(anchor, test)
    if refusal:
        return replace(figure, refusal=refusal)
    anchor, test = paired(anchor, test)
    points = _usable(anchor, metric), _usable(test, metric)
    figure = replace(figure, anchor_points=points[0], test_points=points[1])
    lines = tuple(line_of(some, metric, unit) for some in points)
    if min(len(line[0]) for line in lines) < 2:
        few = min(len(some) for some in points) < 2
        return replace(figure, refusal=Refusal.TOO_FEW_POINTS if few else Refusal.NOT_RISING)
    caveats = _merged(figure.caveats, _caveats_of_points(points, lines))
    overlap, low, high = common_range(*lines)
    figure = replace(figure, overlap=overlap, low=low, high=high, caveats=caveats)
    if overlap < LEAST_OVERLAP:
        return replace(figure, caveats=_merged(caveats, [Caveat.NO_OVERLAP]), refusal=Refusal.NO_OVERLAP)
    figure = _with_values(figure, *lines)
    return _over_pictures(figure, sorted(_shared(anchor, test))) if bootstrap else figure


def _with_values(figure: BDFigure, anchor: Line, test: Line) -> BDFigure:
    enough = min(len(anchor[0]), len(test[0])) >= ENOUGH_POINTS
    methods = METHODS if enough else METHODS[:2]
    by_method = {method: in_unit(delta(anchor, test, method), figure.unit) for method in methods}
    caveats = [Caveat.LITTLE_OVERLAP] if figure.overlap < ENOUGH_OVERLAP else []
    return replace(figure, value=by_method["pchip"], by_method=by_method, caveats=_merged(figure.caveats, caveats))


def _over_pictures(figure: BDFigure, pictures: Sequence[str]) -> BDFigure:
    """The figure with its distribution over pictures and the 95 % interval of a paired bootstrap over them."""
    if not pictures:
        return replace(figure, no_interval=NoInterval.NO_PICTURES)
    asked = figure.anchor_points, figure.test_points, pictures, figure.metric, figure.unit
    figure = replace(figure, by_picture=resampling.by_picture(*asked))
    if len(pictures) < LEAST_PICTURES:
        return replace(figure, no_interval=NoInterval.FEW_PICTURES)
    found = resampling.resampled(*asked)
    if found.interval is None:
        return replace(figure, no_interval=NoInterval.RESAMPLE_WITHOUT_FIGURE)
    below = found.probability_below_zero()
    better = below if figure.unit == "%" else 1 - below
    return replace(figure, interval=found.interval, probability=better, no_interval=None)


def _columns(points: Sequence[RDPoint], metric: Metric) -> tuple[Column, Column]:
    import numpy as np

    scores = [point.score(metric) for point in points]
    return np.array([point.bpp for point in points], dtype=np.float64), np.array(scores, dtype=np.float64)


def _refusal(anchor: RDCurve, test: RDCurve) -> Refusal | None:
    """Why two curves cannot be compared at all, whatever their points; None where they can."""
    if anchor.dataset != test.dataset:
        return Refusal.DIFFERENT_DATASETS
    if anchor.pictures and test.pictures:
        return None if _shared(anchor, test) else Refusal.NO_SHARED_PICTURE
    counts = anchor.picture_count, test.picture_count
    return Refusal.DIFFERENT_PICTURE_COUNTS if None not in counts and counts[0] != counts[1] else None


def _shared(anchor: RDCurve, test: RDCurve) -> set[str]:
    return set(anchor.pictures) & set(test.pictures)


def paired(anchor: RDCurve, test: RDCurve) -> tuple[RDCurve, RDCurve]:
    """Both curves over the pictures they share, where both know their pictures and these differ."""
    shared = _shared(anchor, test)
    if not shared or set(anchor.pictures) == set(test.pictures):
        return anchor, test
    return anchor.over(shared), test.over(shared)


def _usable(curve: RDCurve, metric: Metric) -> tuple[RDPoint, ...]:
    """The points that have a score, over the curve's own pictures."""
    return tuple(
        point
        for point in curve.points
        if point.score(metric) is not None and Caveat.DIFFERENT_PICTURES not in point.caveats
    )


def _caveats(anchor: RDCurve, test: RDCurve) -> list[Caveat]:
    """What sets two curves apart besides their points."""
    caveats = []
    if anchor.pictures and test.pictures and set(anchor.pictures) != set(test.pictures):
        caveats.append(Caveat.DIFFERENT_PICTURES)
    kinds = {"coded" if kind == "bitstream" else kind for kind in (anchor.rate_kind, test.rate_kind)}
    if kinds in ({"stream", "payload"}, {"stream", "estimated"}, {"payload", "estimated"}, {"coded", "estimated"}):
        caveats.append(Caveat.RATE_KIND)
    return caveats


def _of_metric(caveats: Sequence[Caveat], metric: Metric) -> list[Caveat]:
    """A curve's caveats that are about a metric: how PSNR was scored says nothing of another."""
    return [caveat for caveat in caveats if metric == "psnr_db" or caveat is not Caveat.CONVERTED_REFERENCE]


def _caveats_of_points(points: Sequence[Sequence[RDPoint]], lines: Sequence[Line]) -> list[Caveat]:
    caveats = []
    if min(len(line[0]) for line in lines) < ENOUGH_POINTS:
        caveats.append(Caveat.FEW_POINTS)
    if any(len(line[0]) < len(some) for some, line in zip(points, lines, strict=True)):
        caveats.append(Caveat.NOT_MONOTONE)
    return caveats


def _merged(*caveats: Sequence[Caveat]) -> tuple[Caveat, ...]:
    return tuple(dict.fromkeys(caveat for some in caveats for caveat in some))
