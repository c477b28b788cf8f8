"""Intervals over pictures: the same as a loop with scipy, the right width, and no verdict that they do not bear."""

from __future__ import annotations

import numpy as np
import pytest
from helpers.made_curves import constant_factor, curve_over_pictures, pair_with_known_difference, tables
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.interpolate import PchipInterpolator

from lic_bench.analysis import bootstrap
from lic_bench.analysis.bdrate import bd_psnr, bd_rate
from lic_bench.analysis.bootstrap import Comparison, NoInterval
from lic_bench.analysis.interpolation import LEAST_OVERLAP, common_range, delta, in_unit, rising_line, rising_lines

PICTURES = 7


def by_loop(anchor, test, unit, resamples):
    """The figures of the first resamples, each by itself, from scipy."""
    found = []
    for counts in bootstrap.drawn(PICTURES)[:resamples]:
        lines = []
        for curve in (anchor, test):
            rates, scores = tables(curve)
            known = np.isfinite(scores.astype(float))
            means = [
                np.average(row[keep], weights=counts[keep]) if counts[keep].any() else np.nan
                for row, keep in zip(scores.astype(float), known, strict=True)
            ]
            lines.append(rising_line(np.average(rates, axis=1, weights=counts), np.array(means), unit))
        if min(len(line[0]) for line in lines) < 2 or common_range(*lines)[0] < LEAST_OVERLAP:
            found.append(np.nan)
        else:
            found.append(in_unit(delta(*lines), unit))
    return np.array(found)


def wild_pair(seed):
    """Curves that cross, dip, and have lossless pictures."""
    random = np.random.default_rng(seed)
    curves = []
    for name, points in (("anchor", 6), ("test", 5)):
        rates = np.cumsum(random.uniform(0.05, 0.6, (points, PICTURES)), axis=0)
        scores = 28 + np.cumsum(random.uniform(-0.4, 3, (points, PICTURES)), axis=0)
        scores[random.random(scores.shape) < 0.04] = np.inf
        curves.append(curve_over_pictures(name, rates, scores))
    return curves


@pytest.mark.parametrize("unit", ["%", "dB"])
@pytest.mark.parametrize("seed", range(6))
def test_all_resamples_at_once_equal_a_loop(unit, seed):
    anchor, test = wild_pair(seed)
    found = bootstrap.resampled(anchor.points, test.points, anchor.pictures, "psnr_db", unit, 100)
    expected = by_loop(anchor, test, unit, 100)
    known = expected[np.isfinite(expected)]
    assert found.without == len(expected) - len(known)
    assert np.max(np.abs(found.values - known), initial=0) < 1e-9 * max(1, np.max(np.abs(known), initial=0))


@settings(max_examples=60, deadline=None)
@given(st.integers(2, 9), st.integers(0, 10**6))
def test_the_integrals_equal_scipys(points, seed):
    random = np.random.default_rng(seed)
    rates = np.sort(np.exp(random.normal(0, 1, (4, points))), axis=1)
    scores = 20 + np.cumsum(random.exponential(2, (4, points)), axis=1)
    lines = rising_lines(rates, scores, "%")
    low, high = lines.low + 0.1 * (lines.high - lines.low), lines.high - 0.3 * (lines.high - lines.low)
    for row, ours in enumerate(lines.integrals(low, high)):
        x, y = lines.x[row], lines.y[row]
        theirs = PchipInterpolator(x, y).integrate(low[row], high[row])
        assert ours == pytest.approx(float(theirs), rel=1e-9, abs=1e-9)


def test_the_interval_covers_a_known_difference():
    random = np.random.default_rng(5)
    covered = 0
    for _ in range(200):
        percent = random.uniform(-20, 20)
        low, high = bd_rate(*pair_with_known_difference(random, percent)).interval
        covered += low <= percent <= high
    assert 180 <= covered <= 196  # 90 to 98 %


def test_a_codec_is_better_only_where_the_interval_says_so():
    random = np.random.default_rng(7)
    anchor, clearly = pair_with_known_difference(random, -10)
    figure = bd_rate(anchor, clearly)
    assert figure.interval[1] < 0
    assert (figure.comparison, figure.probability) == (Comparison.BETTER, 1.0)
    back = bd_rate(clearly, anchor)
    assert (back.comparison, back.probability) == (Comparison.WORSE, 0.0)
    assert bd_psnr(anchor, clearly).comparison is Comparison.BETTER
    anchor, hardly = pair_with_known_difference(random, -0.5)
    figure = bd_rate(anchor, hardly)
    assert figure.interval[0] < 0 < figure.interval[1]
    assert figure.comparison is Comparison.NOT_DECIDED
    assert 0 < figure.probability < 1


def test_the_same_curve_beats_itself_half_the_time():
    anchor, _ = pair_with_known_difference(np.random.default_rng(1), 0)
    figure = bd_rate(anchor, constant_factor(anchor, 1.0))
    assert (figure.value, figure.probability, figure.comparison) == (0, 0.5, Comparison.NOT_DECIDED)


def test_best_and_worst_pictures_are_named():
    anchor, _ = pair_with_known_difference(np.random.default_rng(2), 0, pictures=3)
    rates, scores = tables(anchor)
    figure = bd_rate(anchor, curve_over_pictures("test", rates * [0.9, 0.7, 1.3], scores))
    assert figure.pictures.best == ("p01", pytest.approx(-30))
    assert figure.pictures.worst == ("p02", pytest.approx(30))
    assert (figure.pictures.mean, figure.pictures.median) == (pytest.approx(-10 / 3), pytest.approx(-10))
    assert bd_psnr(anchor, curve_over_pictures("test", rates, scores + np.array([1, 0, -2]))).pictures.best[0] == "p00"


def test_a_resample_without_a_figure_leaves_no_interval():
    # one picture is so much better on the test curve that resamples with it alone share no quality
    rates = np.outer([0.1, 0.2, 0.4, 0.8], np.ones(3))
    scores = np.array([30.0, 33, 36, 39])[:, None] * np.ones(3)
    test = curve_over_pictures("test", rates, scores + np.array([0.0, 0.0, 20.0]))
    figure = bd_rate(curve_over_pictures("anchor", rates, scores), test)
    assert (figure.interval, figure.no_interval) == (None, NoInterval.RESAMPLE_WITHOUT_FIGURE)
    assert figure.interval_reason == "some resamples of the pictures have no figure"
    assert set(figure.by_picture) == {"p00", "p01"}


def test_a_figure_without_pictures_says_why_it_has_no_interval():
    anchor, test = pair_with_known_difference(np.random.default_rng(3), -5, pictures=2)
    assert bd_rate(anchor, test).no_interval is NoInterval.FEW_PICTURES
    assert bd_rate(anchor, test, bootstrap=False).no_interval is NoInterval.NOT_ASKED
