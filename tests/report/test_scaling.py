"""MACs and memory against picture size."""

from __future__ import annotations

import json

from helpers.made_records import measurement

from lic_bench.records import Call, MacCount, MemoryUse, Training
from lic_bench.report.palette import styles
from lic_bench.report.scaling import Scaling, ScalingPoint, one_per_network, scalings
from lic_bench.report.scaling_charts import macs_against_size, memory_against_size


def test_macs_and_memory_are_drawn_against_megapixels():
    def count(width, height, macs, activations):
        return MacCount(Call.DECODE, width, height, macs, {"g_s": macs}, activation_bytes=activations)

    row = measurement(
        "loc-lic",
        "m1",
        "a",
        width=1000,
        height=1000,
        training=Training.UNTRAINED,
        macs=(count(1000, 1000, 2_000_000_000, 8 * 2**20),),
        scaling=(count(2000, 2000, 8_000_000_000, 32 * 2**20),),
        memory=(MemoryUse(Call.DECODE, 0, 16 * 2**20),),
    )
    (scaling,) = scalings([row])
    assert [(one.pixels, one.kmac_per_pixel) for one in scaling.points] == [(1_000_000, 2.0), (4_000_000, 2.0)]
    assert [one.measured_bytes for one in scaling.points] == [16 * 2**20, None]
    memory = json.loads(memory_against_size([scaling], styles(["loc-lic"]), "memory").json)["data"]
    assert [(trace["mode"], trace["x"], trace["y"]) for trace in memory] == [
        ("lines+markers", [1.0, 4.0], [8.0, 32.0]),
        ("markers", [1.0], [16.0]),
    ]
    macs = json.loads(macs_against_size([scaling], styles(["loc-lic"]), "macs").json)["data"]
    assert [trace["y"] for trace in macs] == [[2.0, 2.0]]


def test_points_that_run_the_same_network_are_one_line():
    sizes = (ScalingPoint(100, 2.0, 1), ScalingPoint(400, 2.0, 4))
    same = [Scaling("net", label, Call.DECODE, sizes) for label in ("1", "2")]
    other = Scaling("net", "3", Call.DECODE, (ScalingPoint(100, 3.0, 1), ScalingPoint(400, 3.0, 4)))
    assert [one.label for one in one_per_network([*same, other])] == ["1", "3"]
