"""Times and memory: compared on the same machine only, by a limit and by a test on the raw samples.

A whole run may be slow because the machine was. So every timed pass stands beside a calibration workload, timed
right after it: where that ran at another speed than in the baseline, times are not comparable. What is
called slower is slower by the median and by the minimum, in seconds and in units of the calibration workload, and by a
rank test;
samples that contradict one another are no result either way.

While other programs run, the wall's clock says nothing of a codec. Then processor time is compared instead, which
such programs disturb less, with a wider limit, and beside the other call too: encode and decode were timed in turn,
so that what slowed both alike may have been the machine. `benchmarks/noise.py` measures how this fares.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from math import comb
from statistics import fmean, median

from lic_bench.caveats import Caveat
from lic_bench.check.limits import Limits
from lic_bench.check.outcome import Change, Verdict, found
from lic_bench.check.pairs import Pairs
from lic_bench.records import Measurement, MemoryUse

CHANCE = 0.005
"""A rank test must find the samples this unlikely to come from codecs of equal speed."""

STEADY = 0.10
"""The calibration_workload may run this much faster or slower than in the baseline."""

BUSY_LIMIT = 1.5
"""A limit in per cent is this many times as wide for processor time on a busy machine."""

QUIET_SHARE = 0.9
"""A row whose calls had the processor for less of their time was disturbed."""

LEAST_SHARE = 0.2
"""Below this share of the processor a row tells nothing: its caches were always somebody else's."""

ONE_THREAD = 1.05
"""Above this share of the processor several threads were at work."""

SMALL_BYTES = 16 * 2**20
"""Peaks of resident memory may differ by this much from one process to the next, for the allocator's reasons."""

Rows = Sequence[tuple[Measurement, Measurement]]


@dataclass(frozen=True)
class Samples:
    """Seconds of one call on one picture, pass by pass; of the calibration workload beside it; of the other call."""

    seconds: tuple[float, ...]
    calibration_workload: tuple[float, ...]
    other: tuple[float, ...] = ()


Both = Sequence[tuple[Samples, Samples]]
"""Before and now, picture by picture."""


def compare(pairs: Pairs, limits: Limits, different: Sequence[str]) -> Iterator[Change]:
    """Encode, decode and memory of one operating point; `different` names facts of the machines that do not agree."""
    for call, other, percent in (
        ("encode", "decode", limits.encode_time_percent),
        ("decode", "encode", limits.decode_time_percent),
    ):
        if any(getattr(before, f"{call}_seconds") for before, _ in pairs.rows):
            change = _time(pairs, call, other, percent, different)
            required = limits.require_times and change.verdict is Verdict.NOT_COMPARABLE
            yield replace(change, fails=True) if required else change
    yield from _memory(pairs, limits, different)


def caveat_of(both: Both) -> str:
    """Why these samples cannot show anything, or nothing."""
    counts = [sum(len(pair[at].seconds) for pair in both) for at in (0, 1)]
    if not all(counts) or 1 / comb(sum(counts), counts[0]) > CHANCE:
        return f"too few samples ({counts[0]} before, {counts[1]} now); more pictures or a larger --timing-budget help"
    if not all(pair[at].calibration_workload for pair in both for at in (0, 1)):
        return "one of the runs has no calibration_workload beside its times; make it again with this version"
    speed = median(median(now.calibration_workload) / median(before.calibration_workload) for before, now in both)
    if not 1 / (1 + STEADY) <= speed <= 1 + STEADY:
        word = "slower" if speed > 1 else "faster"
        return f"the machine itself was {word}: a fixed piece of arithmetic took {speed:.2f} times as long as before"
    return ""


def ratios(both: Both) -> dict[str, float]:
    """Now / before, paired by picture, several ways; each the median over pictures."""
    ways: dict[str, Callable[[Samples], float]] = {
        "median": lambda of: median(of.seconds),
        "minimum": lambda of: min(of.seconds),
        "median in yardsticks": lambda of: median(of.seconds) / median(of.calibration_workload),
        "minimum in yardsticks": lambda of: min(of.seconds) / min(of.calibration_workload),
    }
    if all(samples.other for pair in both for samples in pair):
        ways["median beside the other call"] = lambda of: median(of.seconds) / median(of.other)
        ways["minimum beside the other call"] = lambda of: min(of.seconds) / min(of.other)
    return {name: median(way(now) / way(before) for before, now in both) for name, way in ways.items()}


def chance(both: Both, slower: bool) -> float:
    """One-sided Mann-Whitney test on all samples, each in units of its picture's median before."""
    from scipy.stats import mannwhitneyu

    old = [second / median(before.seconds) for before, _ in both for second in before.seconds]
    new = [second / median(before.seconds) for before, now in both for second in now.seconds]
    return float(mannwhitneyu(new, old, alternative="greater" if slower else "less").pvalue)


def judge(both: Both, limit: float) -> tuple[Verdict, str]:
    """The verdict on samples that no caveat hangs over, and what is to be said; `limit` is a ratio, 1.2 for 20 %."""
    several = ratios(both)
    told = f"{several['median']:.2f} times as long"
    slower, faster = min(several.values()) > limit, max(several.values()) < 1 / limit
    if slower or faster:
        likely = chance(both, slower)
        if likely > CHANCE:
            return Verdict.NOT_COMPARABLE, f"{told}, but that may be chance: p = {likely:.2g} by a rank test"
        return Verdict.WORSE if slower else Verdict.BETTER, f"{told}, p = {likely:.1g} by a rank test"
    most = max(several, key=lambda name: several[name])
    if several[most] > limit:
        least = min(several, key=lambda name: several[name])
        return Verdict.NOT_COMPARABLE, (
            f"samples contradict one another: {several[most]:.2f} times as long by the {most}, "
            f"{several[least]:.2f} times by the {least}; time both runs again on a quiet machine"
        )
    return Verdict.SAME, told


