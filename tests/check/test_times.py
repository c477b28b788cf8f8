"""Times: noise raises no alarm, and a slower decoder does. Samples are drawn with fixed seeds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.checked_runs import HEADER, PICTURES, checked, measured, only, run
from helpers.made_records import measurement

from lic_bench.benchmark import passes
from lic_bench.benchmark.timing import Sample
from lic_bench.caveats import Caveat
from lic_bench.check import diagnosis_text, markdown
from lic_bench.check.compare import compare
from lic_bench.check.details import Clock, FactChange, NotComparable, TimeDetail
from lic_bench.check.diagnosis import diagnose
from lic_bench.check.outcome import Change, DiagnosisKind, Verdict
from lic_bench.check.text import sentence
from lic_bench.records import Call, MacCount, Measurement


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
        encoding, decoding, calibration = clock(0.1), clock(0.2 * decode), clock(0.009)
        made.append(
            measurement(
                "net",
                "1",
                name,
                encode_seconds=encoding[0],
                encode_cpu_seconds=encoding[1],
                decode_seconds=decoding[0],
                decode_cpu_seconds=decoding[1],
                calibration_seconds=calibration[0],
                calibration_cpu_seconds=calibration[1],
                **changes,
            )
        )
    return made


def time_of(call: str, now: list[Measurement], before: list[Measurement], **limits: Any) -> Change:
    return only(checked(now, before, **limits), f"{call} time")


def reason(change: Change) -> NotComparable:
    """Why a time was not compared."""
    assert change.verdict is Verdict.NOT_COMPARABLE
    assert change.not_compared is not None
    return change.not_compared.reason


def test_a_slower_decoder_is_caught_and_encoding_is_not_blamed() -> None:
    now, before = timed(1, decode=1.5), timed(2)
    change = time_of("decode", now, before)
    assert change.verdict is Verdict.WORSE
    assert change.fails
    assert change.share == pytest.approx(0.5, abs=0.05)
    assert time_of("encode", now, before).verdict is Verdict.SAME
    assert time_of("decode", before, now).verdict is Verdict.BETTER


def test_a_slower_decoder_is_diagnosed_as_code_not_macs() -> None:
    macs = (MacCount(Call.DECODE, 768, 512, 2000, {"g_s": 2000}, by_layer={"g_s.0": 2000}),)
    outcome = compare(run(timed(1, decode=1.5, macs=macs)), run(timed(2, macs=macs), "baseline"))
    assert outcome.diagnoses["net"].kind is DiagnosisKind.TIMES
    said = diagnosis_text.sentence(outcome.diagnoses["net"])
    assert said.startswith("Decoding takes 1.")
    assert "encoding takes as long as before" in said
    assert "the work is the same: it is the code, not the network" in said
    assert diagnose([only(outcome, "encode time")]) is None


def test_on_a_busy_machine_processor_time_is_compared() -> None:
    now, before = timed(1, decode=1.6, busy=0.4), timed(2, busy=0.4)
    change = time_of("decode", now, before)
    assert change.verdict is Verdict.WORSE
    assert isinstance(change.detail, TimeDetail)
    assert change.detail.clock is Clock.PROCESSOR
    assert "processor time, as other programs were running" in sentence(change)


def test_a_slower_machine_is_not_held_against_the_codec() -> None:
    change = time_of("decode", timed(1, machine=1.5), timed(2))
    assert reason(change) is NotComparable.MACHINE_SPEED
    assert "the machine itself was slower" in sentence(change)
    assert not change.fails
    assert time_of("decode", timed(1, machine=1.5), timed(2), require_times=True).fails


def test_a_faster_machine_does_not_hide_a_slower_decoder() -> None:
    assert time_of("decode", timed(1, decode=1.5, machine=0.7), timed(2)).verdict is Verdict.NOT_COMPARABLE


def test_both_calls_slower_on_a_busy_machine_decides_nothing() -> None:
    both = [
        replace(
            row,
            encode_cpu_seconds=tuple(1.6 * second for second in row.encode_cpu_seconds),
            encode_seconds=tuple(1.6 * second for second in row.encode_seconds),
        )
        for row in timed(1, decode=1.6, busy=0.4)
    ]
    change = time_of("decode", both, timed(2, busy=0.4))
    assert reason(change) is NotComparable.CONTRADICTORY
    assert "beside the other call" in sentence(change)


def test_samples_that_contradict_one_another_are_no_result() -> None:
    now = [replace(row, decode_seconds=(0.2, *row.decode_seconds[1:])) for row in timed(1, decode=1.5)]
    change = time_of("decode", now, timed(2))
    assert reason(change) is NotComparable.CONTRADICTORY
    assert "minimum" in sentence(change)


@pytest.mark.parametrize(
    ("changes", "why", "said"),
    [
        ({"caveats": (Caveat.SHARED_MACHINE,)}, NotComparable.BUSY_MACHINE, "--workers 1"),
        ({"caveats": (Caveat.BUSY_MACHINE,), "threads": 2}, NotComparable.BUSY_MACHINE, "quiet machine"),
        ({"calibration_seconds": ()}, NotComparable.NO_CALIBRATION, "no calibration workload"),
        ({"decode_seconds": (0.2,), "decode_cpu_seconds": (0.2,)}, NotComparable.TOO_FEW_SAMPLES, "too few samples"),
        ({"decode_seconds": (), "decode_cpu_seconds": ()}, NotComparable.NOT_TIMED, "not timed in this run"),
    ],
)
def test_times_with_little_evidence_are_not_comparable(changes: dict[str, Any], why: NotComparable, said: str) -> None:
    now = [replace(row, **changes) for row in timed(1)]
    few = now[:1] if "decode_seconds" in changes else now
    change = time_of("decode", few, timed(2))
    assert reason(change) is why
    assert said in sentence(change)


def test_another_machine_is_named_with_what_differs() -> None:
    facts = dict(HEADER.machine) | {"processor": "two"}
    outcome = compare(run(timed(1, decode=3), machine=facts), run(timed(2), "baseline"))
    change = only(outcome, "decode time")
    assert reason(change) is NotComparable.OTHER_MACHINE
    assert change.not_compared.facts == (FactChange("processor", "one", "two"),)
    assert sentence(change) == "another machine: processor: one → two"


@pytest.mark.parametrize("busy", [0.0, 0.3, 0.8])
def test_noise_alone_raises_no_alarm(busy: float) -> None:
    machines = np.random.default_rng(9).normal(1, 0.1, 60)
    runs = [timed(seed, machine=float(factor), busy=busy) for seed, factor in enumerate(machines)]
    seen = Counter(time_of("decode", now, before).verdict for before, now in pairwise(runs))
    assert set(seen) <= {Verdict.SAME, Verdict.NOT_COMPARABLE}
    assert seen[Verdict.SAME] > 0


@pytest.mark.slow
def test_an_unchanged_network_raises_no_alarm(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock's readings are drawn; `benchmarks/noise.py` makes such checks by the clock of a machine."""
    drawn = np.random.default_rng(9)

    def clock(call: Callable[[], object], device: str) -> Sample:
        call()
        cpu = 0.1 * drawn.normal(1, 0.02)
        return Sample(cpu * (1 + 0.1 * drawn.random()), cpu)

    monkeypatch.setattr(passes, "timed", clock)
    runs = [measured(folder, "unchanged") for _ in range(4)]
    for at, now in enumerate(runs):
        for before in runs[:at]:
            outcome = compare(now, before)
            assert not outcome.failed, markdown.render(outcome)
            assert {change.verdict for change in outcome.changes} <= {Verdict.NOT_COMPARABLE}
            assert not outcome.diagnoses
