"""`lic-bench check` and `lic-bench baseline` as a user meets them: files, exit codes, updates."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
from helpers.checked_runs import counted_rows, run, write_run
from helpers.commands import lic_bench as command
from helpers.small_codecs import reference

from lic_bench import api
from lic_bench.benchmark.options import RunOptions
from lic_bench.check import baseline
from lic_bench.cli import check_rendering
from lic_bench.errors import LicBenchError, RequestError
from lic_bench.records import Failure, FailureKind


@pytest.mark.parametrize(
    ("more", "finished", "said"),
    [
        ([], False, "was not finished"),
        (
            [Failure("net", "2", "set", "a", FailureKind.MEASURE, "ValueError: broke")],
            True,
            "ValueError: broke. No baseline",
        ),
        (None, True, "measured nothing"),
    ],
)
def test_an_incomplete_run_never_becomes_a_baseline(
    more: list[Failure] | None, finished: bool, said: str, tmp_path: Path
) -> None:
    folder = write_run(tmp_path / "runs", *([] if more is None else [*counted_rows(), *more]), finished=finished)
    file = tmp_path / "baseline.json"
    baseline.write(run(counted_rows()), file)
    before = file.read_bytes()
    with pytest.raises(LicBenchError, match=said) as refusal:
        check_rendering.check(folder, file, None, "table", {}, update=True)
    assert refusal.value.exit_code == 1
    assert file.read_bytes() == before


def test_an_update_prints_what_changes_and_writes_the_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, file = write_run(tmp_path / "runs", *counted_rows(psnr_db=20.0)), tmp_path / "baseline.json"
    assert check_rendering.check(folder, file, None, "table", {}, update=True) is False
    assert "There was no baseline" in capsys.readouterr().err
    other = write_run(tmp_path / "runs", *counted_rows(), started="2026-11-21T12:00:00Z")
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
    api.run_with_options(asked)
    done = command("baseline", "runs", "-o", "kept.json", cwd=tmp_path)
    assert "kept.json: 6 rows of runs/" in done.stdout
    files = ("--json", "out/check.json", "--junit", "out/check.xml", "--markdown", "out/check.md")
    done = command("check", "runs", "--against", "kept.json", *files, cwd=tmp_path)
    assert "Passed: " in done.stdout
    assert "2 not comparable" not in done.stdout.partition("Passed")[0]
    assert json.loads((tmp_path / "out/check.json").read_text())["failed"] is False
    assert ElementTree.parse(tmp_path / "out/check.xml").getroot().get("failures") == "0"
    assert (tmp_path / "out/check.md").read_text().startswith("## ✅ lic-bench check")

    api.run_with_options(replace(asked, points=("2", "6")))
    done = command("check", "runs", "--against", "kept.json", "--format", "json", cwd=tmp_path, code=1)
    content = json.loads(done.stdout)
    failed = [(change["point"], change["quantity"]) for change in content["changes"] if change["fails"]]
    assert failed == [("4", "operating point")]
    assert [change["point"] for change in content["changes"] if change["verdict"] == "new"] == ["6"]
    command("check", "runs", "--against", "nowhere.json", cwd=tmp_path, code=2)
    (tmp_path / "limits.toml").write_text("psnr = 1")
    done = command("check", "runs", "--against", "kept.json", "--limits", "limits.toml", cwd=tmp_path, code=2)
    assert "There is no limit called 'psnr'" in done.stderr
