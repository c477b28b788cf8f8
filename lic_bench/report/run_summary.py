"""The short table at the end of a run: a line per codec."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from lic_bench.records import Call, Origin, Row, RunHeader
from lic_bench.report.content import BD_RATE, Content, View, complexity_range, gather
from lic_bench.report.points import Spread
from lic_bench.report.table import NONE

COLUMNS = ("codec", "weights", "points", "bpp", "BD-rate %", "enc kMAC/px", "dec kMAC/px", "enc s", "dec s")


def run_summary(rows: Sequence[Row], header: RunHeader, anchor: str | None = None) -> list[tuple[str, ...]]:
    """A line of cells per codec, those that failed altogether last; the names of the columns first."""
    content = gather(rows, header, anchor, intervals=False)
    codecs = dict.fromkeys(point.codec for point in content.points)
    failed = dict.fromkeys(row.codec for row in content.failures if row.codec not in codecs)
    lines = [_line(content, codec) for codec in codecs]
    return [COLUMNS, *lines, *((name, "failed", *[NONE] * (len(COLUMNS) - 2)) for name in failed)]


def _line(content: Content, codec: str) -> tuple[str, ...]:
    points = [point for point in content.points if point.codec == codec]
    rates = [point.quality.bpp for point in points if point.quality]
    return (
        codec,
        ", ".join(dict.fromkeys(point.training.value for point in points)),
        str(len(points)),
        f"{min(rates):.2f} to {max(rates):.2f}" if rates else NONE,
        _bd_cell(content.views[0], codec),
        *(_complexity_cell(content, codec, call) for call in (Call.ENCODE, Call.DECODE)),
        *(_seconds_cell(spreads) for spreads in ([p.encode for p in points], [p.decode for p in points])),
    )


def _bd_cell(view: View, codec: str) -> str:
    """The measured BD-rate over PSNR, or that this codec is the anchor."""
    own = [curve for curve in view.curves if curve.codec == codec and curve.source.origin is Origin.MEASURED]
    if any(curve in view.anchors.values() for curve in own):
        return "anchor"
    figures = [view.figures_of(curve).get(BD_RATE) for curve in own if curve.optimised_for != "ms-ssim"]
    values = [figure.value for figure in figures if figure and figure.value is not None]
    return f"{values[0]:+.1f}" if values else NONE


def _complexity_cell(content: Content, codec: str, call: Call) -> str:
    found = complexity_range(content, codec, call)
    return NONE if found is None else f"{'≥ ' if found.is_lower_bound else ''}{found.kmac_per_pixel:.1f}"


def _seconds_cell(spreads: Sequence[Spread | None]) -> str:
    medians = [spread.median for spread in spreads if spread]
    return f"{fmean(medians):.3g}" if medians else NONE
