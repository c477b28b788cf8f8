"""Times and memory: compared on the same machine only, by a limit and by a test on the raw samples.

A whole run may be slow because the machine was. So every timed pass stands beside a yardstick, a fixed piece of
arithmetic timed right after it: where that ran at another speed than in the baseline, times are not comparable. What is
called slower is slower by the median and by the minimum, by the wall's clock and by the processor's, as such and in
units of the yardstick, and by a rank test; samples that contradict one another are no result either way.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import comb
from statistics import median

from lic_bench.check.limits import Limits
from lic_bench.check.outcome import Change, Verdict, found
from lic_bench.check.pairs import Pairs
from lic_bench.records import Doubt, Measurement, MemoryUse

CHANCE = 0.001
"""A rank test must find the samples this unlikely to come from codecs of equal speed."""

STEADY = 0.10
"""The yardstick may run this much faster or slower than in the baseline."""

BUSY = (Doubt.BUSY_MACHINE, Doubt.SHARED_MACHINE)

SMALL_BYTES = 16 * 2**20
"""Peaks of resident memory differ by this much from one process to the next, for the allocator's reasons."""


@dataclass(frozen=True)
class Samples:
    """Seconds of one call on one picture, pass by pass: wall, processor (none on an accelerator), yardstick."""

    wall: tuple[float, ...]
    cpu: tuple[float, ...]
    yardstick: tuple[float, ...]


def compare(pairs: Pairs, limits: Limits, different: Sequence[str]) -> Iterator[Change]:
    """Encode, decode and memory of one operating point; `different` names facts of the machines that do not agree."""
    for call, limit in (("encode", limits.encode_time_percent), ("decode", limits.decode_time_percent)):
        if any(_samples(before, call).wall for before, _ in pairs.rows):
            yield _time(pairs, call, limit, limits.require_times, different)
    yield from _memory(pairs, limits, different)


def _time(pairs: Pairs, call: str, limit_percent: float, required: bool, different: Sequence[str]) -> Change:
    quantity = f"{call} time"

    def not_comparable(reason: str) -> Change:
        return found(pairs.where, quantity, Verdict.NOT_COMPARABLE, reason, fails=required)

    if different:
        return not_comparable("another machine: " + "; ".join(different))
    quiet = [(b, n) for b, n in pairs.rows if not any(doubt in BUSY for doubt in (*b.doubts, *n.doubts))]
    if not quiet:
        return not_comparable("other programs were using the processor; time both runs on a quiet machine")
    both = [(_samples(b, call), _samples(n, call)) for b, n in quiet]
    both = [(b, n) for b, n in both if b.wall and n.wall]
    counts = [sum(len(pair[at].wall) for pair in both) for at in (0, 1)]
    if not both or 1 / comb(sum(counts), counts[0]) > CHANCE:
        return not_comparable(
            f"too few samples ({counts[0]} before, {counts[1]} now); more pictures or a larger --timing-budget help"
        )
    if not all(pair[at].yardstick for pair in both for at in (0, 1)):
        return not_comparable("one of the runs has no yardstick beside its times; make it again with this version")
    speed = median(median(n.yardstick) / median(b.yardstick) for b, n in both)
    if not 1 / (1 + STEADY) <= speed <= 1 + STEADY:
        word = "slower" if speed > 1 else "faster"
        return not_comparable(
            f"the machine itself was {word}: a fixed piece of arithmetic took {speed:.2f} times as long as before"
        )
    return _judged(pairs, quantity, both, 1 + limit_percent / 100, not_comparable)


def _judged(pairs, quantity, both, limit, not_comparable):  # type: ignore[no-untyped-def]
    ratios = _ratios(both)
    before, now = (sum(median(pair[at].wall) for pair in both) / len(both) for at in (0, 1))
    ratio = ratios["median wall"]
    figures = {"before": before, "now": now, "unit": "s", "share": ratio - 1, "detail": ratios}
    told = f"{_seconds(before)} → {_seconds(now)} per picture ({ratio:.2f} times"
    slower, faster = (all(sign(value) > limit for value in ratios.values()) for sign in (lambda x: x, lambda x: 1 / x))
    if slower or faster:
        chance = _chance(both, slower)
        if chance > CHANCE:
            return not_comparable(f"{told}, but that may be chance: p = {chance:.2g} by a rank test)")
        verdict = Verdict.WORSE if slower else Verdict.BETTER
        return found(pairs.where, quantity, verdict, f"{told}, p = {chance:.1g} by a rank test)", **figures)
    if ratio > limit:
        least = min(ratios, key=lambda name: ratios[name])
        return not_comparable(
            f"{told}, but by the {least} only {ratios[least]:.2f}); time it again, on a quiet machine"
        )
    return found(
        pairs.where, quantity, Verdict.SAME, f"{_seconds(now)} per picture, {ratio:.2f} times before", **figures
    )


def _ratios(both: Sequence[tuple[Samples, Samples]]) -> dict[str, float]:
    """Now / before, paired by picture, several ways; each the median over pictures."""
    ways = {
        "median wall": lambda s: median(s.wall),
        "minimum wall": lambda s: min(s.wall),
        "median in yardsticks": lambda s: median(s.wall) / median(s.yardstick),
        "minimum in yardsticks": lambda s: min(s.wall) / min(s.yardstick),
    }
    if all(samples.cpu for pair in both for samples in pair):
        ways |= {"median processor": lambda s: median(s.cpu), "minimum processor": lambda s: min(s.cpu)}
    return {name: median(way(now) / way(before) for before, now in both) for name, way in ways.items()}


def _chance(both: Sequence[tuple[Samples, Samples]], slower: bool) -> float:
    """One-sided Mann-Whitney test on all samples, each in units of its picture's median before."""
    from scipy.stats import mannwhitneyu

    old = [second / median(b.wall) for b, _ in both for second in b.wall]
    new = [second / median(b.wall) for b, n in both for second in n.wall]
    return float(mannwhitneyu(new, old, alternative="greater" if slower else "less").pvalue)


def _samples(row: Measurement, call: str) -> Samples:
    on_cpu = row.device == "cpu"
    wall, cpu = getattr(row, f"{call}_seconds"), getattr(row, f"{call}_cpu_seconds")
    return Samples(wall, cpu if on_cpu and len(cpu) == len(wall) else (), row.yardstick_seconds)


def _memory(pairs: Pairs, limits: Limits, different: Sequence[str]) -> Iterator[Change]:
    for before in (use for row, _ in pairs.rows for use in row.memory):
        quantity = f"{before.call.value} memory"
        now = next((use for _, row in pairs.rows for use in row.memory if use.call is before.call), None)
        if different or now is None:
            reason = "another machine: " + "; ".join(different) if different else "it was not measured in this run"
            yield found(pairs.where, quantity, Verdict.NOT_COMPARABLE, reason, fails=limits.require_memory)
            continue
        yield _peak(pairs, quantity, before, now, limits.memory_percent / 100)


def _peak(pairs: Pairs, quantity: str, before: MemoryUse, now: MemoryUse, limit: float) -> Change:
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
