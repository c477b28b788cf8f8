"""Times: compared on the same machine only, by a limit and by a test on the raw samples.

A whole run may be slow because the machine was. So every timed pass stands beside a calibration workload, timed
right after it: where that ran at another speed than in the baseline, times are not comparable. What is called slower
is slower by the median and by the minimum, in seconds and in units of the calibration workload, and by a rank test;
samples that contradict one another are no result either way.

While other programs run, the wall's clock says nothing of a codec. Then processor time is compared instead, which
such programs disturb less, with a wider limit, and beside the other call too: encode and decode were timed in turn,
so that what slowed both alike may have been the machine. `benchmarks/noise.py` measures how this fares.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import fmean, median

from lic_bench.caveats import Caveat
from lic_bench.check.details import Clock, FactChange, NotComparable, NotCompared, TimeDetail
from lic_bench.check.limits import Limits
from lic_bench.check.outcome import Change, Verdict
from lic_bench.check.pairs import Pairs
from lic_bench.check.quantity import Quantity, QuantityKind
from lic_bench.check.samples import CallSamples, SamplePairs, judge, uncomparable
from lic_bench.records import Call, Measurement

BUSY_LIMIT = 1.5
"""A limit in per cent is this many times as wide for processor time on a busy machine."""

QUIET_SHARE = 0.9
"""A row whose calls had the processor for less of their time was disturbed."""

LEAST_SHARE = 0.2
"""Below this share of the processor a row says nothing: other programs' data filled its caches."""

ONE_THREAD = 1.05
"""Above this share of the processor several threads were at work."""

Rows = Sequence[tuple[Measurement, Measurement]]
Seconds = tuple[float, ...]


def compare(pairs: Pairs, limits: Limits, different: Sequence[FactChange]) -> Iterator[Change]:
    """Encode and decode of one operating point; `different` are facts of the machines that do not agree."""
    for call, other, percent in (
        (Call.ENCODE, Call.DECODE, limits.encode_time_percent),
        (Call.DECODE, Call.ENCODE, limits.decode_time_percent),
    ):
        if any(_seconds(before, Clock.WALL, call) for before, _ in pairs.rows):
            yield _change(pairs, call, other, percent, different, limits.require_times)


def _change(
    pairs: Pairs, call: Call, other: Call, percent: float, different: Sequence[FactChange], require_times: bool
) -> Change:
    """By the wall's clock where nothing disturbed most pictures, else in processor time."""
    quantity = Quantity(QuantityKind.TIME, call)
    clock, limit, both = Clock.WALL, 1 + percent / 100, _quiet(pairs.rows, call)
    if 2 * len(both) <= len(pairs.rows):
        clock, limit, both = Clock.PROCESSOR, 1 + BUSY_LIMIT * percent / 100, _fair(pairs.rows, call, other)
    verdict: Verdict
    detail: TimeDetail | NotCompared
    if different:
        verdict, detail = Verdict.NOT_COMPARABLE, NotCompared(NotComparable.OTHER_MACHINE, facts=tuple(different))
    elif not both:
        verdict, detail = Verdict.NOT_COMPARABLE, _nothing_timed(pairs.rows, call)
    elif reason := uncomparable(both):
        verdict, detail = Verdict.NOT_COMPARABLE, reason
    else:
        verdict, detail = judge(both, limit, clock)
    timing = detail if isinstance(detail, TimeDetail) else detail.timing
    before, now = (fmean(median(pair[at].seconds) for pair in both) if timing else None for at in (0, 1))
    return Change(
        *pairs.where, quantity, verdict, before=before, now=now, unit="s",
        share=timing.ratios.median - 1 if timing else None,
        required=require_times and verdict is Verdict.NOT_COMPARABLE, detail=detail,
    )  # fmt: skip


def _quiet(rows: Rows, call: Call) -> SamplePairs:
    """Samples by the wall's clock, of the pictures that nothing disturbed in either run."""
    return [
        (_samples(before, Clock.WALL, call), _samples(now, Clock.WALL, call))
        for before, now in rows
        if all(_seconds(row, Clock.WALL, call) and _is_quiet(row) for row in (before, now))
    ]


def _fair(rows: Rows, call: Call, other: Call) -> SamplePairs:
    """Samples of processor time, of the pictures whose calls had enough of the processor, in one thread.

    Threads that wait for one another count as busy, so that the time of several says nothing.
    """
    return [
        (_samples(before, Clock.PROCESSOR, call, other), _samples(now, Clock.PROCESSOR, call, other))
        for before, now in rows
        if all(_seconds(row, Clock.PROCESSOR, call) and _is_fair(row) for row in (before, now))
    ]


def _samples(row: Measurement, clock: Clock, call: Call, other: Call | None = None) -> CallSamples:
    calibration = row.calibration_seconds if clock is Clock.WALL else row.calibration_cpu_seconds
    return CallSamples(_seconds(row, clock, call), calibration, _seconds(row, clock, other) if other else ())


def _seconds(row: Measurement, clock: Clock, call: Call) -> Seconds:
    """The timed passes of one call by one clock."""
    if clock is Clock.WALL:
        return row.encode_seconds if call is Call.ENCODE else row.decode_seconds
    return row.encode_cpu_seconds if call is Call.ENCODE else row.decode_cpu_seconds


def _is_quiet(row: Measurement) -> bool:
    if Caveat.BUSY_MACHINE in row.caveats or Caveat.SHARED_MACHINE in row.caveats:
        return False
    return row.device != "cpu" or not row.decode_cpu_seconds or _processor_share(row) >= QUIET_SHARE


def _is_fair(row: Measurement) -> bool:
    if row.threads != 1 or Caveat.SHARED_MACHINE in row.caveats:
        return False
    return LEAST_SHARE < _processor_share(row) < ONE_THREAD


def _processor_share(row: Measurement) -> float:
    """For how much of its timed passes a row had the processor; 0 where that was not measured."""
    wall = row.encode_seconds + row.decode_seconds
    cpu = row.encode_cpu_seconds + row.decode_cpu_seconds
    return sum(cpu) / sum(wall) if row.device == "cpu" and len(cpu) == len(wall) > 0 and min(cpu) > 0 else 0.0


def _nothing_timed(rows: Rows, call: Call) -> NotCompared:
    timed = any(_seconds(now, Clock.WALL, call) for _, now in rows)
    return NotCompared(NotComparable.BUSY_MACHINE if timed else NotComparable.NOT_TIMED)
