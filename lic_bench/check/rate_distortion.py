"""Rate, container, distortion and BD-rate: compared over the data set and picture by picture, on any machine."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import fmean

from lic_bench.analysis import bdrate, curves
from lic_bench.check.details import MovementDetail, NotComparable, NotCompared, PictureCount
from lic_bench.check.limits import Limits
from lic_bench.check.outcome import Change, Verdict
from lic_bench.check.pairs import Pairs
from lic_bench.check.quantity import RATES, Quantity, QuantityKind
from lic_bench.records import CardSummary, Measurement, MetricRecord

LENGTH_BYTES = 2
"""A container writes its strings' lengths, which may take this many bytes more or less where these have changed."""

FLOAT_SLACK = 1 + 1e-9
"""A movement of exactly its limit is within it, whatever the last bit of a division says."""

Values = Sequence[tuple[str, float, float]]
"""Picture, before and now."""


@dataclass(frozen=True)
class RowFigure:
    """A rate or score of every row. `better` is +1 where more is better, -1 where less is, 0 where it is not known.

    Rates add up over pictures and are limited in per cent of the sum; scores are averaged and limited by their
    difference.
    """

    quantity: Quantity
    read: Callable[[Measurement], float | None]
    limit: float
    better: int
    unit: str

    @property
    def is_rate(self) -> bool:
        """Whether it adds up over pictures."""
        return self.quantity.kind in RATES


def compare(pairs: Pairs, limits: Limits, metrics: Sequence[MetricRecord] = ()) -> Iterator[Change]:
    """Every rate and score of one operating point; nothing of an untrained network.

    `metrics` says of further scores whether more is better; one that is not among them is reported without direction.
    """
    if pairs.has_quality:
        for figure in (*_figures(pairs, limits), *_scores(pairs, limits, metrics)):
            yield from _compared(pairs, figure, limits)
        yield from _container(pairs, limits)


def bd_rates(
    before: Iterable[Measurement], now: Iterable[Measurement], limits: Limits, cards: Sequence[CardSummary] = ()
) -> Iterator[Change]:
    """BD-rate of a codec's curves in the run against its own in the baseline, for PSNR and MS-SSIM."""
    old = {curve.optimised_for: curve for curve in curves.measured(before, "baseline", cards=cards)}
    metrics: tuple[tuple[curves.Metric, str], ...] = (("psnr_db", "PSNR"), ("ms_ssim_db", "MS-SSIM"))
    for curve in curves.measured(now, "run", cards=cards):
        anchor = old.get(curve.optimised_for)
        if anchor is None or min(len(anchor.points), len(curve.points)) < 2:
            continue
        target = f"optimised for {curve.optimised_for}" if len(old) > 1 else ""
        for metric, name in metrics:
            if sum(point.score(metric) is not None for point in anchor.points) < 2:
                continue
            figure = bdrate.bd_rate(anchor, curve, metric, bootstrap=False)
            yield _bd_rate(curve.codec, Quantity(QuantityKind.BD_RATE, metric=name), target, figure, limits)


def _bd_rate(codec: str, quantity: Quantity, part: str, figure: bdrate.BDFigure, limits: Limits) -> Change:
    if figure.value is None:
        detail = NotCompared(NotComparable.NO_BD_RATE, refusal=figure.refusal, explanation=figure.reason)
        return Change(codec, "", quantity, Verdict.NOT_COMPARABLE, part=part, detail=detail)
    moved, limit = figure.value, limits.bd_rate_percent
    verdict = Verdict.WORSE if moved > limit else Verdict.BETTER if moved < -limit else Verdict.SAME
    return Change(codec, "", quantity, verdict, part=part, before=0.0, now=moved, unit="%", share=moved / 100)


def _figures(pairs: Pairs, limits: Limits) -> list[RowFigure]:
    """Rates and scores that the baseline has on some picture."""
    kind = QuantityKind
    every = [
        RowFigure(Quantity(kind.STREAM_BYTES), lambda row: row.stream_bytes, limits.stream_percent, -1, "bytes"),
        RowFigure(Quantity(kind.PAYLOAD), lambda row: row.payload_bits, limits.payload_percent, -1, "bits"),
        RowFigure(Quantity(kind.ESTIMATED_RATE), lambda row: row.estimated_bits, limits.estimated_percent, -1, "bits"),
        RowFigure(Quantity(kind.PSNR), lambda row: row.psnr_db, limits.psnr_db, 1, "dB"),
        RowFigure(Quantity(kind.MS_SSIM), lambda row: row.ms_ssim, limits.ms_ssim, 1, ""),
    ]
    return [figure for figure in every if any(figure.read(before) is not None for before, _ in pairs.rows)]


