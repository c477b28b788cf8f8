"""Rate-distortion points as lines, and what lies between two lines: one pair by scipy, many resamples at once by numpy.

PCHIP is F. N. Fritsch and R. E. Carlson, "Monotone piecewise cubic interpolation", SIAM J. Numer. Anal. 17 (1980), with
the derivatives that scipy uses (weighted harmonic mean; one-sided, shape-preserving at the ends).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Column = npt.NDArray[np.float64]
    Line = tuple[Column, Column]

Unit = Literal["%", "dB"]
"""A BD-rate is in per cent of the anchor's rate, a BD-quality in dB (or in the metric's own unit)."""

METHODS = ("pchip", "akima", "cubic")
LEAST_OVERLAP = 0.25
"""The share of the test's range that its anchor must cover for a figure."""


def rising_line(rates: Column, scores: Column, unit: Unit) -> Line:
    """Points by rising rate, less those that pay more rate for no more quality, as the (x, y) to be integrated.

    For a BD-rate x is quality and y log10 of rate, for a BD-quality the other way round.
    """
    import numpy as np

    kept: list[int] = []
    for index in np.lexsort((-scores, rates)):
        if np.isfinite(scores[index]) and (not kept or scores[index] > scores[kept[-1]]):
            kept.append(int(index))
    log_rates, rising = np.log10(rates[kept]), scores[kept]
    return (rising, log_rates) if unit == "%" else (log_rates, rising)


def common_range(anchor: Line, test: Line) -> tuple[float, float, float]:
    """The share of the test's range of x that the anchor covers, and the ends of what both cover."""
    low, high = max(anchor[0][0], test[0][0]), min(anchor[0][-1], test[0][-1])
    return float(max(high - low, 0) / (test[0][-1] - test[0][0])), float(low), float(high)


def delta(
    anchor: Line, test: Line, method: str = "pchip", low: float | None = None, high: float | None = None
) -> float:
    """Mean of test less anchor over the x that both cover, or from `low` to `high` inside of it.

    A line is (x, y), x rising, two points or more. The caller makes sure that the lines overlap; "cubic" needs four
    points on each.
    """
    _, least, most = common_range(anchor, test)
    low, high = least if low is None else low, most if high is None else high
    under_anchor, under_test = (_integral(line, method, low, high) for line in (anchor, test))
    return (under_test - under_anchor) / (high - low)


def values_at(line: Line, x: Column) -> Column:
    """A line's y at some x inside its range, by PCHIP."""
    import numpy as np
    from scipy.interpolate import PchipInterpolator

    return np.asarray(PchipInterpolator(*line)(x), dtype=np.float64)


def in_unit(difference: float, unit: Unit) -> float:
    """A mean difference of log10 rate in per cent; one of quality as it is."""
    return float((10**difference - 1) * 100) if unit == "%" else float(difference)


def _integral(line: Line, method: str, low: float, high: float) -> float:
    import numpy as np
    from scipy.interpolate import Akima1DInterpolator, PchipInterpolator, make_interp_spline

    x, y = line
    if method == "cubic":  # one cubic fitted to all points, as in VCEG-M33; with four it passes through them
        integral = np.polyint(np.polyfit(x, y, 3))
        return float(np.polyval(integral, high) - np.polyval(integral, low))
    if len(x) == 2:
        return float(make_interp_spline(x, y, k=1).integrate(low, high))
    interpolator = PchipInterpolator if method == "pchip" else Akima1DInterpolator
    return float(interpolator(x, y).integrate(low, high))


@dataclass(frozen=True)
class Lines:
    """Many lines of one curve, resamples x points, each by rising rate; `kept` marks the points of a rising line."""

    x: Column
    y: Column
    kept: npt.NDArray[np.bool_]

    @property
    def low(self) -> Column:
        """The least x of every line; infinite where a line has no point."""
        import numpy as np

        return np.min(np.where(self.kept, self.x, np.inf), axis=1)  # type: ignore[no-any-return]

    @property
    def high(self) -> Column:
        """The largest x of every line; minus infinity where a line has no point."""
        import numpy as np

        return np.max(np.where(self.kept, self.x, -np.inf), axis=1)  # type: ignore[no-any-return]

    def integrals(self, low: Column, high: Column) -> Column:
        """The integral of every line from its `low` to its `high`, by PCHIP; NaN where it has fewer than two points."""
        import numpy as np

        if self.kept.all() and self.x.shape[1] > 1:  # the common case
            return _pchip_integrals(self.x, self.y, low, high)
        found = np.full(len(self.x), np.nan)
        patterns, members = np.unique(self.kept, axis=0, return_inverse=True)
        for number, pattern in enumerate(patterns):
            rows = np.flatnonzero(members.ravel() == number)
            if np.count_nonzero(pattern) > 1:
                x, y = self.x[rows][:, pattern], self.y[rows][:, pattern]
                found[rows] = _pchip_integrals(x, y, low[rows], high[rows])
        return found


