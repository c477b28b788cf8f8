"""How much a BD figure owes to its points, its conventions and its range, and where along the curves it comes from."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import pairwise
from statistics import fmean
from typing import TYPE_CHECKING

from lic_bench.analysis.bdrate import BDFigure, bd_psnr, bd_rate, line_of, paired
from lic_bench.analysis.curves import Metric, RDCurve, RDPoint
from lic_bench.analysis.interpolation import LEAST_OVERLAP, Unit, common_range, delta, in_unit, values_at

if TYPE_CHECKING:
    from lic_bench.analysis.interpolation import Line

GRID = 41
"""Qualities at which the difference along the curves is given."""


class Side(StrEnum):
    """Of which of the two curves."""

    ANCHOR = "anchor"
    TEST = "test"


class Convention(StrEnum):
    """A choice that papers make silently; the figure is taken again with the other choice."""

    PSNR_OF_MEAN_MSE = "PSNR of the mean MSE"
    MEAN_OF_MS_SSIM_DB = "mean of MS-SSIM in dB"
    PAYLOAD_BITS = "payload bits"


@dataclass(frozen=True)
class LeftOut:
    """The figure without one point; None where there is none without it."""

    side: Side
    label: str
    value: float | None


@dataclass(frozen=True)
class Part:
    """The figure over a part of what both curves cover: `low` to `high` of quality (BD-rate) or log10 rate."""

    low: float
    high: float
    value: float


@dataclass(frozen=True)
class Disagreement:
    """A BD-rate and a BD-quality whose signs disagree, and what explains it.

    The area between two rising curves is the same along either axis, so only the ends can turn the sign: a BD-rate is
    cut where one curve has no more quality, a BD-quality where one has no more rate. `crossings` are the qualities at
    which the curves cross. `saves_over` is the share of the common range of quality over which the test needs less
    rate, `better_over` the share of the common range of log rate over which it is better.
    """

    rate: BDFigure
    quality: BDFigure
    crossings: tuple[float, ...]
    saves_over: float
    better_over: float


def leave_one_out(anchor: RDCurve, test: RDCurve, metric: Metric = "psnr_db", unit: Unit = "%") -> tuple[LeftOut, ...]:
    """The figure without each point of the anchor and of the test, in turn; none where the whole has no figure."""
    figure = _figure(unit)(anchor, test, metric)
    if figure.value is None:
        return ()
    both = {Side.ANCHOR: figure.anchor_points, Side.TEST: figure.test_points}
    lines = {side: line_of(points, metric, unit) for side, points in both.items()}
    found = []
    for side, points in both.items():
        for left_out in points:
            line = line_of([point for point in points if point is not left_out], metric, unit)
            changed = lines | {side: line}
            found.append(LeftOut(side, left_out.label, _value(changed[Side.ANCHOR], changed[Side.TEST], unit)))
    return tuple(found)


def by_convention(
    anchor: RDCurve, test: RDCurve, metric: Metric = "psnr_db", unit: Unit = "%"
) -> dict[Convention, BDFigure]:
    """The figure under every other convention that both curves allow; a published mean allows none."""
    ways: dict[Convention, Callable[[RDCurve], RDCurve | None]] = {Convention.PAYLOAD_BITS: with_payload_bits}
    if metric == "psnr_db":
        ways[Convention.PSNR_OF_MEAN_MSE] = with_psnr_of_mean_mse
    if metric == "ms_ssim_db":
        ways[Convention.MEAN_OF_MS_SSIM_DB] = with_mean_of_ms_ssim_db
    anchor, test = paired(anchor, test)
    found = {}
    for convention, way in ways.items():
        one, other = way(anchor), way(test)
        if one and other:
            found[convention] = _figure(unit)(one, other, metric)
    return found


def with_psnr_of_mean_mse(curve: RDCurve) -> RDCurve | None:
    """The curve with one PSNR per point, of the mean MSE over its pictures; None where pictures are not known."""

    def pooled(point: RDPoint) -> RDPoint | None:
        psnr = [one.psnr_db for one in point.by_picture.values() if one.psnr_db is not None]
        mse = fmean(10 ** (-value / 10) for value in psnr) if psnr and len(psnr) == len(point.by_picture) else 0.0
        return replace(point, psnr_db=-10 * math.log10(mse), by_picture={}) if mse > 0 else None

    return _each(curve, pooled)


def with_mean_of_ms_ssim_db(curve: RDCurve) -> RDCurve | None:
    """The curve whose MS-SSIM in dB is the mean of the pictures' dB; None where pictures are not known."""

    def averaged(point: RDPoint) -> RDPoint | None:
        db = [one.ms_ssim_db for one in point.by_picture.values() if one.ms_ssim_db is not None]
        if not db or len(db) < len(point.by_picture):
            return None
        return replace(point, ms_ssim=1 - 10 ** (-fmean(db) / 10), by_picture={})

    return _each(curve, averaged)


