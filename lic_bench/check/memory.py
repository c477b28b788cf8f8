"""Peak memory of each call: one sample per run, so that no test is possible and the limits are wide."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lic_bench.check.details import FactChange, NotComparable, NotCompared
from lic_bench.check.limits import Limits
from lic_bench.check.outcome import Change, Verdict
from lic_bench.check.pairs import Pairs
from lic_bench.check.quantity import Quantity, QuantityKind
from lic_bench.records import MemoryUse

SMALL_BYTES = 16 * 2**20
"""Peaks of resident memory may differ by this much from one process to the next, for the allocator's reasons."""


def compare(pairs: Pairs, limits: Limits, different: Sequence[FactChange]) -> Iterator[Change]:
    """Peak memory of one operating point; `different` are facts of the machines that do not agree."""
    uses = {use.call: use for _, row in pairs.rows for use in row.memory}
    for before in (use for row, _ in pairs.rows for use in row.memory):
        quantity, now = Quantity(QuantityKind.MEMORY, before.call), uses.get(before.call)
        if different or now is None:
            reason = NotComparable.OTHER_MACHINE if different else NotComparable.NOT_MEASURED
            yield Change(
                *pairs.where, quantity, Verdict.NOT_COMPARABLE, required=limits.require_memory,
                detail=NotCompared(reason, facts=tuple(different)),
            )  # fmt: skip
        else:
            yield _peak(pairs, quantity, before, now, limits.memory_percent / 100)


def _peak(pairs: Pairs, quantity: Quantity, before: MemoryUse, now: MemoryUse, limit: float) -> Change:
    """The peak above the loaded model: on the device where both runs have it, else on the host."""
    on_device = before.device_above_loaded_bytes is not None and now.device_above_loaded_bytes is not None
    old = (before.device_above_loaded_bytes if on_device else before.host_above_loaded_bytes) or 0
    new = (now.device_above_loaded_bytes if on_device else now.host_above_loaded_bytes) or 0
    least = max(limit * old, 0 if on_device else SMALL_BYTES)
    verdict = Verdict.WORSE if new - old > least else Verdict.BETTER if old - new > least else Verdict.SAME
    share = (new - old) / old if old else None
    return Change(*pairs.where, quantity, verdict, before=old, now=new, unit="bytes", share=share)
