"""BD-rate and BD-PSNR between two curves: log rate against quality, within the range that both cover.

G. Bjontegaard, "Calculation of average PSNR differences between RD-curves", VCEG-M33 (2001). PCHIP is the headline
(today's JVET and AOM practice); Akima and the classic cubic fit are computed beside it, so that the spread shows how
much the figure owes to the interpolation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Literal

from lic_bench.analysis.curves import Metric, RDCurve, RDPoint
from lic_bench.caveats import Caveat
from lic_bench.records import Origin

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Column = npt.NDArray[np.float64]
    Line = tuple[Column, Column]

Unit = Literal["%", "dB"]
"""A BD-rate is in per cent of the anchor's rate, a BD-quality in dB."""

METHODS = ("pchip", "akima", "cubic")

ENOUGH_POINTS = 4
ENOUGH_OVERLAP = 0.75
LEAST_OVERLAP = 0.25
LEAST_PICTURES = 3
RESAMPLES = 500
SEED = 20010402


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
    BD-PSNR. `interval` is the 95 % interval of a paired bootstrap over pictures, None unless both curves were measured
    picture by picture. `datasets`, `picture_counts` and `origins` are of the anchor and of the test; a count is None
    where it is not known.
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
    def reason(self) -> str:
        """Why there is no figure, as shown to people; empty where there is one."""
        match self.refusal:
            case None:
                return ""
            case Refusal.DIFFERENT_DATASETS:
                return "the anchor was taken on {}, not on {}".format(*self.datasets)
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


def delta(anchor: Line, test: Line, method: str = "pchip") -> float:
    """Mean of test less anchor over the range of x that both cover. A line is (x, y), x rising, two points or more.

    The caller makes sure that the lines overlap; "cubic" needs four points on each.
    """
    low, high = max(anchor[0][0], test[0][0]), min(anchor[0][-1], test[0][-1])
    under_anchor, under_test = (_integral(line, method, low, high) for line in (anchor, test))
    return (under_test - under_anchor) / float(high - low)


def _integral(line: Line, method: str, low: float, high: float) -> float:
    import numpy as np
    from scipy.interpolate import Akima1DInterpolator, PchipInterpolator, make_interp_spline

    x, y = line
    if method == "cubic":  # one cubic fitted to all points, as in VCEG-M33; with four it passes through them
        integral = np.polyint(np.polyfit(x, y, 3))
        return float(np.polyval(integral, high) - np.polyval(integral, low))
    if len(x) == 2:
        return float(make_interp_spline(x, y, k=1).integrate(low, high))
    interpolator = PchipInterpolator if method == "pchip" else Akima1DInterpolator
    return float(interpolator(x, y).integrate(low, high))


def _figure(anchor: RDCurve, test: RDCurve, metric: Metric, unit: Unit, bootstrap: bool) -> BDFigure:
    figure = BDFigure(
        None, unit, metric, anchor.name, test.name, datasets=(anchor.dataset, test.dataset),
        picture_counts=(anchor.picture_count, test.picture_count),
        origins=(anchor.source.origin, test.source.origin),
        caveats=_merged(anchor.caveats, test.caveats, _caveats(anchor, test)),
    )  # fmt: skip
    refusal = _refusal(anchor, test)
    if refusal:
        return replace(figure, refusal=refusal)
    anchor, test = _paired(anchor, test)
    points = _usable(anchor, metric), _usable(test, metric)
    figure = replace(figure, anchor_points=points[0], test_points=points[1])
    lines = tuple(_line(*_columns(some, metric), unit) for some in points)
    if min(len(line[0]) for line in lines) < 2:
        few = min(len(some) for some in points) < 2
        return replace(figure, refusal=Refusal.TOO_FEW_POINTS if few else Refusal.NOT_RISING)
    caveats = _merged(figure.caveats, _caveats_of_points(points, lines))
    overlap, low, high = _overlap(*lines)
    figure = replace(figure, overlap=overlap, low=low, high=high, caveats=caveats)
    if overlap < LEAST_OVERLAP:
        return replace(figure, caveats=_merged(caveats, [Caveat.NO_OVERLAP]), refusal=Refusal.NO_OVERLAP)
    figure = _with_values(figure, *lines)
    return _over_pictures(figure, sorted(_shared(anchor, test))) if bootstrap else figure


