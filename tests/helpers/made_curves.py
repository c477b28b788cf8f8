"""Made-up rate-distortion curves over pictures, with known differences between them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lic_bench.analysis.curves import RDCurve, RDPoint, Source, over_pictures
from lic_bench.records import Origin

SOURCE = Source(Origin.MEASURED, "made up")


def curve_over_pictures(codec: str, rates: np.ndarray, scores: np.ndarray, metric: str = "psnr_db") -> RDCurve:
    """A curve from rates and scores (points x pictures); a score of NaN is missing, one of infinity lossless."""
    points = {
        str(place): {
            f"p{at:02}": RDPoint(str(place), float(rate), **{metric: None if np.isnan(score) else float(score)})
            for at, (rate, score) in enumerate(zip(row, own, strict=True))
        }
        for place, (row, own) in enumerate(zip(rates, scores, strict=True))
    }
    return over_pictures(codec, codec, "made up", None, points, "stream", SOURCE)


def pair_with_known_difference(
    random: np.random.Generator, percent: float, spread: float = 0.06, pictures: int = 24
) -> tuple[RDCurve, RDCurve]:
    """Anchor and test over pictures drawn from a population in which the test needs `percent` more rate.

    Pictures differ in how hard they are and in how much rate the test saves on them; scores vary by picture.
    """
    hard = np.exp(random.normal(0, 0.5, pictures))
    saved = 1 + percent / 100 + random.normal(0, spread, pictures)
    rates = np.outer(0.1 * 1.8 ** np.arange(5), hard)
    scores = (28 + 2.5 * np.arange(5))[:, None] + random.normal(0, 1.5, pictures)
    return curve_over_pictures("anchor", rates, scores), curve_over_pictures("test", rates * saved, scores)


def constant_factor(curve: RDCurve, factor: float, codec: str = "other") -> RDCurve:
    """The same curve at another rate everywhere."""
    rates, scores = tables(curve)
    return curve_over_pictures(codec, factor * rates, scores)


def tables(curve: RDCurve) -> tuple[np.ndarray, np.ndarray]:
    """Rates and PSNRs of a curve as points x pictures."""
    rows: Sequence[list[RDPoint]] = [[point.by_picture[name] for name in curve.pictures] for point in curve.points]
    return np.array([[p.bpp for p in row] for row in rows]), np.array([[p.psnr_db for p in row] for row in rows])
