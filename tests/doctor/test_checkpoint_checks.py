"""Checks of checkpoints: their files, how they fit, and whether their weights can be used."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from helpers import faulty_networks
from helpers.examinations import WEIGHTS, before_coding, errors, examined, finding, saved
from safetensors.torch import load_file

from lic_bench.doctor import Check, Level, checkpoint_checks
from lic_bench.doctor.examination import examine
from lic_bench.doctor.weights_probe import NetworkKind, ShapeDifference, WeightsReport
from lic_bench.registry import codecs

CARD = codecs.get("demo-factorized")
POINT = CARD.points[0]


@pytest.mark.usefixtures("forkserver")
def test_a_checkpoint_of_10_db_is_an_error(tmp_path: Path) -> None:
    state = load_file(WEIGHTS)
    state["g_s.0.weight"] = state["g_s.0.weight"].flip(0)  # as if channels had come in another order
    findings = examined("demo-factorized", saved(state, tmp_path))
    assert finding(findings, Check.FIT).level is Level.PASS
    assert finding(findings, Check.RECONSTRUCTION).level is Level.PASS
    assert errors(findings) == [Check.FIRST_FIGURE]
    figure = finding(findings, Check.FIRST_FIGURE)
    assert "This looks wrong: published points lie above 20 dB" in figure.sentence
    assert isinstance(figure.values["psnr_db"], float)
    assert figure.values["psnr_db"] < 15
    assert finding(findings, Check.FILE).values["is_published"] is False


@pytest.mark.usefixtures("forkserver")
def test_weights_that_are_not_finite_end_the_examination(tmp_path: Path) -> None:
    state = load_file(WEIGHTS)
    state["g_s.0.bias"][3] = float("nan")
    findings = examined("demo-factorized", saved(state, tmp_path))
    assert errors(findings) == [Check.NUMBERS]
    assert findings[-1].sentence == "g_s.0.bias hold what is not a finite number."


@pytest.mark.usefixtures("forkserver")
def test_empty_tables_are_named_with_the_call_that_fills_them() -> None:
    numbers = finding(examined(faulty_networks.reference("EmptyTables")), Check.NUMBERS)
    assert numbers.level is Level.ERROR
    assert "entropy_bottleneck._quantized_cdf" in numbers.sentence
    assert "update(force=True)" in numbers.advice


@pytest.mark.usefixtures("forkserver")
def test_tensors_that_do_not_fit_are_named(tmp_path: Path) -> None:
    state = load_file(WEIGHTS)
    del state["g_s.2.bias"]
    state["h_a.0.weight"] = torch.zeros(3)
    fit = before_coding(saved(state, tmp_path))[Check.FIT]
    assert fit.level is Level.ERROR
    assert "g_s.2.bias is missing; h_a.0.weight is not part of the network" in fit.sentence


@pytest.mark.usefixtures("forkserver")
def test_other_widths_than_the_cards_are_a_warning(tmp_path: Path) -> None:
    path = saved(faulty_networks.Correct(8, 12).state_dict(), tmp_path)
    fit = before_coding(path, "bmshj2018-factorized")[Check.FIT]
    assert fit.level is Level.WARNING
    assert "g_a.0.weight is 8x3x5x5 instead of 128x3x5x5" in fit.sentence


@pytest.mark.usefixtures("forkserver")
def test_an_untrained_network_has_a_width_and_no_fit() -> None:
    findings = before_coding(None)
    assert set(findings) == {Check.WIDTH, Check.NUMBERS}
    assert findings[Check.WIDTH].level is Level.INFO
    assert findings[Check.WIDTH].sentence.endswith("no checkpoint given.")


def test_fit_is_judged_with_a_checkpoint_only() -> None:
    report = WeightsReport(NetworkKind.COMPRESSAI, parameters=10, card_parameters=10)
    untrained = checkpoint_checks.fit(CARD, POINT, None, report)
    assert (untrained.check, untrained.level) == (Check.WIDTH, Level.INFO)
    trained = checkpoint_checks.fit(CARD, POINT, WEIGHTS, report)
    assert (trained.check, trained.level) == (Check.FIT, Level.PASS)
    other = WeightsReport(NetworkKind.COMPRESSAI, 10, 20, ShapeDifference("g_a.0.weight", (2, 3), None))
    wider = checkpoint_checks.fit(CARD, POINT, WEIGHTS, other)
    assert (wider.check, wider.level) == (Check.FIT, Level.WARNING)
    assert "10 parameters instead of 20; g_a.0.weight is 2x3 instead of not there" in wider.sentence


def test_a_file_that_is_no_checkpoint_ends_the_examination(tmp_path: Path) -> None:
    page = tmp_path / "weights.pth.tar"
    page.write_text("<!DOCTYPE html><html>quota exceeded</html>")
    (layout,) = examine(CARD, POINT, page)
    assert (layout.check, layout.level) == (Check.LAYOUT, Level.ERROR)
    assert "it is a web page" in layout.sentence


def test_the_layout_is_described(tmp_path: Path) -> None:
    state = load_file(WEIGHTS)
    older = {f"module.{key.replace('matrices.', '_matrix')}": tensor for key, tensor in state.items()}
    older["module.entropy_bottleneck._offset"] = torch.zeros(72, dtype=torch.int32)
    path = saved({"epoch": 3, "state_dict": older, "optimizer": {}}, tmp_path)
    file, layout = checkpoint_checks.file(POINT, path)
    assert file.values["file_bytes"] == path.stat().st_size
    assert layout.sentence.startswith("a state dict under state_dict of ")
    for part in (
        "epoch, optimizer",
        'names begin with "module."',
        "before CompressAI 1.2.7",
        "tables are in it, filled",
    ):
        assert part in layout.sentence
    file, layout = checkpoint_checks.file(POINT, WEIGHTS)
    assert file.values["is_published"] is True
    assert layout.sentence.startswith("a bare state dict of 69 tensors (float32)")
