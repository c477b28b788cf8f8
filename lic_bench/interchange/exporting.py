"""A run's measurements -> sheets of other tools' formats: means per operating point, or a row per picture.

Untrained networks have no rate and no distortion and are not written. What a format loses is said, not hidden.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median
from typing import Any

from lic_bench.analysis import curves
from lic_bench.analysis.curves import Rate, RDCurve, RDPoint
from lic_bench.caveats import Caveat
from lic_bench.errors import RequestError, unknown
from lic_bench.interchange.sheet import Cell, Sheet
from lic_bench.records import Measurement, Origin, RunHeader, Training

RATE_IN_WORDS: dict[Rate, str] = {
    "stream": "the whole self-contained stream",
    "payload": "the entropy-coded strings alone",
    "estimated": "the likelihoods' estimate, nothing coded",
}
Columns = dict[str, list[Any]]


@dataclass(frozen=True)
class Chosen:
    """One curve of a run and the rows behind it; `rows` are by operating point, those of `curve.points`.

    `stem` is the name of its file, without the ending.
    """

    curve: RDCurve
    rows: Mapping[str, Sequence[Measurement]]
    header: RunHeader
    rate: Rate
    stem: str

    @property
    def about(self) -> str:
        """What a reader must know of the figures, in one sentence."""
        header, count = self.header, self.curve.picture_count or 0
        if self.curve.source.origin is Origin.MEASURED:
            who = f"Measured by lic-bench {header.lic_bench}"
        else:
            who = f"Not measured by lic-bench but imported from {', '.join(file.name for file in header.imported_from)}"
        return (
            f"{who} on {count} picture{'' if count == 1 else 's'} of {self.curve.dataset}, {header.started}. "
            f"Rate: {RATE_IN_WORDS[self.rate]}. PSNR over 8-bit RGB."
        )


@dataclass(frozen=True)
class Written:
    """A sheet for one file, and sentences on what this codec's lacks."""

    stem: str
    sheet: Sheet
    lost: tuple[str, ...]


def choose(
    header: RunHeader, measured: Sequence[Measurement], codec: str | None = None, rate: Rate = "stream"
) -> tuple[list[Chosen], list[str]]:
    """The curves of a run, and sentences on codecs that have none. RequestError where nothing is left to write."""
    there = list(dict.fromkeys(row.codec for row in measured))
    if codec is not None and codec not in there:
        raise RequestError(unknown("model", codec, there).replace("There is", "In this run there is"))
    rows = [row for row in measured if codec in (None, row.codec)]
    untrained = list(dict.fromkeys(row.codec for row in rows if row.training is Training.UNTRAINED))
    said = [f"{name} ran untrained: it has no rate and no distortion, and is not exported." for name in untrained]
    found = curves.measured(rows, header.started, rate, header.cards)
    without = {row.codec for row in rows} - {curve.codec for curve in found} - set(untrained)
    said += [f"{name} has no {rate} rate and is not exported." for name in sorted(without)]
    if not found:
        raise RequestError(" ".join(["There is nothing to export.", *said]))
    stems = _stems(found)
    return [_chosen(curve, rows, header, rate, stem) for curve, stem in zip(found, stems, strict=True)], said


def compressai(chosen: Chosen, plain_keys: bool = False) -> Written:
    """Means per operating point, as CompressAI's tools write and plot them; `plain_keys` drop "-rgb" (older files)."""
    points, said = _comparable(chosen)
    end = "" if plain_keys else "-rgb"
    columns: Columns = {
        "bpp": [point.bpp for point in points],
        f"psnr{end}": [_psnr(point) for point in points],
        f"ms-ssim{end}": [point.ms_ssim for point in points],
        "encoding_time": [_mean_seconds(chosen, point, "encode_seconds") for point in points],
        "decoding_time": [_mean_seconds(chosen, point, "decode_seconds") for point in points],
    }
    facts = {
        "name": chosen.curve.codec,
        "description": chosen.about,
        "dataset": chosen.curve.dataset,
        "pictures": chosen.curve.picture_count,
        "rate": chosen.rate,
        "trained_for": chosen.curve.optimised_for or "none",
    }
    whole, gaps = _without_gaps(columns)
    return _written(chosen, Sheet(_tuples(whole), facts, layout="lists"), (*said, *gaps))


