"""What a report says, before it is set as tables, charts or text.

A `View` holds curves that may stand in one chart: one data set, the same pictures, one anchor per metric. Where the
run's pictures are the published ones, measured and published curves share a view; else they get one each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import fmean

from lic_bench.analysis import anchor as anchors
from lic_bench.analysis import curves
from lic_bench.analysis.bdrate import BDFigure, bd_psnr, bd_rate
from lic_bench.analysis.curves import Metric, RDCurve
from lic_bench.caveats import Caveat
from lic_bench.records import Call, Failure, Measurement, Origin, Row, RunHeader, Training
from lic_bench.report.groups import Group, RDCurveKey, groups, key
from lic_bench.report.growth import Growth, growths
from lic_bench.report.points import MeasuredPoint, operating_points

BD_RATE, BD_PSNR, BD_RATE_MS_SSIM = "BD-rate (PSNR)", "BD-PSNR", "BD-rate (MS-SSIM)"

Figures = Mapping[str, BDFigure]


@dataclass(frozen=True)
class View:
    """Comparable curves, the anchor per metric, and each curve's BD figures by name of the figure.

    `owner` maps a published curve to the codecs of the run whose cards name it. `no_anchor` is the reason why there
    is no anchor, "" where there is one.
    """

    title: str
    dataset: str
    curves: tuple[RDCurve, ...]
    anchors: Mapping[Metric, RDCurve]
    figures: Mapping[RDCurveKey, Figures]
    owner: Mapping[RDCurveKey, tuple[str, ...]]
    no_anchor: str = ""

    def of(self, curve: RDCurve) -> Figures:
        """The BD figures of one of the view's curves; empty for the anchor itself."""
        return self.figures.get(key(curve), {})

    def codecs(self, curve: RDCurve) -> tuple[str, ...]:
        """The codecs of the run a curve is about: its own when measured, those whose cards name it when published."""
        return (curve.codec,) if curve.source.origin is Origin.MEASURED else self.owner.get(key(curve), ())


@dataclass(frozen=True)
class Cost:
    """A codec's kMAC/pixel: the mean over its operating points, with the least and the most among them."""

    kmac_per_pixel: float
    least: float
    most: float
    lower_bound: bool
    origin: str


@dataclass(frozen=True)
class Efficiency:
    """A codec in the plot of complexity against efficiency: its cost as counted, its BD-rate by the curve named."""

    codec: str
    cost: Cost
    figure: BDFigure
    curve: RDCurve


@dataclass(frozen=True)
class Content:
    """Everything a report says."""

    header: RunHeader
    run: str
    points: tuple[MeasuredPoint, ...]
    failures: tuple[Failure, ...]
    views: tuple[View, ...]
    growth: tuple[Growth, ...] = ()

    @property
    def untrained(self) -> tuple[str, ...]:
        """Codecs that ran without weights."""
        return _codecs(point for point in self.points if point.training is Training.UNTRAINED)

    @property
    def measured(self) -> tuple[str, ...]:
        """Codecs whose rate and distortion were measured in this run."""
        here = (point for point in self.points if point.origin is Origin.MEASURED)
        return _codecs(point for point in here if point.training is not Training.UNTRAINED)

    @property
    def imported(self) -> tuple[str, ...]:
        """Codecs whose rate and distortion others measured, taken over from their files."""
        return _codecs(point for point in self.points if point.origin is not Origin.MEASURED)

    @property
    def caveats(self) -> Mapping[Caveat, tuple[str, ...]]:
        """Every caveat met, with the figures it hangs on."""
        found: dict[Caveat, dict[str, None]] = {}
        for point in self.points:
            for caveat in point.caveats:
                found.setdefault(caveat, {})[f"{point.codec} {point.label}"] = None
        for view in self.views:
            for curve in view.curves:
                for name, figure in view.of(curve).items():
                    for caveat in figure.caveats:
                        found.setdefault(caveat, {})[f"{name} of {curve.name}"] = None
        return {caveat: tuple(found[caveat]) for caveat in Caveat if caveat in found}


