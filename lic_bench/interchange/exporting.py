"""A run's measurements as result files of other tools: means per operating point, or a row per picture.

Untrained networks have no rate and no distortion and are not written. What a format cannot hold is reported.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median
from typing import Any

from lic_bench.analysis import curves
from lic_bench.analysis.curves import Rate, RDCurve, RDPoint
from lic_bench.analysis.text_tables import TableError
from lic_bench.caveats import Caveat
from lic_bench.errors import RequestError, did_you_mean
from lic_bench.interchange import formats
from lic_bench.interchange.formats import ResultFile, ResultFormat
from lic_bench.records import Measurement, Origin, RunHeader, Training

RATE_TEXTS: dict[Rate, str] = {
    "stream": "the whole self-contained stream",
    "payload": "the entropy-coded strings alone",
    "estimated": "the likelihoods' estimate, nothing coded",
}

PER_PICTURE = (ResultFormat.COOL_CHIC, ResultFormat.CODEC_COMPARE)
"""The formats with a row per picture; the others hold means per operating point."""

COLUMNS = {
    ResultFormat.COMPRESSAI: {
        "bpp": "bpp", "psnr-rgb": "psnr_db", "ms-ssim-rgb": "ms_ssim", "encoding_time": "encode_seconds",
        "decoding_time": "decode_seconds",
    },
    ResultFormat.TENSORFLOW_COMPRESSION: {"q": "label", "bpp": "bpp", "psnr": "psnr_db", "msssim": "ms_ssim"},
    ResultFormat.COOL_CHIC: {
        "seq_name": "picture", "point": "label", "rate_bpp": "bpp", "psnr_db": "psnr_db", "ms_ssim": "ms_ssim",
    },
    ResultFormat.CODEC_COMPARE: {
        "original_name": "picture", "width": "width", "height": "height", "quality": "label",
        "encoded_size": "stream_bytes", "encoding_time": "encode_seconds", "decoding_time": "decode_seconds",
        "psnr": "psnr_db", "ms_ssim": "ms_ssim",
    },
}  # fmt: skip
"""Each format's columns in their order, and our quantity in each."""

MEANINGS = {
    "name": "Title of the codec",
    "codec": "Name of the codec",
    "version": "What made this batch",
    "time": "When the run began, UTC",
    "dataset": "Name of the data set",
    "rate": "Which bits are counted: those of the whole stream",
    "trained_for": "What the codec was trained for: mse, ms-ssim, none or unknown",
    "description": "What else is to be known",
    "original_name": "Name of the picture",
    "width": "Width of the picture in pixels",
    "height": "Height of the picture in pixels",
    "quality": "Operating point",
    "encoded_size": "Bytes of the whole self-contained stream",
    "encoding_time": "Seconds to encode, the median of the timed passes",
    "decoding_time": "Seconds to decode, the median of the timed passes",
    "psnr": "Peak signal-to-noise ratio over 8-bit RGB in dB",
    "ms_ssim": "Multi-scale structural similarity, linear",
}
"""Descriptions of the constants and fields of codec-compare's files."""

_COMPLEXITY = "scores of other metrics, MACs, parameters, memory, checksums and the conditions of the run"
NOT_HELD = {
    ResultFormat.COMPRESSAI: f"the points' labels, single pictures, all timed passes but their median, {_COMPLEXITY}",
    ResultFormat.TENSORFLOW_COMPRESSION: (
        f"the codec's name, the data set, the kind of rate, single pictures, times, {_COMPLEXITY}"
    ),
    ResultFormat.COOL_CHIC: f"the codec's name, the data set, the kind of rate, times, {_COMPLEXITY}",
    ResultFormat.CODEC_COMPARE: f"payload and estimated rates, all timed passes but their median, {_COMPLEXITY}",
}
"""What a format has no place for, whatever the codec."""


