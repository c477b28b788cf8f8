"""The words for times that were measured."""

from __future__ import annotations

from lic_bench.check.details import Clock, NotComparable, NotCompared, TimeDetail, TimeRatios
from lic_bench.check.outcome import Change, Figure


def measured(change: Change, detail: TimeDetail) -> str:
    """A time that was compared."""
    moved = f"{_timing(change, detail)}: {detail.ratios.median:.2f} times as long"
    return moved if detail.p_value is None else f"{moved}, p = {detail.p_value:.1g} by a rank test"


def undecided(change: Change, detail: NotCompared) -> str:
    """Times that were measured and decide nothing."""
    if detail.timing is None:
        return "the samples decide nothing"
    timing, several = _timing(change, detail.timing), _named(detail.timing.ratios)
    if detail.reason is NotComparable.MAYBE_CHANCE:
        return (
            f"{timing}: {detail.timing.ratios.median:.2f} times as long, but that may be chance: "
            f"p = {detail.timing.p_value:.2g} by a rank test"
        )
    most, least = max(several, key=lambda name: several[name]), min(several, key=lambda name: several[name])
    return (
        f"{timing}: samples contradict one another: {several[most]:.2f} times as long by the {most}, "
        f"{several[least]:.2f} times by the {least}; time both runs again on a quiet machine"
    )


def _timing(change: Change, detail: TimeDetail) -> str:
    clock = " of processor time, as other programs were running" if detail.clock is Clock.PROCESSOR else ""
    return f"{_seconds(change.before)} → {_seconds(change.now)} per picture{clock}"


def _named(ratios: TimeRatios) -> dict[str, float]:
    """The ratios that were taken, by how they are called."""
    every = {
        "median": ratios.median,
        "minimum": ratios.minimum,
        "median in units of the calibration workload": ratios.median_per_calibration,
        "minimum in units of the calibration workload": ratios.minimum_per_calibration,
        "median beside the other call": ratios.median_per_other_call,
        "minimum beside the other call": ratios.minimum_per_other_call,
    }
    return {name: ratio for name, ratio in every.items() if ratio is not None}


def _seconds(value: Figure) -> str:
    if not isinstance(value, int | float):
        return "?"
    return f"{value * 1000:.3g} ms" if value < 1 else f"{value:.3g} s"
