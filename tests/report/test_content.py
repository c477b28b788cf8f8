"""Which curves and figures a report shows, and against which anchor."""

from __future__ import annotations

from dataclasses import replace

import pytest
from helpers.made_runs import KODAK, classical, header, on_kodak, untrained

from lic_bench.analysis.curves import RDCurve
from lic_bench.caveats import Caveat
from lic_bench.errors import RequestError
from lic_bench.records import Call, Origin
from lic_bench.report import page
from lic_bench.report.content import BD_RATE, complexity_range, efficiencies, gather


def test_published_curves_share_a_view_on_the_same_pictures():
    (view,) = on_kodak(untrained()).views
    assert {curve.source.origin.value for curve in view.curves} == {"measured", "published", "digitised"}
    assert view.anchors["psnr_db"].codec == "vtm-17.0"
    assert view.anchors["ms_ssim_db"].codec == "vtm"


def test_a_tenth_less_rate_than_the_anchor_is_minus_ten_percent():
    (view,) = gather(classical(factor=0.9), header(names=["jpeg"])).views
    mine = next(curve for curve in view.curves if curve.source.origin.value == "measured")
    assert view.figures_of(mine)[BD_RATE].percent == pytest.approx(-10, abs=0.01)


def test_fewer_pictures_than_published_get_a_view_of_their_own():
    some = KODAK[:4]
    content = gather(
        [*classical(pictures=some), untrained()], header(pictures=some, names=["jpeg", "bmshj2018-hyperprior"])
    )
    mine, theirs = content.views
    assert {curve.source.origin.value for curve in mine.curves} == {"measured"}
    assert "measured" not in {curve.source.origin.value for curve in theirs.curves}
    assert mine.anchors["psnr_db"].codec == "jpeg"
    assert theirs.anchors["psnr_db"].codec == "vtm-17.0"


def test_an_untrained_network_has_its_published_bd_rate():
    (view,) = (content := on_kodak(untrained())).views
    (one,) = efficiencies(content, view, Call.FORWARD)
    # 1,000,000 MAC over 768 x 512 pixels
    assert (one.complexity.kmac_per_pixel, one.complexity.origins) == (
        pytest.approx(1000 / 393216),
        (Origin.PREDICTED,),
    )
    assert (one.curve.source.origin.value, one.curve.codec) == ("published", "bmshj2018-hyperprior")
    assert one.figure.percent == pytest.approx(33.5, abs=0.1)  # PCHIP against VTM-17.0


def test_a_measured_codec_of_the_run_can_be_the_anchor():
    (view,) = on_kodak(*classical("webp", 0.8), request="jpeg").views
    webp = next(curve for curve in view.curves if (curve.codec, curve.source.origin.value) == ("webp", "measured"))
    assert view.figures_of(webp)[BD_RATE].percent == pytest.approx(-20, abs=0.01)
    assert view.figures_of(webp)[BD_RATE].interval == (pytest.approx(-20, abs=0.01), pytest.approx(-20, abs=0.01))


def test_a_published_curve_can_be_the_anchor():
    (view,) = on_kodak(request="bpg-444/compressai-classical").views
    assert view.anchors["psnr_db"].name == "bpg-444 (published: compressai-classical)"


def test_an_unknown_anchor_is_answered_with_those_meant():
    with pytest.raises(RequestError, match=r"vtm-17\.1.*Did you mean .*vtm-17\.0"):
        on_kodak(request="vtm-17.1")
    with pytest.raises(RequestError, match="not published by 'nobody'"):
        on_kodak(request="vtm-17.0/nobody")


def test_of_several_sources_the_default_one_is_the_anchor():
    (view,) = on_kodak(request="jpeg2000").views
    assert view.anchors["psnr_db"].source.source_id == "compressai-classical"
    (view,) = on_kodak(request="jpeg2000/tfc-results").views
    assert view.anchors["psnr_db"].source.source_id == "tfc-results"


def test_a_published_anchor_is_not_used_on_other_pictures():
    rows = classical(dataset="sample", pictures=("a", "b"))
    (view,) = gather(rows, header(dataset="sample", pictures=("a", "b")), "vtm-17.0").views[:1]
    assert view.anchors == {}
    assert "vtm-17.0 was published on kodak" in view.no_anchor
    html = page.render(gather(rows, header(dataset="sample", pictures=("a", "b")), "vtm-17.0"))
    assert "no BD figure, because vtm-17.0 was published on kodak" in html


def test_caveats_are_listed_with_the_figures_that_have_them():
    content = on_kodak(untrained())
    assert content.caveats[Caveat.UNTRAINED] == ("bmshj2018-hyperprior 1",)
    assert "BD-rate (MS-SSIM) of vtm-17.0" not in str(content.caveats)


def test_curves_of_the_run_carry_its_name():
    (view,) = on_kodak().views
    mine = next(curve for curve in view.curves if curve.source.origin.value == "measured")
    assert mine.name == "jpeg (measured: 20261120T130000-abc1234)"
    assert isinstance(mine, RDCurve)


def test_a_network_counted_once_stands_for_all_its_points():
    # by its card bmshj2018-hyperprior runs one network at points 1 to 5 and a wider one at 6 to 8
    narrow = untrained()
    wide = replace(narrow, point="6", macs=tuple(replace(count, macs=4 * count.macs) for count in narrow.macs))
    content = on_kodak(narrow, wide)
    found = complexity_range(content, "bmshj2018-hyperprior", Call.DECODE)
    expected = (5 * 1_000_000 + 3 * 4_000_000) / 8 / 1000 / (768 * 512)
    assert found.kmac_per_pixel == pytest.approx(expected)
    assert (found.least, found.most) == (pytest.approx(1000 / 393216), pytest.approx(4000 / 393216))
