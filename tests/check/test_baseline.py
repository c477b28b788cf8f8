"""Baselines: files that lose nothing, what is refused, and the newest run of a folder."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.checked_runs import counted_rows, run, write_run

from lic_bench.check import baseline
from lic_bench.check.outcome import CheckNote, CheckNoteKind
from lic_bench.check.outcome_text import note
from lic_bench.errors import RequestError
from lic_bench.records import Failure, FailureKind


def test_a_baseline_file_loses_nothing_and_writes_counts_once(tmp_path: Path) -> None:
    rows = counted_rows(psnr_db=float("inf"), scaling=counted_rows()[0].macs)
    folder = write_run(tmp_path, *rows, Failure("net", "2", "set", None, FailureKind.LOAD, "„no“"))
    read = baseline.read(folder)
    file = tmp_path / "kept" / "baseline.json"
    baseline.write(read, file)
    again = baseline.read(file)
    assert (again.header, again.rows) == (read.header, read.rows)
    assert file.read_text().count('"by_layer"') == 1
    assert list(file.parent.iterdir()) == [file]


def test_a_changed_or_foreign_baseline_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "baseline.json"
    baseline.write(run(counted_rows()), file)
    text = file.read_text()
    for wrong, said in (
        (text.replace('"stream_bytes": 1000', '"stream_bytes": 900'), "was changed after it was made"),
        (
            text.replace('"format": 2,\n"sha256"', '"format": 99,\n"sha256"'),
            "has format 99; this version reads format 2",
        ),
        (text[: len(text) // 2], "is damaged"),
        ("[]", "is no baseline"),
        ('{"a": 1}', "is no baseline"),
        ("\x00\xff", "is damaged"),
    ):
        file.write_text(wrong)
        with pytest.raises(RequestError, match=said):
            baseline.read(file)
    with pytest.raises(RequestError, match="There is no run and no baseline at"):
        baseline.read(tmp_path / "nowhere")
    with pytest.raises(RequestError, match="no finished run below it"):
        baseline.read(tmp_path)


def test_of_a_folder_of_runs_the_newest_finished_one_is_taken(tmp_path: Path) -> None:
    write_run(tmp_path, *counted_rows(), started="2026-11-20T12:00:00Z")
    newest = write_run(tmp_path, *counted_rows(psnr_db=31.0), started="2026-11-21T12:00:00Z")
    unfinished = write_run(tmp_path, *counted_rows(), started="2026-11-22T12:00:00Z", finished=False)
    found = baseline.read(tmp_path)
    assert found.name == str(newest)
    assert found.notes == (
        CheckNote(CheckNoteKind.NEWEST_FINISHED, newest.name, str(tmp_path)),
        CheckNote(CheckNoteKind.NEWER_UNFINISHED, unfinished.name, str(tmp_path)),
    )
    assert newest.name in note(found.notes[0])
    assert unfinished.name in note(found.notes[1])
