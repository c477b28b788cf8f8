"""Rate-distortion curves of measurements and of published points, each with exactly one source.

Curves of different sources are never joined, and coded and estimated rates never share a curve. An untrained
network has no curve: its rate and distortion mean nothing.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from statistics import fmean
from typing import Literal

from lic_bench.analysis import published
from lic_bench.caveats import Caveat
from lic_bench.records import CardSummary, CurveId, Measurement, Origin, Training

Metric = Literal["psnr_db", "ms_ssim", "ms_ssim_db", "lpips"]
Rate = Literal["stream", "payload", "estimated"]

ABOUT_QUALITY = (Caveat.RATE_GAP, Caveat.DRIFT, Caveat.DEMONSTRATION)
"""Caveats of a measurement that travel to the curve; the others are about time, memory or work."""


@dataclass(frozen=True)
class Source:
    """Where a curve comes from: the run's name, or a citation with how and how well it was read."""

    origin: Origin
    text: str
    source_id: str = ""
    how: str = ""
    uncertainty: str = ""
    licence: str | None = None
    note: str = ""


@dataclass(frozen=True)
class RDPoint:
    """Rate (bits per pixel) and quality of one operating point: means over pictures, `by_picture` where measured.

    `ms_ssim` is linear, `payload_bpp` the rate of the entropy-coded strings alone. A score is None where it does not
    exist.
    """

    label: str
    bpp: float
    psnr_db: float | None = None
    ms_ssim: float | None = None
    lpips: float | None = None
    payload_bpp: float | None = None
    by_picture: Mapping[str, RDPoint] = field(default_factory=dict)
    caveats: tuple[Caveat, ...] = ()

    @property
    def ms_ssim_db(self) -> float | None:
        """-10 log10(1 - MS-SSIM): of the linear mean, not the mean of dB."""
        return None if self.ms_ssim is None or self.ms_ssim >= 1 else -10 * math.log10(1 - self.ms_ssim)

    def score(self, metric: Metric) -> float | None:
        """The quality under one metric, or None where it was not taken or is infinite."""
        found: float | None = getattr(self, metric)
        return found if found is not None and math.isfinite(found) else None


@dataclass(frozen=True)
class RDCurve:
    """Points of one codec on one data set from one source, by rising rate.

    `optimised_for` is "mse", "ms-ssim", "unknown" or None (nothing was trained). `rate_kind` says which bits were
    counted: "stream", "payload", "estimated"; published also "bitstream" and "unknown". `pictures` names what was
    measured; a published curve knows at most `picture_count`.
    """

    codec: str
    title: str
    dataset: str
    optimised_for: str | None
    points: tuple[RDPoint, ...]
    rate_kind: str
    source: Source
    caveats: tuple[Caveat, ...] = ()
    pictures: tuple[str, ...] = ()
    picture_count: int | None = None

    @property
    def name(self) -> str:
        """The codec, what it was trained for where that is not MSE, and the source."""
        target = "" if self.optimised_for in ("mse", None) else f", for {self.optimised_for}"
        source = self.source.source_id or self.source.text
        return f"{self.codec} ({self.source.origin.value}: {source}{target})"

    def over(self, pictures: Collection[str]) -> RDCurve:
        """The same curve with its means taken over fewer pictures; points that lack one of them are left out."""
        kept = [point for point in self.points if all(name in point.by_picture for name in pictures)]
        points = [_mean(point.label, {name: point.by_picture[name] for name in pictures}) for point in kept]
        return replace(self, points=by_rate(points), pictures=tuple(sorted(pictures)), picture_count=len(pictures))


def measured(
    rows: Iterable[Measurement], run: str, rate: Rate = "stream", cards: Sequence[CardSummary] = ()
) -> tuple[RDCurve, ...]:
    """Curves per codec and training target from a run's rows, in the order codecs first appear.

    `run` names the run as their source. `cards` are those of its header: without a codec's card the training target
    is "unknown". Untrained rows make no curve, imported ones a published curve. A point whose pictures are not all
    the curve's (failures) carries a caveat.
    """
    by_name = {card.name: card for card in cards}
    grouped: dict[tuple[str, str, str | None, Origin], dict[str, list[Measurement]]] = {}
    for row in rows:
        if row.training is not Training.UNTRAINED and _bpp(row, rate) is not None:
            key = row.codec, row.dataset, training_target(by_name.get(row.codec), row.point, row.training), row.origin
            grouped.setdefault(key, {}).setdefault(row.point, []).append(row)
    sources = {
        Origin.MEASURED: Source(Origin.MEASURED, run, how="this run"),
        Origin.PUBLISHED: Source(
            Origin.PUBLISHED, f"Figures measured elsewhere, imported as run {run}", run, how="imported rows"
        ),
    }
    return tuple(
        _measured_curve(*key[:3], points, rate, sources[key[3]], by_name.get(key[0])) for key, points in grouped.items()
    )


def training_target(card: CardSummary | None, point: str, training: Training) -> str | None:
    """The training target of an operating point by its card: "mse", "ms-ssim", None; "unknown" without a card."""
    if training is Training.NOT_LEARNED:
        return None
    return "unknown" if card is None else card.trained_for(point)


