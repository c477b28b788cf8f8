"""Times: what noise may do without an alarm, and what a slower decoder may not. Samples are drawn with fixed seeds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from checked_runs import HEADER, measured, run
from tests_support import measurement

from lic_bench import measure
from lic_bench.check.baseline import Kept
from lic_bench.check.compare import compare
from lic_bench.check.diagnosis import diagnose
from lic_bench.check.limits import LimitBook, Limits
from lic_bench.check.outcome import Change, Verdict
from lic_bench.records import Call, Doubt, MacCount, Measurement
from lic_bench.timing import Sample

PICTURES = ("a", "b", "c", "d")


def timed(seed: int, decode: float = 1.0, machine: float = 1.0, busy: float = 0.0, **changes: Any) -> list[Measurement]:
    """Rows of four pictures with five passes each.

    `decode` and `machine` multiply what the decoder and everything takes; `busy` is the mean share of the time that
    others have the processor, which the wall's clock shows, and a fifth of it processor time too.
    """
    drawn = np.random.default_rng(seed)

    def clock(mean: float) -> tuple[tuple[float, ...], tuple[float, ...]]:
        others = busy * drawn.random(5) * 2
        cpu = mean * machine * drawn.normal(1, 0.02, 5) * (1 + others / 5)
        return tuple(cpu * (1 + others)), tuple(cpu)

    made = []
    for name in PICTURES:
        (encode, encode_cpu), (decoding, decode_cpu), (yard, yard_cpu) = clock(0.1), clock(0.2 * decode), clock(0.009)
        made.append(
            measurement(
                "net", "1", name, encode_seconds=encode, decode_seconds=decoding, encode_cpu_seconds=encode_cpu,
                decode_cpu_seconds=decode_cpu, yardstick_seconds=yard, yardstick_cpu_seconds=yard_cpu, **changes,
            )
        )  # fmt: skip
    return made


def time_of(call: str, now: list[Measurement], before: list[Measurement], **limits: Any) -> Change:
    outcome = compare(run(now), run(before, "baseline"), LimitBook(Limits(**limits)))
    (change,) = (change for change in outcome.comparisons if change.quantity == f"{call} time")
    return change


def test_a_decoder_half_as_slow_again_is_caught_on_a_quiet_machine_and_encoding_is_not_blamed() -> None:
    now, before = timed(1, decode=1.5), timed(2)
    change = time_of("decode", now, before)
    assert change.verdict is Verdict.WORSE
    assert change.fails
    assert change.share == pytest.approx(0.5, abs=0.05)
    assert time_of("encode", now, before).verdict is Verdict.SAME
    assert time_of("decode", before, now).verdict is Verdict.BETTER


def test_the_diagnosis_of_a_slower_decoder_says_that_it_is_the_code_and_not_the_work() -> None:
    macs = (MacCount(Call.DECODE, 768, 512, 2000, {"g_s": 2000}, by_layer={"g_s.0": 2000}),)
    outcome = compare(run(timed(1, decode=1.5, macs=macs)), run(timed(2, macs=macs), "baseline"))
    said = outcome.diagnoses["net"]
    assert said.startswith("Decoding takes 1.")
    assert "encoding takes as long as before" in said
    assert "the work is the same: it is the code, not the network" in said
    assert diagnose([change for change in outcome.comparisons if change.quantity == "encode time"]) == ""


def test_a_slower_decoder_is_caught_in_processor_time_where_others_were_running() -> None:
    now, before = timed(1, decode=1.6, busy=0.4), timed(2, busy=0.4)
    change = time_of("decode", now, before)
    assert change.verdict is Verdict.WORSE
    assert "processor time, as other programs were running" in change.sentence


def test_a_machine_that_is_slower_as_a_whole_is_not_held_against_the_codec() -> None:
    change = time_of("decode", timed(1, machine=1.5), timed(2))
    assert change.verdict is Verdict.NOT_COMPARABLE
    assert "the machine itself was slower" in change.sentence
    assert not change.fails
    assert time_of("decode", timed(1, machine=1.5), timed(2), require_times=True).fails


def test_a_slow_machine_does_not_hide_a_slower_decoder_behind_a_verdict_of_same() -> None:
    assert time_of("decode", timed(1, decode=1.5, machine=0.7), timed(2)).verdict is Verdict.NOT_COMPARABLE


def test_on_a_busy_machine_what_slowed_both_calls_alike_may_have_been_the_machine() -> None:
    both = [
        replace(
            row,
            encode_cpu_seconds=tuple(1.6 * second for second in row.encode_cpu_seconds),
            encode_seconds=tuple(1.6 * second for second in row.encode_seconds),
        )
        for row in timed(1, decode=1.6, busy=0.4)
    ]
    change = time_of("decode", both, timed(2, busy=0.4))
    assert change.verdict is Verdict.NOT_COMPARABLE
    assert "beside the other call" in change.sentence


def test_samples_that_contradict_one_another_are_no_result() -> None:
    now = [replace(row, decode_seconds=(0.2, *row.decode_seconds[1:])) for row in timed(1, decode=1.5)]
    change = time_of("decode", now, timed(2))
    assert change.verdict is Verdict.NOT_COMPARABLE
    assert "minimum" in change.sentence


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"doubts": (Doubt.SHARED_MACHINE,)}, "--workers 1"),
        ({"doubts": (Doubt.BUSY_MACHINE,), "threads": 2}, "quiet machine"),
        ({"yardstick_seconds": ()}, "no yardstick"),
        ({"decode_seconds": (0.2,), "decode_cpu_seconds": (0.2,)}, "too few samples"),
        ({"decode_seconds": (), "decode_cpu_seconds": ()}, "not timed in this run"),
    ],
)
def test_times_that_are_thin_are_not_comparable_and_say_why(changes: dict[str, Any], said: str) -> None:
    now = [replace(row, **changes) for row in timed(1)]
    few = now[:1] if "decode_seconds" in changes else now
    change = time_of("decode", few, timed(2))
    assert change.verdict is Verdict.NOT_COMPARABLE
    assert said in change.sentence


def test_another_machine_is_named_with_what_differs() -> None:
    facts = dict(HEADER.machine) | {"processor": "two"}
    outcome = compare(run(timed(1, decode=3), machine=facts), run(timed(2), "baseline"))
    (change,) = (change for change in outcome.changes if change.quantity == "decode time")
    assert change.verdict is Verdict.NOT_COMPARABLE
    assert change.sentence == "another machine: processor: one → two"


@pytest.mark.parametrize("busy", [0.0, 0.3, 0.8])
def test_noise_alone_raises_no_alarm(busy: float) -> None:
    machines = np.random.default_rng(9).normal(1, 0.1, 60)
    runs = [timed(seed, machine=float(factor), busy=busy) for seed, factor in enumerate(machines)]
    seen = Counter(time_of("decode", now, before).verdict for before, now in pairwise(runs))
    assert set(seen) <= {Verdict.SAME, Verdict.NOT_COMPARABLE}
    assert seen[Verdict.SAME] > 0


@pytest.mark.slow
def test_checks_of_an_unchanged_network_raise_no_alarm(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock's readings are drawn; `benchmarks/noise.py` makes such checks by the clock of a machine."""
    drawn = np.random.default_rng(9)

    def clock(call: Callable[[], object], device: str) -> Sample:
        call()
        cpu = 0.1 * drawn.normal(1, 0.02)
        return Sample(cpu * (1 + 0.1 * drawn.random()), cpu)

    monkeypatch.setattr(measure, "timed", clock)
    runs: list[Kept] = [measured(folder, "unchanged") for _ in range(4)]
    for at, now in enumerate(runs):
        for before in runs[:at]:
            outcome = compare(now, before)
            assert not outcome.failed, outcome.as_markdown()
            assert {change.verdict for change in outcome.changes} <= {Verdict.NOT_COMPARABLE}
            assert not outcome.diagnoses
