"""Which curves may stand in one chart: one data set, the same pictures, one anchor per metric.

Where the run's pictures are the published ones, measured and published curves share a group; else they get one each.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from lic_bench.analysis import anchor as anchors
from lic_bench.analysis import curves, published
from lic_bench.analysis.curves import Metric, RDCurve
from lic_bench.records import CardSummary, RunHeader

RDCurveKey = tuple[str, str, str | None, str]


@dataclass(frozen=True)
class Group:
    """A view before its figures are worked out: curves that may stand in one chart, and what they are held against.

    `owner` maps a published curve to the codecs of the run whose cards name it; `no_anchor` is why there is none.
    """

    title: str
    dataset: str
    curves: Sequence[RDCurve]
    anchors: Mapping[Metric, RDCurve]
    no_anchor: str = ""
    owner: Mapping[RDCurveKey, tuple[str, ...]] = field(default_factory=dict)


def counted(number: int, thing: str) -> str:
    """A number with its noun: "1 picture", "24 pictures"."""
    return f"{number} {thing}{'' if number == 1 else 's'}"


def key(curve: RDCurve) -> RDCurveKey:
    """What tells one curve of a view from another."""
    return curve.codec, curve.source.source_id, curve.optimised_for, curve.dataset


def groups(
    header: RunHeader,
    found: Sequence[RDCurve],
    given: Sequence[RDCurve],
    cards: Sequence[CardSummary],
    anchor: str | None,
    codecs: Collection[str],
) -> list[Group]:
    """The groups of a run's own curves `found`, of published ones `given` besides, and of those that cards name."""
    own = anchor if anchor and (anchor in codecs or anchors.among(anchor, given)) else None
    pictures = {picture.name for picture in header.pictures}
    mine = [curve for curve in given if _over(curve, header.dataset, len(pictures), pictures)]
    others = [curve for curve in given if curve not in mine]
    if published.PICTURES.get(header.dataset) == len(header.pictures):
        first = [_joint_group(header.dataset, [*found, *mine], cards, anchor, own)]
    else:
        place = anchors.PUBLISHED_DATASET
        known = [curve for curve in others if _over(curve, place, published.PICTURES[place])]
        others = [curve for curve in others if curve not in known]
        first = _separate_groups(header, [*found, *mine], known, cards, anchor, own)
    return first + _given_groups(others, own)


def _joint_group(
    dataset: str, found: Sequence[RDCurve], cards: Sequence[CardSummary], anchor: str | None, own: str | None
) -> Group:
    """Measured and published curves together: the run covers exactly the published pictures."""
    named, owner = _published(cards, dataset)
    chosen, why = _measured_anchor(own, found) if own else _published_anchors(anchor, dataset)
    return Group(f"{dataset}, measured and published", dataset, [*found, *named], chosen, why, owner)


def _separate_groups(
    header: RunHeader,
    found: Sequence[RDCurve],
    given: Sequence[RDCurve],
    cards: Sequence[CardSummary],
    anchor: str | None,
    own: str | None,
) -> list[Group]:
    """What was measured, and apart from it what was published on other pictures; `given` belongs to the latter."""
    place = anchors.PUBLISHED_DATASET
    chosen: dict[Metric, RDCurve] = {}
    if anchor and not own:
        pictures = f"{counted(len(header.pictures), 'picture')} of {header.dataset}"
        why = f"{anchor} was published on {place}, and this run measured {pictures}"
    else:
        chosen, why = _measured_anchor(own or anchors.MEASURED_DEFAULT, found)
    how = "imported into this run" if header.imported_from else "measured in this run"
    groups = [Group(f"{header.dataset}, {how}", header.dataset, found, chosen, why)]
    named, owner = _published(cards, place)
    if named or given:
        asked = anchors.among(own, given) if own else None
        chosen, why = (
            _measured_anchor(own, given) if own and asked else _published_anchors(None if own else anchor, place)
        )
        shown = [*given, *named]
        groups.append(Group(f"{place}, published (not measured in this run)", place, shown, chosen, why, owner))
    return groups


def _given_groups(given: Sequence[RDCurve], own: str | None) -> list[Group]:
    """Curves over pictures that neither the run nor the published curves shown have: a view per set of pictures."""
    alike: dict[tuple[str, tuple[str, ...], int | None], list[RDCurve]] = {}
    for curve in given:
        alike.setdefault((curve.dataset, curve.pictures, curve.picture_count), []).append(curve)
    groups = []
    for (dataset, _, count), some in alike.items():
        pictures = counted(count, "picture") if count is not None else "pictures not told"
        title = f"{dataset} ({pictures}), published (not measured in this run)"
        if own and anchors.among(own, some):
            chosen, why = _measured_anchor(own, some)
        elif count is not None and count == published.PICTURES.get(dataset):
            chosen, why = anchors.defaults(dataset), ""
        else:
            chosen, why = {}, "none of the curves over these pictures is the anchor; --anchor names one"
        groups.append(Group(title, dataset, some, chosen, why))
    return groups


def _over(curve: RDCurve, dataset: str, count: int, pictures: Collection[str] = ()) -> bool:
    """Whether a curve is over those pictures: by their names where both sides know them, else by how many there are."""
    if curve.dataset != dataset:
        return False
    if curve.pictures and pictures:
        return set(curve.pictures) == set(pictures)
    return curve.picture_count in (None, count)


def _published(cards: Sequence[CardSummary], dataset: str) -> tuple[list[RDCurve], dict[RDCurveKey, tuple[str, ...]]]:
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
        return {}, f"{name} has no curve over this run's pictures; --anchor takes another"
    return {"psnr_db": curve, "ms_ssim_db": curve}, ""
