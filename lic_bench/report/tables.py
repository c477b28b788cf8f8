"""The tables of a report, as frames. Every line has a column with the origin of its figures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from lic_bench.caveats import Caveat
from lic_bench.records import EVERY, Call, Measurement, Origin, Row, Training
from lic_bench.report.content import Content, View
from lic_bench.report.points import MeasuredPoint, Spread
from lic_bench.report.table import NONE, Table, table
from lic_bench.report.wording import caveat_names

if TYPE_CHECKING:
    import pandas as pd

MIB = 2**20

ABOUT_TIME_AND_MEMORY = {
    Caveat.FEW_TIMINGS, Caveat.NOT_TIMED, Caveat.SHARED_MACHINE, Caveat.BUSY_MACHINE, Caveat.MEMORY_UNKNOWN,
    Caveat.UNCOUNTED_OPS,
}  # fmt: skip
"""Caveats that stand beside times and memory; the others stand beside rate and distortion."""


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
            lines.append(line | dict(row.scores) | {"caveats": "; ".join(row.caveats)})
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
            "caveats": caveat_names([caveat for caveat in point.caveats if caveat not in ABOUT_TIME_AND_MEMORY]),
        }
        for point in content.points
    ]
    formats = {"pictures": "d", "PSNR dB": ".2f", "MS-SSIM": ".4f", "MS-SSIM dB": ".2f"}
    formats |= dict.fromkeys(("bpp", "payload bpp", "estimated bpp"), ".4f")
    formats |= {metric.heading: ".4g" for metric in content.header.metrics}
    return table("Rate and distortion per operating point", lines, formats)


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
        if point.complexity or point.parameters is not None:
            line: dict[str, Any] = {"codec": point.codec, "points": point.label}
            line |= {f"{call} kMAC/px": _kmac(point, call) for call in Call}
            line |= {
                "parameters": point.parameters,
                "origin": _origins(point),
                "lower bound": "yes" if any(one.is_lower_bound for one in point.complexity.values()) else "",
                "executed here": _executed(point),
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
        for call, counted in point.complexity.items():
            for part, kmac in counted.by_part.items():
                line = {
                    "codec": point.codec,
                    "point": point.label,
                    "call": call.value,
                    "part": part,
                    "kMAC/px": kmac,
                    "share": kmac / counted.kmac_per_pixel if counted.kmac_per_pixel else None,
                    "origin": ", ".join(counted.origins),
                }
                lines.setdefault((point.codec, call, tuple(counted.by_part.items()), part), line)
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
        caveats = [caveat for caveat in point.caveats if caveat in ABOUT_TIME_AND_MEMORY]
        lines.append(line | {"caveats": caveat_names(caveats)})
    formats = {f"{call} {what}": ".4g" for call in ("encode", "decode") for what in ("s", "min s")}
    formats |= {f"{call} n": "d" for call in ("encode", "decode")} | {"threads": "d"}
    formats |= {f"{call} {place} MiB": ".1f" for call in ("encode", "decode") for place in ("host", "device")}
    return table("Time and memory per operating point", lines, formats)


def failures(content: Content) -> Table:
    """Every failure: where, of what kind, and why."""
    lines = [
        {
            "codec": _or_all(row.codec),
            "point": _or_all(row.point),
            "picture": _or_all(row.picture),
            "kind": " ".join([row.kind.value.replace("_", " "), ", ".join(row.metrics)]).rstrip(),
            "reason": row.reason,
        }
        for row in content.failures
    ]
    return table("Failures", lines, {})


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


def _executed(point: MeasuredPoint) -> str:
    """kMAC/pixel that the code here executes, for calls where its authors' code does redundant work."""
    less = {call: one for call, one in point.complexity.items() if one.executed_kmac_per_pixel != one.kmac_per_pixel}
    return ", ".join(f"{call.value} {one.executed_kmac_per_pixel:.2f}" for call, one in less.items())


def _origins(point: MeasuredPoint) -> str:
    return ", ".join(sorted({origin for one in point.complexity.values() for origin in one.origins})) or NONE


def _kmac(point: MeasuredPoint, call: Call) -> float | None:
    return point.complexity[call].kmac_per_pixel if call in point.complexity else None


def _target(point: MeasuredPoint) -> str:
    if point.training is Training.UNTRAINED:
        return point.training.value
    return point.optimised_for or NONE


def _or_all(name: str | None) -> str:
    return "all" if name is None or name == EVERY else name


def _median(samples: Sequence[float]) -> float | None:
    spread = Spread.of(samples)
    return spread.median if spread else None
