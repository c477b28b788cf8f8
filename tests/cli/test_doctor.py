"""The command `doctor`: its lines, its JSON, its exit code."""

from __future__ import annotations

import json
from pathlib import Path

from helpers import faulty_codecs
from helpers.commands import lic_bench

from lic_bench.cli import doctor_rendering
from lic_bench.cli.doctor_rendering import conclusion
from lic_bench.doctor import Check, Finding, Level

TESTS = str(Path(faulty_codecs.__file__).resolve().parents[1])


def test_a_correct_checkpoint_passes_every_check(tmp_path: Path) -> None:
    done = lic_bench("doctor", "demo-factorized", "--large", "96x80", cwd=tmp_path, OMP_NUM_THREADS="1")
    for said in (
        "the published file",  # its checkpoint is in the package
        "pass  fit: every tensor fits; 429,267 parameters",
        "pass  reconstruction: decoded pictures equal the forward pass",
        "pass  rate: strings take",
        "a look, not a benchmark.",
        "64x128 and 96x80 come back whole.",
        "pass  threads: exact: with 2 threads instead of 1",
        "pass  stream alone: in a fresh process, in an empty folder",
    ):
        assert said in done.stdout
    assert "  error  " not in done.stdout
    assert done.stdout.splitlines()[-1].startswith("pass: ")


def test_json_is_one_object_and_nothing_else(tmp_path: Path) -> None:
    reference = faulty_codecs.reference("Printing")
    asked = ("doctor", reference, "--large", "8x8", "--json")
    done = lic_bench(*asked, cwd=tmp_path, code=1, OMP_NUM_THREADS="1", PYTHONPATH=TESTS)
    printed = json.loads(done.stdout)
    assert (printed["model"], printed["point"], printed["weights"], printed["device"]) == ("printing", "1", None, "cpu")
    assert (printed["threads"], printed["is_codec"], printed["result"]) == (1, True, "fail")
    assert {frozenset(finding) for finding in printed["findings"]} == {
        frozenset({"check", "level", "sentence", "advice", "values"})
    }
    assert printed["findings"][0]["check"] == "sizes"
    alone = next(finding for finding in printed["findings"] if finding["check"] == "stream alone")
    assert (alone["level"], alone["values"]["dependency"]) == ("error", "other_size")


def test_infinite_values_are_strings_in_json() -> None:
    found = Finding(Check.BATCH, Level.ERROR, "", "", {"samples": float("inf"), "bits": float("nan"), "names": ("a",)})
    (finding,) = json.loads(doctor_rendering.to_json({}, [found]))["findings"]
    assert finding["values"] == {"samples": "Infinity", "bits": "NaN", "names": ["a"]}


def test_the_closing_line_counts_levels() -> None:
    checks = (Check.FIT, Check.CODEC, Check.RATE, Check.SIZES)
    found = [Finding(check, level, "") for check, level in zip(checks, Level, strict=True)]
    assert conclusion(found) == "fail: 3 checks made, 1 error (sizes), 1 warning (rate), 1 info."
    assert conclusion(found[:1]) == "pass: 1 check made, all passed."
    assert conclusion(found[:1], is_codec=False) == "not a codec: 1 check made, all passed."
    assert conclusion([*found, found[-1]]).startswith("fail: 4 checks made, 2 errors (sizes, sizes), 1 warning (rate)")
