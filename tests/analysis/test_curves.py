"""Measurements and published points become curves by the protocol's means, one source each."""

from __future__ import annotations

import math

import pytest

from lic_bench.analysis import curves, published
from lic_bench.caveats import Caveat
from lic_bench.records import CurveId, Measurement, Origin, Training


def row(
    point="1", picture="a", size=1000, psnr=30.0, ms_ssim=0.9, codec="codec", training=Training.NOT_LEARNED, **more
):
    return Measurement(
        codec=codec, point=point, training=training, dataset="kodak", picture=picture, picture_sha256="0" * 64,
        width=100, height=80, stream_bytes=size, payload_bits=8 * size - 80, estimated_bits=8 * size - 90.0,
        psnr_db=psnr, ms_ssim=ms_ssim, encode_seconds=(), decode_seconds=(), **more,
    )  # fmt: skip


def only(rows, **more):
    (curve,) = curves.measured(rows, "run", **more)
    return curve


def test_rate_and_quality_are_means_over_pictures():
    curve = only(
        [row(picture="a", size=1000, psnr=30, ms_ssim=0.9), row(picture="b", size=3000, psnr=35, ms_ssim=0.98)]
    )
    (point,) = curve.points
    # 8000 pixels: 1 and 3 bit per pixel
    assert (point.bpp, point.psnr_db, point.ms_ssim) == (2.0, 32.5, pytest.approx(0.94))
    assert curve.source == curves.Source(Origin.MEASURED, "run", how="this run")
    assert (curve.pictures, curve.picture_count, curve.rate_kind) == (("a", "b"), 2, "stream")


def test_ms_ssim_in_db_is_of_the_linear_mean():
    (point,) = only([row(picture="a", ms_ssim=0.9), row(picture="b", ms_ssim=0.98)]).points
    assert point.ms_ssim_db == pytest.approx(-10 * math.log10(1 - 0.94))


@pytest.mark.parametrize(("rate", "bpp"), [("stream", 1.0), ("payload", 0.99), ("estimated", 0.98875)])
def test_each_kind_of_rate_makes_its_own_curve(rate, bpp):
    curve = only([row()], rate=rate)
    assert (curve.points[0].bpp, curve.rate_kind) == (pytest.approx(bpp), rate)


def test_a_codec_that_cannot_estimate_has_no_estimated_curve():
    without = Measurement(**{**vars(row()), "estimated_bits": None})
    assert curves.measured([without], "run", rate="estimated") == ()


def test_a_lossless_picture_is_left_out_with_a_caveat():
    (point,) = only([row(picture="a", psnr=math.inf, ms_ssim=1.0), row(picture="b", psnr=40.0)]).points
    assert (point.psnr_db, point.caveats) == (40.0, (Caveat.LOSSLESS,))


def test_a_point_that_is_lossless_everywhere_has_no_psnr():
    (point,) = only([row(psnr=math.inf, ms_ssim=1.0)]).points
    assert (point.psnr_db, point.ms_ssim_db, point.score("psnr_db")) == (None, None, None)


def test_ms_ssim_is_given_only_where_every_picture_has_it():
    (point,) = only([row(picture="a", ms_ssim=None), row(picture="b")]).points
    assert (point.ms_ssim, point.caveats) == (None, (Caveat.NO_MS_SSIM,))


def test_untrained_rows_make_no_curve():
    untrained = row(training=Training.UNTRAINED, psnr=None, ms_ssim=None)
    assert curves.measured([untrained], "run") == ()


def test_a_point_over_other_pictures_carries_a_caveat():
    rows = [row("1", "a"), row("1", "b"), row("2", "a", size=2000)]
    curve = only(rows)
    assert [point.caveats for point in curve.points] == [(), (Caveat.DIFFERENT_PICTURES,)]
    assert Caveat.DIFFERENT_PICTURES in curve.caveats


def test_only_caveats_about_quality_reach_the_curve():
    curve = only([row(caveats=(Caveat.RATE_GAP, Caveat.BUSY_MACHINE))])
    assert curve.caveats == (Caveat.RATE_GAP,)


def test_points_stand_by_rising_rate():
    assert [point.label for point in only([row("90", size=9000), row("10", size=10), row("50", size=500)]).points] == [
        "10",
        "50",
        "90",
    ]


def test_a_codec_without_a_card_still_makes_a_curve():
    curve = only([row(codec="from-elsewhere", training=Training.TRAINED)])
    assert (curve.title, curve.optimised_for) == ("from-elsewhere", "unknown")


def test_over_fewer_pictures_the_means_are_taken_again():
    curve = only([row("1", "a", 1000), row("1", "b", 3000), row("2", "a", 4000)])
    assert [point.bpp for point in curve.over({"a"}).points] == [1.0, 4.0]
    assert [point.label for point in curve.over({"a", "b"}).points] == ["1"]


def test_published_curves_of_two_sources_are_never_joined():
    found = [curve for curve in curves.published_curves("kodak") if curve.codec == "bmshj2018-hyperprior"]
    keys = [(curve.source.source_id, curve.optimised_for) for curve in found]
    assert len(keys) == len(set(keys)) > 3
    assert all(curve.source.origin is not Origin.MEASURED for curve in found)


def test_a_published_curve_is_found_by_the_id_a_card_gives():
    curve = curves.find("kodak", CurveId("vtm-17.0", "mlic-repo-figures"))
    assert curve is not None
    assert (len(curve.points), curve.source.origin, curve.source.licence) == (9, Origin.DIGITISED, "Apache-2.0")
    assert (curve.optimised_for, curve.picture_count) == (None, 24)
    assert curve.source.uncertainty.startswith("0.001 bpp")


def test_a_curve_for_one_target_is_not_given_for_another():
    assert curves.find("kodak", CurveId("tcm-large", "tcm-repo", "ms-ssim")) is None
    assert curves.find("sample", CurveId("tcm-large", "tcm-repo")) is None


def test_a_curve_its_own_source_contradicts_carries_a_caveat():
    digitised = curves.find("kodak", CurveId("loc-lic", "loclic-figures"))
    assert digitised.caveats == (Caveat.UNCONFIRMED,)
    assert curves.find("kodak", CurveId("mlicpp", "mlic-repo-json")).caveats == ()


def test_every_caution_is_about_a_curve_that_there_is():
    there = {(point.codec, point.dataset, point.source_id) for point in published.rd_points()}
    assert published.cautions()
    assert set(published.cautions()) <= there
