"""Where the time of a run went, by pass."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from lic_bench.records import Measurement, Pass, Row, RunHeader

NAMES: Mapping[Pass, str] = {
    Pass.LOAD: "loading",
    Pass.FRESH_PROCESS: "fresh processes",
    Pass.READ: "reading pictures",
    Pass.COUNT: "counting MACs",
    Pass.CODE: "coding",
    Pass.ESTIMATE: "estimates of the rate",
    Pass.SCORE: "metrics",
    Pass.TIME: "timing",
}


def by_pass(rows: Iterable[Row]) -> dict[Pass, float]:
    """Seconds of each pass over the rows that were measured in their own run."""
    total: dict[Pass, float] = defaultdict(float)
    for row in rows:
        if isinstance(row, Measurement) and not row.from_cache:
            for which, seconds in row.pass_seconds.items():
                total[which] += seconds
    return dict(total)


def shares(seconds: Mapping[Pass, float], whole: float | None = None) -> str:
    """The passes with their share of a whole (their sum where that is None), the largest first; less than 0.5 % left
    out, and what no pass accounts for last."""
    accounted = sum(seconds.values())
    whole = accounted if whole is None else max(whole, accounted)
    if not whole:
        return "nothing"
    ordered = sorted(seconds.items(), key=lambda item: -item[1])
    said = [f"{NAMES[which]} {taken / whole:.0%}" for which, taken in ordered if taken >= 0.005 * whole]
    if whole > accounted:
        said.append(f"everything else {1 - accounted / whole:.0%}")
    return ", ".join(said)


def text(header: RunHeader, rows: Iterable[Row]) -> str:
    """Where the wall time of measuring went; "" for a run that measured nothing."""
    seconds = by_pass(rows)
    if not seconds or not header.measuring_seconds:
        return ""
    of = f"{header.measuring_seconds:.1f} s" + (f" on each of {header.workers} workers" if header.workers > 1 else "")
    return f"{shares(seconds, header.measuring_seconds * header.workers)} (of {of})"
