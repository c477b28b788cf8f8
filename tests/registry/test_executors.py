"""Executors of other packages: what they leave out or break is a failure with a reason."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.small_codecs import reference as small
from helpers.user_parts import reference

from lic_bench import api
from lic_bench.errors import LicBenchError, RequestError
from lic_bench.records import Failure, FailureKind, Measurement
from lic_bench.registry import executors

QUICK = {"timing_repeats": 1, "timing_budget_seconds": 0.2, "memory": False}


def run(folder: Path, output: Path, **changes: object) -> api.Run:
    request = {"models": [small("LOSSLESS")], "dataset": str(folder), "output": output, **QUICK}
    return api.run(**request | changes)


def test_what_an_executor_leaves_out_is_a_failure(folder: Path, tmp_path: Path) -> None:
    done = run(folder, tmp_path, executor=reference("losing"))
    assert [row.picture for row in done.rows if isinstance(row, Measurement)] == ["a.png"]
    assert {(row.picture, row.kind) for row in done.failures} == {
        ("b.png", FailureKind.EXECUTOR),
        ("c.png", FailureKind.EXECUTOR),
    }


def test_a_broken_executor_is_named_and_its_rows_kept(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(LicBenchError, match=r"failed: OSError: the cluster is gone\. What was measured is kept"):
        run(folder, tmp_path, executor=reference("stumbling"))
    (file,) = tmp_path.glob("*/measurements.jsonl")
    assert len(file.read_text().splitlines()) == 1
    with pytest.raises(RequestError, match="Did you mean processes"):
        executors.get("proceses")


def test_a_failure_of_a_job_stands_for_all_its_pictures(folder: Path, tmp_path: Path) -> None:
    done = run(folder, tmp_path, models=[small("DYING"), small("LOSSLESS")])
    assert [(row.codec, row.kind) for row in done.failures if isinstance(row, Failure)] == [
        ("dying", FailureKind.PROCESS)
    ]
