"""The tables of BD figures: with intervals, over pictures, between measured codecs, and how sensitive they are."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations
from typing import Any

from lic_bench.analysis import sensitivity
from lic_bench.analysis.bdrate import BDFigure, bd_rate
from lic_bench.analysis.curves import RDCurve
from lic_bench.analysis.sensitivity import Convention, Disagreement, Side
from lic_bench.records import Origin
from lic_bench.report.content import BD_MS_SSIM, BD_PSNR, BD_RATE, BD_RATE_MS_SSIM, View
from lic_bench.report.groups import curve_key
from lic_bench.report.table import NONE, Table, table
from lic_bench.report.wording import METRIC_NAMES, caveat_names

SIGNED = "+.2f"


def every_figure(view: View) -> Table:
    """Every BD figure of a view, with its anchor, the overlap it holds over, and its caveats or why it is missing."""
    lines = []
    for curve in view.curves:
        for name, figure in view.figures_of(curve).items():
            low, high = figure.interval or (None, None)
            methods = figure.by_method
            lines.append(
                {
                    "codec": curve.codec,
                    "trained for": curve.optimised_for or NONE,
                    "origin": curve.source.origin.value,
                    "figure": name,
                    "unit": figure.unit,
                    "value": figure.value,
                    "95 % low": low,
                    "95 % high": high,
                    "P(better)": figure.probability,
                    "than the anchor": figure.comparison.value,
                    "Akima": methods.get("akima"),
                    "cubic": methods.get("cubic"),
                    "overlap": figure.overlap if figure.low is not None else None,
                    "points": len(figure.test_points),
                    "anchor": figure.anchor,
                    "anchor points": len(figure.anchor_points),
                    "caveats": figure.reason if figure.refusal else caveat_names(figure.caveats),
                }
            )
    numbers = dict.fromkeys(("value", "95 % low", "95 % high", "Akima", "cubic"), SIGNED) | {"P(better)": ".3f"}
    return table(f"BD figures: {view.title}", lines, numbers | {"overlap": ".0%", "points": "d", "anchor points": "d"})


def overview(view: View) -> Table:
    """One line per curve, the lowest BD-rate first: the short form of `every_figure`."""
    lines = []
    for curve in view.curves:
        figures = view.figures_of(curve)
        rate, db, ms_ssim, ms_ssim_db = (figures.get(name) for name in (BD_RATE, BD_PSNR, BD_RATE_MS_SSIM, BD_MS_SSIM))
        first = rate or ms_ssim
        if first is None:
            continue
        lines.append(
            {
                "codec": curve.codec,
                "trained for": curve.optimised_for or NONE,
                "origin": curve.source.origin.value,
                "BD-rate %": rate.value if rate else None,
                "95 % interval": _interval(rate),
                "P(better)": rate.probability if rate else None,
                "than the anchor": rate.comparison.value if rate and rate.value is not None else NONE,
                "spread of methods": rate.spread if rate else None,
                "overlap": rate.overlap if rate and rate.low is not None else None,
                "BD-PSNR dB": db.value if db else None,
                "MS-SSIM BD-rate %": ms_ssim.value if ms_ssim else None,
                "BD-MS-SSIM dB": ms_ssim_db.value if ms_ssim_db else None,
                "points": len(first.test_points),
                "caveats": "; ".join(dict.fromkeys(filter(None, (_anchored(view, curve), _why(rate), _why(ms_ssim))))),
                "source": curve.source.source_id or curve.source.text,
            }
        )
    lines.sort(key=lambda line: math.inf if line["BD-rate %"] is None else line["BD-rate %"])
    against = "; ".join(f"{METRIC_NAMES[metric]} against {curve.name}" for metric, curve in view.anchors.items())
    formats = {"BD-rate %": SIGNED, "MS-SSIM BD-rate %": SIGNED, "BD-PSNR dB": "+.3f", "BD-MS-SSIM dB": "+.3f"}
    formats |= {"spread of methods": ".2f", "P(better)": ".3f", "overlap": ".0%", "points": "d"}
    return table(f"{view.title}. {against}", lines, formats)


def over_pictures(view: View) -> Table:
    """Mean, median, best and worst BD figure over single pictures, for curves whose pictures are known."""
    lines = []
    for curve in view.curves:
        for name, figure in view.figures_of(curve).items():
            spread = figure.pictures
            if spread:
                lines.append(
                    {
                        "codec": curve.codec,
                        "figure": name,
                        "unit": figure.unit,
                        "of the averaged curves": figure.value,
                        "mean": spread.mean,
                        "median": spread.median,
                        "best": spread.best[1],
                        "best picture": spread.best[0],
                        "worst": spread.worst[1],
                        "worst picture": spread.worst[0],
                        "pictures": spread.pictures,
                    }
                )
    numbers = dict.fromkeys(("of the averaged curves", "mean", "median", "best", "worst"), SIGNED)
    return table(f"BD figures over pictures: {view.title}", lines, numbers | {"pictures": "d"})


def pairs(view: View) -> Table:
    """BD-rate over PSNR between every two curves whose pictures are known, and whether one is better."""
    lines = []
    known = [curve for curve in view.curves if curve.pictures and curve.optimised_for != "ms-ssim"]
    for one, other in combinations(known, 2):
        figure = bd_rate(other, one)
        lines.append(
            {
                "A": one.codec,
                "B": other.codec,
                "BD-rate % of A against B": figure.value,
                "95 % interval": _interval(figure),
                "P(A beats B)": figure.probability,
                "A is": figure.comparison.value if figure.value is not None else figure.reason,
            }
        )
    formats = {"BD-rate % of A against B": SIGNED, "P(A beats B)": ".3f"}
    return table(f"Codecs against each other: {view.title}", lines, formats)


def sensitivities(view: View, curves: Sequence[RDCurve]) -> Table:
    """How far the BD-rate over PSNR moves without single points, under other conventions, over thirds of the range."""
    anchor = view.anchors.get("psnr_db")
    lines = []
    for curve in curves:
        figure = view.figures_of(curve).get(BD_RATE)
        if anchor is None or figure is None or figure.value is None:
            continue
        left_out = sensitivity.leave_one_out(anchor, curve)
        known = [(one.value, _left_out(one)) for one in left_out if one.value is not None]
        least, most = min(known, default=(None, "")), max(known, default=(None, ""))
        line: dict[str, Any] = {
            "codec": curve.codec,
            "BD-rate %": figure.value,
            "least without a point": least[0],
            "that point": least[1],
            "most without a point": most[0],
            "that point ": most[1],
        }
        conventions = sensitivity.by_convention(anchor, curve)
        for convention in (Convention.PSNR_OF_MEAN_MSE, Convention.PAYLOAD_BITS):
            line[convention.value] = conventions[convention].value if convention in conventions else None
        for name, part in zip(
            ("lowest third", "middle third", "highest third"), sensitivity.over_parts(anchor, curve), strict=False
        ):
            line[name] = part.value
        line |= _ms_ssim_by_convention(view, curve)
        lines.append(line)
    formats = {name: SIGNED for line in lines for name, value in line.items() if not isinstance(value, str)}
    return table(f"What the BD-rates owe to points, conventions and range: {view.title}", lines, formats)


def _ms_ssim_by_convention(view: View, curve: RDCurve) -> dict[str, float | None]:
    """The BD-rate over MS-SSIM, by the dB of the mean and by the mean of dB; None where there is none."""
    anchor, figure = view.anchors.get("ms_ssim_db"), view.figures_of(curve).get(BD_RATE_MS_SSIM)
    other = sensitivity.by_convention(anchor, curve, "ms_ssim_db") if anchor else {}
    mean_of_db = other.get(Convention.MEAN_OF_MS_SSIM_DB)
    return {
        BD_RATE_MS_SSIM: figure.value if figure else None,
        Convention.MEAN_OF_MS_SSIM_DB.value: mean_of_db.value if mean_of_db else None,
    }


def against_counterpart(view: View) -> Table:
    """BD-rates against the anchor and against another run of its encoder, where the anchor is scored otherwise."""
    lines = []
    for curve in view.curves:
        other = view.against_counterpart.get(curve_key(curve))
        figure = view.figures_of(curve).get(BD_RATE)
        if other and figure and figure.value is not None and other.value is not None:
            lines.append(
                {
                    "codec": curve.codec,
                    "origin": curve.source.origin.value,
                    f"BD-rate % against {figure.anchor}": figure.value,
                    f"against {other.anchor}": other.value,
                    "difference": other.value - figure.value,
                }
            )
    formats = {name: SIGNED for line in lines for name, value in line.items() if not isinstance(value, str)}
    return table(f"Against another run of the anchor's encoder: {view.title}", lines, formats)


def rate_differences(view: View, curves: Sequence[RDCurve], points: int = 7) -> Table:
    """The relative rate difference along the curves, at some qualities between the ends of what both reach."""
    anchor = view.anchors.get("psnr_db")
    lines = []
    for curve in curves:
        if anchor is not None and curve_key(curve) != curve_key(anchor):
            for quality, percent in sensitivity.rate_difference(anchor, curve, points=points):
                lines.append({"codec": curve.codec, "PSNR dB": quality, "rate %": percent})
    return table(f"Rate difference along the curves: {view.title}", lines, {"PSNR dB": ".2f", "rate %": SIGNED})


def remarks(view: View) -> list[str]:
    """What is to be said of a view's BD figures in sentences: intervals, the anchor, figures that disagree."""
    said = []
    figures = [figure for curve in view.curves for figure in view.figures_of(curve).values()]
    reasons = dict.fromkeys(f.interval_reason for f in figures if f.value is not None and f.interval is None)
    if reasons:
        some = "" if all(f.interval is None for f in figures) else " for some figures"
        said.append(f"Intervals not available{some}: {'; '.join(filter(None, reasons))}.")
    if view.counterpart is not None:
        anchor = view.anchors["psnr_db"]
        said.append(
            f"The PSNR of {anchor.name} was taken against the original after the encoder's own colour conversion, not "
            "against the picture as given (docs/anchors.md, `lic-bench audit --claims anchors`). BD-rates against "
            f"{view.counterpart.name}, another run of the same encoder, stand beside those against it."
        )
    return said + [disagreement_text(one) for one in view.disagreements]