@dataclass(frozen=True)
class RunCurve:
    """One curve of a run with the rows behind it, by operating point. `stem` is its file's name without the suffix."""

    curve: RDCurve
    rows: Mapping[str, Sequence[Measurement]]
    header: RunHeader
    rate: Rate
    stem: str

    @property
    def description(self) -> str:
        """What a reader must know of the figures."""
        header, count = self.header, self.curve.picture_count or 0
        if self.curve.source.origin is Origin.MEASURED:
            who = f"Measured by lic-bench {header.lic_bench}"
        else:
            who = f"Not measured by lic-bench but imported from {', '.join(file.name for file in header.imported_from)}"
        return (
            f"{who} on {count} picture{'' if count == 1 else 's'} of {self.curve.dataset}, {header.started}. "
            f"Rate: {RATE_TEXTS[self.rate]}. PSNR over 8-bit RGB."
        )


def run_curves(
    header: RunHeader, measured: Sequence[Measurement], codec: str | None = None, rate: Rate = "stream"
) -> tuple[list[RunCurve], list[str]]:
    """The curves of a run, and sentences on codecs that have none. RequestError where nothing is left to write."""
    there = list(dict.fromkeys(row.codec for row in measured))
    if codec is not None and codec not in there:
        hint = did_you_mean(codec, there) or f"There is {', '.join(there)}."
        raise RequestError(f"There is no codec called {codec!r} in this run. {hint}")
    rows = [row for row in measured if codec in (None, row.codec)]
    untrained = list(dict.fromkeys(row.codec for row in rows if row.training is Training.UNTRAINED))
    skipped = [f"{name} ran untrained: it has no rate and no distortion, and is not exported." for name in untrained]
    found = curves.measured(rows, header.started, rate, header.cards)
    without = {row.codec for row in rows} - {curve.codec for curve in found} - set(untrained)
    skipped += [f"{name} has no {rate} rate and is not exported." for name in sorted(without)]
    if not found:
        raise RequestError(" ".join(["There is nothing to export.", *skipped]))
    by_point: dict[tuple[str, str], list[Measurement]] = {}
    for row in rows:
        by_point.setdefault((row.codec, row.point), []).append(row)
    chosen = []
    for curve, stem in zip(found, _stems(found), strict=True):
        of_curve = {
            point.label: [row for row in by_point[curve.codec, point.label] if row.picture in point.by_picture]
            for point in curve.points
        }
        chosen.append(RunCurve(curve, of_curve, header, rate, stem))
    return chosen, skipped


def result_file(one: RunCurve, form: ResultFormat, plain_keys: bool = False) -> tuple[ResultFile, list[str]]:
    """A curve as a result file, and what of the curve is left out.

    `plain_keys` drops "-rgb" from CompressAI's keys, as in older files. Raises RequestError for a rate that the format
    has not, and where no operating point is left.
    """
    import pandas as pd

    if form is ResultFormat.CODEC_COMPARE and one.rate != "stream":
        raise RequestError("codec-compare counts the bytes of files; --rate stream is the only rate it has.")
    records, left_out = _per_picture(one) if form in PER_PICTURE else _means(one)
    if form is ResultFormat.CODEC_COMPARE:
        left_out = _fit_codec_compare(records)
    names = COLUMNS[form]
    table = pd.DataFrame(records, dtype=object)[list(names.values())].set_axis(list(names), axis=1)
    kept = table.dropna(axis=1, how="all" if form in PER_PICTURE else "any")  # plots cannot hold a gap between means
    gaps = [name for name in table.columns if name not in kept.columns]
    if gaps and form not in PER_PICTURE:
        left_out.append(f"{', '.join(gaps)}, which not every point has")
    if plain_keys:
        kept = kept.rename(columns=lambda name: name.removesuffix("-rgb"))
    return ResultFile(form, kept, _facts(one, form)), left_out


def text(one: RunCurve, form: ResultFormat, plain_keys: bool = False) -> tuple[str, list[str]]:
    """The text of a curve's result file, and what of the curve is left out. Raises RequestError as `result_file`."""
    file, left_out = result_file(one, form, plain_keys)
    try:
        return formats.write(file, MEANINGS), left_out
    except TableError as error:
        raise RequestError(f"{one.stem} cannot be written as {form}: {error}.") from error


