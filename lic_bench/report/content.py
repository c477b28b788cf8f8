"""What a report says, before it is set as tables, charts or text.

A `View` holds curves that may stand in one chart: one data set, the same pictures, one anchor per metric. Where the
run's pictures are the published ones, measured and published curves share a view; else they get one each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from statistics import fmean

from lic_bench import curves, published
from lic_bench.bdrate import BDFigure, bd_psnr, bd_rate
from lic_bench.codec import CodecCard
from lic_bench.curves import Metric, RDCurve
from lic_bench.records import Call, Doubt, Failure, Measurement, Origin, Row, RunHeader, Training
from lic_bench.report import anchor as anchors
from lic_bench.report.growth import Growth, growths
from lic_bench.report.points import OperatingPoint, operating_points

BD_RATE, BD_PSNR, BD_RATE_MS_SSIM = "BD-rate (PSNR)", "BD-PSNR", "BD-rate (MS-SSIM)"

Figures = Mapping[str, BDFigure]
RDCurveKey = tuple[str, str, str | None, str]


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
    points: tuple[OperatingPoint, ...]
    failures: tuple[Failure, ...]
    views: tuple[View, ...]
    growth: tuple[Growth, ...] = ()

    @property
    def untrained(self) -> tuple[str, ...]:
        """Codecs that ran without weights."""
        return _codecs(point for point in self.points if point.training is Training.UNTRAINED)

    @property
    def measured(self) -> tuple[str, ...]:
        """Codecs whose rate and distortion were measured."""
        return _codecs(point for point in self.points if point.training is not Training.UNTRAINED)

    @property
    def doubts(self) -> Mapping[Doubt, tuple[str, ...]]:
        """Every doubt met, with the figures it hangs on."""
        found: dict[Doubt, dict[str, None]] = {}
        for point in self.points:
            for doubt in point.doubts:
                found.setdefault(doubt, {})[f"{point.codec} {point.label}"] = None
        for view in self.views:
            for curve in view.curves:
                for name, figure in view.of(curve).items():
                    for doubt in figure.doubts:
                        found.setdefault(doubt, {})[f"{name} of {curve.name}"] = None
        return {doubt: tuple(found[doubt]) for doubt in Doubt if doubt in found}


def counted(number: int, thing: str) -> str:
    """A number with its noun: "1 picture", "24 pictures"."""
    return f"{number} {thing}{'' if number == 1 else 's'}"


def key(curve: RDCurve) -> RDCurveKey:
    """What tells one curve of a view from another."""
    return curve.codec, curve.source.source_id, curve.optimised_for, curve.dataset


def gather(rows: Sequence[Row], header: RunHeader, anchor: str | None = None, intervals: bool = True) -> Content:
    """Everything a report says about a run. Without `intervals` nothing is resampled over pictures, which is faster.

    Raises RequestError for an anchor that there is not.
    """
    measurements = [row for row in rows if isinstance(row, Measurement)]
    failures = tuple(row for row in rows if isinstance(row, Failure))
    codecs = tuple(dict.fromkeys([job.codec for job in header.jobs] + [row.codec for row in measurements]))
    anchors.check(anchor, codecs, header.dataset)
    run = f"{header.started[:19].replace('-', '').replace(':', '')}-{header.commit or header.lic_bench}"
    found = curves.measured(measurements, run)
    cards = [card for card in map(curves.known_card, codecs) if card]
    own = anchor if anchor in codecs else None
    if published.PICTURES.get(header.dataset) == len(header.pictures):
        groups = [_joint_group(header.dataset, found, cards, anchor, own)]
    else:
        groups = _separate_groups(header, found, cards, anchor, own)
    views = tuple(_view(group, intervals) for group in groups)
    return Content(header, run, operating_points(measurements, found), failures, views, growths(measurements))


@dataclass(frozen=True)
class _Group:
    """A view before its figures are worked out."""

    title: str
    dataset: str
    curves: Sequence[RDCurve]
    anchors: Mapping[Metric, RDCurve]
    no_anchor: str = ""
    owner: Mapping[RDCurveKey, tuple[str, ...]] = field(default_factory=dict)


def _joint_group(
    dataset: str, found: Sequence[RDCurve], cards: Sequence[CodecCard], anchor: str | None, own: str | None
) -> _Group:
    """Measured and published curves together: the run covers exactly the published pictures."""
    named, owner = _published(cards, dataset)
    chosen, why = _measured_anchor(own, found) if own else _published_anchors(anchor, dataset)
    return _Group(f"{dataset}, measured and published", dataset, [*found, *named], chosen, why, owner)


def _separate_groups(
    header: RunHeader, found: Sequence[RDCurve], cards: Sequence[CodecCard], anchor: str | None, own: str | None
) -> list[_Group]:
    """What was measured, and apart from it what was published on other pictures."""
    place = anchors.PUBLISHED_DATASET
    chosen: dict[Metric, RDCurve] = {}
    if anchor and not own:
        pictures = f"{counted(len(header.pictures), 'picture')} of {header.dataset}"
        why = f"{anchor} was published on {place}, and this run measured {pictures}"
    else:
        chosen, why = _measured_anchor(own or anchors.MEASURED_DEFAULT, found)
    groups = [_Group(f"{header.dataset}, measured in this run", header.dataset, found, chosen, why)]
    named, owner = _published(cards, place)
    if named:
        chosen, why = _published_anchors(None if own else anchor, place)
        groups.append(_Group(f"{place}, published (not measured in this run)", place, named, chosen, why, owner))
    return groups


def _published(cards: Sequence[CodecCard], dataset: str) -> tuple[list[RDCurve], dict[RDCurveKey, tuple[str, ...]]]:
    """The published curves that cards name, each once, and which cards name them."""
    named: dict[RDCurveKey, RDCurve] = {}
    owner: dict[RDCurveKey, tuple[str, ...]] = {}
    for card in cards:
        for curve in filter(None, (curves.find(dataset, wanted) for wanted in card.published)):
            named[key(curve)] = curve
            owner[key(curve)] = (*owner.get(key(curve), ()), card.name)
    return list(named.values()), owner


def _published_anchors(anchor: str | None, dataset: str) -> tuple[dict[Metric, RDCurve], str]:
    if anchor is None:
        return anchors.defaults(dataset), ""
    curve = anchors.among_published(anchor, dataset)
    return ({"psnr_db": curve, "ms_ssim_db": curve}, "") if curve else ({}, f"{anchor} was not published on {dataset}")


def _measured_anchor(name: str, found: Sequence[RDCurve]) -> tuple[dict[Metric, RDCurve], str]:
    curve = anchors.among(name, found)
    if curve is None:
        return {}, f"{name} has no measured curve in this run; --anchor takes another codec of the run"
    return {"psnr_db": curve, "ms_ssim_db": curve}, ""


def _view(group: _Group, intervals: bool) -> View:
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
    card = curves.known_card(codec)
    networks = {point.label: point.network or point.label for point in card.points} if card else {}
    by_network = {networks.get(label, label): work for label, work in counted.items()}
    works = [by_network[name] for name in networks.values() if name in by_network] or list(by_network.values())
    kmac = [work.kmac_per_pixel for work in works]
    return Cost(fmean(kmac), min(kmac), max(kmac), any(work.lower_bound for work in works), works[0].origin)


def _codecs(points: Iterable[OperatingPoint]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(point.codec for point in points))
