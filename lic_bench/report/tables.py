"""Rows -> pandas frames -> CSV, Markdown and cells of the page. Every figure has a column that says its origin."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean
from typing import TYPE_CHECKING, Any

from lic_bench.analysis.bdrate import BDFigure
from lic_bench.analysis.curves import Metric, RDCurve
from lic_bench.caveats import Caveat
from lic_bench.records import Call, Measurement, Origin, Row, RunHeader, Training
from lic_bench.report.content import BD_PSNR, BD_RATE, BD_RATE_MS_SSIM, Content, View, cost_of, gather
from lic_bench.report.points import MeasuredPoint, Spread
from lic_bench.report.table import NONE, Table, table

if TYPE_CHECKING:
    import pandas as pd

SHORT: dict[Metric, str] = {"psnr_db": "PSNR", "ms_ssim_db": "MS-SSIM"}
MIB = 2**20

ABOUT_COST = {
    Caveat.FEW_TIMINGS, Caveat.NOT_TIMED, Caveat.SHARED_MACHINE, Caveat.BUSY_MACHINE, Caveat.MEMORY_UNKNOWN,
    Caveat.UNCOUNTED_OPS,
}  # fmt: skip
"""Caveats that belong beside times, memory and work; the others belong beside rate and distortion."""


def per_picture(rows: Sequence[Row]) -> pd.DataFrame:
    """One line per measured picture, with the derived rates beside the raw figures."""
    import pandas as pd

    names = ("codec", "point", "training", "origin", "dataset", "picture", "width", "height", "stream_bytes", "bpp",
             "payload_bpp", "estimated_bpp", "psnr_db", "ms_ssim", "parameters", "device", "threads")  # fmt: skip
    lines = []
    for row in rows:
        if isinstance(row, Measurement):
            line = {name: getattr(row, name) for name in names}
            line |= {"encode_seconds": _median(row.encode_seconds), "decode_seconds": _median(row.decode_seconds)}
            line |= {f"{c.call}_kmac_per_pixel": c.kmac_per_pixel for c in row.macs}
            lines.append(line | dict(row.scores) | {"caveats": "; ".join(caveat.name for caveat in row.caveats)})
    return pd.DataFrame(lines)


def quality(content: Content) -> Table:
    """Rate and distortion per operating point; untrained networks are listed without either."""
    lines = [
        {
            "codec": point.codec,
            "point": point.label,
            "trained for": _target(point),
            "pictures": point.pictures,
            "bpp": point.quality.bpp if point.quality else None,
            "payload bpp": point.payload_bpp,
            "estimated bpp": point.estimated_bpp,
            "PSNR dB": point.quality.psnr_db if point.quality else None,
            "MS-SSIM": point.quality.ms_ssim if point.quality else None,
            "MS-SSIM dB": point.quality.ms_ssim_db if point.quality else None,
            **{metric.heading: point.scores.get(metric.name) for metric in content.header.metrics},
            "origin": point.origin.value if point.quality else "none: untrained",
            "decoded elsewhere": "; ".join(agreed.text for agreed in point.fresh_process) or NONE,
            "caveats": _names([caveat for caveat in point.caveats if caveat not in ABOUT_COST]),
        }
        for point in content.points
    ]
    formats = {"pictures": "d", "PSNR dB": ".2f", "MS-SSIM": ".4f", "MS-SSIM dB": ".2f"}
    formats |= dict.fromkeys(("bpp", "payload bpp", "estimated bpp"), ".4f")
    formats |= {metric.heading: ".4g" for metric in content.header.metrics}
    return table("Rate and distortion per operating point", lines, formats)


def bd(view: View) -> Table:
    """Every BD figure of a view, with its anchor, the range it holds over, and why it is thin or missing."""
    lines = []
    for curve in view.curves:
        for name, figure in view.of(curve).items():
            low, high = figure.interval or (None, None)
            methods = figure.by_method
            lines.append(
                {
                    "codec": curve.codec,
                    "trained for": curve.optimised_for or NONE,
                    "origin": curve.source.origin.value,
                    "source": curve.source.source_id or curve.source.text,
                    "figure": name,
                    "value": figure.value,
                    "unit": figure.unit,
                    "95 % low": low,
                    "95 % high": high,
                    "Akima": methods.get("akima"),
                    "cubic": methods.get("cubic"),
                    "overlap": figure.overlap if figure.low is not None else None,
                    "points": len(figure.test_points),
                    "anchor": figure.anchor,
                    "anchor points": len(figure.anchor_points),
                    "caveats": figure.reason or _names(figure.caveats),
                }
            )
    numbers = dict.fromkeys(("value", "95 % low", "95 % high", "Akima", "cubic"), "+.2f")
    return table(f"BD figures: {view.title}", lines, numbers | {"overlap": ".0%", "points": "d", "anchor points": "d"})


def bd_overview(view: View) -> Table:
    """One line per curve, the lowest BD-rate first: the short form of `bd` for the page."""
    lines = []
    for curve in view.curves:
        figures = view.of(curve)
        rate, db, ms_ssim = (figures.get(name) for name in (BD_RATE, BD_PSNR, BD_RATE_MS_SSIM))
        told = rate or ms_ssim
        if told is None:
            continue
        interval = f"{rate.interval[0]:+.1f} to {rate.interval[1]:+.1f}" if rate and rate.interval else NONE
        lines.append(
            {
                "codec": curve.codec,
                "trained for": curve.optimised_for or NONE,
                "origin": curve.source.origin.value,
                "BD-rate %": rate.value if rate else None,
                "95 % interval": interval,
                "spread of methods": rate.spread if rate else None,
                "overlap": rate.overlap if rate and rate.low is not None else None,
                "BD-PSNR dB": db.value if db else None,
                "MS-SSIM BD-rate %": ms_ssim.value if ms_ssim else None,
                "points": len(told.test_points),
                "caveats": "; ".join(dict.fromkeys(filter(None, (_anchored(view, curve), _why(rate), _why(ms_ssim))))),
                "source": curve.source.source_id or curve.source.text,
            }
        )
    lines.sort(key=lambda line: math.inf if line["BD-rate %"] is None else line["BD-rate %"])
    against = "; ".join(f"{SHORT[metric]} against {curve.name}" for metric, curve in view.anchors.items())
    formats = {"BD-rate %": "+.2f", "MS-SSIM BD-rate %": "+.2f", "BD-PSNR dB": "+.3f", "spread of methods": ".2f"}
    return table(f"{view.title}. {against}", lines, formats | {"overlap": ".0%", "points": "d"})


def _anchored(view: View, curve: RDCurve) -> str:
    over = [SHORT[metric] for metric, anchor in view.anchors.items() if anchor is curve]
    return f"the anchor over {' and '.join(over)}" if over else ""


def _why(figure: BDFigure | None) -> str:
    """Why a figure is missing or thin."""
    if figure is None:
        return ""
    return f"no figure over {SHORT[figure.metric]}: {figure.reason}" if figure.reason else _names(figure.caveats)


def curve_points(view: View) -> Table:
    """The points of every curve in a view: the table behind its charts."""
    lines = [
        {
            "codec": curve.codec,
            "trained for": curve.optimised_for or NONE,
            "point": point.label,
            "bpp": point.bpp,
            "PSNR dB": point.psnr_db,
            "MS-SSIM": point.ms_ssim,
            "MS-SSIM dB": point.ms_ssim_db,
            "rate": curve.rate_kind,
            "origin": curve.source.origin.value,
            "source": curve.source.source_id or curve.source.text,
            "anchor": "anchor" if curve in view.anchors.values() else "",
        }
        for curve in view.curves
        for point in curve.points
    ]
    formats = {"bpp": ".4f", "PSNR dB": ".2f", "MS-SSIM": ".4f", "MS-SSIM dB": ".2f"}
    return table(f"Points of the curves: {view.title}", lines, formats)


def complexity(content: Content) -> Table:
    """kMAC/pixel of the three calls, and parameters, per network."""
    lines: dict[tuple[Any, ...], dict[str, Any]] = {}
    for point in content.points:
        if point.work or point.parameters is not None:
            line: dict[str, Any] = {"codec": point.codec, "points": point.label}
            line |= {f"{call} kMAC/px": _kmac(point, call) for call in Call}
            line |= {
                "parameters": point.parameters,
                "origin": ", ".join(sorted({work.origin for work in point.work.values()})) or NONE,
                "lower bound": "yes" if any(work.lower_bound for work in point.work.values()) else "",
                "made here": _made(point),
            }
            same = (point.codec, *list(line.values())[2:])
            if same in lines:
                lines[same]["points"] += f", {point.label}"
            else:
                lines[same] = line
    formats = {f"{call} kMAC/px": ".2f" for call in Call} | {"parameters": ",d"}
    return table("Complexity per network", list(lines.values()), formats)


def parts(content: Content) -> Table:
    """kMAC/pixel by part of the network, per network and call; the shares of a call add up to 100 %."""
    lines: dict[tuple[Any, ...], dict[str, Any]] = {}
    for point in content.points:
        for call, work in point.work.items():
            for part, kmac in work.by_part.items():
                line = {
                    "codec": point.codec,
                    "point": point.label,
                    "call": call.value,
                    "part": part,
                    "kMAC/px": kmac,
                    "share": kmac / work.kmac_per_pixel if work.kmac_per_pixel else None,
                    "origin": work.origin,
                }
                lines.setdefault((point.codec, call, tuple(work.by_part.items()), part), line)
    return table("Complexity by part", list(lines.values()), {"kMAC/px": ".2f", "share": ".1%"})


def time_and_memory(content: Content) -> Table:
    """Encode and decode times with quartiles, and peak memory, per operating point that was measured here."""
    lines = []
    here = [point for point in content.points if point.origin is Origin.MEASURED]
    for point in here:
        line: dict[str, Any] = {"codec": point.codec, "point": point.label, "training": point.training.value}
        for call, spread in ((Call.ENCODE, point.encode), (Call.DECODE, point.decode)):
            line |= _times(call, spread)
        for call in (Call.ENCODE, Call.DECODE):
            line[f"{call} host MiB"] = _mib(point, call, "host_above_loaded_bytes")
        if any(use.device_above_loaded_bytes is not None for some in here for use in some.memory.values()):
            for call in (Call.ENCODE, Call.DECODE):
                line[f"{call} device MiB"] = _mib(point, call, "device_above_loaded_bytes")
        line |= {"device": point.device, "threads": point.threads, "origin": Origin.MEASURED.value}
        lines.append(line | {"caveats": _names([caveat for caveat in point.caveats if caveat in ABOUT_COST])})
    formats = {f"{call} {what}": ".4g" for call in ("encode", "decode") for what in ("s", "min s")}
    formats |= {f"{call} n": "d" for call in ("encode", "decode")} | {"threads": "d"}
    formats |= {f"{call} {place} MiB": ".1f" for call in ("encode", "decode") for place in ("host", "device")}
    return table("Time and memory per operating point", lines, formats)


def failures(content: Content) -> Table:
    """What broke, where and why."""
    names = ("codec", "point", "picture", "stage", "reason")
    lines = [{name: _everything(getattr(row, name)) for name in names} for row in content.failures]
    return table("Failures", lines, {})


def summary(rows: Sequence[Row], header: RunHeader, anchor: str | None = None) -> list[tuple[str, ...]]:
    """The short table at the end of a run, a line per codec, the names of the columns first."""
    content = gather(rows, header, anchor, intervals=False)
    names = ("codec", "weights", "points", "bpp", "BD-rate %", "enc kMAC/px", "dec kMAC/px", "enc s", "dec s")
    codecs = dict.fromkeys(point.codec for point in content.points)
    broken = {row.codec: row for row in content.failures if row.codec not in codecs}
    lines = [_line(content, codec) for codec in codecs]
    return [names, *lines, *((name, "failed", *[NONE] * (len(names) - 2)) for name in broken)]


def _line(content: Content, codec: str) -> tuple[str, ...]:
    some = [point for point in content.points if point.codec == codec]
    rates = [point.quality.bpp for point in some if point.quality]
    return (
        codec,
        ", ".join(dict.fromkeys(point.training.value for point in some)),
        str(len(some)),
        f"{min(rates):.2f} to {max(rates):.2f}" if rates else NONE,
        _bd_cell(content.views[0], codec),
        *(_cost_cell(content, codec, call) for call in (Call.ENCODE, Call.DECODE)),
        *(_seconds_cell([getattr(point, call) for point in some]) for call in ("encode", "decode")),
    )


def _bd_cell(view: View, codec: str) -> str:
    """The measured BD-rate, the published one said to be so, or that this codec is the anchor."""
    mine = [curve for curve in view.curves if curve.codec == codec and curve.source.origin is Origin.MEASURED]
    if any(curve in view.anchors.values() for curve in mine):
        return "anchor"
    figures = [view.of(curve).get(BD_RATE) for curve in mine if curve.optimised_for != "ms-ssim"]
    values = [figure.value for figure in figures if figure and figure.value is not None]
    return f"{values[0]:+.1f}" if values else NONE


def _cost_cell(content: Content, codec: str, call: Call) -> str:
    cost = cost_of(content, codec, call)
    return NONE if cost is None else f"{'≥ ' if cost.lower_bound else ''}{cost.kmac_per_pixel:.1f}"


def _seconds_cell(spreads: Sequence[Spread | None]) -> str:
    medians = [spread.median for spread in spreads if spread]
    return f"{fmean(medians):.3g}" if medians else NONE


def _times(call: Call, spread: Spread | None) -> dict[str, Any]:
    quartiles = f"{spread.lower:.4g} to {spread.upper:.4g}" if spread else NONE
    return {
        f"{call} s": spread.median if spread else None,
        f"{call} quartiles": quartiles,
        f"{call} min s": spread.minimum if spread else None,
        f"{call} n": spread.count if spread else 0,
    }


def _mib(point: MeasuredPoint, call: Call, column: str) -> float | None:
    use = point.memory.get(call)
    found: int | None = getattr(use, column) if use else None
    return None if found is None else found / MIB


def _made(point: MeasuredPoint) -> str:
    """What the code that was run multiplies, where that is less than what its authors' code does."""
    sparing = {call: work for call, work in point.work.items() if work.executed_kmac_per_pixel != work.kmac_per_pixel}
    return ", ".join(f"{call.value} {work.executed_kmac_per_pixel:.2f}" for call, work in sparing.items())


def _kmac(point: MeasuredPoint, call: Call) -> float | None:
    return point.work[call].kmac_per_pixel if call in point.work else None


def _target(point: MeasuredPoint) -> str:
    if point.training is Training.UNTRAINED:
        return point.training.value
    return point.optimised_for or NONE


def _everything(value: str | None) -> str:
    return "all" if value in (None, "*") else str(value)


def _names(caveats: Sequence[Caveat]) -> str:
    return ", ".join(caveat.name.lower().replace("_", " ") for caveat in caveats)


def _median(samples: Sequence[float]) -> float | None:
    spread = Spread.of(samples)
    return spread.median if spread else None
