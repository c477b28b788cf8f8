"""Statistics of timed passes: ratios between two runs, a rank test, and the verdict that follows. Pure functions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass
from math import comb
from statistics import median

from lic_bench.check.details import Clock, NotComparable, NotCompared, TimeDetail, TimeRatios
from lic_bench.check.outcome import Verdict

SIGNIFICANCE = 0.005
"""The rank test must give samples of codecs of equal speed a smaller probability than this."""

STEADY = 0.10
"""The calibration workload may run this much faster or slower than in the baseline."""


@dataclass(frozen=True)
class CallSamples:
    """Seconds of one call on one picture, pass by pass; of the calibration workload beside it; of the other call."""

    seconds: tuple[float, ...]
    calibration: tuple[float, ...]
    other_call: tuple[float, ...] = ()


SamplePairs = Sequence[tuple[CallSamples, CallSamples]]
"""Before and now, picture by picture."""


def uncomparable(both: SamplePairs) -> NotCompared | None:
    """Why no samples of these sizes, beside these calibration workloads, can show anything; None where they can."""
    before, now = (sum(len(pair[at].seconds) for pair in both) for at in (0, 1))
    if not (before and now) or 1 / comb(before + now, before) > SIGNIFICANCE:
        return NotCompared(NotComparable.TOO_FEW_SAMPLES, samples=(before, now))
    if not all(samples.calibration for pair in both for samples in pair):
        return NotCompared(NotComparable.NO_CALIBRATION)
    speed = median(median(now.calibration) / median(before.calibration) for before, now in both)
    if not 1 / (1 + STEADY) <= speed <= 1 + STEADY:
        return NotCompared(NotComparable.MACHINE_SPEED, machine_speed=speed)
    return None


def ratios(both: SamplePairs) -> TimeRatios:
    """Now / before in several ways, each paired by picture and the median over pictures."""

    def over_pictures(value: Callable[[CallSamples], float]) -> float:
        return median(value(now) / value(before) for before, now in both)

    has_other = all(samples.other_call for pair in both for samples in pair)
    return TimeRatios(
        median=over_pictures(lambda of: median(of.seconds)),
        minimum=over_pictures(lambda of: min(of.seconds)),
        median_per_calibration=over_pictures(lambda of: median(of.seconds) / median(of.calibration)),
        minimum_per_calibration=over_pictures(lambda of: min(of.seconds) / min(of.calibration)),
        median_per_other_call=(
            over_pictures(lambda of: median(of.seconds) / median(of.other_call)) if has_other else None
        ),
        minimum_per_other_call=over_pictures(lambda of: min(of.seconds) / min(of.other_call)) if has_other else None,
    )


def p_value(both: SamplePairs, slower: bool) -> float:
    """One-sided Mann-Whitney test on all samples, each in units of its picture's median before."""
    from scipy.stats import mannwhitneyu

    old = [second / median(before.seconds) for before, _ in both for second in before.seconds]
    new = [second / median(before.seconds) for before, now in both for second in now.seconds]
    return float(mannwhitneyu(new, old, alternative="greater" if slower else "less").pvalue)


def judge(both: SamplePairs, limit: float, clock: Clock) -> tuple[Verdict, TimeDetail | NotCompared]:
    """The verdict on samples that can be compared, and its numbers; `limit` is a ratio, 1.2 for 20 %.

    Slower or faster is what all ratios and the rank test agree on.
    """
    detail = TimeDetail(clock, ratios(both))
    several = [ratio for ratio in astuple(detail.ratios) if ratio is not None]
    slower, faster = min(several) > limit, max(several) < 1 / limit
    if slower or faster:
        p = p_value(both, slower)
        detail = TimeDetail(clock, detail.ratios, p)
        if p > SIGNIFICANCE:
            return Verdict.NOT_COMPARABLE, NotCompared(NotComparable.MAYBE_CHANCE, timing=detail)
        return (Verdict.WORSE if slower else Verdict.BETTER), detail
    if max(several) > limit:
        return Verdict.NOT_COMPARABLE, NotCompared(NotComparable.CONTRADICTORY, timing=detail)
    return Verdict.SAME, detail
