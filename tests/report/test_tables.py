"""The tables of a report: every figure with its origin, every caveat beside what it is about."""

from __future__ import annotations

import pytest
from helpers.made_records import measurement
from helpers.made_runs import header, on_kodak, untrained

from lic_bench.caveats import Caveat
from lic_bench.records import EVERY, Failure, FailureKind
from lic_bench.report import bd_tables, tables
from lic_bench.report.content import gather


def test_every_line_of_every_table_has_an_origin():
    content = on_kodak(untrained())
    for table in (tables.quality(content), tables.complexity(content), tables.parts(content),
                  tables.time_and_memory(content), *map(bd_tables.every_figure, content.views),
                  *map(bd_tables.overview, content.views), *map(tables.curve_points, content.views)):  # fmt: skip
        assert len(table.frame)
        assert set(table.frame["origin"]) <= {"measured", "predicted", "published", "digitised", "none: untrained"}


def test_the_shares_of_a_calls_parts_add_up_to_one():
    frame = tables.parts(on_kodak(untrained())).frame
    assert frame.groupby("call")["share"].sum().tolist() == pytest.approx([1, 1, 1])
    assert frame["part"].unique().tolist() == ["g_a", "h_a", "g_s"]


def test_times_have_median_quartiles_minimum_and_number():
    row = measurement("jpeg", "1", "a", encode_seconds=(5.0, 1.0, 2.0, 3.0, 4.0))
    (line,) = tables.time_and_memory(gather([row], header(names=["jpeg"]))).frame.to_dict("records")
    assert [line[f"encode {what}"] for what in ("s", "quartiles", "min s", "n")] == [3.0, "2 to 4", 1.0, 5]


def test_caveats_stand_beside_what_they_are_about():
    row = measurement("jpeg", "1", "a", caveats=(Caveat.BUSY_MACHINE, Caveat.DRIFT))
    content = gather([row], header(names=["jpeg"]))
    assert tables.quality(content).frame["caveats"].tolist() == ["drift"]
    assert tables.time_and_memory(content).frame["caveats"].tolist() == ["busy machine"]


def test_a_frame_has_one_line_per_measured_picture():
    failure = Failure("jpeg", "50", "set", "b", FailureKind.MEASURE, "no")
    frame = tables.per_picture([measurement("jpeg", "50", "a", caveats=(Caveat.DRIFT, Caveat.LOSSLESS)), failure])
    assert frame["caveats"].tolist() == ["drift; lossless"]
    assert frame.to_dict("records")[0]["bpp"] == pytest.approx(8000 / (768 * 512))
    assert len(frame) == 1


def test_a_failure_of_all_points_and_its_kind_are_written_out():
    rows = [
        Failure("net", EVERY, "kodak", None, FailureKind.FRESH_PROCESS, "killed"),
        Failure("net", "1", "kodak", "a", FailureKind.METRIC, "too small", ("vmaf",)),
    ]
    frame = tables.failures(gather(rows, header(names=["net"]))).frame
    assert frame.to_dict("records") == [
        {"codec": "net", "point": "all", "picture": "all", "kind": "fresh process", "reason": "killed"},
        {"codec": "net", "point": "1", "picture": "a", "kind": "metric vmaf", "reason": "too small"},
    ]