def over_pictures(
    codec: str,
    title: str,
    dataset: str,
    optimised_for: str | None,
    points: Mapping[str, Mapping[str, RDPoint]],
    rate_kind: str,
    source: Source,
    caveats: Iterable[Caveat] = (),
) -> RDCurve:
    """A curve of means over pictures, from the points of single pictures by label and name of the picture.

    A point whose pictures are not all the curve's carries a caveat.
    """
    pictures = {name for by_picture in points.values() for name in by_picture}
    means = [_mean(label, by_picture) for label, by_picture in points.items()]
    means = [
        _with_caveat(point, Caveat.DIFFERENT_PICTURES) if set(point.by_picture) != pictures else point
        for point in means
    ]
    if source.origin is not Origin.MEASURED:  # others may not have taken it; the pictures' sizes are not the reason
        means = [
            replace(point, caveats=tuple(caveat for caveat in point.caveats if caveat is not Caveat.NO_MS_SSIM))
            for point in means
        ]
    found = [caveat for point in means for caveat in point.caveats]
    return RDCurve(
        codec,
        title,
        dataset,
        optimised_for,
        by_rate(means),
        rate_kind,
        source,
        tuple(dict.fromkeys([*found, *caveats])),
        tuple(sorted(pictures)),
        len(pictures),
    )


def _measured_curve(
    codec: str,
    dataset: str,
    optimised_for: str | None,
    points: Mapping[str, list[Measurement]],
    rate: Rate,
    source: Source,
    card: CardSummary | None,
) -> RDCurve:
    rows = [row for some in points.values() for row in some]
    by_label = {label: {row.picture: _point(row, rate) for row in some} for label, some in points.items()}
    caveats = [caveat for row in rows for caveat in row.caveats if caveat in ABOUT_QUALITY]
    if card and card.demonstration:
        caveats.append(Caveat.DEMONSTRATION)
    title = card.title if card else codec
    return over_pictures(codec, title, dataset, optimised_for, by_label, rate, source, caveats)


def _bpp(row: Measurement, rate: Rate) -> float | None:
    return {"stream": row.bpp, "payload": row.payload_bpp, "estimated": row.estimated_bpp}[rate]


def _point(row: Measurement, rate: Rate) -> RDPoint:
    return RDPoint(row.point, _bpp(row, rate) or 0.0, row.psnr_db, row.ms_ssim, payload_bpp=row.payload_bpp)


def _mean(label: str, by_picture: Mapping[str, RDPoint]) -> RDPoint:
    """The data set's point: means over pictures. Lossless pictures are left out of the mean PSNR, with a caveat.

    MS-SSIM is given only where every picture has it, so that rate and quality are means over the same pictures.
    """
    some = by_picture.values()
    psnr = [point.psnr_db for point in some if point.psnr_db is not None]
    finite = [value for value in psnr if math.isfinite(value)]
    ms_ssim = [point.ms_ssim for point in some if point.ms_ssim is not None]
    payload = [point.payload_bpp for point in some if point.payload_bpp is not None]
    caveats = [Caveat.LOSSLESS] if len(finite) < len(psnr) else []
    if len(ms_ssim) < len(by_picture):
        caveats.append(Caveat.NO_MS_SSIM)
    return RDPoint(
        label,
        fmean(point.bpp for point in some),
        fmean(finite) if finite and len(psnr) == len(by_picture) else None,
        fmean(ms_ssim) if len(ms_ssim) == len(by_picture) else None,
        payload_bpp=fmean(payload) if len(payload) == len(by_picture) else None,
        by_picture=by_picture,
        caveats=tuple(caveats),
    )


def _with_caveat(point: RDPoint, caveat: Caveat) -> RDPoint:
    return replace(point, caveats=(*point.caveats, caveat))


def by_rate(points: Sequence[RDPoint]) -> tuple[RDPoint, ...]:
    """Points in the order of a curve."""
    return tuple(sorted(points, key=lambda point: point.bpp))


@cache
def published_curves(dataset: str) -> tuple[RDCurve, ...]:
    """Every published curve on one data set, in the order of the table."""
    grouped: dict[CurveId, list[published.PublishedPoint]] = {}
    for point in published.rd_points():
        if point.dataset == dataset:
            grouped.setdefault(CurveId(point.codec, point.source_id, point.optimised_for), []).append(point)
    return tuple(_published_curve(key, dataset, points) for key, points in grouped.items())


def find(dataset: str, wanted: CurveId) -> RDCurve | None:
    """The published curve of an id, or None where there is none on this data set."""
    for curve in published_curves(dataset):
        same = (curve.codec, curve.source.source_id) == (wanted.codec, wanted.source_id)
        if same and curve.optimised_for in (None, wanted.optimised_for):  # a classical codec is trained for nothing
            return curve
    return None


def _published_curve(key: CurveId, dataset: str, points: Sequence[published.PublishedPoint]) -> RDCurve:
    cited = published.sources()[key.source_id]
    caution = published.cautions().get((key.codec, dataset, key.source_id))
    hows = tuple(dict.fromkeys(point.how for point in points))
    origins = {published.origin(how) for how in hows}
    source = Source(
        Origin.DIGITISED if Origin.DIGITISED in origins else Origin.PUBLISHED,
        cited.citation,
        key.source_id,
        ", ".join(hows),
        "; or ".join(dict.fromkeys(point.uncertainty for point in points if point.uncertainty)),
        cited.licence,
        cited.note,
    )
    return RDCurve(
        key.codec,
        key.codec,
        dataset,
        None if key.optimised_for == "none" else key.optimised_for,
        by_rate([RDPoint(point.quality, point.bpp, point.psnr_db, point.ms_ssim, point.lpips) for point in points]),
        " or ".join(dict.fromkeys(point.bpp_kind for point in points)),
        source,
        (caution.caveat,) if caution else (),
        picture_count=published.PICTURES.get(dataset),
    )
