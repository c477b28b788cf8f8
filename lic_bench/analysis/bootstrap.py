"""The distribution of a BD figure over pictures, and its 95 % interval by a paired bootstrap over them.

Each resample draws pictures with replacement, the same for both curves, and takes the figure of the averaged curves.
All resamples are computed at once. B. Efron, "Bootstrap methods: another look at the jackknife", Ann. Statist. 7
(1979).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from statistics import fmean, median
from typing import TYPE_CHECKING

from lic_bench.analysis.curves import Metric, RDPoint
from lic_bench.analysis.interpolation import Unit, deltas, rising_lines

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Column = npt.NDArray[np.float64]

RESAMPLES = 2000
SEED = 20010402


class NoInterval(StrEnum):
    """Why a BD figure has no interval over pictures."""

    NO_PICTURES = "no_pictures"  # a published mean: nobody says what each picture gave
    FEW_PICTURES = "few_pictures"
    RESAMPLE_WITHOUT_FIGURE = "resample_without_figure"
    NOT_ASKED = "not_asked"


class Comparison(StrEnum):
    """What a figure says of the test against its anchor. Better and worse only where the whole interval says so."""

    BETTER = "better"
    WORSE = "worse"
    NOT_DECIDED = "not decided"
    NO_INTERVAL = "no interval"


@dataclass(frozen=True)
class PictureSpread:
    """A BD figure over single pictures: `best` and `worst` are (picture, value), by what is good for the test."""

    mean: float
    median: float
    best: tuple[str, float]
    worst: tuple[str, float]
    pictures: int

    @classmethod
    def of(cls, by_picture: Mapping[str, float], unit: Unit) -> PictureSpread:
        """The spread of one figure or more, given by picture."""
        ordered = sorted(by_picture.items(), key=lambda item: item[1], reverse=unit == "dB")
        values = [value for _, value in ordered]
        return cls(fmean(values), median(values), ordered[0], ordered[-1], len(values))


@dataclass(frozen=True)
class Resampled:
    """Figures of resamples, in the figure's unit; `without` counts the resamples that have none."""

    values: Column
    without: int

    @property
    def interval(self) -> tuple[float, float] | None:
        """The 2.5th and 97.5th percentile; None where a resample has no figure, which would make it too narrow."""
        import numpy as np

        if self.without or not len(self.values):
            return None
        low, high = np.percentile(self.values, (2.5, 97.5))
        return float(low), float(high)

    def probability_below_zero(self) -> float:
        """The share of resamples below zero; one at zero counts half."""
        import numpy as np

        return float(np.mean(self.values < 0) + np.mean(self.values == 0) / 2)


def by_picture(
    anchor: Sequence[RDPoint], test: Sequence[RDPoint], pictures: Sequence[str], metric: Metric, unit: Unit
) -> dict[str, float]:
    """The figure of every picture by itself, less those that have none."""
    import numpy as np

    lines = [rising_lines(rates.T, scores.T, unit) for rates, scores in _tables(anchor, test, pictures, metric)]
    found = _in_unit(deltas(*lines), unit)
    return {name: float(value) for name, value in zip(pictures, found, strict=True) if np.isfinite(value)}


def resampled(
    anchor: Sequence[RDPoint],
    test: Sequence[RDPoint],
    pictures: Sequence[str],
    metric: Metric,
    unit: Unit,
    resamples: int = RESAMPLES,
) -> Resampled:
    """The figures of the averaged curves over resamples of the pictures, the same resamples every time."""
    import numpy as np

    counts = drawn(len(pictures), resamples)
    lines = [rising_lines(*_means(*table, counts), unit) for table in _tables(anchor, test, pictures, metric)]
    found = _in_unit(deltas(*lines), unit)
    known = found[np.isfinite(found)]
    return Resampled(known, len(found) - len(known))


@cache
def drawn(pictures: int, resamples: int = RESAMPLES) -> Column:
    """How often each picture is in each resample (resamples x pictures); every row adds up to `pictures`."""
    import numpy as np

    chosen = np.random.default_rng(SEED).integers(pictures, size=(resamples, pictures))
    counts = np.zeros((resamples, pictures))
    np.add.at(counts, (np.arange(resamples)[:, None], chosen), 1)
    counts.setflags(write=False)
    return counts


def _means(rates: Column, scores: Column, counts: Column) -> tuple[Column, Column]:
    """Mean rate and score of every resample (resamples x points); a score is over the pictures that have one."""
    import numpy as np

    known = np.isfinite(scores)
    with np.errstate(invalid="ignore"):  # 0 / 0 where no picture of a resample has a score: there is none
        means = (counts @ np.where(known, scores, 0).T) / (counts @ known.T.astype(np.float64))
    return counts @ rates.T / counts.sum(axis=1, keepdims=True), means


def _tables(
    anchor: Sequence[RDPoint], test: Sequence[RDPoint], pictures: Sequence[str], metric: Metric
) -> list[tuple[Column, Column]]:
    """Rates and scores of both curves as points x pictures; NaN where a picture has no finite score (lossless)."""
    import numpy as np

    found = []
    for points in (anchor, test):
        rows = [[point.by_picture[name] for name in pictures] for point in points]
        rates = np.array([[one.bpp for one in row] for row in rows], dtype=np.float64)
        found.append((rates, np.array([[one.score(metric) for one in row] for row in rows], dtype=np.float64)))
    return found


def _in_unit(differences: Column, unit: Unit) -> Column:
    return (10**differences - 1) * 100 if unit == "%" else differences
