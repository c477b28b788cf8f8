"""The table at the end of a run."""

from __future__ import annotations

from dataclasses import replace

from helpers.made_runs import classical, header, on_kodak, untrained

from lic_bench.records import Failure, FailureKind
from lic_bench.report import tables
from lic_bench.report.run_summary import run_summary


def test_the_summary_of_a_run_has_a_line_per_codec():
    rows = [*classical(factor=0.9), untrained(), Failure("elic", "1", "kodak", None, FailureKind.LOAD, "no")]
    names, jpeg, hyperprior, elic = run_summary(rows, header(names=["jpeg", "bmshj2018-hyperprior", "elic"]), None)
    assert dict(zip(names, jpeg, strict=True)) | {"BD-rate %": "-10.0", "bpp": "0.13 to 0.86"} == dict(
        zip(names, jpeg, strict=True)
    )
    assert dict(zip(names, hyperprior, strict=True))["bpp"] == "–"
    assert elic[:2] == ("elic", "failed")


def test_a_lower_bound_is_marked_as_one():
    row = untrained()
    open_end = tuple(replace(count, uncounted={"aten::new_thing": 1}) for count in row.macs)
    content = on_kodak(replace(row, macs=open_end))
    assert tables.complexity(content).frame["lower bound"].tolist() == ["yes"]
    lines = run_summary([replace(row, macs=open_end)], header(names=[row.codec]), None)
    assert lines[1][5].startswith("≥")