def rising_lines(rates: Column, scores: Column, unit: Unit) -> Lines:
    """`rising_line` for many resamples at once: `rates` and `scores` are resamples x points, a missing score NaN."""
    import numpy as np

    order = np.lexsort((-scores, rates), axis=-1)
    rates, scores = np.take_along_axis(rates, order, 1), np.take_along_axis(scores, order, 1)
    known = np.where(np.isfinite(scores), scores, -np.inf)
    best_before = np.maximum.accumulate(known, axis=1)[:, :-1]
    kept = np.concatenate([known[:, :1] > -np.inf, known[:, 1:] > best_before], axis=1)
    log_rates = np.log10(rates)
    return Lines(scores, log_rates, kept) if unit == "%" else Lines(log_rates, scores, kept)


def deltas(anchor: Lines, test: Lines) -> Column:
    """`delta` by PCHIP for every resample; NaN where one has no figure (too few points, too little overlap)."""
    import numpy as np

    low, high = np.maximum(anchor.low, test.low), np.minimum(anchor.high, test.high)
    own = test.high - test.low
    enough = (np.count_nonzero(anchor.kept, axis=1) > 1) & (np.count_nonzero(test.kept, axis=1) > 1)
    enough[enough] &= (high - low)[enough] / own[enough] >= LEAST_OVERLAP
    found = np.full(len(low), np.nan)
    if enough.any():
        anchor, test = (Lines(some.x[enough], some.y[enough], some.kept[enough]) for some in (anchor, test))
        low, high = low[enough], high[enough]
        found[enough] = (test.integrals(low, high) - anchor.integrals(low, high)) / (high - low)
    return found


def _pchip_integrals(x: Column, y: Column, low: Column, high: Column) -> Column:
    """Integrals of many PCHIP lines (rows of x and y, two points or more), each within its own limits."""
    import numpy as np

    step = np.diff(x, axis=1)
    slope = np.diff(y, axis=1) / step
    derivative = _pchip_derivatives(step, slope)
    before, after = derivative[:, :-1], derivative[:, 1:]
    quadratic, cubic = (3 * slope - 2 * before - after) / step, (before + after - 2 * slope) / step**2

    def antiderivative(limit: Column) -> Column:
        t = np.clip(limit[:, None], x[:, :-1], x[:, 1:]) - x[:, :-1]
        return t * (y[:, :-1] + t * (before / 2 + t * (quadratic / 3 + t * cubic / 4)))  # type: ignore[no-any-return]

    return np.sum(antiderivative(high) - antiderivative(low), axis=1)  # type: ignore[no-any-return]


def _pchip_derivatives(step: Column, slope: Column) -> Column:
    import numpy as np

    if slope.shape[1] == 1:
        return np.concatenate([slope, slope], axis=1)
    left, right = slope[:, :-1], slope[:, 1:]
    first, second = 2 * step[:, 1:] + step[:, :-1], step[:, 1:] + 2 * step[:, :-1]
    same = np.sign(left) * np.sign(right) > 0
    harmonic = (first / np.where(same, left, 1) + second / np.where(same, right, 1)) / (first + second)
    inner = np.where(same, 1 / np.where(same, harmonic, 1), 0)
    start = _end_derivative(step[:, 0], step[:, 1], slope[:, 0], slope[:, 1])
    end = _end_derivative(step[:, -1], step[:, -2], slope[:, -1], slope[:, -2])
    return np.concatenate([start[:, None], inner, end[:, None]], axis=1)


def _end_derivative(near: Column, next_: Column, slope: Column, next_slope: Column) -> Column:
    import numpy as np

    found = ((2 * near + next_) * slope - near * next_slope) / (near + next_)
    turned = np.sign(found) != np.sign(slope)
    steep = (np.sign(slope) != np.sign(next_slope)) & (np.abs(found) > 3 * np.abs(slope))
    return np.where(turned, 0, np.where(steep, 3 * slope, found))
