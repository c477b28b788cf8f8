"""Peak memory: on the same machine only, beyond what allocators do."""

from __future__ import annotations

from dataclasses import replace

from helpers.checked_runs import checked, only, rows, run

from lic_bench.check.compare import compare
from lic_bench.check.outcome import Verdict
from lic_bench.check.text import sentence
from lic_bench.records import Call, Measurement, MemoryUse


def peak(mebibytes: int) -> list[Measurement]:
    use = MemoryUse(Call.DECODE, 10, mebibytes * 2**20)
    return [replace(row, memory=(use,)) if row.picture == "a" else row for row in rows()]


def test_memory_is_compared_beyond_what_allocators_do() -> None:
    assert only(checked(peak(130), peak(100)), "decode memory").verdict is Verdict.WORSE
    assert only(checked(peak(115), peak(100)), "decode memory").verdict is Verdict.SAME
    assert only(checked(peak(10), peak(1)), "decode memory").verdict is Verdict.SAME
    assert only(checked(peak(60), peak(100)), "decode memory").verdict is Verdict.BETTER


def test_memory_of_another_machine_is_not_comparable() -> None:
    assert only(checked(rows(), peak(100)), "decode memory").verdict is Verdict.NOT_COMPARABLE
    elsewhere = compare(run(peak(500), packages={"torch": "3.0"}), run(peak(100), "baseline"))
    assert "torch: 2.14.1 → 3.0" in sentence(only(elsewhere, "decode memory"))
