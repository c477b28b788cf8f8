"""The audit of BD claims finds what is known of them: which curve and which interpolation explain each."""

from __future__ import annotations

import csv
import io

import pytest

from lic_bench.analysis import anchor, bd_claims, curves, default_curves
from lic_bench.analysis.bd_claims import BDVerdict, Missing
from lic_bench.analysis.bdrate import bd_psnr, bd_rate
from lic_bench.assets import resources
from lic_bench.records import CurveId

KODAK, CLIC, TECNICK = "kodak", "clic2020-professional-valid", "tecnick"


@pytest.fixture(scope="module")
def checks():
    return {(c.claim.codec, c.claim.dataset, c.claim.source_id, c.claim.metric, c.claim.value): c
            for c in bd_claims.audit()}  # fmt: skip


def of(checks, codec, dataset, source_id, value, metric="bd_rate_psnr_percent"):
    return checks[codec, dataset, source_id, metric, value]


def reproduced():
    return list(csv.DictReader(io.StringIO(resources.text("published", "bd_claims_reproduced.csv"))))


def test_what_was_reproduced_once_is_reproduced_again(checks):
    assert len(reproduced()) == 115
    for row in reproduced():
        check = of(checks, row["codec"], row["dataset"], row["claim_source_id"], float(row["claim"]))
        assert (len(check.within) > 0) is (row["within_0.1"] == "yes"), row
        assert len(check.within) == int(row["n_within_0.1"]), row
        ours = [f"{fit.anchor}/{fit.anchor_source_id} {fit.method}" for fit in check.fits]
        assert f"{row['closest_anchor']}/{row['closest_anchor_source_id']} {row['method']}" in ours, row
        assert any(fit.value == pytest.approx(float(row["value"]), abs=0.01) for fit in check.fits), row


@pytest.mark.parametrize(
    ("codec", "dataset", "source_id", "claimed", "anchor_id", "method", "ours"),
    [
        ("mlicpp", KODAK, "mlic-repo-readme", -13.39, "vtm-17.0/mlic-repo-figures", "cubic", -13.3),
        ("wacnn", CLIC, "mlic-repo-readme", 0.04, "vtm-17.0/c3-baselines", "cubic", 0.0),
        ("lalic", KODAK, "lalic-readme", -15.26, "vtm/compressai-classical", "pchip", -15.3),
        ("lalic", CLIC, "lalic-readme", -15.41, "vtm-9.1/lalic-repo", "pchip", -15.4),
        ("lalic", TECNICK, "lalic-readme", -17.63, "vtm-9.1/lalic-repo", "pchip", -17.6),
        ("dcae", KODAK, "dcae-table", -17.0, "vtm/compressai-classical", "akima", -17.0),
        ("flic", KODAK, "ftic-repo", -14.5, "vtm/compressai-classical", "pchip", -14.6),
        ("cca", KODAK, "dcae-table", -13.7, "vtm/compressai-classical", "pchip", -13.7),
        ("chwdta", KODAK, "chwdta-repo", -17.82, "vtm/compressai-classical", "pchip", -17.8),
        ("mlicpp", CLIC, "dcae-table", -16.9, "vtm-12.1/dcae-issue10", "pchip", -16.8),
        ("stf", KODAK, "dcae-table", -4.3, "vtm/compressai-classical (0.11 to 1.44 bpp)", "cubic", -4.3),
        ("weconvene", KODAK, "hpcm-table1", -6.98, "vtm-9.1/lalic-repo", "cubic", -7.0),
        ("shiftlic-large", KODAK, "shiftlic-figure", -20.2, "bpg-444/compressai-classical", "cubic", -20.2),
    ],
)
def test_a_claim_is_explained_by_its_curve(checks, codec, dataset, source_id, claimed, anchor_id, method, ours):
    fit = of(checks, codec, dataset, source_id, claimed).explained
    assert (fit.anchor_id, fit.method, round(fit.value, 1)) == (anchor_id, method, ours)


@pytest.mark.parametrize("codec", ["lalic", "dcae", "flic", "cca", "tcm-large", "mlicpp"])
def test_claims_of_recent_years_fit_compressais_curve(checks, codec):
    fits = [
        fit
        for check in checks.values()
        if (check.claim.codec, check.claim.dataset) == (codec, KODAK)
        for fit in check.within
    ]
    assert any((fit.anchor_id, fit.cut) == ("vtm/compressai-classical", None) for fit in fits)


