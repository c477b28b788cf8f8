"""A report on curves alone, without a run: BD figures as a table, JSON, LaTeX or Markdown, nothing but them needed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from lic_bench.analysis import anchor as anchors
from lic_bench.analysis import published, sensitivity
from lic_bench.analysis.bdrate import BDFigure
from lic_bench.analysis.curves import Metric, RDCurve, RDPoint
from lic_bench.analysis.sensitivity import Convention
from lic_bench.errors import RequestError
from lic_bench.report import bd_tables, tables
from lic_bench.report.content import BD_RATE, View, view
from lic_bench.report.groups import CurveGroup, CurveKey, curve_key
from lic_bench.report.table import Table
from lic_bench.report.wording import METRIC_NAMES, plural


def views(some: Sequence[RDCurve], anchor: str | None = None, first: bool = False) -> tuple[View, ...]:
    """Curves over equal pictures together, each group against one anchor.

    `anchor` names a curve among them or a published one (NAME or NAME/SOURCE). Without it the anchor is the first
    curve where `first` says so; else the data set's published default where the curves are over its pictures, else the
    measured jpeg, else the first. Raises RequestError for an anchor that does not exist, and where nothing is given.
    """
    if not some:
        raise RequestError("There is no curve to compare: nothing that was named has a trained or classical codec.")
    if anchor is not None:
        for dataset in dict.fromkeys(curve.dataset for curve in some):
            anchors.check(anchor, (), dataset, some)
    groups: dict[tuple[str, int | None], list[RDCurve]] = {}
    for curve in _distinct(some):
        groups.setdefault((curve.dataset, curve.picture_count), []).append(curve)
    return tuple(view(_group(dataset, count, own, anchor, first)) for (dataset, count), own in groups.items())


def main_tables(one: View) -> list[Table]:
    """What is shown at first: the overview, and codecs against each other where pictures are known."""
    return _filled([bd_tables.overview(one), bd_tables.pairs(one)])


def further_tables(one: View) -> list[Table]:
    """Everything else: every figure, over pictures, sensitivity, differences along the curves, the points."""
    tested = [curve for curve in one.curves if BD_RATE in one.figures_of(curve)]
    return _filled(
        [
            bd_tables.every_figure(one),
            bd_tables.against_counterpart(one),
            bd_tables.over_pictures(one),
            bd_tables.sensitivities(one, tested),
            bd_tables.rate_differences(one, tested),
            tables.curve_points(one),
        ]
    )


def markdown(some: Sequence[View]) -> str:
    """The whole report: the tables, what is to be said of them, and where the curves come from."""
    parts = ["# BD figures"]
    for one in some:
        parts += [table.to_markdown().strip() for table in main_tables(one)]
        parts += [f"- {remark}" for remark in _remarks(one)]
        parts += [table.to_markdown().strip() for table in further_tables(one)]
        parts.append("## Sources\n\n" + "\n".join(f"- {line}" for line in _sources(one)))
    return "\n\n".join(parts) + "\n"


def to_json(some: Sequence[View]) -> str:
    """Every figure in full precision, with what the tables show."""
    return json.dumps([_object(one) for one in some], indent=2)


def _distinct(some: Sequence[RDCurve]) -> list[RDCurve]:
    """The curves, each once; RequestError where two different ones cannot be distinguished by name and source."""
    found: dict[CurveKey, RDCurve] = {}
    for curve in some:
        if found.setdefault(curve_key(curve), curve) != curve:
            raise RequestError(
                f"{curve.name} on {curve.dataset} stands for two different curves; rename a file or folder, so that "
                "they can be distinguished."
            )
    return list(found.values())


def _group(dataset: str, count: int | None, own: Sequence[RDCurve], anchor: str | None, first: bool) -> CurveGroup:
    pictures = plural(count, "picture") if count is not None else "number of pictures not stated"
    chosen, reason = _anchors(dataset, count, own, anchor, first)
    return CurveGroup(f"{dataset}, {pictures}", dataset, own, chosen, reason)


def _anchors(
    dataset: str, count: int | None, own: Sequence[RDCurve], anchor: str | None, first: bool
) -> tuple[Mapping[Metric, RDCurve], str]:
    whole = count is not None and count == published.PICTURES.get(dataset)
    if anchor is not None:
        found = anchors.find(anchor, own) or (anchors.find_published(anchor, dataset) if whole else None)
        reason = f"{anchor} has no curve over these pictures"
        return (dict.fromkeys(METRIC_NAMES, found), "") if found else ({}, reason)
    if whole and not first and (defaults := anchors.defaults(dataset)):
        return defaults, ""
    found = own[0] if first else anchors.find(anchors.MEASURED_DEFAULT, own) or own[0]
    return dict.fromkeys(METRIC_NAMES, found), ""


def _remarks(one: View) -> list[str]:
    return [f"No BD figure: {one.no_anchor}."] if one.no_anchor else bd_tables.remarks(one)


def _sources(one: View) -> list[str]:
    """A line per source: its citation and licence."""
    found = {}
    for curve in one.curves:
        licence = f"; licence: {curve.source.licence}" if curve.source.licence else ""
        found[curve.source.source_id or curve.source.text] = f"{curve.source.text} ({curve.source.origin}{licence})"
    return [f"{name}: {text}" for name, text in found.items()]


def _filled(some: Sequence[Table]) -> list[Table]:
    return [table for table in some if len(table.frame)]


def _object(one: View) -> dict[str, Any]:
    anchor = one.anchors.get("psnr_db")
    return {
        "title": one.title,
        "dataset": one.dataset,
        "anchors": {metric: curve.name for metric, curve in one.anchors.items()},
        "curves": [_curve(one, curve, anchor) for curve in one.curves],
        "pairs": bd_tables.pairs(one).frame.to_dict("records"),
        "remarks": _remarks(one),
    }


def _curve(one: View, curve: RDCurve, anchor: RDCurve | None) -> dict[str, Any]:
    found: dict[str, Any] = {
        "codec": curve.codec,
        "name": curve.name,
        "trained_for": curve.optimised_for,
        "origin": curve.source.origin,
        "rate_kind": curve.rate_kind,
        "points": [_point(point) for point in curve.points],
        "figures": {name: _figure(figure) for name, figure in one.figures_of(curve).items()},
    }
    if anchor is not None and BD_RATE in one.figures_of(curve):
        conventions = sensitivity.by_convention(anchor, curve)
        if "ms_ssim_db" in one.anchors:
            over_ms_ssim = sensitivity.by_convention(one.anchors["ms_ssim_db"], curve, "ms_ssim_db")
            conventions |= {kind: f for kind, f in over_ms_ssim.items() if kind is Convention.MEAN_OF_MS_SSIM_DB}
        found["sensitivity"] = {
            "left_out": [asdict(left_out) for left_out in sensitivity.leave_one_out(anchor, curve)],
            "conventions": {convention: figure.value for convention, figure in conventions.items()},
            "parts": [asdict(part) for part in sensitivity.over_parts(anchor, curve)],
        }
        found["rate_difference"] = sensitivity.rate_difference(anchor, curve)
    return found


def _figure(figure: BDFigure) -> dict[str, Any]:
    names = ("value", "unit", "anchor", "by_method", "spread", "overlap", "low", "high", "interval", "probability",
             "comparison", "interval_reason", "caveats", "reason", "by_picture")  # fmt: skip
    return {name: getattr(figure, name) for name in names}


def _point(point: RDPoint) -> dict[str, Any]:
    return {"label": point.label, "bpp": point.bpp, "psnr_db": point.psnr_db, "ms_ssim": point.ms_ssim}
