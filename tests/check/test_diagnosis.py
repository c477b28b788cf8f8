"""Deliberate changes of a real network: each is caught, and its diagnosis differs from those of the others."""

from __future__ import annotations

import pytest
from helpers import changed_codecs
from helpers.checked_runs import measured
from helpers.pictures import picture
from PIL import Image as pillow

from lic_bench.check import diagnosis_text
from lic_bench.check.compare import compare
from lic_bench.check.details import LayerEvent, LayerEventKind, LayersDetail
from lic_bench.check.outcome import Change, DiagnosisKind, Outcome, Verdict
from lic_bench.check.quantity import QuantityKind
from lic_bench.check.text import sentence

SIZES = {"a.png": (96, 64), "b.png": (128, 64)}


@pytest.fixture(scope="module")
def checks(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcome]:
    """The check of each changed network against the unchanged one, all measured here."""
    folder = tmp_path_factory.mktemp("pictures")
    for name, (width, height) in SIZES.items():
        pillow.fromarray(picture(width, height, seed=ord(name[0]))).save(folder / name)
    before = measured(folder, "unchanged")
    assert not before.failures
    return {change: compare(measured(folder, change), before) for change in changed_codecs.CHANGES}


def moved(outcome: Outcome) -> dict[str, Change]:
    """What is not the same, less times, which are another test's."""
    return {c.quantity.name: c for c in outcome.changes if c.quantity.kind is not QuantityKind.TIME}


def kind(outcome: Outcome) -> DiagnosisKind:
    return outcome.diagnoses[changed_codecs.NAME].kind


def said(outcome: Outcome) -> str:
    return diagnosis_text.sentence(outcome.diagnoses[changed_codecs.NAME])


def test_an_unchanged_network_is_the_same(checks: dict[str, Outcome]) -> None:
    assert not moved(checks["unchanged"])
    assert not checks["unchanged"].failed


def test_a_changed_layer_is_named_with_its_part(checks: dict[str, Outcome]) -> None:
    outcome = checks["layer"]
    work = moved(outcome)["encode macs"]
    # 48 to 48 channels, one output per 4x4 pixels; pictures of 96x64 run on 128x64: 3x3 instead of 5x5 taps.
    per_tap = 48 * 48 * (128 // 4) * (64 // 4)
    assert work.part == "g_a"
    assert (work.before - work.now) == (25 - 9) * per_tap  # type: ignore[operator]
    assert work.detail == LayersDetail(
        96, 64, (LayerEvent(LayerEventKind.CHANGED, "g_a.2", 25 * per_tap, 9 * per_tap),)
    )
    assert "g_a.2 29.49 MMAC → 10.62 MMAC (-64.0 %)" in sentence(work)
    assert moved(outcome)["parameters"].now == moved(outcome)["parameters"].before - 16 * 48 * 48  # type: ignore[operator]
    assert "decode macs" not in moved(outcome)
    assert outcome.failed
    assert kind(outcome) is DiagnosisKind.LAYERS_CHANGED
    assert said(outcome).startswith("The network was changed, in g_a of encode: g_a.2 29.49 MMAC → 10.62 MMAC")


def test_a_changed_quantiser_moves_rate_and_quality(checks: dict[str, Outcome]) -> None:
    outcome = checks["quantiser"]
    assert {"payload", "estimated rate", "PSNR"} <= set(moved(outcome))
    same = (QuantityKind.MACS, QuantityKind.PARAMETERS, QuantityKind.CONTAINER)
    assert not any(change.quantity.kind in same for change in moved(outcome).values())
    assert moved(outcome)["PSNR"].fails
    assert kind(outcome) is DiagnosisKind.RATE_AND_QUALITY
    assert outcome.diagnoses[changed_codecs.NAME].same_macs
    assert "quantiser" in said(outcome)
    assert "the work is the same" in said(outcome)


def test_a_dropped_byte_is_no_saving(checks: dict[str, Outcome]) -> None:
    outcome = checks["byte"]
    stream = moved(outcome)["stream bytes"]
    assert stream.before - stream.now == len(SIZES) * changed_codecs.DROPPED_BYTES  # type: ignore[operator]
    assert "estimated rate" not in moved(outcome)
    assert outcome.failed
    assert kind(outcome) is DiagnosisKind.BYTES_CHANGED
    assert said(outcome).startswith("Streams are 1 byte shorter per picture while the network expects exactly the same")


def test_exchanged_channels_are_named(checks: dict[str, Outcome]) -> None:
    outcome = checks["channels"]
    assert (moved(outcome)["channel order"].before, moved(outcome)["channel order"].now) == ("RGB", "BGR")
    assert not {"stream bytes", "payload", "estimated rate"} & set(moved(outcome))
    assert kind(outcome) is DiagnosisKind.CHANNELS_EXCHANGED
    assert "RGB → BGR" in said(outcome)


def test_a_doubled_layer_is_named(checks: dict[str, Outcome]) -> None:
    outcome = checks["doubled"]
    work = moved(outcome)["encode macs"]
    assert work.verdict is Verdict.WORSE
    assert work.now - work.before == 25 * 48 * 48 * (128 // 4) * (64 // 4)  # type: ignore[operator]
    assert isinstance(work.detail, LayersDetail)
    assert [(event.kind, event.pair) for event in work.detail.events] == [
        (LayerEventKind.DUPLICATED, ("g_a.2", "g_a.3"))
    ]
    assert "g_a.2 and g_a.3 do the same work (29.49 MMAC each)" in sentence(work)
    assert said(outcome).startswith("A layer is there twice, in g_a of encode: g_a.2 and g_a.3")


def test_a_slower_decoder_changes_nothing_but_time(checks: dict[str, Outcome]) -> None:
    assert not moved(checks["slow"])


def test_diagnoses_differ_in_their_first_words(checks: dict[str, Outcome]) -> None:
    changes = [change for change in changed_codecs.CHANGES if change not in ("unchanged", "slow")]
    assert len({" ".join(said(checks[change]).split()[:3]) for change in changes}) == len(changes) == 5