def _time(pairs: Pairs, call: str, other: str, percent: float, different: Sequence[str]) -> Change:
    """By the wall's clock where nothing disturbed most pictures, else in processor time."""
    quantity = f"{call} time"
    if different:
        return found(pairs.where, quantity, Verdict.NOT_COMPARABLE, "another machine: " + "; ".join(different))
    both, limit, clock = _by_wall(pairs.rows, call), 1 + percent / 100, ""
    if 2 * len(both) <= len(pairs.rows):
        both, limit = _by_processor(pairs.rows, call, other), 1 + BUSY_LIMIT * percent / 100
        clock = " of processor time, as other programs were running"
    caveat = caveat_of(both) if both else _nothing_timed(pairs.rows, call)
    if caveat:
        return found(pairs.where, quantity, Verdict.NOT_COMPARABLE, caveat)
    verdict, told = judge(both, limit)
    before, now = (fmean(median(pair[at].seconds) for pair in both) for at in (0, 1))
    return found(
        pairs.where, quantity, verdict, f"{_seconds(before)} → {_seconds(now)} per picture{clock}: {told}",
        before=before, now=now, unit="s", share=ratios(both)["median"] - 1, detail=ratios(both),
    )  # fmt: skip


def _by_wall(rows: Rows, call: str) -> Both:
    """Samples by the wall's clock, of the pictures that nothing disturbed in either run."""
    return [
        (_samples(before, call), _samples(now, call))
        for before, now in rows
        if all(getattr(row, f"{call}_seconds") and _is_quiet(row) for row in (before, now))
    ]


def _by_processor(rows: Rows, call: str, other: str) -> Both:
    """Samples of processor time, of the pictures whose calls had enough of the processor, in one thread.

    Threads that wait for one another count as busy, so that the time of several says nothing.
    """
    return [
        (_samples(before, call, "_cpu", other), _samples(now, call, "_cpu", other))
        for before, now in rows
        if all(getattr(row, f"{call}_cpu_seconds") and _is_fair(row) for row in (before, now))
    ]


def _samples(row: Measurement, call: str, clock: str = "", other: str = "") -> Samples:
    beside = getattr(row, f"{other}{clock}_seconds") if other else ()
    return Samples(getattr(row, f"{call}{clock}_seconds"), getattr(row, f"calibration_workload{clock}_seconds"), beside)


def _is_quiet(row: Measurement) -> bool:
    if Caveat.BUSY_MACHINE in row.caveats or Caveat.SHARED_MACHINE in row.caveats:
        return False
    return row.device != "cpu" or not row.decode_cpu_seconds or _share(row) >= QUIET_SHARE


def _is_fair(row: Measurement) -> bool:
    return row.threads == 1 and Caveat.SHARED_MACHINE not in row.caveats and LEAST_SHARE < _share(row) < ONE_THREAD


def _share(row: Measurement) -> float:
    """For how much of its timed passes a row had the processor; 0 where that was not measured."""
    wall = row.encode_seconds + row.decode_seconds
    cpu = row.encode_cpu_seconds + row.decode_cpu_seconds
    return sum(cpu) / sum(wall) if row.device == "cpu" and len(cpu) == len(wall) > 0 and min(cpu) > 0 else 0.0


def _nothing_timed(rows: Rows, call: str) -> str:
    if not any(getattr(now, f"{call}_seconds") for _, now in rows):
        return "it was not timed in this run; raise --timing-budget and --timing-repeats"
    return "other programs were using the processor; time both runs on a quiet machine, with --workers 1"


def _memory(pairs: Pairs, limits: Limits, different: Sequence[str]) -> Iterator[Change]:
    mine = {use.call: use for _, row in pairs.rows for use in row.memory}
    for before in (use for row, _ in pairs.rows for use in row.memory):
        quantity = f"{before.call.value} memory"
        now = mine.get(before.call)
        if different or now is None:
            reason = "another machine: " + "; ".join(different) if different else "it was not measured in this run"
            yield found(pairs.where, quantity, Verdict.NOT_COMPARABLE, reason, fails=limits.require_memory)
            continue
        yield _peak(pairs, quantity, before, now, limits.memory_percent / 100)


def _peak(pairs: Pairs, quantity: str, before: MemoryUse, now: MemoryUse, limit: float) -> Change:
    """One sample each, so that no test is possible; the limit is wide, and small differences are none on a host."""
    on_device = before.device_above_loaded_bytes is not None and now.device_above_loaded_bytes is not None
    old = (before.device_above_loaded_bytes if on_device else before.host_above_loaded_bytes) or 0
    new = (now.device_above_loaded_bytes if on_device else now.host_above_loaded_bytes) or 0
    least = max(limit * old, 0 if on_device else SMALL_BYTES)
    verdict = Verdict.WORSE if new - old > least else Verdict.BETTER if old - new > least else Verdict.SAME
    share = (new - old) / old if old else None
    sentence = f"peak {old / 2**20:,.1f} → {new / 2**20:,.1f} MiB above the loaded model"
    return found(pairs.where, quantity, verdict, sentence, before=old, now=new, unit="bytes", share=share)


def _seconds(value: float) -> str:
    return f"{value * 1000:.3g} ms" if value < 1 else f"{value:.3g} s"
