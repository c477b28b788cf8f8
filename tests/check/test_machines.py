"""Which facts make another machine: for times and memory, and for bits."""

from __future__ import annotations

from dataclasses import replace

from helpers.checked_runs import HEADER

from lic_bench.check.details import FactChange
from lic_bench.check.machines import different_for_bits, different_for_times
from lic_bench.check.text import fact


def test_machines_differ_by_what_moves_times_and_bits() -> None:
    assert different_for_times(HEADER, replace(HEADER, started="later", lic_bench="0.2.0")) == ()
    patched = dict(HEADER.machine) | {
        "system": "Linux-6.8.0-99-x",
        "python": "3.11.9",
        "cpu_pressure_avg10_percent": 5.0,
    }
    patched["memory_bytes"] = 2**33 - 4096
    assert different_for_times(HEADER, replace(HEADER, machine=patched)) == ()
    other = replace(HEADER, machine=dict(HEADER.machine) | {"processor": "two"})
    assert different_for_times(HEADER, other) == (FactChange("processor", "one", "two"),)
    newer = replace(HEADER, packages=dict(HEADER.packages) | {"scipy": "1.18"})
    assert different_for_times(HEADER, newer) == ()
    assert different_for_bits(HEADER, newer) == (FactChange("scipy", "1.17", "1.18"),)
    threads = replace(HEADER, settings=replace(HEADER.settings, threads=2))
    assert different_for_times(HEADER, threads) == (FactChange("threads", 1, 2),)
    unknown = replace(HEADER, machine={})
    nothing = (FactChange("machine", None, None),)
    assert different_for_times(unknown, unknown) == different_for_bits(unknown, unknown) == nothing


def test_facts_are_shown_with_what_is_not_recorded() -> None:
    assert fact(FactChange("processor", "one", "two")) == "processor: one → two"
    assert fact(FactChange("driver", None, "550")) == "driver: not recorded → 550"
    assert fact(FactChange("machine", None, None)) == "machine: not recorded"
