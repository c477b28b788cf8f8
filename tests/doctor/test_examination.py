"""The doctor, on codecs and networks whose illness is known."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from itertools import takewhile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from helpers import small_codecs, unsound_codecs, unsound_networks
from safetensors.torch import load_file

from lic_bench.assets.checkpoints import describe
from lic_bench.benchmark.executors.processes import Processes, context
from lic_bench.doctor import Finding, Verdict, conclusion, network, unsound
from lic_bench.doctor.agreement import Agreement, Kind, agreement
from lic_bench.doctor.examination import examine
from lic_bench.doctor.probes import Broken
from lic_bench.registry import codecs

WEIGHTS = Path(str(import_module("lic_bench.zoo.demo").__file__)).parent / "1.safetensors"
CARD = codecs.get("demo-factorized")
SIZES = ((1, 1), (17, 33), (48, 32))


@pytest.fixture(autouse=True, scope="module")
def _heavy_packages_are_imported_once() -> None:
    assert list(Processes(context((CARD,)), None).run(os.getpid))


@pytest.fixture(autouse=True, scope="module")
def _nothing_is_left_behind() -> Iterator[None]:
    yield
    for path in unsound_codecs.SIDE.parent.glob(f"{unsound_codecs.SIDE.stem}.*"):
        path.unlink()


def examined(reference: str, weights: Path | None = None, label: str | None = None, **options: Any) -> list[Finding]:
    """Every finding about a codec, with few and small pictures."""
    card = codecs.get(reference)
    point = card.points[0] if label is None else card.point(label)
    small: dict[str, Any] = {"sizes": SIZES, "large": None, "threads": 1}
    return list(examine(card, point, weights, **(small | options)))


def of_a_network(name: str, weights: Path | None = None) -> list[Finding]:
    return examined(unsound_networks.reference(name), weights)


def before_streams(weights: Path | None, model: str = "demo-factorized") -> dict[str, Finding]:
    """What is found before any picture is coded."""
    card = codecs.get(model)
    found = examine(card, card.points[0], weights, sizes=(), large=None, threads=1)
    return {finding.check: finding for finding in takewhile(lambda finding: finding.check != "sizes", found)}


def saved(state: object, tmp_path: Path) -> Path:
    torch.save(state, tmp_path / "examined.pth.tar")
    return tmp_path / "examined.pth.tar"


def illnesses(found: list[Finding]) -> list[str]:
    return [finding.check for finding in found if finding.verdict is Verdict.WRONG]


def about(found: list[Finding], check: str) -> Finding:
    (finding,) = (finding for finding in found if finding.check == check)
    return finding


def doctor(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "lic_bench", "doctor", *arguments],
        capture_output=True,
        text=True,
        cwd=cwd,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )


EVEN = "1x1 and 17x33: encode: ValueError: sides must be even. These come back whole: 64x64 and 48x32."
UNSOUND = [
    # must be found by name: the codec, the check that fails, what is said of it
    ("Peeking", "stream alone", "gives back the picture that was encoded last"),
    ("Keeping", "stream alone", "needs something of the encoder that is not in the stream"),
    ("Sizeless", "stream alone", "the picture's size is not in the stream"),
    (
        "SideFile",
        "stream alone",
        f"decoding reads what encoding wrote beside the stream: {unsound_codecs.SIDE.with_suffix('')}",
    ),
    ("TemporaryFile", "stream alone", "Encoding wrote"),
    ("Drifting", "threads", "by up to 3 of 255"),
    ("OneThreaded", "threads", "the arithmetic decoder ran out of bits"),
    ("UnderReporting", "payload", "payload_bits leaves out part of the rate"),
    ("OverReporting", "payload", "payload_bits says more than the whole stream holds"),
    ("Even", "sizes", EVEN),
    ("Padded", "sizes", "17x33: came back as 48x32x3 uint8 instead of 33x17x3 uint8"),
    ("Spreading", "plain pictures", "black and white: encode: ZeroDivisionError: no spread"),
    ("Salting", "repetition", "encoding a picture twice gives two different streams"),
    ("Dithering", "repetition", "decoding a stream twice gives two different pictures"),
    ("Seeding", "repetition", "another process makes another stream of the same picture"),
    ("Floating", "coding", "came back as 64x64x3 float32 instead of 64x64x3 uint8"),
    ("Wrapping", "coding", "decode gave a Tensor, not a numpy array"),
    ("Scribbling", "caller's picture", "encoding writes into the array it is given"),
]


@pytest.mark.parametrize(("name", "check", "said"), UNSOUND, ids=[name for name, _, _ in UNSOUND])
def test_an_unsound_codec_is_ill_of_what_it_has_and_of_nothing_else(name: str, check: str, said: str) -> None:
    found = examined(unsound_codecs.reference(name))
    assert illnesses(found) == [check]
    assert said in about(found, check).sentence
    assert about(found, check).advice
    assert unsound(found)
    assert conclusion(found).startswith("UNSOUND: ")


def test_a_codec_that_dies_is_named_and_does_not_stop_the_doctor() -> None:
    found = examined(small_codecs.reference("DYING"))
    assert illnesses(found) == ["coding"]
    assert "64x64, 1x1, 17x33 and 48x32: encode: its process was ended by SIGKILL" in about(found, "coding").sentence
    assert about(found, "stream alone").sentence == "not examined: no picture comes back whole."


def test_a_size_that_takes_too_long_ends_the_sizes_and_says_what_may_help() -> None:
    sizes = about(examined(unsound_codecs.reference("SlowOnLines"), timeout_seconds=5), "sizes")
    assert sizes.sentence.startswith("1x1: decode: gave no result within 5 s and was stopped (--timeout); 17x33 and")
    assert sizes.sentence.endswith("not examined, since something before it never ended. These come back whole: 64x64.")
    assert sizes.advice.startswith("If it only takes long, raise --timeout")


def test_a_drift_by_one_is_a_doubt() -> None:
    caveat = about(examined(unsound_codecs.reference("DriftingByOne")), "threads")
    assert (caveat.verdict, caveat.sentence[:6]) == (Verdict.DOUBTFUL, "drift:")


@pytest.mark.parametrize("reference", ["jpeg", small_codecs.reference("LOSSLESS"), unsound_codecs.reference("Honest")])
def test_a_sound_codec_has_no_illness_and_no_doubt(reference: str) -> None:
    found = examined(reference)
    assert {finding.verdict for finding in found} == {Verdict.SOUND, Verdict.TOLD}
    assert conclusion(found).startswith("sound: ")
    assert {"sizes", "plain pictures", "caller's picture", "repetition", "stream alone", "threads", "device"} < {
        finding.check for finding in found
    }


def test_the_other_device_is_tried_where_there_is_one() -> None:
    """The pretended codecs stand for a device each: what is exact, what drifts, what breaks, what refuses."""
    found = {
        label: about(examined(unsound_codecs.reference("TRAVELLING"), label=label, other_device="abacus"), "device")
        for label in ("exact", "drift", "broken", "refused")
    }
    assert found["exact"].sentence == "exact: on abacus instead of cpu all 9 streams decode to the same pictures."
    assert "by up to 5 of 255" in found["drift"].sentence
    assert found["broken"].sentence.startswith("broken: on abacus instead of cpu")
    assert [finding.verdict.name for finding in found.values()] == ["SOUND", "WRONG", "WRONG", "TOLD"]
    assert "made on another device" in found["refused"].sentence


def test_pictures_of_another_shape_are_broken_and_no_drift() -> None:
    here = np.zeros((2, 3, 3), np.uint8)
    assert agreement(here, here.copy()).kind is Kind.EXACT
    assert agreement(here, here + np.uint8(200)) == Agreement(
        Kind.DRIFT, 200, "it comes back with samples that differ by up to 200 of 255"
    )
    assert agreement(here, here[:1]).kind is Kind.BROKEN
    assert agreement(here, Broken("no")).kind is Kind.BROKEN


# Networks


def test_a_sound_network_is_sound() -> None:
    found = of_a_network("Sound")
    assert not illnesses(found)
    assert about(found, "reconstruction").verdict is Verdict.SOUND
    assert about(found, "batch").verdict is Verdict.SOUND
    assert about(found, "operators").verdict is Verdict.SOUND
    assert "untrained" in about(found, "figures").sentence


@pytest.mark.parametrize(
    ("name", "check", "said"),
    [
        ("Mixing", "batch", "broken: two pictures at once differ"),
        ("Rounding", "reconstruction", "decoded differs from the forward pass by up to"),
    ],
)
def test_an_unsound_network_is_ill_of_what_it_has_and_of_nothing_else(name: str, check: str, said: str) -> None:
    found = of_a_network(name)
    assert illnesses(found) == [check]
    assert said in about(found, check).sentence


def test_likelihoods_that_promise_half_of_what_is_coded_under_report_the_rate(tmp_path: Path) -> None:
    sound_weights = saved(unsound_networks.Sound(8, 12).state_dict(), tmp_path)
    rate = about(of_a_network("Promising", sound_weights), "rate")
    assert rate.verdict is Verdict.WRONG
    assert "The likelihoods under-report the rate" in rate.sentence


def test_an_operator_that_nobody_counts_is_named() -> None:
    finding = about(of_a_network("Unusual"), "operators")
    assert (finding.verdict, "linalg" in finding.sentence) == (Verdict.DOUBTFUL, True)


def test_empty_tables_are_named_with_the_call_that_fills_them() -> None:
    finding = about(of_a_network("Untabled"), "numbers")
    assert finding.verdict is Verdict.WRONG
    assert "entropy_bottleneck._quantized_cdf" in finding.sentence
    assert "update(force=True)" in finding.advice


def test_weights_that_are_no_numbers_are_named_and_end_the_examination(tmp_path: Path) -> None:
    state = load_file(WEIGHTS)
    state["g_s.0.bias"][3] = float("nan")
    found = examined("demo-factorized", saved(state, tmp_path))
    assert illnesses(found) == ["numbers"]
    assert found[-1].sentence == "g_s.0.bias hold what is not a finite number."


def test_an_estimator_is_no_codec_and_what_can_be_is_examined() -> None:
    found = examined("asymmetric-published")
    assert {finding.check for finding in found if finding.verdict is Verdict.SOUND} >= {"forward", "operators"}
    assert "codes nothing" in about(found, "codec").sentence
    assert conclusion(found, codes=False).startswith("not a codec: ")


# Checkpoints


def test_a_sound_checkpoint_is_sound_in_every_respect(tmp_path: Path) -> None:
    done = doctor("demo-factorized", "--large", "96x80", cwd=tmp_path)  # its checkpoint is in the package
    assert done.returncode == 0, done.stdout + done.stderr
    for said in (
        "the published file",
        "sound  fit: every tensor fits; 429,267 parameters",
        "sound  reconstruction: decoded pictures equal the forward pass",
        "sound  rate: strings take",
        "a look, not a benchmark.",
        "64x128 and 96x80 come back whole.",
        "sound  threads: exact: with 2 threads instead of 1",
        "sound  stream alone: in a fresh process, in an empty folder",
    ):
        assert said in done.stdout
    assert "WRONG" not in done.stdout
    assert done.stdout.splitlines()[-1].startswith("sound: ")


def test_the_examination_is_one_object_of_json_and_nothing_else(tmp_path: Path) -> None:
    done = doctor(unsound_codecs.reference("Chatting"), "--large", "8x8", "--json", cwd=tmp_path)
    told = json.loads(done.stdout)
    assert done.returncode == 1
    assert (told["model"], told["point"], told["weights"], told["device"]) == ("chatting", "1", None, "cpu")
    assert (told["threads"], told["verdict"]) == (1, "UNSOUND")
    assert {frozenset(finding) for finding in told["findings"]} == {
        frozenset({"check", "verdict", "sentence", "advice"})
    }
    assert told["findings"][0]["check"] == "sizes"


def test_a_checkpoint_that_reaches_10_db_looks_wrong(tmp_path: Path) -> None:
    state = load_file(WEIGHTS)
    state["g_s.0.weight"] = state["g_s.0.weight"].flip(0)  # as if channels had come in another order
    found = examined("demo-factorized", saved(state, tmp_path))
    assert about(found, "fit").verdict is Verdict.SOUND
    assert about(found, "reconstruction").verdict is Verdict.SOUND
    assert illnesses(found) == ["first figure"]
    figure = about(found, "first figure")
    assert "This looks wrong: published points lie above 20 dB" in figure.sentence
    assert float(figure.sentence.split()[0]) < 15
    assert "not the published file" in about(found, "file").sentence


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
    findings = before_streams(saved(state, tmp_path))
    assert findings["fit"].verdict is Verdict.WRONG
    assert "g_s.2.bias is missing; h_a.0.weight is not part of the network" in findings["fit"].sentence


def test_a_file_that_is_no_checkpoint_ends_the_examination(tmp_path: Path) -> None:
    page = tmp_path / "weights.pth.tar"
    page.write_text("<!DOCTYPE html><html>quota exceeded</html>")
    (finding,) = examine(CARD, CARD.points[0], page)
    assert finding.verdict is Verdict.WRONG
    assert "it is a web page" in finding.sentence


def test_a_width_of_its_own_is_told(tmp_path: Path) -> None:
    path = saved(unsound_networks.Sound(8, 12).state_dict(), tmp_path)
    findings = before_streams(path, "bmshj2018-factorized")
    assert findings["fit"].verdict is Verdict.DOUBTFUL
    assert "g_a.0.weight is 8x3x5x5 instead of 128x3x5x5" in findings["fit"].sentence


def test_a_codec_that_cannot_be_loaded_is_told_and_ends_the_examination() -> None:
    (finding,) = examined(unsound_codecs.reference("Unloadable"))
    assert (finding.check, finding.verdict) == ("loading", Verdict.WRONG)
    assert "OSError: the library is not installed" in finding.sentence


# What is said of figures


def coded(**changes: Any) -> network.Coded:
    told = {"name": "a", "pixels": 4, "stream_bytes": 4, "psnr_db": 30.0, "forward_psnr_db": 30.0,
            "payload_bits": 1000, "estimated_bits": 995.0, "apart": 0}  # fmt: skip
    return network.Coded(**(told | changes))


def test_a_decoder_that_does_not_rebuild_the_forward_pass_is_wrong() -> None:
    told = network.reconstruction([coded(), coded(name="b", apart=60, psnr_db=22.0)])
    assert told.verdict is Verdict.WRONG
    assert "b decoded differs from the forward pass by up to 60 of 255 (+8.00 dB lost)" in told.sentence


@pytest.mark.parametrize(
    ("estimated", "verdict"),
    [(995.0, "sound"), (900.5, "WRONG"), (950.0, "doubtful"), (1050.0, "doubtful"), (1200.0, "WRONG")],
)
def test_a_rate_more_than_a_hundredth_off_is_doubtful_and_more_than_a_tenth_wrong(
    estimated: float, verdict: str
) -> None:
    assert network.rate([coded(estimated_bits=estimated)], trained=True).verdict == verdict


def test_an_untrained_networks_rate_is_told_and_doubted_only_when_far_off() -> None:
    assert network.rate([coded(estimated_bits=900.0)], trained=False).verdict is Verdict.TOLD
    assert network.rate([coded(estimated_bits=500.0)], trained=False).verdict is Verdict.DOUBTFUL


def test_a_stream_larger_than_the_picture_looks_wrong() -> None:
    assert network.first_figure([coded(stream_bytes=13)]).verdict is Verdict.WRONG  # 26 bit per pixel


def test_the_closing_line_counts() -> None:
    found = [Finding(check, verdict, "") for check, verdict in zip("abcd", Verdict, strict=True)]
    assert conclusion(found) == "UNSOUND: 3 checks made, 1 wrong (c), 1 doubtful (b), 1 told."
    assert conclusion(found[:1]) == "sound: 1 check made, all sound."