def tensorflow_compression(chosen: Chosen) -> Written:
    """Means per operating point as CSV: `q` (the point's label), `bpp`, `psnr`, `msssim`."""
    points, said = _comparable(chosen)
    columns: Columns = {
        "q": [point.label for point in points],
        "bpp": [point.bpp for point in points],
        "psnr": [_psnr(point) for point in points],
        "msssim": [point.ms_ssim for point in points],
    }
    whole, gaps = _without_gaps(columns)
    return _written(chosen, Sheet(_texts(whole)), (*said, *gaps))


def cool_chic(chosen: Chosen) -> Written:
    """A row per picture as TSV: `seq_name`, `point`, `rate_bpp`, `psnr_db`, `ms_ssim`."""
    single = [(point, name, one) for point in chosen.curve.points for name, one in point.by_picture.items()]
    columns: Columns = {
        "seq_name": [name for _, name, _ in single],
        "point": [point.label for point, _, _ in single],
        "rate_bpp": [one.bpp for _, _, one in single],
        "psnr_db": [one.psnr_db for _, _, one in single],
        "ms_ssim": [one.ms_ssim for _, _, one in single],
    }
    columns = {name: values for name, values in columns.items() if any(value is not None for value in values)}
    return _written(chosen, Sheet(_texts(columns), layout="tabs"), ())


def codec_compare(chosen: Chosen) -> Written:
    """A row per picture as a batch of codec-compare. RequestError for another rate than that of whole streams."""
    if chosen.rate != "stream":
        raise RequestError("codec-compare counts the bytes of files; --rate stream is the only rate it has.")
    rows = [row for point in chosen.curve.points for row in chosen.rows[point.label]]
    columns: Columns = {
        "original_name": [row.picture for row in rows],
        "width": [row.width for row in rows],
        "height": [row.height for row in rows],
        "quality": [int(row.point) if row.point == str(_int(row.point)) else row.point for row in rows],
        "encoded_size": [row.stream_bytes for row in rows],
        "encoding_time": [_median(row.encode_seconds) for row in rows],
        "decoding_time": [_median(row.decode_seconds) for row in rows],
        "psnr": [None if row.is_lossless else row.psnr_db for row in rows],
        "ms_ssim": [row.ms_ssim for row in rows],
    }
    columns = {name: values for name, values in columns.items() if any(value is not None for value in values)}
    lossless = sum(row.is_lossless for row in rows)
    lost = [f"the PSNR of {lossless} lossless pictures, since JSON has no infinity"] if lossless else []
    facts: dict[str, Any] = {
        "name": chosen.curve.title,
        "codec": chosen.curve.codec,
        "version": f"lic-bench {chosen.header.lic_bench}",
        "time": chosen.header.started,
        "dataset": chosen.curve.dataset,
        "rate": "stream",
        "trained_for": chosen.curve.optimised_for or "none",
        "description": chosen.about,
    }
    return _written(chosen, Sheet(_tuples(columns), facts, {name: MEANINGS[name] for name in [*facts, *columns]}), lost)


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

_COSTS = "scores of other metrics, MACs, parameters, memory, checksums and the conditions of the run"
LOST = {
    "compressai": f"the points' labels, single pictures, all timed passes but their median, {_COSTS}",
    "tensorflow-compression": f"the codec's name, the data set, the kind of rate, single pictures, times, {_COSTS}",
    "cool-chic": f"the codec's name, the data set, the kind of rate, times, {_COSTS}",
    "codec-compare": f"payload and estimated rates, all timed passes but their median, {_COSTS}",
}
"""What a format has no place for, whatever the codec."""

