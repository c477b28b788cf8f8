"""Curves without a run: the published ones alone give a whole report, and every kind of curve can stand in it."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from helpers.made_curves import constant_factor, curve_over_pictures, pair_with_known_difference
from helpers.made_runs import classical, header

from lic_bench.analysis import curves, default_curves
from lic_bench.errors import RequestError
from lic_bench.report import bd_report, bd_tables
from lic_bench.report.content import BD_RATE, gather


@pytest.fixture(scope="module")
def kodak():
    (view,) = bd_report.views(default_curves.default_published("kodak"))
    return view


def test_published_curves_alone_give_a_whole_report(kodak):
    text = bd_report.markdown([kodak])
    assert "Intervals not available: published curves have no pictures." in text
    for heading in ("PSNR against vtm-17.0 (digitised: mlic-repo-figures)", "BD figures: kodak, 24 pictures",
                    "What the BD-rates owe to points", "Rate difference along the curves", "Points of the curves",
                    "Sources"):  # fmt: skip
        assert heading in text
    figures = {curve.codec: kodak.figures_of(curve)[BD_RATE] for curve in kodak.curves
               if curve.optimised_for == "mse"}  # fmt: skip
    assert figures["hpcm-large"].value == pytest.approx(-18.2, abs=0.05)
    assert all(figure.interval is None for figure in figures.values())


def test_the_overview_has_a_line_for_every_curve_but_the_anchor(kodak):
    frame = bd_tables.overview(kodak).frame
    assert len(frame) >= len(kodak.curves) - 1
    assert set(frame["95 % interval"]) == {"–"}
    assert set(frame["than the anchor"]) <= {"no interval", "–"}


def test_json_holds_every_figure_in_full(kodak):
    (found,) = json.loads(bd_report.to_json([kodak]))
    by_name = {curve["name"]: curve for curve in found["curves"]}
    dcae = by_name["dcae (published: dcae-repo)"]
    assert dcae["figures"][BD_RATE]["value"] == pytest.approx(-15.4, abs=0.05)
    assert dcae["figures"][BD_RATE]["interval_reason"] == "published curves have no pictures"
    assert {one["side"] for one in dcae["sensitivity"]["left_out"]} == {"anchor", "test"}
    assert len(dcae["sensitivity"]["parts"]) == 3
    assert dcae["rate_difference"][0][0] == pytest.approx(dcae["figures"][BD_RATE]["low"])


def test_against_compressais_vtm_the_other_run_stands_beside():
    some = [*default_curves.published_called("vtm", "kodak"), *default_curves.published_called("dcae", "kodak")]
    (view,) = bd_report.views(some, "vtm")
    frame = bd_tables.against_counterpart(view).frame
    (line,) = frame[frame["codec"] == "dcae"].to_dict("records")
    assert line["BD-rate % against vtm (published: compressai-classical)"] == pytest.approx(-16.98, abs=0.01)
    assert line["against vtm-9.1 (published: lalic-repo)"] == pytest.approx(-15.7, abs=0.1)
    assert any("colour conversion" in remark and "docs/anchors.md" in remark for remark in bd_tables.remarks(view))
    (view,) = bd_report.views(some, "vtm-9.1/lalic-repo")
    assert not any("colour conversion" in remark for remark in bd_tables.remarks(view))


def test_the_page_says_it_where_that_curve_is_the_anchor():
    content = gather(classical(), header(names=["jpeg"]), "vtm/compressai-classical")
    (remark, *_) = [one for one in bd_tables.remarks(content.views[0]) if "colour conversion" in one]
    assert "vtm-9.1 (published: lalic-repo)" in remark
    assert "jpeg" in set(bd_tables.against_counterpart(content.views[0]).frame["codec"])
    content = gather(classical(), header(names=["jpeg"]))
    assert not any("colour conversion" in one for one in bd_tables.remarks(content.views[0]))


def test_measured_codecs_are_compared_in_pairs_with_a_probability():
    anchor, better = pair_with_known_difference(np.random.default_rng(4), -12)
    (view,) = bd_report.views([anchor, better, constant_factor(anchor, 1.0, "same")], first=True)
    assert view.anchors["psnr_db"] is anchor
    lines = {(line["A"], line["B"]): line for line in bd_tables.pairs(view).frame.to_dict("records")}
    assert lines["anchor", "test"]["A is"] == "worse"
    assert lines["anchor", "same"]["A is"] == "not decided"
    assert lines["anchor", "same"]["P(A beats B)"] == 0.5
    assert lines["test", "same"]["A is"] == "better"


def test_a_measured_run_stands_beside_published_curves_over_the_same_pictures():
    measured = curves.measured(classical(factor=1.1), "run")
    (view,) = bd_report.views([*measured, *default_curves.published_called("mlicpp", "kodak")])
    (jpeg,) = [curve for curve in view.curves if curve.codec == "jpeg"]
    figure = view.figures_of(jpeg)[BD_RATE]
    assert figure.value == pytest.approx(10, abs=0.1)
    assert figure.interval_reason == "published curves have no pictures"


def test_curves_over_other_pictures_get_a_view_of_their_own():
    sample = curve_over_pictures(
        "mine", np.outer([0.2, 0.4, 0.8, 1.6], np.ones(4)), np.outer([30, 33, 36, 39], np.ones(4))
    )
    views = bd_report.views([sample, *default_curves.published_called("dcae", "kodak")])
    assert [view.title for view in views] == ["made up, 4 pictures", "kodak, 24 pictures"]


def test_signs_that_disagree_are_explained_in_words():
    rates, scores = np.outer([0.25, 0.5, 1.0, 2.0], np.ones(3)), np.outer([30, 33, 36, 39], np.ones(3))
    anchor = curve_over_pictures("anchor", rates, scores)
    test = curve_over_pictures("test", np.outer([0.2675, 0.535, 1.07, 1.1], np.ones(3)), scores)
    (view,) = bd_report.views([anchor, test], first=True)
    (said,) = [remark for remark in bd_tables.remarks(view) if "disagree" in remark]
    assert "(30.0 to 39.0 dB" in said
    assert "0.267 to 1.1 bpp" in said


def test_two_runs_of_one_codec_are_told_apart_or_refused():
    one, other = (curves.measured(classical(factor=factor), "run") for factor in (1.0, 1.2))
    with pytest.raises(RequestError, match="stands for two different curves"):
        bd_report.views([*one, *other])
    named = [
        replace(curve, source=replace(curve.source, source_id=name)) for name, (curve,) in (("a", one), ("b", other))
    ]
    with pytest.raises(RequestError, match="more than one file"):
        bd_report.views(named, "jpeg")
    (view,) = bd_report.views(named, "jpeg/a")
    (figures,) = [view.figures_of(curve) for curve in view.curves if curve.source.source_id == "b"]
    assert figures[BD_RATE].value == pytest.approx(20, abs=0.1)
    assert len(bd_report.views([*one, *one])[0].curves) == 3  # the same twice is one, beside two default anchors


def test_nothing_to_compare_and_unknown_anchors_are_refused():
    with pytest.raises(RequestError, match="There is no curve to compare"):
        bd_report.views([])
    with pytest.raises(RequestError, match="Did you mean"):
        bd_report.views(default_curves.published_called("dcae", "kodak"), "vtm-17.1")
