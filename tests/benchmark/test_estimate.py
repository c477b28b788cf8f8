"""The time of a run: by arithmetic before it begins, by what was seen afterwards."""

from __future__ import annotations

from dataclasses import replace

import pytest
from helpers import made_records as records

from lic_bench.benchmark import estimate, network_work
from lic_bench.benchmark.estimate import NetworkWork, TimeLeft
from lic_bench.records import Failure, FailureKind, Job, Pass, PictureRecord, Settings, Training

RATE = 1e10
PICTURES = [PictureRecord(name, 1000, 100, name) for name in "ab"]
WORK = NetworkWork(encode_macs_per_pixel=30e3, decode_macs_per_pixel=40e3)


def job(codec: str = "c", training: Training = Training.UNTRAINED, **settings: float) -> Job:
    chosen = Settings(**{"timing_repeats": 0, "memory": False, **settings})  # type: ignore[arg-type]
    return Job(codec, "1", training, "set", ("a", "b"), reference="bmshj2018-hyperprior", settings=chosen)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"timing_repeats": 0}, 0),
        ({"timing_repeats": 5, "timing_budget_seconds": 1e9}, 10),
        ({"timing_repeats": 5, "timing_budget_seconds": 0.4}, 4),  # 0.1 s a picture
        ({"timing_repeats": 5, "timing_budget_seconds": 0.01}, 1),  # never none
        ({"timing_repeats": 5, "timing_budget_seconds": 0.0}, 0),
    ],
)
def test_timed_passes_are_those_of_the_budget(settings: dict[str, float], expected: int) -> None:
    found = estimate.passes(job(**settings), {p.name: p for p in PICTURES}, {"a": 0.1, "b": 0.1}, is_learned=True)
    assert sum(passes[Pass.TIME] for passes in found.values()) == pytest.approx(
        (0.1 + estimate.CALIBRATION_SECONDS) * expected
    )
    assert sum(passes[Pass.CODE] for passes in found.values()) == pytest.approx(0.2)


def test_a_call_takes_its_macs_steps_and_pixels() -> None:
    macs = 70e3 * 100_000 / (estimate.SHARE_OF_PEAK * RATE)
    moving = 2 * 100_000 * estimate.SECONDS_PER_PIXEL
    assert WORK.seconds(100_000, RATE) == pytest.approx(macs + moving)
    serial = replace(WORK, steps=256, steps_at_pixels=65_536, growth=1.0)
    assert serial.seconds(131_072, RATE) - WORK.seconds(131_072, RATE) == pytest.approx(512 * estimate.SECONDS_PER_STEP)


def test_only_what_is_scored_and_learned_has_those_passes() -> None:
    records_of = {p.name: p for p in PICTURES}
    untrained = estimate.passes(job(memory=True), records_of, {"a": 1.0, "b": 1.0}, is_learned=True)
    assert untrained["a"][Pass.SCORE] == untrained["a"][Pass.ESTIMATE] == 0
    assert untrained["a"][Pass.FRESH_PROCESS] == pytest.approx(1 + 2 * estimate.LOADING_SECONDS)
    assert Pass.FRESH_PROCESS not in untrained["b"]
    classical = estimate.passes(job(training=Training.NOT_LEARNED), records_of, {"a": 1.0, "b": 1.0}, False)
    assert classical["a"][Pass.SCORE] > 0
    assert classical["a"][Pass.ESTIMATE] == 0


def left(*jobs: Job, workers: int = 1) -> TimeLeft:
    return TimeLeft(jobs, PICTURES, workers, {(j.codec, j.point): WORK for j in jobs}, RATE)


def test_what_is_done_or_failed_is_not_left() -> None:
    one = left(job())
    before = one.by_pass()[Pass.CODE]
    one.row(Failure("c", "1", "set", "a", FailureKind.MEASURE, "broken"))
    assert one.by_pass()[Pass.CODE] == pytest.approx(before / 2)
    one.row(Failure("c", "1", "set", None, FailureKind.PROCESS, "broken"))
    assert one.seconds() == 0


def test_a_codec_twice_as_slow_corrects_itself_and_others() -> None:
    both = left(job("c"), job("d"))
    once = WORK.seconds(100_000, RATE)
    row = records.measurement("c", "1", "a", width=1000, height=100)
    both.row(replace(row, pass_seconds={Pass.CODE: 2 * once}))
    assert both.by_pass()[Pass.CODE] == pytest.approx(2 * once * 3)  # one picture of c, two of d
    row = records.measurement("d", "1", "a", width=1000, height=100)
    both.row(replace(row, pass_seconds={Pass.CODE: once / 2}))
    assert both.by_pass()[Pass.CODE] == pytest.approx(2 * once + once / 2)


def test_workers_share_the_time() -> None:
    jobs = [job(name) for name in "cdef"]
    assert left(*jobs, workers=2).seconds() == pytest.approx(left(*jobs).seconds() / 2)
    assert left(jobs[0], workers=2).seconds() == pytest.approx(left(jobs[0]).seconds())


def test_networks_are_counted_with_the_growth_of_their_steps() -> None:
    jobs = [
        Job("h", "1", Training.UNTRAINED, "set", ("a",), reference="bmshj2018-hyperprior"),
        Job("m", "1", Training.UNTRAINED, "set", ("a",), reference="mbt2018"),
        Job("j", "50", Training.NOT_LEARNED, "set", ("a",), reference="jpeg"),
    ]
    found, rate = network_work.of_jobs(jobs, "cpu", 1)
    assert set(found) == {("h", "1"), ("m", "1")}
    # 44.904 and 43.540 kMAC/pixel are the known figures of the narrow hyperprior.
    assert found["h", "1"].encode_macs_per_pixel == pytest.approx(44_904, rel=1e-3)
    assert found["h", "1"].decode_macs_per_pixel == pytest.approx(43_540, rel=1e-3)
    assert found["m", "1"].growth == pytest.approx(1.0, abs=0.02)
    assert found["h", "1"].growth == 0
    assert rate > 0
