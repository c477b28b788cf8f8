"""What a BD figure owes to its points, conventions and range, from arithmetic."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from helpers.made_curves import constant_factor, curve_over_pictures, tables

from lic_bench.analysis import sensitivity
from lic_bench.analysis.bdrate import bd_ms_ssim, bd_psnr, bd_rate
from lic_bench.analysis.sensitivity import Convention, Side

RATES = np.outer([0.25, 0.5, 1.0, 2.0], np.ones(3))
SCORES = np.array([30.0, 33.0, 36.0, 39.0])[:, None] + np.array([-3.0, 0.0, 3.0])
ANCHOR = curve_over_pictures("anchor", RATES, SCORES)


def test_each_point_is_left_out_in_turn():
    found = sensitivity.leave_one_out(ANCHOR, constant_factor(ANCHOR, 0.8))
    assert [(one.side, one.label) for one in found] == [(side, str(at)) for side in Side for at in range(4)]
    assert [one.value for one in found] == [pytest.approx(-20)] * 8


def test_a_single_odd_point_shows():
    rates = RATES.copy()
    rates[1] *= 0.5  # at 33 dB the test needs half the rate, elsewhere the same
    found = {one.label: one.value for one in sensitivity.leave_one_out(ANCHOR, curve_over_pictures("t", rates, SCORES))
             if one.side is Side.TEST}  # fmt: skip
    assert found["1"] == pytest.approx(0, abs=1e-9)
    assert all(found[label] < -5 for label in "03")


def test_psnr_of_the_mean_mse_is_below_the_mean_psnr():
    (first, *_) = sensitivity.with_psnr_of_mean_mse(ANCHOR).points
    assert first.psnr_db == pytest.approx(-10 * math.log10((10**-2.7 + 10**-3.0 + 10**-3.3) / 3))
    lossless = SCORES.copy()
    lossless[3, 0] = np.inf  # no error on one of three pictures
    last = sensitivity.with_psnr_of_mean_mse(curve_over_pictures("t", RATES, lossless)).points[-1]
    assert last.psnr_db == pytest.approx(-10 * math.log10((10**-3.9 + 10**-4.2) / 3))


def test_the_convention_can_change_the_figure():
    # equal mean PSNR everywhere, but the test spreads it over pictures: its mean MSE is larger
    spread = SCORES + np.array([-3.0, 0.0, 3.0])
    test = curve_over_pictures("test", RATES, spread)
    assert bd_rate(ANCHOR, test).value == pytest.approx(0, abs=1e-9)
    found = sensitivity.by_convention(ANCHOR, test)
    assert set(found) == {Convention.PSNR_OF_MEAN_MSE}
    assert found[Convention.PSNR_OF_MEAN_MSE].value > 10


def test_mean_of_decibels_is_another_ms_ssim():
    linear = np.array([[0.9, 0.95, 0.99], [0.95, 0.97, 0.995], [0.97, 0.98, 0.997], [0.98, 0.99, 0.999]])
    curve = curve_over_pictures("c", RATES, linear, "ms_ssim")
    (first, *_) = sensitivity.with_mean_of_ms_ssim_db(curve).points
    assert first.ms_ssim_db == pytest.approx(-10 * (math.log10(0.1) + math.log10(0.05) + math.log10(0.01)) / 3)
    assert curve.points[0].ms_ssim_db == pytest.approx(-10 * math.log10(0.16 / 3))
    better = curve_over_pictures("d", 0.9 * RATES, linear, "ms_ssim")
    found = sensitivity.by_convention(curve, better, "ms_ssim_db")
    assert found[Convention.MEAN_OF_MS_SSIM_DB].value == pytest.approx(-10)
    assert bd_ms_ssim(curve, better).db > 0


def test_payload_bits_are_used_where_both_curves_have_them():
    def with_payload(curve, factor):
        return replace(curve, points=tuple(replace(p, payload_bpp=factor * p.bpp) for p in curve.points))

    anchor, test = with_payload(ANCHOR, 0.9), with_payload(constant_factor(ANCHOR, 0.8), 0.99)
    found = sensitivity.by_convention(anchor, test)[Convention.PAYLOAD_BITS]
    assert found.value == pytest.approx(100 * (0.8 * 0.99 / 0.9 - 1))
    assert Convention.PAYLOAD_BITS not in sensitivity.by_convention(anchor, ANCHOR)


def test_the_parts_of_the_range_make_up_the_whole():
    test = curve_over_pictures("test", RATES * np.array([0.7, 0.8, 0.9, 1.0])[:, None], SCORES)
    parts = sensitivity.over_parts(ANCHOR, test)
    assert [(round(part.low), round(part.high)) for part in parts] == [(30, 33), (33, 36), (36, 39)]
    assert [part.value for part in parts] == sorted(part.value for part in parts)
    together = np.mean([math.log10(1 + part.value / 100) for part in parts])
    assert 100 * (10**together - 1) == pytest.approx(bd_rate(ANCHOR, test).value)


def test_the_difference_along_the_curves():
    found = sensitivity.rate_difference(ANCHOR, constant_factor(ANCHOR, 1.25), points=5)
    assert found[0] == (pytest.approx(30), pytest.approx(25))
    assert found[-1] == (pytest.approx(39), pytest.approx(25))
    far = curve_over_pictures("far", RATES, SCORES + 50)
    assert sensitivity.rate_difference(ANCHOR, far) == ()


def test_signs_that_disagree_are_explained_by_where_the_curves_cross():
    # 7 % more rate up to 36 dB and nearly half the rate at 39 dB: along the axis of rate most of that gain is cut off,
    # because the test ends at 1.1 bpp
    test = curve_over_pictures("test", np.outer([0.2675, 0.535, 1.07, 1.1], np.ones(3)), SCORES)
    found = sensitivity.disagreement(ANCHOR, test)
    assert (found.rate.low, found.rate.high) == (30, 39)
    assert (10**found.quality.low, 10**found.quality.high) == (pytest.approx(0.2675), pytest.approx(1.1))
    assert found.rate.value < 0  # less rate
    assert found.quality.value < 0  # less quality
    (crossing,) = found.crossings
    assert 36 < crossing < 39
    assert found.saves_over == pytest.approx((39 - crossing) / 9, abs=0.01)
    assert 0 < found.better_over < 0.5
    assert sensitivity.disagreement(ANCHOR, constant_factor(ANCHOR, 0.9)) is None


def test_scores_of_pictures_are_untouched_by_conventions():
    rates, scores = tables(ANCHOR)
    sensitivity.by_convention(ANCHOR, constant_factor(ANCHOR, 0.9))
    assert np.array_equal(tables(ANCHOR)[1], scores)
    assert np.array_equal(tables(ANCHOR)[0], rates)
    assert bd_psnr(ANCHOR, ANCHOR).value == 0
