"""Curves that may stand in one chart: one data set, the same pictures, one anchor per metric.

Where the run's pictures are the published ones, measured and published curves share a group; else they get one each.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from lic_bench.analysis import anchor as anchors
from lic_bench.analysis import curves, published
from lic_bench.analysis.curves import Metric, RDCurve
from lic_bench.records import CardSummary, RunHeader
from lic_bench.report.wording import plural

CurveKey = tuple[str, str, str | None, str]
CodecsOfCurves = Mapping[CurveKey, tuple[str, ...]]
"""The codecs of the run whose cards name a published curve."""


@dataclass(frozen=True)
class CurveGroup:
    """Comparable curves and the anchor per metric; `no_anchor` says why there is none, "" where there is one."""

    title: str
    dataset: str
    curves: Sequence[RDCurve]
    anchors: Mapping[Metric, RDCurve]
    no_anchor: str = ""
    codecs_of: CodecsOfCurves = field(default_factory=dict)


def curve_key(curve: RDCurve) -> CurveKey:
    """What tells one curve of a report from another: codec, source, training target, data set."""
    return curve.codec, curve.source.source_id, curve.optimised_for, curve.dataset


def curve_groups(
    header: RunHeader,
    measured: Sequence[RDCurve],
    given: Sequence[RDCurve],
    anchor: str | None,
    codecs: Collection[str],
) -> list[CurveGroup]:
    """The groups of a run's own curves, of published ones `given` besides, and of those that the run's cards name.

    `codecs` are the names of the run's codecs. Raises RequestError for an anchor published by several sources.
    """
    own = anchor if anchor and (anchor in codecs or anchors.find(anchor, given)) else None
    pictures = {picture.name for picture in header.pictures}
    alike = [curve for curve in given if _is_over(curve, header.dataset, len(pictures), pictures)]
    others = [curve for curve in given if curve not in alike]
    if published.PICTURES.get(header.dataset) == len(header.pictures):
        first = [_joint_group(header, [*measured, *alike], anchor, own)]
    else:
        place = anchors.PUBLISHED_DATASET
        known = [curve for curve in others if _is_over(curve, place, published.PICTURES[place])]
        others = [curve for curve in others if curve not in known]
        first = _separate_groups(header, [*measured, *alike], known, anchor, own)
    return first + _given_groups(others, own)


def _joint_group(header: RunHeader, found: Sequence[RDCurve], anchor: str | None, own: str | None) -> CurveGroup:
    """Measured and published curves together: the run covers exactly the published pictures."""
    dataset = header.dataset
    named, codecs_of = _published(header.cards, dataset)
    chosen, reason = _anchor_among(own, found) if own else _published_anchors(anchor, dataset)
    return CurveGroup(f"{dataset}, measured and published", dataset, [*found, *named], chosen, reason, codecs_of)


def _separate_groups(
    header: RunHeader, found: Sequence[RDCurve], given: Sequence[RDCurve], anchor: str | None, own: str | None
) -> list[CurveGroup]:
    """What was measured, and apart from it what was published on other pictures; `given` belongs to the latter."""
    place = anchors.PUBLISHED_DATASET
    chosen: Mapping[Metric, RDCurve] = {}
    if anchor and not own:
        pictures = f"{plural(len(header.pictures), 'picture')} of {header.dataset}"
        reason = f"{anchor} was published on {place}, and this run measured {pictures}"
    else:
        chosen, reason = _anchor_among(own or anchors.MEASURED_DEFAULT, found)
    how = "imported into this run" if header.imported_from else "measured in this run"
    groups = [CurveGroup(f"{header.dataset}, {how}", header.dataset, found, chosen, reason)]
    named, codecs_of = _published(header.cards, place)
    if named or given:
        if own and anchors.find(own, given):
            chosen, reason = _anchor_among(own, given)
        else:
            chosen, reason = _published_anchors(None if own else anchor, place)
        title = f"{place}, published (not measured in this run)"
        groups.append(CurveGroup(title, place, [*given, *named], chosen, reason, codecs_of))
    return groups


def _given_groups(given: Sequence[RDCurve], own: str | None) -> list[CurveGroup]:
    """Curves over pictures that neither the run nor the published curves have: a group per set of pictures."""
    by_pictures: dict[tuple[str, tuple[str, ...], int | None], list[RDCurve]] = {}
    for curve in given:
        by_pictures.setdefault((curve.dataset, curve.pictures, curve.picture_count), []).append(curve)
    groups = []
    for (dataset, _, count), some in by_pictures.items():
        pictures = plural(count, "picture") if count is not None else "number of pictures not stated"
        title = f"{dataset} ({pictures}), published (not measured in this run)"
        chosen: Mapping[Metric, RDCurve] = {}
        if own and anchors.find(own, some):
            chosen, reason = _anchor_among(own, some)
        elif count is not None and count == published.PICTURES.get(dataset):
            chosen, reason = anchors.defaults(dataset), ""
        else:
            reason = "none of the curves over these pictures is the anchor; --anchor names one"
        groups.append(CurveGroup(title, dataset, some, chosen, reason))
    return groups


def _is_over(curve: RDCurve, dataset: str, count: int, pictures: Collection[str] = ()) -> bool:
    """Whether a curve is over those pictures: by their names where both sides know them, else by how many there are."""
    if curve.dataset != dataset:
        return False
    if curve.pictures and pictures:
        return set(curve.pictures) == set(pictures)
    return curve.picture_count in (None, count)


def _published(cards: Sequence[CardSummary], dataset: str) -> tuple[list[RDCurve], CodecsOfCurves]:
    """The published curves that cards name, each once, and which cards name them."""
    named: dict[CurveKey, RDCurve] = {}
    codecs_of: dict[CurveKey, tuple[str, ...]] = {}
    for card in cards:
        for curve in filter(None, (curves.find(dataset, wanted) for wanted in card.published)):
            key = curve_key(curve)
            named[key] = curve
            codecs_of[key] = (*codecs_of.get(key, ()), card.name)
    return list(named.values()), codecs_of


def _published_anchors(anchor: str | None, dataset: str) -> tuple[Mapping[Metric, RDCurve], str]:
    """The published anchor asked for, or the data set's defaults; and the reason where there is none."""
    if anchor is None:
        return anchors.defaults(dataset), ""
    curve = anchors.find_published(anchor, dataset)
    return ({"psnr_db": curve, "ms_ssim_db": curve}, "") if curve else ({}, f"{anchor} was not published on {dataset}")


def _anchor_among(name: str, some: Sequence[RDCurve]) -> tuple[Mapping[Metric, RDCurve], str]:
    """The anchor of this name among some curves, and the reason where there is none."""
    curve = anchors.find(name, some)
    if curve is None:
        return {}, f"{name} has no curve over this run's pictures; --anchor takes another"
    return {"psnr_db": curve, "ms_ssim_db": curve}, ""