def gather(
    rows: Sequence[Row],
    header: RunHeader,
    anchor: str | None = None,
    intervals: bool = True,
    given: Sequence[RDCurve] = (),
) -> Content:
    """Everything a report says about a run. Without `intervals` nothing is resampled over pictures, which is faster.

    `given` are published curves to be drawn besides; those over other pictures than the run's get views of their own.
    Raises RequestError for an anchor that there is not.
    """
    measurements = [row for row in rows if isinstance(row, Measurement)]
    failures = tuple(row for row in rows if isinstance(row, Failure))
    codecs = tuple(dict.fromkeys([job.codec for job in header.jobs] + [row.codec for row in measurements]))
    anchors.check(anchor, codecs, header.dataset, given)
    run = f"{header.started[:19].replace('-', '').replace(':', '')}-{header.commit or header.lic_bench}"
    cards = {card.name: card for card in header.cards}
    found = curves.measured(measurements, run, cards=header.cards)
    grouped = groups(header, found, given, header.cards, anchor, codecs)
    views = tuple(_view(group, intervals) for group in grouped)
    return Content(header, run, operating_points(measurements, found, cards), failures, views, growths(measurements))


def _view(group: Group, intervals: bool) -> View:
    there = {key(curve): curve for curve in [*group.curves, *group.anchors.values()]}
    figures = {name: _figures(curve, group.anchors, intervals) for name, curve in there.items()}
    found = tuple(there.values())
    return View(group.title, group.dataset, found, group.anchors, figures, group.owner, group.no_anchor)


def _figures(curve: RDCurve, chosen: Mapping[Metric, RDCurve], intervals: bool) -> dict[str, BDFigure]:
    wanted: list[tuple[str, Metric, Callable[[RDCurve, RDCurve, Metric], BDFigure]]] = [
        (BD_RATE, "psnr_db", partial(bd_rate, bootstrap=intervals)),
        (BD_PSNR, "psnr_db", partial(bd_psnr, bootstrap=False)),
        (BD_RATE_MS_SSIM, "ms_ssim_db", partial(bd_rate, bootstrap=intervals)),
    ]
    return {
        name: take(chosen[metric], curve, metric)
        for name, metric, take in wanted
        if metric in chosen and key(chosen[metric]) != key(curve)
    }


def efficiencies(content: Content, view: View, call: Call) -> list[Efficiency]:
    """Codecs with both a MAC count and a BD-rate in this view: measured where there is one, else published."""
    found = []
    for codec in dict.fromkeys(point.codec for point in content.points):
        cost = cost_of(content, codec, call)
        curve = _curve_of(view, codec)
        figure = view.of(curve).get(BD_RATE) if curve else None
        if cost and curve and figure and figure.value is not None:
            found.append(Efficiency(codec, cost, figure, curve))
    return found


def _curve_of(view: View, codec: str) -> RDCurve | None:
    """The curve that stands for a codec: its own measured one, else the first published one its card names."""
    mine = [
        curve
        for curve in view.curves
        if curve.optimised_for != "ms-ssim"
        and (
            codec == curve.codec if curve.source.origin is Origin.MEASURED else codec in view.owner.get(key(curve), ())
        )
    ]
    return min(mine, key=lambda curve: curve.source.origin is not Origin.MEASURED, default=None)


def cost_of(content: Content, codec: str, call: Call) -> Cost | None:
    """kMAC/pixel over a codec's operating points; an untrained network stands for all points that run it."""
    counted = {point.label: point.work[call] for point in content.points if point.codec == codec and call in point.work}
    if not counted:
        return None
    card = content.header.card(codec)
    networks = {point.label: point.network for point in card.points} if card else {}
    by_network = {networks.get(label, label): work for label, work in counted.items()}
    works = [by_network[name] for name in networks.values() if name in by_network] or list(by_network.values())
    kmac = [work.kmac_per_pixel for work in works]
    return Cost(fmean(kmac), min(kmac), max(kmac), any(work.lower_bound for work in works), works[0].origin)


def _codecs(points: Iterable[MeasuredPoint]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(point.codec for point in points))
