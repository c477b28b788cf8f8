"""The rows of a run summarised per operating point: means, medians and counts, with their origin and caveats."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from statistics import fmean, quantiles

from lic_bench.analysis import curves
from lic_bench.analysis.curves import RDPoint
from lic_bench.caveats import Caveat
from lic_bench.records import Agreement, Call, CardSummary, Measurement, MemoryUse, Origin, Training


@dataclass(frozen=True)
class Spread:
    """The summary of raw timing samples, in seconds; `lower` and `upper` are the quartiles."""

    median: float
    lower: float
    upper: float
    minimum: float
    count: int

    @classmethod
    def of(cls, samples: Sequence[float]) -> Spread | None:
        """Median, quartiles, minimum and number; None without samples."""
        if not samples:
            return None
        lower, median, upper = quantiles(samples, n=4, method="inclusive") if len(samples) > 1 else [samples[0]] * 3
        return cls(median, lower, upper, min(samples), len(samples))


@dataclass(frozen=True)
class CallComplexity:
    """Thousand MAC per pixel of one call, over the pictures measured, in all and by part.

    `executed_kmac_per_pixel` is what the code here executes: less, where it leaves out redundant work.
    """

    kmac_per_pixel: float
    by_part: Mapping[str, float]
    is_lower_bound: bool
    origins: tuple[Origin, ...]
    executed_kmac_per_pixel: float


@dataclass(frozen=True)
class MeasuredPoint:
    """One codec at one operating point over a run's pictures.

    `quality` holds mean rate and quality; None for an untrained network, which has neither. Memory is the largest
    seen, in bytes. `origin` is that of rate and quality. `scores` are means of further metrics, None where some
    picture has none.
    """

    codec: str
    title: str
    label: str
    training: Training
    optimised_for: str | None
    pictures: int
    quality: RDPoint | None
    payload_bpp: float | None
    estimated_bpp: float | None
    parameters: int | None
    complexity: Mapping[Call, CallComplexity]
    encode: Spread | None
    decode: Spread | None
    memory: Mapping[Call, MemoryUse]
    device: str
    threads: int
    fresh_process: tuple[Agreement, ...]
    weights_sha256: str | None
    caveats: tuple[Caveat, ...]
    origin: Origin = Origin.MEASURED
    scores: Mapping[str, float | None] = field(default_factory=dict)


def operating_points(
    rows: Iterable[Measurement], measured: Sequence[curves.RDCurve], cards: Mapping[str, CardSummary]
) -> tuple[MeasuredPoint, ...]:
    """Every operating point of the run in the order of its rows; `measured` are its curves, `cards` those by name."""
    quality = {(curve.codec, point.label): point for curve in measured for point in curve.points}
    grouped: dict[tuple[str, str, Training], list[Measurement]] = {}
    for row in rows:
        grouped.setdefault((row.codec, row.point, row.training), []).append(row)
    return tuple(_summary(some, quality.get(key[:2]), cards.get(key[0])) for key, some in grouped.items())


def _summary(rows: Sequence[Measurement], quality: RDPoint | None, card: CardSummary | None) -> MeasuredPoint:
    first = rows[0]
    trained = first.training is not Training.UNTRAINED
    caveats = [caveat for row in rows for caveat in row.caveats]
    caveats += quality.caveats if quality and trained else []
    return MeasuredPoint(
        codec=first.codec,
        title=card.title if card else first.codec,
        label=first.point,
        training=first.training,
        optimised_for=curves.training_target(card, first.point, first.training),
        pictures=len(rows),
        quality=quality if trained else None,
        payload_bpp=_mean_or_none([row.payload_bpp for row in rows]) if trained else None,
        estimated_bpp=_mean_or_none([row.estimated_bpp for row in rows]) if trained else None,
        parameters=first.parameters,
        complexity=_complexity(rows),
        encode=Spread.of([second for row in rows for second in row.encode_seconds]),
        decode=Spread.of([second for row in rows for second in row.decode_seconds]),
        memory=_memory(rows),
        device=first.device,
        threads=first.threads,
        fresh_process=tuple(dict.fromkeys(row.fresh_process for row in rows if row.fresh_process is not None)),
        weights_sha256=first.weights_sha256,
        caveats=tuple(dict.fromkeys(caveats)),
        origin=first.origin,
        scores={name: _mean_or_none([row.scores.get(name) for row in rows]) for name in first.scores},
    )


def _mean_or_none(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return fmean(known) if len(known) == len(values) else None


def _complexity(rows: Sequence[Measurement]) -> dict[Call, CallComplexity]:
    """MACs of all pictures over pixels of all pictures, per call."""
    found = {}
    for call in Call:
        counts = [count for row in rows for count in row.macs if count.call is call]
        pixels = sum(count.width * count.height for count in counts)
        if pixels:
            parts = dict.fromkeys(part for count in counts for part in count.by_part)
            found[call] = CallComplexity(
                sum(count.macs for count in counts) / pixels / 1000,
                {part: sum(count.by_part.get(part, 0) for count in counts) / pixels / 1000 for part in parts},
                any(count.is_lower_bound for count in counts),
                tuple(sorted({count.origin for count in counts})),
                sum(count.executed_macs for count in counts) / pixels / 1000,
            )
    return found


def _memory(rows: Sequence[Measurement]) -> dict[Call, MemoryUse]:
    uses = sorted((use for row in rows for use in row.memory), key=lambda use: use.call)
    return {
        call: max(some, key=lambda use: (use.device_above_loaded_bytes or 0, use.host_above_loaded_bytes))
        for call, some in groupby(uses, key=lambda use: use.call)
    }