def _scores(pairs: Pairs, limits: Limits, metrics: Sequence[MetricRecord]) -> Iterator[RowFigure]:
    """Scores of further metrics; their limit is a share of what they were, since their scales differ."""
    known = {metric.name: metric for metric in metrics}
    for name in dict.fromkeys(name for before, _ in pairs.rows for name in before.scores):
        values = [value for before, _ in pairs.rows if (value := before.scores.get(name)) is not None]
        if values:
            metric = known.get(name)
            better = 0 if metric is None else 1 if metric.higher_is_better else -1
            limit = limits.score_percent / 100 * abs(fmean(values))
            unit = "" if metric is None else metric.unit
            yield RowFigure(Quantity(QuantityKind.SCORE, metric=name), partial(_score, name), limit, better, unit)


def _score(name: str, row: Measurement) -> float | None:
    return row.scores.get(name)


def _compared(pairs: Pairs, figure: RowFigure, limits: Limits) -> Iterator[Change]:
    known = [(before, now) for before, now in pairs.rows if figure.read(before) is not None]
    lost = [now.picture for _, now in known if figure.read(now) is None]
    if lost:
        count = PictureCount(len(lost))
        yield Change(*pairs.where, figure.quantity, Verdict.GONE, picture=lost[0], detail=count)
        return
    values = [(before.picture, figure.read(before) or 0.0, figure.read(now) or 0.0) for before, now in known]
    whole = _whole(pairs, figure, values)
    yield whole
    if not whole.fails:
        yield from _single(pairs, figure, values, limits)


def _whole(pairs: Pairs, figure: RowFigure, values: Values) -> Change:
    """Over the data set: the sum of a rate, the mean over pictures of a score."""
    together = sum if figure.is_rate else fmean
    before, now = float(together([old for _, old, _ in values])), float(together([new for _, _, new in values]))
    moved = [(name, _moved(figure, old, new)) for name, old, new in values]
    total = (now - before) / before * 100 if figure.is_rate and before else fmean(change for _, change in moved)
    picture, most = max(moved, key=lambda item: abs(item[1]))
    return Change(
        *pairs.where, figure.quantity, _verdict(figure, total, figure.limit), before=before, now=now,
        unit=figure.unit, share=_share(before, now), detail=MovementDetail(len(values), total, most, picture),
    )  # fmt: skip


def _single(pairs: Pairs, figure: RowFigure, values: Values, limits: Limits) -> Iterator[Change]:
    """Pictures that got worse by much more than the data set may, hidden in a mean that has not."""
    for picture, before, now in values:
        moved = _moved(figure, before, now)
        if _verdict(figure, moved, figure.limit * limits.single_picture_factor) is Verdict.WORSE:
            yield Change(
                *pairs.where, figure.quantity, Verdict.WORSE, picture=picture, before=before, now=now,
                unit=figure.unit, share=_share(before, now), detail=MovementDetail(1, moved, moved, picture),
            )  # fmt: skip


def _container(pairs: Pairs, limits: Limits) -> Iterator[Change]:
    """What the container adds to the payload: exact, except for lengths of strings that have another length now."""
    if any(row.payload_bits is None for pair in pairs.rows for row in pair):
        return
    before, now = (
        sum(8 * row[at].stream_bytes - (row[at].payload_bits or 0) for row in pairs.rows) / 8 for at in (0, 1)
    )
    lengths = sum(LENGTH_BYTES for old, new in pairs.rows if old.payload_bits != new.payload_bits)
    moved, limit = now - before, limits.container_bytes * len(pairs.rows) + lengths
    verdict = Verdict.WORSE if moved > limit else Verdict.BETTER if moved < -limit else Verdict.SAME
    yield Change(
        *pairs.where, Quantity(QuantityKind.CONTAINER), verdict, before=before, now=now, unit="bytes",
        share=_share(before, now), detail=PictureCount(len(pairs.rows)),
    )  # fmt: skip


def _moved(figure: RowFigure, before: float, now: float) -> float:
    """Per cent of a rate, else the difference; infinite for a picture that became lossless or stopped being so."""
    if before == now:
        return 0.0
    if figure.is_rate:
        return (now - before) / before * 100 if before else math.inf
    return now - before


def _verdict(figure: RowFigure, moved: float, limit: float) -> Verdict:
    if abs(moved) <= limit * FLOAT_SLACK:
        return Verdict.SAME
    if not figure.better:
        return Verdict.CHANGED
    return Verdict.BETTER if moved * figure.better > 0 else Verdict.WORSE


def _share(before: float, now: float) -> float | None:
    return (now - before) / before if before and math.isfinite(before) and math.isfinite(now) else None
