"""The field's most used anchor: the published points, the runs that reproduce them, and the honest figure."""

from __future__ import annotations

import math

import pytest

from lic_bench.analysis import anchor, anchor_audit, curves
from lic_bench.analysis.bdrate import bd_psnr, bd_rate
from lic_bench.caveats import Caveat
from lic_bench.records import CurveId


def test_the_published_point_is_reproduced_to_the_byte():
    first, *others = anchor_audit.audit()
    ours = first.reproduction
    assert (first.qp, ours.pictures, ours.bytes) == (47, 24, 56912)
    assert ours.bpp == pytest.approx(first.published.bpp, abs=5e-7)  # the table has six decimals
    assert ours.bpp == pytest.approx(8 * 56912 / (24 * 768 * 512), abs=5e-7)
    assert ours.against_converted_db == pytest.approx(26.144844, abs=1.5e-6)
    assert first.reproduced_to_db == pytest.approx(0, abs=5e-5)
    assert [point.reproduction for point in others] == [None] * 7


def test_against_the_given_pictures_the_same_streams_score_less():
    ours = anchor_audit.audit()[0].reproduction
    found = ours.rounded_db, ours.truncated_db, ours.float_db
    assert found == (
        pytest.approx(26.1339, abs=5e-5),
        pytest.approx(26.1034, abs=5e-5),
        pytest.approx(26.1354, abs=5e-5),
    )


def test_the_honest_run_is_near_the_published_point():
    honest = anchor_audit.audit()[0].honest
    assert honest.bytes == 56967
    assert honest.rounded_db == pytest.approx(26.16, abs=5e-5)


def test_cut_off_scoring_is_predicted_by_arithmetic():
    by_qp = {point.qp: point for point in anchor_audit.audit()}
    mse = 255**2 / 10**3.74198 + 255**2 / 10**4.64
    assert by_qp[27].truncated_db == pytest.approx(10 * math.log10(255**2 / mse), abs=1e-3)
    assert by_qp[27].truncated_db == pytest.approx(36.90, abs=0.005)
    assert by_qp[47].truncated_db == pytest.approx(by_qp[47].reproduction.truncated_db, abs=0.001)


def test_quantisation_parameters_and_another_run_stand_side_by_side():
    for point in anchor_audit.audit():
        if point.other_run is not None:  # six of the eight
            assert point.other_run.bpp == pytest.approx(point.published.bpp, rel=0.01)
    assert sum(point.other_run is not None for point in anchor_audit.audit()) == 6


def test_a_figure_against_that_anchor_says_so_over_psnr_alone():
    vtm = curves.find("kodak", CurveId("vtm", "compressai-classical", "none"))
    hyperprior = curves.find("kodak", CurveId("bmshj2018-hyperprior", "compressai-8bit"))
    assert Caveat.CONVERTED_REFERENCE in bd_rate(vtm, hyperprior).caveats
    assert Caveat.CONVERTED_REFERENCE in bd_psnr(vtm, hyperprior).caveats
    assert Caveat.CONVERTED_REFERENCE not in bd_rate(vtm, hyperprior, "ms_ssim_db").caveats
    assert anchor.honest_counterpart(vtm).name == "vtm-9.1 (published: lalic-repo)"
    assert anchor.honest_counterpart(hyperprior) is None
