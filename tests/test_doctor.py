"""The doctor, on networks whose illness is known."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from itertools import takewhile
from pathlib import Path

import pytest
import torch
from lic_bench.zoo.checkpoints import describe
from safetensors.torch import load_file

from lic_bench import catalogue, doctor
from lic_bench.doctor import Finding, Verdict

WEIGHTS = Path(str(import_module("lic_bench.zoo.demo").__file__)).parent / "1.safetensors"
CARD = catalogue.card("demo-factorized")


def until_odd_sizes(weights: Path | None, model: str = "demo-factorized") -> dict[str, Finding]:
    """Findings by check, but for the slow ones at the end."""
    card = catalogue.card(model)
    examined: Iterator[Finding] = doctor.examine(card, card.points[0], weights)
    return {found.check: found for found in takewhile(lambda found: found.check != "odd sizes", examined)}


def saved(state: object, tmp_path: Path) -> Path:
    torch.save(state, tmp_path / "examined.pth.tar")
    return tmp_path / "examined.pth.tar"


def test_a_sound_checkpoint_is_sound_in_every_respect(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "lic_bench", "doctor", "demo-factorized", "--weights", str(WEIGHTS)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for said in (
        "the published file",
        "sound  fit: every tensor fits; 429,267 parameters",
        "sound  reconstruction: decoded pictures equal the forward pass",
        "sound  rate: strings take",
        "a look, not a benchmark.",
        "sound  odd sizes:",
        "threads: a stream made with 1 decodes",
        "sound  fresh process: another process decodes the stream alone to the same picture.",
    ):
        assert said in done.stdout
    assert "WRONG" not in done.stdout


def test_a_checkpoint_that_reaches_10_db_looks_wrong(tmp_path: Path) -> None:
    state = load_file(WEIGHTS)
    state["g_s.0.weight"] = state["g_s.0.weight"].flip(0)  # as if channels had come in another order
    findings = until_odd_sizes(saved(state, tmp_path))
    assert findings["fit"].verdict is Verdict.SOUND
    assert findings["reconstruction"].verdict is Verdict.SOUND
    figure = findings["first figure"]
    assert figure.verdict is Verdict.WRONG
    assert "This looks wrong: published points lie above 20 dB" in figure.sentence
    assert float(figure.sentence.split()[0]) < 15
    assert "not the published file" in findings["file"].sentence


def test_the_layout_is_described(tmp_path: Path) -> None:
    state = load_file(WEIGHTS)
    older = {f"module.{key.replace('matrices.', '_matrix')}": tensor for key, tensor in state.items()}
    older["module.entropy_bottleneck._offset"] = torch.zeros(72, dtype=torch.int32)
    path = saved({"epoch": 3, "state_dict": older, "optimizer": {}}, tmp_path)
    said = describe(path)
    assert said.startswith("a state dict under state_dict of ")
    for part in (
        "epoch, optimizer",
        'names begin with "module."',
        "before CompressAI 1.2.7",
        "tables are in it, filled",
    ):
        assert part in said
    assert describe(WEIGHTS).startswith("a bare state dict of 69 tensors (float32)")


def test_what_does_not_fit_is_named(tmp_path: Path) -> None:
    state = load_file(WEIGHTS)
    del state["g_s.2.bias"]
    state["h_a.0.weight"] = torch.zeros(3)
    findings = until_odd_sizes(saved(state, tmp_path))
    assert findings["fit"].verdict is Verdict.WRONG
    assert "g_s.2.bias is missing; h_a.0.weight is not part of the network" in findings["fit"].sentence
    assert "first figure" not in findings


def test_a_file_that_is_no_checkpoint_ends_the_examination(tmp_path: Path) -> None:
    page = tmp_path / "weights.pth.tar"
    page.write_text("<!DOCTYPE html><html>quota exceeded</html>")
    (finding,) = doctor.examine(CARD, CARD.points[0], page)
    assert finding.verdict is Verdict.WRONG
    assert "it is a web page" in finding.sentence


def test_a_width_of_its_own_is_told(tmp_path: Path) -> None:
    from compressai.models import FactorizedPrior

    path = saved(FactorizedPrior(8, 12).state_dict(), tmp_path)
    findings = until_odd_sizes(path, "bmshj2018-factorized")
    assert findings["fit"].verdict is Verdict.DOUBTFUL
    assert "g_a.0.weight is 8x3x5x5 instead of 128x3x5x5" in findings["fit"].sentence


def test_an_untrained_network_gets_no_figure() -> None:
    findings = until_odd_sizes(None)
    assert "first figure" not in findings
    assert "untrained" in findings["figures"].sentence


def coded(**changes: object) -> doctor.Coded:
    import numpy as np

    told = {"name": "a", "stream": b"1234", "decoded": np.zeros((2, 2, 3), np.uint8), "psnr_db": 30.0,
            "forward_psnr_db": 30.0, "pixels": 4, "payload_bits": 1000, "estimated_bits": 995.0,
            "apart": 0}  # fmt: skip
    return doctor.Coded(**(told | changes))  # type: ignore[arg-type]


def test_a_decoder_that_does_not_rebuild_the_forward_pass_is_wrong() -> None:
    told = doctor._forward_against_coded([coded(), coded(name="b", apart=60, psnr_db=22.0)])
    assert told.verdict is Verdict.WRONG
    assert "b decoded differs from the forward pass by up to 60 of 255 (+8.00 dB lost)" in told.sentence


@pytest.mark.parametrize(("estimated", "verdict"), [(995.0, Verdict.SOUND), (900.0, Verdict.DOUBTFUL)])
def test_a_rate_more_than_a_hundredth_off_is_doubtful(estimated: float, verdict: Verdict) -> None:
    assert doctor._estimated_against_coded([coded(estimated_bits=estimated)], trained=True).verdict is verdict


def test_a_stream_larger_than_the_picture_looks_wrong() -> None:
    assert doctor._first_figure([coded(stream=bytes(13))]).verdict is Verdict.WRONG  # 26 bit per pixel


def test_an_untrained_networks_rate_is_told_and_not_doubted():
    finding = doctor._estimated_against_coded([coded(estimated_bits=900.0)], trained=False)
    assert finding.verdict is doctor.Verdict.TOLD
