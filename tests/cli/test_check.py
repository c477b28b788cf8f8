"""`lic-bench check` and `lic-bench baseline` as a user meets them: files, exit codes, updates."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
from helpers.checked_runs import HEADER, run
from helpers.commands import lic_bench as command
from helpers.made_records import measurement
from helpers.small_codecs import reference

import lic_bench
from lic_bench import api
from lic_bench.benchmark import run_folder
from lic_bench.benchmark.options import RunOptions
from lic_bench.check import baseline
from lic_bench.cli import check_rendering
from lic_bench.errors import LicBenchError, RequestError
from lic_bench.records import Call, Failure, MacCount, Measurement, PictureRecord

MACS = MacCount(Call.DECODE, 768, 512, 3000, {"g_s": 3000}, by_layer={"g_s.0": 2000, "g_s.1": 1000})


def kept(root: Path, *rows: Measurement | Failure, started: str = HEADER.started, finished: bool = True) -> Path:
    """A run folder of these rows."""
    pictures = tuple(PictureRecord(name, 768, 512, "00" * 32) for name in ("a", "b"))
    folder = run_folder.create(root, replace(HEADER, started=started, finished=None, pictures=pictures))
    for row in rows:
        folder.append(row)
    if finished:
        folder.finish()
    return folder.path


def rows(**changes: object) -> list[Measurement]:
    return [measurement("net", "1", name, macs=(MACS,), **changes) for name in ("a", "b")]


def test_a_baseline_file_loses_nothing_and_writes_counts_once(tmp_path: Path) -> None:
    folder = kept(
        tmp_path, *rows(psnr_db=float("inf"), scaling=(MACS,)), Failure("net", "2", "set", None, "load", "„no“")
    )
    read = baseline.read(folder)
    file = tmp_path / "kept" / "baseline.json"
    baseline.write(read, file)
    again = baseline.read(file)
    assert (again.header, again.rows) == (read.header, read.rows)
    assert file.read_text().count('"by_layer"') == 1
    assert not list(file.parent.glob("*.part"))


def test_a_changed_or_foreign_baseline_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "baseline.json"
    baseline.write(run(rows()), file)
    text = file.read_text()
    for wrong, said in (
        (text.replace('"stream_bytes": 1000', '"stream_bytes": 900'), "was changed after it was made"),
        (
            text.replace('"format": 1,\n"sha256"', '"format": 99,\n"sha256"'),
            "has format 99; this version reads format 1",
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


def test_of_a_folder_of_runs_the_newest_finished_one_is_taken_and_named(tmp_path: Path) -> None:
    kept(tmp_path, *rows(), started="2026-11-20T12:00:00Z")
    newest = kept(tmp_path, *rows(psnr_db=31.0), started="2026-11-21T12:00:00Z")
    unfinished = kept(tmp_path, *rows(), started="2026-11-22T12:00:00Z", finished=False)
    found = baseline.read(tmp_path)
    assert found.name == str(newest)
    assert newest.name in found.notes[0]
    assert unfinished.name in found.notes[1]


@pytest.mark.parametrize(
    ("more", "finished", "said"),
    [
        ([], False, "was not finished"),
        ([Failure("net", "2", "set", "a", "measure", "ValueError: broke")], True, "ValueError: broke. No baseline"),
        (None, True, "measured nothing"),
    ],
)
def test_a_run_that_is_not_sound_never_becomes_a_baseline(
    more: list[Failure] | None, finished: bool, said: str, tmp_path: Path
) -> None:
    folder = kept(tmp_path / "runs", *([] if more is None else [*rows(), *more]), finished=finished)
    file = tmp_path / "baseline.json"
    baseline.write(run(rows()), file)
    before = file.read_bytes()
    with pytest.raises(LicBenchError, match=said) as refusal:
        check_rendering.check(folder, file, None, "table", {}, update=True)
    assert refusal.value.exit_code == 1
    assert file.read_bytes() == before


def test_an_update_prints_what_changes_and_writes_the_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, file = kept(tmp_path / "runs", *rows(psnr_db=20.0)), tmp_path / "baseline.json"
    assert check_rendering.check(folder, file, None, "table", {}, update=True) is False
    assert "There was no baseline" in capsys.readouterr().err
    other = kept(tmp_path / "runs", *rows(), started="2026-11-21T12:00:00Z")
    assert check_rendering.check(other, file, None, "table", {}, update=False) is False
    capsys.readouterr()
    assert check_rendering.check(other, file, None, "table", {}, update=True) is False
    said = capsys.readouterr()
    assert "20.000 → 30.000 dB" in said.out
    assert "no longer that of 2026-11-20T12:00:00Z" in said.err
    assert baseline.read(file).rows == baseline.read(other).rows
    with pytest.raises(RequestError, match="is a folder; --update writes a baseline file"):
        check_rendering.check(folder, other, None, "table", {}, update=True)


def test_the_commands_from_run_to_check(folder: Path, tmp_path: Path) -> None:
    asked = RunOptions(
        models=reference("SKIPPING"),
        dataset=str(folder),
        output=tmp_path / "runs",
        points=("2", "4"),
        timing_repeats=1,
        timing_budget_seconds=1,
        memory=False,
    )
    api.run(asked)
    done = command("baseline", "runs", "-o", "kept.json", cwd=tmp_path)
    assert "kept.json: 6 rows of runs/" in done.stdout
    files = ("--json", "out/check.json", "--junit", "out/check.xml", "--markdown", "out/check.md")
    done = command("check", "runs", "--against", "kept.json", *files, cwd=tmp_path)
    assert "Passed: " in done.stdout
    assert "2 not comparable" not in done.stdout.partition("Passed")[0]
    assert json.loads((tmp_path / "out/check.json").read_text())["failed"] is False
    assert ElementTree.parse(tmp_path / "out/check.xml").getroot().get("failures") == "0"
    assert (tmp_path / "out/check.md").read_text().startswith("## ✅ lic-bench check")

    api.run(replace(asked, points=("2", "6")))
    done = command("check", "runs", "--against", "kept.json", "--format", "json", cwd=tmp_path, code=1)
    told = json.loads(done.stdout)
    failed = [(change["point"], change["quantity"]) for change in told["changes"] if change["fails"]]
    assert failed == [("4", "operating point")]
    assert [change["point"] for change in told["changes"] if change["verdict"] == "new"] == ["6"]
    command("check", "runs", "--against", "nowhere.json", cwd=tmp_path, code=2)
    (tmp_path / "limits.toml").write_text("psnr = 1")
    done = command("check", "runs", "--against", "kept.json", "--limits", "limits.toml", cwd=tmp_path, code=2)
    assert "There is no limit called 'psnr'" in done.stderr


def test_the_python_api_takes_runs_paths_and_limits(tmp_path: Path) -> None:
    before, now = kept(tmp_path, *rows()), kept(tmp_path, *rows(psnr_db=29.9))
    outcome = lic_bench.check_run(now, against=before)
    assert outcome.failed
    assert [change.quantity for change in outcome.changes if change.fails] == ["PSNR"]
    limits = tmp_path / "limits.toml"
    limits.write_text("psnr_db = 0.2\n")
    assert not lic_bench.check_run(str(now), against=str(before), limits=limits).failed
