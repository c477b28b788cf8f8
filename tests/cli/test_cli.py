"""The commands as a user meets them: exit codes, sentences, no traceback."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest
from helpers.commands import QUICK, lic_bench
from helpers.small_codecs import reference


def test_a_run_ends_with_a_table_and_the_path_of_its_page(folder: Path, tmp_path: Path) -> None:
    done = lic_bench("run", "-m", reference("SKIPPING"), "--dataset", str(folder), *QUICK, cwd=tmp_path)
    lines = done.stdout.splitlines()
    assert any(line.startswith("skipping") for line in lines)
    page = Path(lines[-1])
    assert page.name == "report.html"
    assert (tmp_path / page).is_file()
    header = json.loads((tmp_path / page.parent / "run.json").read_text())
    assert header["finished"] is not None
    assert header["command"][1:3] == ["run", "-m"]
    assert "15 of 15 rows" in done.stderr
    again = lic_bench("report", str(page.parent), cwd=tmp_path)
    assert again.stdout.strip() == str(page)


def test_a_failure_is_an_exit_code_of_1_and_a_sentence(folder: Path, tmp_path: Path) -> None:
    (folder / "empty.png").write_bytes(b"")
    done = lic_bench("run", "-m", reference("LOSSLESS"), "--dataset", str(folder), *QUICK, cwd=tmp_path, code=1)
    assert "empty.png is empty (0 bytes)" in done.stdout
    assert "3 rows measured, 1 failed." in done.stdout


def test_a_codec_that_is_not_installed_is_missing_and_no_error(tmp_path: Path) -> None:
    install = "missing: EncoderApp (build VTM, then give --vtm-bin); DecoderApp (build VTM, then give --vtm-bin)"
    listed = lic_bench("models", "vtm", cwd=tmp_path, PATH=str(tmp_path), COLUMNS="300")
    assert install in " ".join(listed.stdout.split())
    planned = lic_bench(
        "run", "-m", "vtm,jpeg", "--points", "50", "--pictures", "1", "--dry-run", cwd=tmp_path, PATH=str(tmp_path)
    )
    assert "Not measured, because something is missing: vtm (EncoderApp" in planned.stderr
    assert "1 jobs" in planned.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run", "-m", "jpge"], "Did you mean jpeg"),
        (["run", "-m", "nothing*"], "No model matches 'nothing*'"),
        (["run", "--dataset", "kodac"], "Did you mean kodak"),
        (["run", "--dataset", "kodak", "--no-download"], "--data DIR"),
        (["run", "-m", "jpeg", "--points", "nine"], "no operating point matches nine"),
        (["run", "-m", "jpeg", "--anchor", "vtn-17.0"], "Did you mean vtm-17.0"),
        (["run", "-m", "jpeg", "--weights", "nowhere"], "no folder of weights nowhere"),
        (["run", "--modles", "jpeg"], "No such option"),
        (["run", "--workers", "0"], "greater than or equal to 1"),
        (["run", "--device", "abacus"], "no device 'abacus'"),
        (["run", "-m", "nofile.py:CARD"], "there is no file"),
        (["run", "-m", "json:loads"], "is not a CodecCard"),
        (["report", "nowhere"], "is not a run folder"),
        (["complexity", "-m", "jpeg"], "there is no network to count"),
        (["complexity", "-m", "elic", "--size", "0x4"], "'0x4' is not a size"),
        (["complexity", "--by", "colour"], "colour"),
        (["complexity", "-m", "asymmetric-published", "--call", "decode"], "only its forward call can be counted"),
        (["audit", "jpeg"], "There is no published claim on work, parameters or model size of jpeg"),
        (["complexity", "elic", "--against", "thop"], "There is no external counter 'thop'"),
        (["rnu"], "rnu"),
    ],
)
def test_a_wrong_request_is_an_exit_code_of_2_and_a_sentence(arguments: list[str], said: str, tmp_path: Path) -> None:
    done = lic_bench(*arguments, cwd=tmp_path, code=2)
    assert said in done.stderr
    assert not (tmp_path / "runs").exists()


def test_a_run_folder_of_another_format_is_refused_by_name(folder: Path, tmp_path: Path) -> None:
    command = ("run", "-m", reference("SKIPPING"), "--dataset", str(folder), "--points", "2", "--no-memory", *QUICK)
    lic_bench(*command, cwd=tmp_path)
    (header,) = tmp_path.glob("runs/*/run.json")
    header.write_text(json.dumps(json.loads(header.read_text()) | {"format": 1, "finished": None}))
    said = f"The run in {header.parent.relative_to(tmp_path)} has format 1; this version reads format 2."
    run = str(header.parent.relative_to(tmp_path))
    assert said in lic_bench("report", run, cwd=tmp_path, code=2).stderr
    assert said in lic_bench("check", run, "--against", run, cwd=tmp_path, code=2).stderr
    assert f"{said} It is not continued." in lic_bench(*command, cwd=tmp_path).stderr
    assert len(list(tmp_path.glob("runs/*"))) == 2


def test_a_dry_run_lists_the_jobs_and_measures_nothing(folder: Path, tmp_path: Path) -> None:
    done = lic_bench("run", "-m", reference("SKIPPING"), "--dataset", str(folder), "--dry-run", cwd=tmp_path)
    assert "5 jobs, 15 rows" in done.stdout
    assert not (tmp_path / "runs").exists()


def test_ctrl_c_keeps_what_was_measured(folder: Path, tmp_path: Path) -> None:
    models = f"{reference('LOSSLESS')},{reference('ENDLESS')}"
    asked = ("run", "-m", models, "--dataset", str(folder), *QUICK, "--no-memory", "--timeout", "300")
    command = [sys.executable, "-m", "lic_bench", *asked]
    running = subprocess.Popen(
        command,
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),  # a shell's background jobs ignore it
    )
    rows: list[str] = []
    while len(rows) < 3 and running.poll() is None:  # the first codec's three rows come, the second never ends
        time.sleep(0.1)
        found = list(tmp_path.glob("runs/*/measurements.jsonl"))
        rows = found[0].read_text().splitlines() if found else []
    running.send_signal(signal.SIGINT)
    _, said = running.communicate()
    assert running.returncode == 130, said
    assert "the same command continues" in said
    assert "Traceback" not in said
    assert len(rows) == 3


def test_models_and_data_sets_are_listed(tmp_path: Path) -> None:
    said = lic_bench("models", cwd=tmp_path).stdout
    assert "bmshj2018-hyperprior" in said
    assert "downloadable" in said
    assert "none published" in said
    assert "kodak" in lic_bench("datasets", cwd=tmp_path).stdout


def test_complexity_is_printed_as_json_and_nothing_else(tmp_path: Path) -> None:
    models = "bmshj2018-factorized,jpeg"
    done = lic_bench("complexity", "-m", models, "--size", "250x60", "--format", "json", cwd=tmp_path)
    found = json.loads(done.stdout)
    assert [(item["point"], item["call"]) for item in found[:3]] == [("1", "forward"), ("1", "encode"), ("1", "decode")]
    assert "Not learned, so nothing to count: jpeg." in done.stderr
    assert "250x60 is padded to 256x64" in done.stderr


def test_a_claim_is_audited_by_name(tmp_path: Path) -> None:
    done = lic_bench("audit", "bmshj2018-hyperprior", cwd=tmp_path)
    assert "holds under deconv-at-output (mean over the levels: 274.4)" in " ".join(done.stdout.split())
    assert "layers: convolution and linear modules only" in done.stderr