@pytest.mark.parametrize(
    ("codec", "dataset", "source_id", "claimed"),
    [
        ("weconvene", KODAK, "weconvene-repo", -9.11),
        ("weconvene", CLIC, "weconvene-repo", -9.2),
        ("chwdta", CLIC, "chwdta-repo", -19.15),
        ("hpcm-base", KODAK, "hpcm-table1", -15.31),
        ("hpcm-large", TECNICK, "hpcm-table1", -22.2),
        ("flic", TECNICK, "ftic-repo", -15.1),
        ("cool-chic-5.0.1", KODAK, "cool-chic-readme", -3.9),
    ],
)
def test_claims_that_no_curve_explains(checks, codec, dataset, source_id, claimed):
    check = of(checks, codec, dataset, source_id, claimed)
    assert check.verdict in (BDVerdict.NOT_EXPLAINED, BDVerdict.DOES_NOT_HOLD)
    assert check.explained is None
    assert abs(check.nearest.difference) > 0.1


def test_flics_clic_claim_does_not_follow_from_its_points(checks):
    check = of(checks, "flic", CLIC, "ftic-repo", -13.0)
    assert check.verdict is BDVerdict.DOES_NOT_HOLD
    assert check.against(anchor.defaults(CLIC)["psnr_db"]) == pytest.approx(-9.6, abs=0.05)
    assert check.own["pchip"] == pytest.approx(-13.6, abs=0.05)  # VTM-12.1, which it names
    assert "-9.6" in check.remark
    assert "-13.6" in check.remark


def test_loc_lics_figure_does_not_close(checks):
    figure = {"loc-lic": 1.389, "mlicpp": 1.561, "elic-reimpl": 1.036, "mbt2018": -0.874, "mbt2018-mean": -1.338,
              "bmshj2018-hyperprior": -1.541, "bmshj2018-factorized": -1.718}  # fmt: skip
    cheng = curves.find(KODAK, CurveId("cheng2020-anchor", "compressai-8bit"))
    missed = []
    for codec, claimed in figure.items():
        check = of(checks, codec, KODAK, "loclic-figures", claimed, "bd_psnr_db")
        assert check.verdict is BDVerdict.DOES_NOT_HOLD
        assert "does not close" in check.remark
        missed.append(bd_psnr(cheng, curves.find(KODAK, CurveId(codec, "loclic-figures"))).db - claimed)
    assert sum(missed) / 7 == pytest.approx(-0.66, abs=0.02)


@pytest.mark.parametrize(
    ("codec", "dataset", "source_id", "claimed", "missing"),
    [
        ("hpcm-1b", KODAK, "hpcm1b-secondhand", -24.21, (Missing.POINTS,)),
        ("cool-chic-5.0.1", CLIC, "cool-chic-readme", -9.5, (Missing.ANCHOR,)),
        ("cool-chic-5.0", "not stated", "cool-chic-readme", -10.0, (Missing.DATASET,)),
    ],
)
def test_what_cannot_be_checked_says_what_is_missing(checks, codec, dataset, source_id, claimed, missing):
    check = of(checks, codec, dataset, source_id, claimed)
    assert (check.verdict, check.missing, check.fits) == (BDVerdict.NOT_CHECKABLE, missing, ())


def test_a_claim_without_its_anchors_points_says_so(checks):
    check = of(checks, "hpcm-large", KODAK, "hpcm-table1", -19.19)
    assert (check.verdict, check.missing) == (BDVerdict.NOT_EXPLAINED, (Missing.ANCHOR,))


def test_on_compressais_curve_hpcm_large_leads_what_is_confirmed():
    vtm = anchor.find_published("vtm", KODAK)
    found = {one.curve.codec: one.figures[vtm.name].value for one in bd_claims.standings(KODAK, [vtm])}
    known = {"lalic": -15.27, "dcae": -16.98, "flic": -14.56, "tcm-large": -11.72, "cca": -13.73,
             "mlicpp": -15.02, "weconvene": -8.35,
             "gllmm": -3.33, "hpcm-base": -16.02, "hpcm-large": -19.95, "chwdta": -17.82}  # fmt: skip
    assert {codec: found[codec] for codec in known} == {c: pytest.approx(v, abs=0.01) for c, v in known.items()}
    assert [codec for codec in found if codec in known][:4] == ["hpcm-large", "chwdta", "dcae", "hpcm-base"]
    assert list(found.values()) == sorted(found.values())


def test_figures_in_remarks_are_those_of_the_curves():
    vtm, bpg = (curves.find(KODAK, CurveId(name, "compressai-classical", "none")) for name in ("vtm", "bpg-444"))
    assert bd_rate(bpg, vtm).value == pytest.approx(-18.0, abs=0.05)
    (chwdta,) = default_curves.published_called("chwdta/chwdta-repo", KODAK)[:1]
    assert bd_rate(anchor.defaults(KODAK)["psnr_db"], chwdta).value == pytest.approx(-16.4, abs=0.05)