def _with_values(figure: BDFigure, anchor: Line, test: Line) -> BDFigure:
    enough = min(len(anchor[0]), len(test[0])) >= ENOUGH_POINTS
    methods = METHODS if enough else METHODS[:2]
    by_method = {method: _in_unit(delta(anchor, test, method), figure.unit) for method in methods}
    caveats = [Caveat.LITTLE_OVERLAP] if figure.overlap < ENOUGH_OVERLAP else []
    return replace(figure, value=by_method["pchip"], by_method=by_method, caveats=_merged(figure.caveats, caveats))


def _over_pictures(figure: BDFigure, pictures: Sequence[str]) -> BDFigure:
    """The figure with its distribution over pictures and the 95 % interval of a paired bootstrap over them.

    Each resample draws pictures with replacement, the same for both curves, and takes the figure of the averaged
    curves. Without an interval where fewer than 3 pictures are shared or a resample's curves do not overlap.
    """
    import numpy as np

    tables = [_table(points, pictures, figure.metric) for points in (figure.anchor_points, figure.test_points)]

    def value(columns: npt.NDArray[np.intp]) -> float | None:
        lines = [
            _line(np.mean(rate[:, columns], 1), np.nanmean(score[:, columns], 1), figure.unit) for rate, score in tables
        ]
        if min(len(line[0]) for line in lines) < 2 or _overlap(lines[0], lines[1])[0] < LEAST_OVERLAP:
            return None
        return _in_unit(delta(lines[0], lines[1]), figure.unit)

    count = len(pictures)
    single = {name: value(np.array([column])) for column, name in enumerate(pictures)}
    by_picture = {name: found for name, found in single.items() if found is not None}
    if count < LEAST_PICTURES:
        return replace(figure, by_picture=by_picture)
    drawn = np.random.default_rng(SEED).integers(count, size=(RESAMPLES, count))
    found = [value(columns) for columns in drawn]
    values = [each for each in found if each is not None]
    if len(values) < len(found):
        return replace(figure, by_picture=by_picture)
    low, high = np.percentile(values, (2.5, 97.5))
    return replace(figure, by_picture=by_picture, interval=(float(low), float(high)))


def _table(points: Sequence[RDPoint], pictures: Sequence[str], metric: Metric) -> tuple[Column, Column]:
    """Rates and scores as points x pictures; NaN where a picture has no finite score (lossless)."""
    import numpy as np

    rows = [[point.by_picture[name] for name in pictures] for point in points]
    rates = np.array([[one.bpp for one in row] for row in rows], dtype=np.float64)
    scores = np.array([[one.score(metric) for one in row] for row in rows], dtype=np.float64)
    return rates, scores


def _columns(points: Sequence[RDPoint], metric: Metric) -> tuple[Column, Column]:
    import numpy as np

    scores = [point.score(metric) for point in points]
    return np.array([point.bpp for point in points], dtype=np.float64), np.array(scores, dtype=np.float64)


def _line(rates: Column, scores: Column, unit: Unit) -> Line:
    """Points by rising rate, less those that pay more rate for no more quality, as the (x, y) to be integrated."""
    import numpy as np

    kept: list[int] = []
    for index in np.lexsort((-scores, rates)):
        if np.isfinite(scores[index]) and (not kept or scores[index] > scores[kept[-1]]):
            kept.append(int(index))
    log_rates, rising = np.log10(rates[kept]), scores[kept]
    return (rising, log_rates) if unit == "%" else (log_rates, rising)


def _overlap(anchor: Line, test: Line) -> tuple[float, float, float]:
    """The share of the test's range of x that the anchor covers, and the ends of what both cover."""
    low, high = max(anchor[0][0], test[0][0]), min(anchor[0][-1], test[0][-1])
    return float(max(high - low, 0) / (test[0][-1] - test[0][0])), float(low), float(high)


def _in_unit(difference: float, unit: Unit) -> float:
    return float((10**difference - 1) * 100) if unit == "%" else float(difference)


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


def _paired(anchor: RDCurve, test: RDCurve) -> tuple[RDCurve, RDCurve]:
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


def _caveats_of_points(points: Sequence[Sequence[RDPoint]], lines: Sequence[Line]) -> list[Caveat]:
    caveats = []
    if min(len(line[0]) for line in lines) < ENOUGH_POINTS:
        caveats.append(Caveat.FEW_POINTS)
    if any(len(line[0]) < len(some) for some, line in zip(points, lines, strict=True)):
        caveats.append(Caveat.NOT_MONOTONE)
    return caveats


def _merged(*caveats: Sequence[Caveat]) -> tuple[Caveat, ...]:
    return tuple(dict.fromkeys(caveat for some in caveats for caveat in some))
