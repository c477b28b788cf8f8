"""What a report shows, gathered from a run's header and rows before tables, charts and text are made of it.

A `View` holds curves that may stand in one chart: one data set, the same pictures, one anchor per metric. Where the
run's pictures are the published ones, measured and published curves share a view; else they get one each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from statistics import fmean

from lic_bench.analysis import anchor as anchors
from lic_bench.analysis import curves
from lic_bench.analysis.bdrate import BDFigure, bd_ms_ssim, bd_psnr, bd_rate
from lic_bench.analysis.curves import Metric, RDCurve
from lic_bench.analysis.sensitivity import Disagreement, disagreement
from lic_bench.caveats import Caveat
from lic_bench.records import Call, Failure, Measurement, Origin, Row, RunHeader, Training
from lic_bench.report.groups import CodecsOfCurves, CurveGroup, CurveKey, curve_groups, curve_key
from lic_bench.report.points import CallComplexity, MeasuredPoint, operating_points
from lic_bench.report.scaling import Scaling, scalings

BD_RATE, BD_PSNR = "BD-rate (PSNR)", "BD-PSNR"
BD_RATE_MS_SSIM, BD_MS_SSIM = "BD-rate (MS-SSIM)", "BD-MS-SSIM"

Figures = Mapping[str, BDFigure]
"""BD figures of one curve by name: BD_RATE, BD_PSNR, BD_RATE_MS_SSIM, BD_MS_SSIM."""


@dataclass(frozen=True)
class View:
    """Comparable curves, the anchor per metric, and each curve's BD figures.

    `codecs_of` maps a published curve to the codecs of the run whose cards name it. `no_anchor` is the reason why
    there is no anchor, "" where there is one. `counterpart` is another run of the anchor's encoder, where the anchor's
    PSNR was taken against a converted original, and `against_counterpart` holds the BD-rates against it.
    """

    title: str
    dataset: str
    curves: tuple[RDCurve, ...]
    anchors: Mapping[Metric, RDCurve]
    figures: Mapping[CurveKey, Figures]
    codecs_of: CodecsOfCurves
    no_anchor: str = ""
    counterpart: RDCurve | None = None
    against_counterpart: Mapping[CurveKey, BDFigure] = field(default_factory=dict)
    disagreements: tuple[Disagreement, ...] = ()

    def figures_of(self, curve: RDCurve) -> Figures:
        """The BD figures of one of the view's curves; empty for the anchor itself."""
        return self.figures.get(curve_key(curve), {})

    def codecs(self, curve: RDCurve) -> tuple[str, ...]:
        """The codecs of the run a curve is about: its own when measured, those whose cards name it when published."""
        if curve.source.origin is Origin.MEASURED:
            return (curve.codec,)
        return self.codecs_of.get(curve_key(curve), ())


@dataclass(frozen=True)
class ComplexityRange:
    """A codec's kMAC/pixel: the mean over its operating points, with the least and the most among them."""

    kmac_per_pixel: float
    least: float
    most: float
    is_lower_bound: bool
    origins: tuple[Origin, ...]


@dataclass(frozen=True)
class Efficiency:
    """A codec in the plot of complexity against efficiency: its complexity as counted, its BD-rate by `curve`."""

    codec: str
    complexity: ComplexityRange
    figure: BDFigure
    curve: RDCurve


@dataclass(frozen=True)
class Content:
    """Everything a report shows; `run` is the run's name."""

    header: RunHeader
    run: str
    points: tuple[MeasuredPoint, ...]
    failures: tuple[Failure, ...]
    views: tuple[View, ...]
    scaling: tuple[Scaling, ...] = ()
    rows: tuple[Measurement, ...] = ()

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
        """Every caveat there is, with the names of the operating points and BD figures that have it."""
        found: dict[Caveat, dict[str, None]] = {}
        for point in self.points:
            for caveat in point.caveats:
                found.setdefault(caveat, {})[f"{point.codec} {point.label}"] = None
        for view in self.views:
            for curve in view.curves:
                for name, figure in view.figures_of(curve).items():
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
    """Everything a report shows of a run. Without `intervals` nothing is resampled over pictures, which is faster.

    `given` are published curves to be drawn besides; those over other pictures than the run's get views of their own.
    Raises RequestError for an anchor that does not exist.
    """
    measurements = [row for row in rows if isinstance(row, Measurement)]
    failures = tuple(row for row in rows if isinstance(row, Failure))
    codecs = tuple(dict.fromkeys([job.codec for job in header.jobs] + [row.codec for row in measurements]))
    anchors.check(anchor, codecs, header.dataset, given)
    run = f"{header.started[:19].replace('-', '').replace(':', '')}-{header.commit or header.lic_bench}"
    measured = curves.measured(measurements, run, cards=header.cards)
    views = tuple(view(group, intervals) for group in curve_groups(header, measured, given, anchor, codecs))
    cards = {card.name: card for card in header.cards}
    points = operating_points(measurements, measured, cards)
    return Content(header, run, points, failures, views, scalings(measurements), tuple(measurements))


