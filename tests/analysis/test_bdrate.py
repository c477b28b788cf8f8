"""BD figures equal another package's, the published ones, and say why they are thin or missing."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

import bjontegaard
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from lic_bench.analysis import curves
from lic_bench.analysis.bdrate import Refusal, bd_psnr, bd_rate
from lic_bench.analysis.curves import RDCurve, RDPoint, Source
from lic_bench.assets import resources
from lic_bench.caveats import Caveat
from lic_bench.records import CurveId, Origin

SOURCE = Source(Origin.MEASURED, "run")


def curve(rates, scores, codec="test", **more):
    points = tuple(RDPoint(str(i), rate, score) for i, (rate, score) in enumerate(zip(rates, scores, strict=True)))
    return RDCurve(codec, codec, "kodak", None, points, "stream", SOURCE, **more)


ANCHOR = curve((0.25, 0.5, 1.0, 2.0), (30.0, 33.0, 36.0, 39.0), "anchor")


@st.composite
def rising_curves(draw):
    count = draw(st.integers(4, 9))
    steps = st.lists(st.floats(0.05, 2.0), min_size=count, max_size=count)
    rates = 0.05 * np.exp(np.cumsum(draw(steps)) / 2)
    return curve(rates.tolist(), (draw(st.floats(25, 32)) + np.cumsum(draw(steps))).tolist())


@settings(max_examples=60, deadline=None)
@given(rising_curves(), rising_curves())
@pytest.mark.parametrize("method", ["pchip", "akima", "cubic"])
def test_the_figures_equal_the_bjontegaard_package(method, anchor, test):
    for ours, theirs in ((bd_rate(anchor, test), bjontegaard.bd_rate), (bd_psnr(anchor, test), bjontegaard.bd_psnr)):
        assume(ours.value is not None)
        columns = [[getattr(p, name) for p in c.points] for c in (anchor, test) for name in ("bpp", "psnr_db")]
        expected = theirs(*columns, method=method, require_matching_points=False, min_overlap=0)
        assert ours.by_method[method] == pytest.approx(expected, rel=1e-6, abs=1e-6)


@settings(max_examples=60, deadline=None)
@given(rising_curves(), rising_curves(), st.floats(0.5, 2.0))
def test_swapping_and_scaling_the_curves_does_what_it_must(anchor, test, factor):
    one, back = bd_rate(anchor, test), bd_rate(test, anchor)
    assume(one.value is not None and back.value is not None)
    assert (1 + one.value / 100) * (1 + back.value / 100) == pytest.approx(1)
    scaled = curve([factor * p.bpp for p in test.points], [p.psnr_db for p in test.points])
    assert 1 + bd_rate(anchor, scaled).value / 100 == pytest.approx(factor * (1 + one.value / 100))
    assert bd_rate(anchor, anchor).value == pytest.approx(0)


@settings(max_examples=40, deadline=None)
@given(rising_curves(), st.floats(-3, 3))
def test_shifting_a_curve_in_quality_shifts_its_bd_psnr(anchor, decibels):
    shifted = curve([p.bpp for p in anchor.points], [p.psnr_db + decibels for p in anchor.points])
    assert bd_psnr(anchor, shifted).value == pytest.approx(decibels)


def published(codec, source_id, dataset):
    found = curves.find(dataset, CurveId(codec, source_id))
    assert found is not None
    return found


def recomputed():
    return list(csv.DictReader(io.StringIO(resources.text("published", "bd_recomputed.csv"))))


def test_bd_figures_between_published_curves_are_reproduced():
    assert len(recomputed()) == 291
    for row in recomputed():
        anchor = published(row["anchor"], row["anchor_source_id"], row["dataset"])
        test = published(row["codec"], row["source_id"], row["dataset"])
        ours = (bd_rate if row["metric"] == "bd_rate_psnr_percent" else bd_psnr)(anchor, test)
        rounding = 0.01 if ours.unit == "%" else 0.001  # the points in the table are rounded as well
        assert ours.by_method["akima"] == pytest.approx(float(row["value_akima"]), abs=rounding), row
        assert ours.by_method["cubic"] == pytest.approx(float(row["value_cubic"]), abs=rounding), row


def test_fewer_anchor_points_move_the_hyperpriors_bd_rate():
    vtm, hyperprior = (
        published("vtm", "compressai-classical", "kodak"),
        published("bmshj2018-hyperprior", "compressai-float", "kodak"),
    )
    assert bd_rate(vtm, hyperprior).percent == pytest.approx(30.5, abs=0.05)
    assert bd_rate(replace(vtm, points=vtm.points[1:5]), hyperprior).percent == pytest.approx(32.9, abs=0.05)


def test_a_tenth_less_rate_everywhere_is_minus_ten_percent():
    test = curve([0.9 * p.bpp for p in ANCHOR.points], [p.psnr_db for p in ANCHOR.points])
    figure = bd_rate(ANCHOR, test)
    assert figure.percent == pytest.approx(-10)
    assert (figure.db, figure.overlap, figure.low, figure.high, figure.caveats) == (None, 1.0, 30.0, 39.0, ())
    assert figure.spread == pytest.approx(0, abs=1e-9)


def test_one_decibel_more_everywhere_is_one_decibel():
    figure = bd_psnr(ANCHOR, curve([p.bpp for p in ANCHOR.points], [p.psnr_db + 1 for p in ANCHOR.points]))
    assert (figure.db, figure.percent) == (pytest.approx(1), None)


def test_the_order_of_the_points_does_not_matter():
    test = curve((0.2, 0.45, 0.9, 1.9), (30.5, 33.0, 36.0, 38.0))
    assert bd_rate(ANCHOR, replace(test, points=test.points[::-1])).value == bd_rate(ANCHOR, test).value


def test_fewer_than_four_points_have_a_caveat_and_no_cubic():
    figure = bd_rate(ANCHOR, curve((0.25, 0.5, 2.0), (30.0, 33.0, 39.0)))
    assert figure.caveats == (Caveat.FEW_POINTS,)
    assert set(figure.by_method) == {"pchip", "akima"}


def test_two_points_are_joined_by_a_straight_line():
    anchor, test = curve((1.0, 10.0), (30.0, 40.0)), curve((2.0, 20.0), (30.0, 40.0))
    assert bd_rate(anchor, test).by_method == {"pchip": pytest.approx(100), "akima": pytest.approx(100)}


def test_one_point_gives_no_figure():
    figure = bd_rate(ANCHOR, curve((0.5,), (33.0,)))
    assert (figure.value, figure.refusal) == (None, Refusal.TOO_FEW_POINTS)
    assert figure.reason == "test (measured: run) has 1 point with psnr_db; two are needed"


def test_quality_that_falls_with_rate_gives_no_figure():
    figure = bd_rate(ANCHOR, curve((0.2, 0.4, 0.8), (36.0, 33.0, 30.0)))
    assert (figure.value, figure.refusal) == (None, Refusal.NOT_RISING)


def test_curves_over_disjoint_pictures_give_no_figure():
    one, other = over_pictures([1, 1]), over_pictures([1, 1, 1, 1], missing=(0, 1))
    assert bd_rate(one, other).refusal is Refusal.NO_SHARED_PICTURE
    assert bd_rate(one, one).reason == ""


def test_a_point_of_no_more_quality_is_left_out_with_a_caveat():
    good = curve((0.2, 0.4, 0.8, 1.6), (30.0, 33.0, 36.0, 39.0))
    dented = curve((0.2, 0.4, 0.6, 0.8, 1.6), (30.0, 33.0, 32.0, 36.0, 39.0))
    figure = bd_rate(ANCHOR, dented)
    assert figure.value == pytest.approx(bd_rate(ANCHOR, good).value)
    assert figure.caveats == (Caveat.NOT_MONOTONE,)


def test_little_overlap_has_a_caveat_and_less_no_figure():
    scores = np.array([30.0, 33.0, 36.0, 39.0])
    some = bd_rate(ANCHOR, curve((0.2, 0.4, 0.8, 1.6), scores + 3))  # of 33 to 42 the anchor covers 33 to 39
    assert (some.overlap, some.caveats) == (pytest.approx(2 / 3), (Caveat.LITTLE_OVERLAP,))
    barely = bd_rate(ANCHOR, curve((0.2, 0.4, 0.8, 1.6), scores + 7.2))  # of 37.2 to 46.2 only up to 39
    assert (barely.overlap, barely.value, barely.caveats) == (pytest.approx(0.2), None, (Caveat.NO_OVERLAP,))
    assert barely.refusal is Refusal.NO_OVERLAP
    assert barely.reason == "the anchor covers 20% of the curve's range of quality"
    inside = bd_rate(ANCHOR, curve((0.2, 0.3, 0.4, 0.5), (33.0, 34.0, 35.0, 36.0)))
    assert (inside.overlap, inside.caveats) == (1.0, ())
    assert bd_rate(ANCHOR, curve((0.2, 0.4, 0.8, 1.6), scores + 20)).overlap == 0


def test_nothing_outside_the_overlap_counts():
    tame = curve((0.225, 0.45, 0.9, 1.8, 3.6, 7.2), (30.0, 33.0, 36.0, 39.0, 42.0, 45.0))
    wild = curve((0.225, 0.45, 0.9, 1.8, 3.6, 9999.0), (30.0, 33.0, 36.0, 39.0, 42.0, 45.0))
    assert bd_rate(ANCHOR, wild).percent == pytest.approx(-10)
    assert bd_rate(ANCHOR, wild).value == bd_rate(ANCHOR, tame).value
    assert bd_rate(ANCHOR, wild).high == 39.0


def test_a_metric_that_the_anchor_lacks_gives_no_figure():
    figure = bd_rate(ANCHOR, ANCHOR, metric="ms_ssim_db")
    assert (figure.value, figure.refusal) == (None, Refusal.TOO_FEW_POINTS)
    assert figure.reason == "anchor (measured: run) has no points with ms_ssim_db; two are needed"


def test_curves_on_other_data_sets_are_not_compared():
    figure = bd_rate(ANCHOR, replace(ANCHOR, dataset="sample"))
    assert (figure.value, figure.refusal) == (None, Refusal.DIFFERENT_DATASETS)
    assert figure.reason == "the anchor was taken on kodak, not on sample"
    alike = bd_rate(ANCHOR, replace(ANCHOR, dataset="kodak-500x500-presumed"))
    assert alike.reason.endswith("not on kodak-500x500-presumed, which are different pictures in spite of the names")


def test_means_over_different_numbers_of_pictures_are_refused():
    vtm = published("vtm-17.0", "mlic-repo-figures", "kodak")
    part = replace(ANCHOR, pictures=("a", "b"), picture_count=2)
    assert bd_rate(vtm, part).refusal is Refusal.DIFFERENT_PICTURE_COUNTS
    assert bd_rate(vtm, part).reason == "the anchor is a mean over 24 pictures, the test over 2"
    assert bd_rate(vtm, replace(part, picture_count=24)).value is not None


def over_pictures(factors, missing=()):
    """A curve like ANCHOR over one picture per factor, each with that factor on its rates."""
    points = []
    for point in ANCHOR.points:
        by_picture = {
            f"p{i}": RDPoint(point.label, point.bpp * factor, point.psnr_db)
            for i, factor in enumerate(factors)
            if i not in missing
        }
        mean = sum(one.bpp for one in by_picture.values()) / len(by_picture)
        points.append(replace(point, bpp=mean, by_picture=by_picture))
    names = tuple(points[0].by_picture)
    return replace(ANCHOR, points=tuple(points), pictures=names, picture_count=len(names))


def test_the_interval_comes_from_a_bootstrap_over_pictures():
    figure = bd_rate(over_pictures([1] * 8), over_pictures([0.8, 0.85, 0.9, 0.95, 1, 1.05, 1.1, 1.15]))
    assert figure.by_picture["p0"] == pytest.approx(-20)
    assert figure.by_picture["p7"] == pytest.approx(15)
    low, high = figure.interval
    # the mean factor is 0.975; the standard error of a mean of 8 is 0.115 / sqrt(8) = 0.041
    assert figure.percent == pytest.approx(-2.5)
    assert low < figure.percent < high
    assert high - low == pytest.approx(2 * 1.96 * 4.1, rel=0.15)


def test_pairing_takes_picture_difficulty_out_of_the_interval():
    factors = [0.2, 0.5, 1, 2, 3]
    figure = bd_rate(over_pictures(factors), over_pictures([0.9 * factor for factor in factors]))
    assert figure.interval == (pytest.approx(-10), pytest.approx(-10))


def test_the_interval_is_the_same_every_time():
    pair = over_pictures([1] * 5), over_pictures([0.8, 0.9, 1, 1.1, 1.2])
    assert bd_rate(*pair).interval == bd_rate(*pair).interval


def test_no_interval_without_three_shared_pictures():
    assert bd_rate(over_pictures([1, 1]), over_pictures([0.9, 0.8])).interval is None
    assert bd_rate(ANCHOR, over_pictures([0.9, 0.8, 0.7])).interval is None


def test_a_picture_that_failed_on_one_side_is_left_out_on_both():
    figure = bd_rate(over_pictures([1, 1, 1, 50]), over_pictures([0.9, 0.9, 0.9, 45], missing=(3,)))
    assert figure.percent == pytest.approx(-10)
    assert figure.caveats == (Caveat.DIFFERENT_PICTURES,)
    assert set(figure.by_picture) == {"p0", "p1", "p2"}


def test_coded_and_estimated_rates_are_not_equal():
    assert bd_rate(ANCHOR, replace(ANCHOR, rate_kind="estimated")).caveats == (Caveat.RATE_KIND,)
    assert bd_rate(replace(ANCHOR, rate_kind="bitstream"), ANCHOR).caveats == ()


def test_a_figure_names_its_anchor_with_the_source():
    vtm = published("vtm-17.0", "mlic-repo-figures", "kodak")
    figure = bd_rate(vtm, replace(ANCHOR, picture_count=24))
    assert figure.anchor == "vtm-17.0 (digitised: mlic-repo-figures)"
    assert figure.origins == (Origin.DIGITISED, Origin.MEASURED)
    assert [point.label for point in figure.anchor_points] == [f"v{i}" for i in range(1, 10)]