WRITERS: dict[str, Callable[[Chosen], Written]] = {
    "compressai": compressai,
    "tensorflow-compression": tensorflow_compression,
    "cool-chic": cool_chic,
    "codec-compare": codec_compare,
}


def _stems(found: Sequence[RDCurve]) -> list[str]:
    """A name for each curve's file: the codec, what it was trained for where that is not MSE, a number for the rest."""
    taken: list[str] = []
    for curve in found:
        target = curve.optimised_for
        name = curve.codec if target in (None, "mse", "unknown") else f"{curve.codec}-{target}"
        name = "".join(mark if mark.isalnum() or mark in "-._+" else "_" for mark in name)
        free = (name, *(f"{name}-{number}" for number in range(2, len(found) + 2)))
        taken.append(next(one for one in free if one not in taken))
    return taken


def _chosen(curve: RDCurve, rows: Sequence[Measurement], header: RunHeader, rate: Rate, stem: str) -> Chosen:
    labels = {point.label for point in curve.points}
    mine: dict[str, list[Measurement]] = {}
    for row in rows:
        if row.codec == curve.codec and row.point in labels:
            mine.setdefault(row.point, []).append(row)
    return Chosen(curve, mine, header, rate, stem)


def _comparable(chosen: Chosen) -> tuple[list[RDPoint], list[str]]:
    """The points over all of the curve's pictures: means over others do not belong in one list with them."""
    points = [point for point in chosen.curve.points if Caveat.DIFFERENT_PICTURES not in point.caveats]
    other = [point.label for point in chosen.curve.points if point not in points]
    if not points:
        raise RequestError(
            f"No operating point of {chosen.curve.codec} has all pictures; its means cannot be exported."
        )
    said = [f"point {', '.join(other)}, which lacks pictures that the others have"] if other else []
    mixed = [point.label for point in points if Caveat.LOSSLESS in point.caveats and point.psnr_db is not None]
    said += [f"the lossless pictures of point {', '.join(mixed)}, which are not in its mean PSNR"] if mixed else []
    return points, said


def _psnr(point: RDPoint) -> float | None:
    """The mean PSNR; infinite where every picture is lossless."""
    every = [one.psnr_db for one in point.by_picture.values()]
    return math.inf if every and all(value == math.inf for value in every) else point.psnr_db


def _mean_seconds(chosen: Chosen, point: RDPoint, which: str) -> float | None:
    """The mean over pictures of each picture's median; None where one was not timed."""
    samples = [getattr(row, which) for row in chosen.rows[point.label]]
    return fmean(median(some) for some in samples) if all(samples) else None


def _without_gaps(columns: Columns) -> tuple[Columns, list[str]]:
    """Columns that have a value for every point; the others are left out, since plots cannot hold a gap."""
    whole = {name: values for name, values in columns.items() if all(value is not None for value in values)}
    gaps = [name for name in columns if name not in whole]
    return whole, [f"{', '.join(gaps)}, which not every point has"] if gaps else []


def _written(chosen: Chosen, sheet: Sheet, lost: Sequence[str]) -> Written:
    return Written(chosen.stem, sheet, tuple(f"{chosen.stem}: left out is {what}." for what in lost))


def _tuples(columns: Columns) -> dict[str, tuple[Cell, ...]]:
    return {name: tuple(values) for name, values in columns.items()}


def _texts(columns: Columns) -> dict[str, tuple[Cell, ...]]:
    """Numbers as Python writes them, which reads back exactly; empty where there is no value."""

    def text(value: object) -> str:
        return "" if value is None else value if isinstance(value, str) else repr(value)

    return {name: tuple(map(text, values)) for name, values in columns.items()}


def _median(seconds: Sequence[float]) -> float | None:
    return median(seconds) if seconds else None


def _int(label: str) -> int | None:
    return int(label) if label.isdecimal() and label.isascii() else None
