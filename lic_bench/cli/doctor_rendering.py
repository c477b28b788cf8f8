"""Findings of the doctor as a terminal shows them, and as JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence

from lic_bench.cli.terminal import standard_output
from lic_bench.doctor.findings import Finding, Level, Value, passes

COLOURS = {Level.PASS: "green", Level.WARNING: "yellow", Level.ERROR: "red"}


def shown(examined: Iterable[Finding]) -> Iterator[Finding]:
    """Prints each finding when it is there, with what to do, and passes it on."""
    console = standard_output()
    for finding in examined:
        console.print(f"{finding.level:>8}", style=COLOURS.get(finding.level, ""), end="")
        console.print(f"  {finding.check}: {finding.sentence}", soft_wrap=True, markup=False)
        if finding.advice:
            console.print(f"          → {finding.advice}", soft_wrap=True, markup=False)
        yield finding


def conclusion(findings: Sequence[Finding], is_codec: bool = True) -> str:
    """The closing line: the result, and how many checks say so; "not a codec" for what only estimates a rate."""
    made = [finding for finding in findings if finding.level is not Level.INFO]
    counts = [_count(len(made), "check made", "checks made")]
    for level in (Level.ERROR, Level.WARNING):
        if named := [finding.check for finding in made if finding.level is level]:
            counts.append(f"{_count(len(named), level, f'{level}s')} ({', '.join(named)})")
    if made and all(finding.level is Level.PASS for finding in made):
        counts.append("all passed")
    if left := len(findings) - len(made):
        counts.append(f"{left} info")
    result = "fail" if not passes(findings) else "pass" if is_codec else "not a codec"
    return f"{result}: {', '.join(counts)}."


def to_json(about: Mapping[str, object], findings: Sequence[Finding]) -> str:
    """One object: what was examined, the result ("pass" or "fail"), and the findings."""
    result = "pass" if passes(findings) else "fail"
    plain = {**about, "result": result, "findings": [_plain(finding) for finding in findings]}
    return json.dumps(plain, indent=2, ensure_ascii=False)


def _plain(finding: Finding) -> dict[str, object]:
    return {
        "check": finding.check,
        "level": finding.level,
        "sentence": finding.sentence,
        "advice": finding.advice,
        "values": {name: _json_value(value) for name, value in finding.values.items()},
    }


def _json_value(value: Value) -> Value:
    """JSON has no infinity: it is written as the strings "Infinity", "-Infinity" and "NaN", as in run folders."""
    if not isinstance(value, float) or math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _count(count: int, one: str, several: str) -> str:
    return f"{count} {one if count == 1 else several}"
