"""`lic-bench bd`, `published` and `audit --claims`, as a user meets them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from helpers.commands import lic_bench
from helpers.made_runs import KODAK, classical, header

from lic_bench.benchmark import run_folder
from lic_bench.cli import bd_rendering, claims_rendering
from lic_bench.complexity.tables import Format
from lic_bench.errors import RequestError

COMPRESSAI = {
    "name": "mine", "description": "made up",
    "results": {"bpp": [0.2, 0.4, 0.8, 1.2], "psnr-rgb": [29.0, 32.5, 36.0, 38.5]},
}  # fmt: skip


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A folder with a run of a codec that needs 1.2 times the rate of VTM on 24 pictures."""
    folder = run_folder.create(tmp_path / "runs", header("kodak", KODAK, ["jpeg"], finished=None))
    for row in classical(factor=1.2):
        folder.append(row)
    folder.finish()
    return folder.path


def test_a_run_a_file_and_a_published_curve_are_compared(run: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.json").write_text(json.dumps(COMPRESSAI))
    asked = ("bd", str(run), "mine.json", "mlicpp", "--dataset", "kodak", "--anchor", "vtm-17.0")
    done = lic_bench(*asked, "--format", "json", cwd=tmp_path)
    (found,) = json.loads(done.stdout)
    rates = {curve["codec"]: curve["figures"].get("BD-rate (PSNR)", {}).get("value") for curve in found["curves"]}
    assert rates["jpeg"] == pytest.approx(20, abs=0.1)
    assert rates["mlicpp"] == pytest.approx(-13.3, abs=0.05)
    assert rates["mine"] is not None
    assert rates["vtm-17.0"] is None


def test_a_table_and_latex_are_printed_with_remarks(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for form, expected in (
        (Format.TABLE, "95 % interval"),
        (Format.LATEX, r"\toprule"),
        (Format.MARKDOWN, "# BD figures"),
    ):
        bd_rendering.compare([str(run), "mlicpp"], "vtm-17.0", None, False, form)
        said = capsys.readouterr()
        assert expected in said.out
        assert "Intervals not available: published curves have no pictures." in said.out + said.err


def test_published_curves_alone_are_a_report(tmp_path: Path) -> None:
    done = lic_bench("bd", "all", "--format", "markdown", cwd=tmp_path)
    assert done.stdout.startswith("# BD figures")
    assert "Intervals not available: published curves have no pictures." in done.stdout
    assert "| hpcm-large | mse | published | -18." in done.stdout


def test_the_first_of_two_is_the_anchor(capsys: pytest.CaptureFixture[str]) -> None:
    bd_rendering.compare(["cool-chic-5.0.0", "cool-chic-5.0"], None, None, True, Format.TABLE)
    said = capsys.readouterr().out
    assert "PSNR against cool-chic-5.0.0 (published: cool-chic-repo)" in said
    assert "-1.23" in said


@pytest.mark.parametrize(
    ("names", "anchor", "said"),
    [
        (["mlicp"], None, "no curve published on kodak. Did you mean"),
        (["dcae", "cca"], "vtn-17.0", r"Did you mean vtm-17\.0"),
        (["nowhere/run"], None, "is no run folder, no file, and no curve"),
    ],
)
def test_a_curve_that_is_not_there_is_answered_by_name(names: list[str], anchor: str | None, said: str) -> None:
    with pytest.raises(RequestError, match=said):
        bd_rendering.compare(names, anchor, None, False, Format.TABLE)


def test_a_wrong_request_ends_in_a_sentence(tmp_path: Path) -> None:
    said = lic_bench("audit", "--claims", "bd", "--dataset", "sample", cwd=tmp_path, code=2).stderr
    assert "vtm/compressai-classical was not published on sample" in said


def test_claims_and_curves_that_nobody_published_are_refused() -> None:
    with pytest.raises(RequestError, match="There is no published BD claim on 'jpge'"):
        claims_rendering.bd("jpge", "vtm", "kodak", Format.TABLE)
    with pytest.raises(RequestError, match="Did you mean mlic"):
        bd_rendering.published_curves("mlicq", "*", Format.TABLE)


def test_published_curves_and_claims_in_words_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    bd_rendering.published_curves("octave*", "*", Format.TABLE)
    assert "Claimed in words, not measured: octave-2022" in capsys.readouterr().err
    bd_rendering.published_curves("flic", "kodak", Format.JSON)
    lines = json.loads(capsys.readouterr().out)
    found = {(line["source"], line["trained for"]): line["shown"] for line in lines}
    assert found["ftic-repo", "mse"].startswith("by default")
    assert found["fast-ftic-repo", "mse"].startswith("when asked for: rates are likelihood estimates")


def test_the_octave_codecs_card_shows_what_was_claimed_in_words(tmp_path: Path) -> None:
    said = lic_bench("models", "octave-448", cwd=tmp_path).stdout
    assert "can achieve better PSNR than VVC-intra (4:2:0) on Kodak dataset" in said
    assert "To check:" in said


def test_one_command_says_who_claimed_what_and_who_is_ahead(capsys: pytest.CaptureFixture[str]) -> None:
    claims_rendering.bd("all", "vtm/compressai-classical", "kodak", Format.JSON)
    found = json.loads(capsys.readouterr().out)
    places = [one["codec"] for one in found["standings"] if one["codec"] != "loc-lic"]
    assert places[:4] == ["hpcm-large", "chwdta", "dcae", "hpcm-base"]
    (dcae,) = (one for one in found["standings"] if one["codec"] == "dcae")
    assert [(claim["value"], claim["anchor"], claim["source_id"]) for claim in dcae["claims"]] == [
        (-17.0, "vvc", "dcae-table"), (-15.46, "vvc", "chwdta-figure"),
    ]  # fmt: skip
    assert len(dcae["bd_rate_percent"]) == 5  # every VTM held on Kodak
    assert len(found["claims"]) == 184
    assert all(claim["missing"] for claim in found["claims"] if claim["verdict"] == "not_checkable")


def test_a_codecs_claims_are_shown_with_our_figures(capsys: pytest.CaptureFixture[str]) -> None:
    claims_rendering.bd("flic", "vtm", "kodak", Format.CSV)
    said = capsys.readouterr()
    (clic,) = (line for line in said.out.splitlines() if "clic2020" in line and line.endswith("ftic-repo"))
    assert "-13 %,vtm-12.1,-13.59,-9.61," in clic
    assert "does not follow from the published points" in clic
    assert "missing: points of vtm-22.0 on tecnick" in said.out
    assert "vtm/compressai-classical explains 3" in said.err


def test_what_the_anchor_is_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    claims_rendering.anchors(Format.TABLE)
    said = capsys.readouterr()
    assert "56,912 bytes over 24 pictures and 26.144843 dB" in said.err
    assert "56,967 bytes and 26.1600 dB" in said.err
    assert "36.90" in said.out
