"""Run folders keep every row, survive crashes, and say what is wrong with a damaged one."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest

from lic_bench.benchmark import run_folder
from lic_bench.caveats import Caveat
from lic_bench.errors import RunFolderError
from lic_bench.records import (
    Call,
    Failure,
    FailureKind,
    Job,
    MacCount,
    Measurement,
    MemoryUse,
    PictureRecord,
    RunHeader,
    Settings,
    Training,
)

HEADER = RunHeader(
    started="2026-11-20T12:00:00Z",
    command=("lic-bench", "run"),
    lic_bench="0.1.0",
    commit="0123456789",
    dirty=False,
    machine={"processor": "one", "cores": 2, "accelerator": None},
    packages={"numpy": "1.26.4"},
    settings=Settings(),
    dataset="sample",
    pictures=(PictureRecord("a", 4, 3, "00" * 32),),
    jobs=(Job("jpeg", "75", Training.NOT_LEARNED, "sample", ("a",), reference="jpeg"),),
)
ROW = Measurement(
    codec="jpeg",
    point="75",
    training=Training.NOT_LEARNED,
    dataset="sample",
    picture="a",
    picture_sha256="00" * 32,
    width=4,
    height=3,
    stream_bytes=6,
    payload_bits=40,
    estimated_bits=None,
    psnr_db=math.inf,
    ms_ssim=None,
    encode_seconds=(0.1, 0.2, 0.4),
    decode_seconds=(0.01,),
    macs=(MacCount(Call.ENCODE, 4, 3, 24_000, {"g_a": 24_000}, uncounted={"aten.mystery": 1}),),
    memory=(MemoryUse(Call.DECODE, 10, 20),),
    caveats=(Caveat.LOSSLESS, Caveat.NO_MS_SSIM),
)


def test_rows_come_back_as_they_went_in(tmp_path: Path) -> None:
    run = run_folder.create(tmp_path, HEADER)
    failure = Failure("webp", "5", "sample", None, FailureKind.LOAD, "ValueError: „no“")
    run.append(ROW)
    run.append(failure)
    assert run_folder.read(run.path) == (HEADER, [ROW, failure])


def test_each_row_is_one_line_of_strict_json(tmp_path: Path) -> None:
    run = run_folder.create(tmp_path, HEADER)
    run.append(ROW)
    (line,) = (run.path / run_folder.ROWS).read_text().splitlines()

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    row = json.loads(line, parse_constant=refuse)
    promised = {"codec", "point", "dataset", "picture", "width", "height", "stream_bytes", "payload_bits"}
    promised |= {"estimated_bits", "psnr_db", "ms_ssim", "encode_seconds", "decode_seconds", "status", "caveats"}
    assert promised <= row.keys()


def test_the_folder_is_named_by_time_and_commit(tmp_path: Path) -> None:
    assert run_folder.create(tmp_path, HEADER).path.name == "20261120T120000-0123456789"
    assert run_folder.create(tmp_path, HEADER).path.name == "20261120T120000-0123456789-2"


def test_a_row_cut_by_a_crash_is_left_out_and_repaired(tmp_path: Path) -> None:
    run = run_folder.create(tmp_path, HEADER)
    run.append(ROW)
    with (run.path / run_folder.ROWS).open("a") as file:
        file.write(run_folder.as_json(ROW)[:50])
    assert run_folder.read(run.path)[1] == [ROW]
    again = run_folder.open_again(run.path)
    again.append(replace(ROW, picture="b"))
    assert [row.picture for row in again.rows()] == ["a", "b"]


def test_a_damaged_line_in_the_middle_is_named(tmp_path: Path) -> None:
    run = run_folder.create(tmp_path, HEADER)
    (run.path / run_folder.ROWS).write_text("{not json}\n" + run_folder.as_json(ROW) + "\n")
    with pytest.raises(RunFolderError, match="Line 1 of"):
        run_folder.read(run.path)


def with_header(run: run_folder.RunFolder, **changes: object) -> Path:
    """The run's folder with fields of its header changed in the file."""
    header = json.loads(run_folder.as_json(HEADER)) | changes
    (run.path / run_folder.HEADER).write_text(json.dumps(header))
    return run.path


def test_what_is_no_run_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunFolderError, match="is not a run folder"):
        run_folder.read(tmp_path)


@pytest.mark.parametrize("number", [1, 99, None])
def test_a_folder_of_another_format_is_refused_by_name(number: int | None, tmp_path: Path) -> None:
    path = with_header(run_folder.create(tmp_path, HEADER), format=number, settings={"what": "another version had"})
    with pytest.raises(RunFolderError) as refused:
        run_folder.read(path)
    assert str(refused.value) == f"The run in {path} has format {number}; this version reads format 2."


def test_a_damaged_header_is_refused_with_the_field(tmp_path: Path) -> None:
    path = with_header(run_folder.create(tmp_path, HEADER), dataset=7)
    with pytest.raises(RunFolderError, match=r"run\.json is damaged: dataset: Input should be a valid string"):
        run_folder.read(path)
    (path / run_folder.HEADER).write_text("[2]")
    with pytest.raises(RunFolderError, match=r"run\.json is damaged: it holds a list"):
        run_folder.read(path)


def test_unreadable_unfinished_runs_are_named(tmp_path: Path) -> None:
    old = with_header(run_folder.create(tmp_path, HEADER), format=1)
    with_header(run_folder.create(tmp_path, HEADER), format=1, finished="2026-11-20T13:00:00Z")
    found = run_folder.unfinished(tmp_path)
    assert found.runs == ()
    assert found.unreadable == (f"The run in {old} has format 1; this version reads format 2.",)


def test_unfinished_runs_come_newest_first(tmp_path: Path) -> None:
    old = run_folder.create(tmp_path, HEADER)
    new = run_folder.create(tmp_path, replace(HEADER, started="2026-11-20T13:00:00Z"))
    done = run_folder.create(tmp_path, replace(HEADER, started="2026-11-20T14:00:00Z"))
    done.finish()
    assert [path for path, _ in run_folder.unfinished(tmp_path).runs] == [new.path, old.path]


def test_a_full_disk_is_a_sentence_and_keeps_what_was_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = run_folder.create(tmp_path, HEADER)
    run.append(ROW)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(RunFolderError, match="No space left on device"):
        run.append(ROW)
    monkeypatch.undo()
    assert run_folder.read(run.path)[1][0] == ROW


def test_a_place_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(RunFolderError, match="cannot be written"):
        run_folder.create(tmp_path / "file" / "runs", HEADER)
