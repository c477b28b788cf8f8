"""Published curves that are drawn with a run: over the same pictures in its view, over others in views of their own."""

from __future__ import annotations

from dataclasses import replace

import pytest
from helpers.made_runs import KODAK, classical, header
from helpers.result_files import vtm

from lic_bench.analysis import curves
from lic_bench.errors import RequestError
from lic_bench.records import Origin
from lic_bench.report.content import BD_RATE, gather


def given_curve(name="mine", dataset="kodak"):
    """VTM's curve at four fifths of its rate."""
    points = tuple(replace(p, bpp=p.bpp * 0.8) for p in vtm().points)
    source = curves.Source(Origin.PUBLISHED, "somebody", f"{name}.csv", "table")
    return replace(vtm(), codec=name, title=name, dataset=dataset, points=points, source=source)


def test_a_given_curve_over_the_same_pictures_can_be_anchor():
    rows, head = classical(), header(names=["jpeg"])
    mine = given_curve()
    (view,) = gather(rows, head, "vtm/compressai-classical", given=[mine]).views
    assert view.figures_of(mine)[BD_RATE].percent == pytest.approx(-20, abs=1e-6)
    for request in ("mine", "mine/mine.csv"):
        (view,) = gather(rows, head, request, given=[mine]).views
        assert view.anchors["psnr_db"] is mine
    jpeg = next(curve for curve in view.curves if curve.codec == "jpeg")
    assert view.figures_of(jpeg)[BD_RATE].anchor == "mine (published: mine.csv)"


def test_a_given_curve_over_other_pictures_has_its_own_view():
    rows, head = classical(pictures=KODAK[:4]), header(pictures=KODAK[:4], names=["jpeg"])
    content = gather(rows, head, given=[given_curve(), given_curve(name="other", dataset="tecnick")])
    first, kodak, tecnick = content.views
    assert [curve.codec for curve in first.curves] == ["jpeg"]
    assert "mine" in [curve.codec for curve in kodak.curves]
    assert [curve.codec for curve in tecnick.curves] == ["other"]
    assert "--anchor names one" in tecnick.no_anchor
    anchored = gather(rows, head, "mine", given=[given_curve()]).views
    assert "mine has no curve over this run's pictures" in anchored[0].no_anchor
    assert anchored[1].anchors["psnr_db"].codec == "mine"


def test_an_anchor_in_several_given_files_needs_its_file():
    other = replace(given_curve(), source=curves.Source(Origin.PUBLISHED, "else", "else.csv"))
    with pytest.raises(RequestError, match=r"mine/else\.csv or mine/mine\.csv"):
        gather(classical(), header(names=["jpeg"]), "mine", given=[given_curve(), other])