def _facts(one: RunCurve, form: ResultFormat) -> dict[str, Any]:
    """What a file says about the whole; CSV and TSV have no place for it."""
    curve = one.curve
    common = {"dataset": curve.dataset, "rate": one.rate, "trained_for": curve.optimised_for or "none"}
    if form is ResultFormat.COMPRESSAI:
        about = {"name": curve.codec, "description": one.description}
        return about | common | {"pictures": curve.picture_count}
    if form is ResultFormat.CODEC_COMPARE:
        version = f"lic-bench {one.header.lic_bench}"
        about = {"name": curve.title, "codec": curve.codec, "version": version, "time": one.header.started}
        return about | common | {"description": one.description}
    return {}


def _means(one: RunCurve) -> tuple[list[dict[str, Any]], list[str]]:
    """A record per operating point, and what is left out: points over other pictures than the curve's."""
    points = [point for point in one.curve.points if Caveat.DIFFERENT_PICTURES not in point.caveats]
    other = [point.label for point in one.curve.points if point not in points]
    if not points:
        raise RequestError(f"No operating point of {one.curve.codec} has all pictures; its means cannot be exported.")
    left_out = [f"point {', '.join(other)}, which lacks pictures that the others have"] if other else []
    mixed = [point.label for point in points if Caveat.LOSSLESS in point.caveats and point.psnr_db is not None]
    left_out += [f"the lossless pictures of point {', '.join(mixed)}, which are not in its mean PSNR"] if mixed else []
    return [
        {
            "label": point.label,
            "bpp": point.bpp,
            "psnr_db": _mean_psnr(point),
            "ms_ssim": point.ms_ssim,
            "encode_seconds": _mean_seconds([row.encode_seconds for row in one.rows[point.label]]),
            "decode_seconds": _mean_seconds([row.decode_seconds for row in one.rows[point.label]]),
        }
        for point in points
    ], left_out


def _per_picture(one: RunCurve) -> tuple[list[dict[str, Any]], list[str]]:
    """A record per operating point and picture."""
    return [
        {
            "label": row.point,
            "picture": row.picture,
            "width": row.width,
            "height": row.height,
            "stream_bytes": row.stream_bytes,
            "bpp": point.by_picture[row.picture].bpp,
            "psnr_db": row.psnr_db,
            "ms_ssim": row.ms_ssim,
            "encode_seconds": median(row.encode_seconds) if row.encode_seconds else None,
            "decode_seconds": median(row.decode_seconds) if row.decode_seconds else None,
        }
        for point in one.curve.points
        for row in one.rows[point.label]
    ], []


def _fit_codec_compare(records: list[dict[str, Any]]) -> list[str]:
    """Changes records to what codec-compare's JSON holds: whole numbers as qualities, no infinity. What is left out."""
    lossless = 0
    for record in records:
        if record["label"].isascii() and record["label"].isdecimal() and record["label"] == str(int(record["label"])):
            record["label"] = int(record["label"])
        if record["psnr_db"] == math.inf:
            record["psnr_db"] = None
            lossless += 1
    return [f"the PSNR of {lossless} lossless pictures, since JSON has no infinity"] if lossless else []


def _mean_psnr(point: RDPoint) -> float | None:
    """The mean PSNR; infinite where every picture is lossless."""
    every = [one.psnr_db for one in point.by_picture.values()]
    return math.inf if every and all(value == math.inf for value in every) else point.psnr_db


def _mean_seconds(samples: Sequence[Sequence[float]]) -> float | None:
    """The mean over pictures of each picture's median; None where one was not timed."""
    return fmean(median(some) for some in samples) if all(samples) else None


def _stems(found: Sequence[RDCurve]) -> list[str]:
    """A file name for each curve: the codec, what it was trained for where that is not MSE, a number for the rest."""
    stems: list[str] = []
    for curve in found:
        target = curve.optimised_for
        name = curve.codec if target in (None, "mse", "unknown") else f"{curve.codec}-{target}"
        name = "".join(mark if mark.isalnum() or mark in "-._+" else "_" for mark in name)
        free = (name, *(f"{name}-{number}" for number in range(2, len(found) + 2)))
        stems.append(next(one for one in free if one not in stems))
    return stems