def efficiencies(content: Content, view: View, call: Call) -> list[Efficiency]:
    """Codecs with both a MAC count and a BD-rate in this view: measured where there is one, else published."""
    found = []
    for codec in _codecs(content.points):
        complexity = complexity_range(content, codec, call)
        curve = _curve_of(view, codec)
        figure = view.figures_of(curve).get(BD_RATE) if curve else None
        if complexity and curve and figure and figure.value is not None:
            found.append(Efficiency(codec, complexity, figure, curve))
    return found


def complexity_range(content: Content, codec: str, call: Call) -> ComplexityRange | None:
    """kMAC/pixel over a codec's operating points; a network counted once stands for all points that run it."""
    counted = {
        point.label: point.complexity[call]
        for point in content.points
        if point.codec == codec and call in point.complexity
    }
    if not counted:
        return None
    card = content.header.card(codec)
    networks = {point.label: point.network for point in card.points} if card else {}
    by_network = {networks.get(label, label): complexity for label, complexity in counted.items()}
    # every point of the card weighs the same, whether or not it ran
    per_point: Sequence[CallComplexity] = [by_network[name] for name in networks.values() if name in by_network]
    per_point = per_point or list(by_network.values())
    kmac = [one.kmac_per_pixel for one in per_point]
    is_lower_bound = any(one.is_lower_bound for one in per_point)
    return ComplexityRange(fmean(kmac), min(kmac), max(kmac), is_lower_bound, per_point[0].origins)


def view(group: CurveGroup, intervals: bool = True) -> View:
    """A group of comparable curves with the BD figures of each against the group's anchors."""
    shown = {curve_key(curve): curve for curve in [*group.curves, *group.anchors.values()]}
    figures = {key: _figures(curve, group.anchors, intervals) for key, curve in shown.items()}
    anchor = group.anchors.get("psnr_db")
    counterpart = anchors.honest_counterpart(anchor) if anchor else None
    others = {key: curve for key, curve in shown.items() if anchor and key != curve_key(anchor)}
    return View(
        group.title,
        group.dataset,
        tuple(shown.values()),
        group.anchors,
        figures,
        group.codecs_of,
        group.no_anchor,
        counterpart,
        {key: bd_rate(counterpart, curve, bootstrap=intervals) for key, curve in others.items()} if counterpart else {},
        tuple(found for curve in others.values() if anchor and (found := disagreement(anchor, curve))),
    )


def _figures(curve: RDCurve, chosen: Mapping[Metric, RDCurve], intervals: bool) -> dict[str, BDFigure]:
    """Every BD figure of a curve that has an anchor other than itself."""
    wanted: list[tuple[str, Metric, Callable[[RDCurve, RDCurve], BDFigure]]] = [
        (BD_RATE, "psnr_db", partial(bd_rate, bootstrap=intervals)),
        (BD_PSNR, "psnr_db", partial(bd_psnr, bootstrap=intervals)),
        (BD_RATE_MS_SSIM, "ms_ssim_db", partial(bd_rate, metric="ms_ssim_db", bootstrap=intervals)),
        (BD_MS_SSIM, "ms_ssim_db", partial(bd_ms_ssim, bootstrap=intervals)),
    ]
    return {
        name: take(chosen[metric], curve)
        for name, metric, take in wanted
        if metric in chosen and curve_key(chosen[metric]) != curve_key(curve)
    }


def _curve_of(view: View, codec: str) -> RDCurve | None:
    """The curve that stands for a codec: its own measured one, else the first published one its card names."""
    own = [curve for curve in view.curves if curve.optimised_for != "ms-ssim" and codec in view.codecs(curve)]
    return min(own, key=lambda curve: curve.source.origin is not Origin.MEASURED, default=None)


def _codecs(points: Iterable[MeasuredPoint]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(point.codec for point in points))
