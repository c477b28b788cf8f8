"""One job in this process: its rows, its failures, and its share of the time budget."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from helpers import small_codecs

from lic_bench.benchmark import job_rows, worker
from lic_bench.benchmark.conditions import Conditions, KnownCounts
from lic_bench.benchmark.timing import Budget
from lic_bench.caveats import Caveat
from lic_bench.records import Failure, FailureKind, Job, Measurement, Pass, Settings, Training

QUICK = Settings(device="cpu", timing_repeats=2, timing_budget_seconds=100, memory=False)


def job(folder: Path, name: str, *pictures: str, settings: Settings = QUICK) -> Job:
    reference = small_codecs.reference(name)
    return Job(
        name.lower(), "only", Training.NOT_LEARNED, str(folder), pictures, reference=reference, settings=settings
    )


def test_a_failed_picture_leaves_its_share_of_the_budget(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[tuple[int, int], int]] = []

    class Recording(Budget):
        def passes(self, shape: tuple[int, int], expected_seconds: float, pictures_left: int) -> int:
            asked.append((shape, pictures_left))
            return super().passes(shape, expected_seconds, pictures_left)

    monkeypatch.setattr(job_rows, "Budget", Recording)
    first, second, third = worker.measure(job(folder, "FAILING_FIRST", "a.png", "b.png", "c.png"))
    assert isinstance(first, Failure)
    assert (first.picture, first.kind, first.reason) == ("a.png", FailureKind.MEASURE, "ValueError: the first fails")
    assert isinstance(second, Measurement)
    assert isinstance(third, Measurement)
    assert asked == [((96, 32), 1), ((40, 56), 1)]
    assert len(second.encode_seconds) == len(third.encode_seconds) == 2


def test_a_picture_that_is_not_there_is_a_failure_of_the_job(folder: Path) -> None:
    (row,) = worker.measure(job(folder, "LOSSLESS", "a.png", "z.png"))
    assert isinstance(row, Failure)
    assert (row.picture, row.kind) == (None, FailureKind.LOOKUP)
    assert row.reason == f"The data set {folder} has no picture z.png."


def test_a_damaged_picture_is_a_failure_and_others_go_on(folder: Path) -> None:
    (folder / "a.png").write_bytes(b"")
    damaged, whole = worker.measure(job(folder, "LOSSLESS", "a.png", "b.png"))
    assert isinstance(damaged, Failure)
    assert (damaged.picture, damaged.kind) == ("a.png", FailureKind.READ)
    assert isinstance(whole, Measurement)


def test_a_codec_that_cannot_be_loaded_is_one_failure(folder: Path) -> None:
    (row,) = worker.measure(job(folder, "SKIPPING", "a.png", "b.png"))
    assert isinstance(row, Failure)
    assert (row.picture, row.kind) == (None, FailureKind.LOAD)
    assert row.reason == "skipping has no operating point 'only'; it has 2, 3, 4, 6, 8."


def test_bytes_are_asked_for(folder: Path) -> None:
    (row,) = worker.measure(job(folder, "WORDY", "c.png"))
    assert isinstance(row, Failure)
    assert row.reason == "encode returned str; a bitstream is bytes"


@pytest.mark.parametrize("none", [{"timing_repeats": 0}, {"timing_budget_seconds": 0}])
def test_without_time_nothing_is_timed(folder: Path, none: dict[str, int]) -> None:
    (row,) = worker.measure(job(folder, "LOSSLESS", "c.png", settings=replace(QUICK, **none)))
    assert isinstance(row, Measurement)
    assert row.encode_seconds == row.decode_seconds == row.calibration_seconds == ()
    assert Caveat.NOT_TIMED in row.caveats


def test_a_shared_machine_is_a_caveat(folder: Path) -> None:
    (row,) = worker.measure(job(folder, "LOSSLESS", "c.png"), Conditions(shared_machine=True))
    assert isinstance(row, Measurement)
    assert Caveat.SHARED_MACHINE in row.caveats


def test_threads_are_as_before_when_the_job_is_done(folder: Path) -> None:
    settings = Settings(device="cpu", threads=2, timing_repeats=0, memory=False)
    before = torch.get_num_threads()
    (row,) = worker.measure(job(folder, "LOSSLESS", "c.png", settings=settings))
    assert isinstance(row, Measurement)
    assert row.threads == 2
    assert torch.get_num_threads() == before


def test_rows_are_the_same_scored_one_by_one_or_beside(folder: Path) -> None:
    wanted = job(folder, "LOSSLESS", "a.png", "b.png", "c.png", settings=replace(QUICK, timing_repeats=0))
    beside, one_by_one = (list(worker.measure(wanted, Conditions(one_by_one=single))) for single in (False, True))
    assert [replace(row, pass_seconds={}) for row in beside] == [replace(row, pass_seconds={}) for row in one_by_one]
    assert [row.picture for row in beside] == ["a.png", "b.png", "c.png"]


def test_passes_account_for_their_time(folder: Path) -> None:
    first, second = worker.measure(job(folder, "LOSSLESS", "a.png", "b.png"))
    assert isinstance(first, Measurement)
    assert isinstance(second, Measurement)
    assert {Pass.LOAD, Pass.READ, Pass.CODE, Pass.SCORE, Pass.TIME} <= set(first.pass_seconds)
    assert Pass.LOAD not in second.pass_seconds
    timed = sum(first.encode_seconds) + sum(first.decode_seconds)
    assert first.pass_seconds[Pass.TIME] >= timed


def test_known_counts_are_taken_for_the_same_network_only(folder: Path) -> None:
    settings = replace(QUICK, timing_repeats=0)
    wanted = Job(
        "demo-factorized", "1", Training.UNTRAINED, str(folder), ("a.png",), reference="demo-factorized",
        settings=settings,
    )  # fmt: skip
    (counted,) = worker.measure(wanted)
    assert isinstance(counted, Measurement)
    changed = tuple(replace(count, macs=7) for count in counted.macs)
    for parameters, taken in ((counted.parameters, True), (1, False)):
        known = KnownCounts(parameters, changed, counted.scaling)
        (row,) = worker.measure(wanted, Conditions(counts=known))
        assert isinstance(row, Measurement)
        assert row.macs == (changed if taken else counted.macs)
        assert row.scaling == counted.scaling
