"""Deliberate changes of a real network, each caught by name and told apart from the others."""

from __future__ import annotations

import pytest
from helpers import changed_codecs
from helpers.checked_runs import measured
from helpers.pictures import picture
from PIL import Image as pillow

from lic_bench.check import channels
from lic_bench.check.baseline import Kept
from lic_bench.check.compare import compare
from lic_bench.check.outcome import Change, Outcome, Verdict

SIZES = {"a.png": (96, 64), "b.png": (128, 64)}


@pytest.fixture(scope="module")
def checks(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcome]:
    """What the check says of each changed network against the unchanged one, all measured here."""
    folder = tmp_path_factory.mktemp("pictures")
    for name, (width, height) in SIZES.items():
        pillow.fromarray(picture(width, height, seed=ord(name[0]))).save(folder / name)
    before: Kept = measured(folder, "unchanged")
    assert not before.failures
    return {change: compare(measured(folder, change), before) for change in changed_codecs.CHANGES}


def moved(outcome: Outcome) -> dict[str, Change]:
    """What is not the same, less times, which are another test's."""
    return {c.quantity: c for c in outcome.changes if not c.quantity.endswith(" time")}


def told(outcome: Outcome) -> str:
    return outcome.diagnoses[changed_codecs.NAME]


def test_an_unchanged_network_is_the_same(checks: dict[str, Outcome]) -> None:
    assert not moved(checks["unchanged"])
    assert not checks["unchanged"].failed


def test_a_changed_layer_is_named_with_its_part_and_by_how_much(checks: dict[str, Outcome]) -> None:
    outcome = checks["layer"]
    work = moved(outcome)["encode macs"]
    # 48 to 48 channels, one output per 4x4 pixels; pictures of 96x64 run on 128x64: 3x3 instead of 5x5 taps.
    per_tap = 48 * 48 * (128 // 4) * (64 // 4)
    assert work.part == "g_a"
    assert (work.before - work.now) == (25 - 9) * per_tap  # type: ignore[operator]
    assert "g_a.2 29.49 MMAC → 10.62 MMAC (-64.0 %)" in work.sentence
    assert moved(outcome)["parameters"].now == moved(outcome)["parameters"].before - 16 * 48 * 48  # type: ignore[operator]
    assert "decode macs" not in moved(outcome)
    assert outcome.failed
    assert told(outcome).startswith("The network was changed, in g_a of encode: g_a.2 29.49 MMAC → 10.62 MMAC")


def test_a_changed_quantiser_moves_rate_and_quality_and_not_the_work(checks: dict[str, Outcome]) -> None:
    outcome = checks["quantiser"]
    assert {"payload", "estimated rate", "PSNR"} <= set(moved(outcome))
    assert not any(name.endswith("macs") or name in ("parameters", "container") for name in moved(outcome))
    assert moved(outcome)["PSNR"].fails
    assert "quantiser" in told(outcome)
    assert "the work is the same" in told(outcome)


def test_a_dropped_byte_is_told_from_a_saving(checks: dict[str, Outcome]) -> None:
    outcome = checks["byte"]
    stream = moved(outcome)["stream bytes"]
    assert stream.before - stream.now == len(SIZES) * changed_codecs.DROPPED_BYTES  # type: ignore[operator]
    assert "estimated rate" not in moved(outcome)
    assert outcome.failed
    assert told(outcome).startswith("Streams are 1 byte shorter per picture while the network expects exactly the same")


def test_exchanged_channels_are_named(checks: dict[str, Outcome]) -> None:
    outcome = checks["channels"]
    assert (moved(outcome)["channel order"].before, moved(outcome)["channel order"].now) == ("RGB", "BGR")
    assert not {"stream bytes", "payload", "estimated rate"} & set(moved(outcome))
    assert "RGB → BGR" in told(outcome)


def test_a_doubled_layer_is_named(checks: dict[str, Outcome]) -> None:
    outcome = checks["doubled"]
    work = moved(outcome)["encode macs"]
    assert work.verdict is Verdict.WORSE
    assert work.now - work.before == 25 * 48 * 48 * (128 // 4) * (64 // 4)  # type: ignore[operator]
    assert "g_a.2 and g_a.3 do the same work (29.49 MMAC each)" in work.sentence
    assert told(outcome).startswith("A layer is there twice, in g_a of encode")


def test_a_slower_decoder_changes_nothing_but_time(checks: dict[str, Outcome]) -> None:
    assert not moved(checks["slow"])


def test_each_change_is_told_apart_by_its_first_words(checks: dict[str, Outcome]) -> None:
    changes = [change for change in changed_codecs.CHANGES if change not in ("unchanged", "slow")]
    assert len({" ".join(told(checks[change]).split()[:3]) for change in changes}) == len(changes) == 5


def test_an_order_of_channels_is_found_from_the_errors_between_them() -> None:
    before = ((1.0, 50.0, 90.0), (52.0, 2.0, 40.0), (91.0, 42.0, 3.0))
    assert channels.order(before, before) == (0, 1, 2)
    swapped = tuple((row[0], row[2], row[1]) for row in before)
    assert channels.order(before, swapped) == (0, 2, 1)
    blurred = tuple(tuple(value * 1.3 for value in row) for row in before)
    assert channels.order(before, blurred) == (0, 1, 2)