def with_payload_bits(curve: RDCurve) -> RDCurve | None:
    """The curve with the rate of its entropy-coded strings alone, as CompressAI counts; None where not known."""
    if curve.rate_kind == "payload":
        return None
    found = _each(curve, lambda p: replace(p, bpp=p.payload_bpp, by_picture={}) if p.payload_bpp is not None else None)
    return replace(found, rate_kind="payload") if found else None


def over_parts(
    anchor: RDCurve, test: RDCurve, metric: Metric = "psnr_db", unit: Unit = "%", parts: int = 3
) -> tuple[Part, ...]:
    """The figure over equal parts of what both curves cover; none where the whole has no figure."""
    figure = _figure(unit)(anchor, test, metric)
    if figure.value is None or figure.low is None or figure.high is None:
        return ()
    lines = [line_of(points, metric, unit) for points in (figure.anchor_points, figure.test_points)]
    ends = [figure.low + (figure.high - figure.low) * step / parts for step in range(parts + 1)]
    return tuple(
        Part(low, high, in_unit(delta(lines[0], lines[1], low=low, high=high), unit)) for low, high in pairwise(ends)
    )


def rate_difference(
    anchor: RDCurve, test: RDCurve, metric: Metric = "psnr_db", points: int = GRID
) -> tuple[tuple[float, float], ...]:
    """(quality, rate of the test less that of the anchor in per cent of it) over the qualities both reach."""
    return tuple((x, in_unit(y, "%")) for x, y in _difference(bd_rate(anchor, test, metric, bootstrap=False), points))


def disagreement(anchor: RDCurve, test: RDCurve, metric: Metric = "psnr_db") -> Disagreement | None:
    """Where BD-rate and BD-quality disagree on which curve is better, what explains it; else None."""
    rate = bd_rate(anchor, test, metric, bootstrap=False)
    quality = bd_psnr(anchor, test, metric, bootstrap=False)
    if rate.value is None or quality.value is None or rate.value * quality.value <= 0:
        return None
    along_quality, along_rate = (_difference(figure, 1000) for figure in (rate, quality))
    crossings = [(x + after_x) / 2 for (x, y), (after_x, after) in pairwise(along_quality) if y * after < 0]
    return Disagreement(
        rate,
        quality,
        tuple(crossings),
        fmean(y < 0 for _, y in along_quality),
        fmean(y > 0 for _, y in along_rate),
    )


def _difference(figure: BDFigure, points: int) -> list[tuple[float, float]]:
    """(x, y of the test less y of the anchor) over what both cover."""
    import numpy as np

    if figure.value is None:
        return []
    lines = [line_of(some, figure.metric, figure.unit) for some in (figure.anchor_points, figure.test_points)]
    _, low, high = common_range(lines[0], lines[1])
    x = np.linspace(low, high, points)
    under_anchor, under_test = (values_at(line, x) for line in lines)
    return list(zip(x.tolist(), (under_test - under_anchor).tolist(), strict=True))


def _figure(unit: Unit) -> Callable[[RDCurve, RDCurve, Metric], BDFigure]:
    of_unit: Mapping[Unit, Callable[..., BDFigure]] = {"%": bd_rate, "dB": bd_psnr}
    return lambda anchor, test, metric: of_unit[unit](anchor, test, metric, bootstrap=False)


def _value(anchor: Line, test: Line, unit: Unit) -> float | None:
    """The figure of two lines by PCHIP; None where they have too few points or overlap too little."""
    if min(len(anchor[0]), len(test[0])) < 2 or common_range(anchor, test)[0] < LEAST_OVERLAP:
        return None
    return in_unit(delta(anchor, test), unit)


def _each(curve: RDCurve, change: Callable[[RDPoint], RDPoint | None]) -> RDCurve | None:
    """The curve with every point changed; None where one cannot be. Its points are means, without their pictures."""
    changed = [change(point) for point in curve.points]
    known = [point for point in changed if point is not None]
    return replace(curve, points=tuple(known), pictures=()) if known and len(known) == len(changed) else None