def disagreement_text(found: Disagreement) -> str:
    """Why the BD-rate and the BD-PSNR of a curve disagree on which is better, in sentences."""
    rate, quality = found.rate, found.quality
    crossed = " and ".join(f"{crossing:.1f}" for crossing in found.crossings)
    where = f"and they cross at {crossed} dB" if crossed else "and they do not cross inside of it"
    return (
        f"{rate.test} against {rate.anchor}: BD-rate {rate.value:+.2f} % and BD-PSNR {quality.value:+.3f} dB disagree "
        "on which is better. The area between two curves is the same along either axis, but each figure cuts it "
        f"elsewhere: the BD-rate takes the qualities that both reach ({rate.low:.1f} to {rate.high:.1f} dB; it needs "
        f"less rate over {found.saves_over:.0%} of them), the BD-PSNR the rates that both reach "
        f"({10 ** (quality.low or 0):.3g} to {10 ** (quality.high or 0):.3g} bpp; it is better over "
        f"{found.better_over:.0%} of them, on a logarithmic scale). The curves are near each other, {where}, so what "
        "lies at the ends decides the sign."
    )


def own(view: View) -> list[RDCurve]:
    """The curves that were measured."""
    return [curve for curve in view.curves if curve.source.origin is Origin.MEASURED]


def _left_out(one: sensitivity.LeftOut) -> str:
    return f"{one.label} of the {'anchor' if one.side is Side.ANCHOR else 'codec'}"


def _interval(figure: BDFigure | None) -> str:
    return f"{figure.interval[0]:+.1f} to {figure.interval[1]:+.1f}" if figure and figure.interval else NONE


def _anchored(view: View, curve: RDCurve) -> str:
    over = [METRIC_NAMES[metric] for metric, anchor in view.anchors.items() if anchor is curve]
    return f"the anchor over {' and '.join(over)}" if over else ""


def _why(figure: BDFigure | None) -> str:
    """Why a figure is missing, or its caveats."""
    if figure is None:
        return ""
    if figure.refusal:
        return f"no figure over {METRIC_NAMES[figure.metric]}: {figure.reason}"
    return caveat_names(figure.caveats)
