"""A whole check: runs that are the same, runs that cannot be checked, and the notes beside an outcome."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from helpers.checked_runs import PICTURES, checked, counted_rows, only, rows, run, write_run
from helpers.made_records import measurement

from lic_bench.api import check_run
from lic_bench.check.compare import compare
from lic_bench.check.details import RunDetail, RunProblem
from lic_bench.check.limits import LimitSet
from lic_bench.check.outcome import Change, CheckNote, CheckNoteKind, Verdict
from lic_bench.check.outcome_text import note
from lic_bench.check.text import sentence
from lic_bench.errors import RequestError
from lic_bench.records import ImportedFile


def problems(changes: tuple[Change, ...]) -> list[RunProblem]:
    return [change.detail.problem for change in changes if isinstance(change.detail, RunDetail) and change.fails]


def test_the_same_run_is_the_same_in_everything() -> None:
    outcome = checked(rows())
    assert not outcome.failed
    assert not outcome.diagnoses
    # Times are not comparable: the rows have no calibration workload.
    assert {change.verdict for change in outcome.changes} == {Verdict.NOT_COMPARABLE}
    assert only(outcome, "PSNR").verdict is Verdict.SAME


def test_a_run_without_anything_to_compare_fails() -> None:
    empty = checked([])
    assert problems(empty.changes) == [RunProblem.NOTHING_MEASURED, RunProblem.NOTHING_COMPARED]
    apart = checked([measurement("other", "1", name) for name in PICTURES])
    assert problems(apart.changes) == [RunProblem.NOTHING_COMPARED]
    assert "nothing could be compared" in sentence(only(apart, "run"))


def test_unfinished_runs_fail_and_unfinished_baselines_do_not() -> None:
    outcome = compare(run(rows(), finished=None), run(rows(), "baseline"))
    assert problems(outcome.changes) == [RunProblem.NOT_FINISHED]
    assert "runs/now was not finished" in sentence(only(outcome, "run"))
    outcome = compare(run(rows()), run(rows(), "baseline", finished=None))
    assert not outcome.failed
    assert outcome.notes == (CheckNote(CheckNoteKind.BASELINE_UNFINISHED, "baseline"),)
    assert "baseline was never finished" in note(outcome.notes[0])


def test_a_baseline_of_another_data_set_is_a_wrong_request() -> None:
    elsewhere = [replace(row, picture_sha256="22" * 32) for row in rows()]
    with pytest.raises(RequestError, match="they share no picture"):
        compare(run(elsewhere, dataset="kodak"), run(rows(), "baseline"))


def test_imported_figures_are_not_checked() -> None:
    theirs = run(rows(), "theirs", imported_from=(ImportedFile("theirs.json", "00" * 32, "lic-bench"),))
    with pytest.raises(RequestError, match=r"The figures in theirs were imported \(theirs\.json\) and not measured"):
        compare(run(rows()), theirs)


def test_the_same_run_and_unused_limits_are_noted() -> None:
    limits = LimitSet(by_codec={"net": {}, "codex": {}})
    (same, unused) = compare(run(rows()), run(rows()), limits).notes
    assert note(same) == "This is the very run that the baseline was made of, so nothing can have moved."
    assert note(unused) == 'The limits for [codec."codex"] concern no codec of the run or the baseline.'


def test_check_run_takes_runs_paths_and_limits(tmp_path: Path) -> None:
    before, now = write_run(tmp_path, *counted_rows()), write_run(tmp_path, *counted_rows(psnr_db=29.9))
    outcome = check_run(now, against=before)
    assert outcome.failed
    assert [change.quantity.name for change in outcome.changes if change.fails] == ["PSNR"]
    limits = tmp_path / "limits.toml"
    limits.write_text("psnr_db = 0.2\n")
    assert not check_run(str(now), against=str(before), limits=limits).failed
