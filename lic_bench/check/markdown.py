"""An outcome as text: a table for the terminal, Markdown for a pull request, JSON for programs, JUnit XML for CI."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from xml.etree import ElementTree

from lic_bench.check.outcome import Change, Outcome, Verdict

FORMAT = 1
SHOWN = 12
"""Lines of the Markdown's first table; the rest is folded."""

HEADS = ("verdict", "codec", "point", "quantity", "part", "what")

_SIGNS = {
    Verdict.FAILED: "❌", Verdict.GONE: "❌", Verdict.WORSE: "❌", Verdict.CHANGED: "🔶",
    Verdict.NOT_COMPARABLE: "⚪", Verdict.BETTER: "✅", Verdict.NEW: "🆕", Verdict.SAME: "✅",
}  # fmt: skip


def rows(changes: Iterable[Change]) -> list[tuple[str, ...]]:
    """Changes as rows of text below their heads; points, then quantities, of which the same is said share a row."""
    points: dict[tuple[str, ...], list[str]] = {}
    for change in _rates_together(list(changes)):
        key = (verdict(change), change.codec or "run", change.quantity, change.part or change.picture, change.sentence)
        points.setdefault(key, []).append(change.point)
    quantities: dict[tuple[str, ...], list[str]] = {}
    for (word, codec, quantity, part, sentence), some in points.items():
        quantities.setdefault((word, codec, " ".join(filter(None, some)), part, sentence), []).append(quantity)
    lines = [
        (word, codec, some, ", ".join(dict.fromkeys(names)), part, sentence)
        for (word, codec, some, part, sentence), names in quantities.items()
    ]
    return [HEADS, *lines]


def _rates_together(changes: list[Change]) -> list[Change]:
    """Without payload and estimated rate where they moved as the stream did, whose sentence then tells of them."""
    of: dict[tuple[str, str, str, Verdict], Change] = {
        (c.codec, c.point, c.quantity, c.verdict): c for c in changes if not c.picture and c.verdict is not Verdict.SAME
    }
    kept = []
    for change in changes:
        both = [of.get((change.codec, change.point, name, change.verdict)) for name in ("payload", "estimated rate")]
        stream = of.get((change.codec, change.point, "stream bytes", change.verdict))
        if stream is change and any(both):
            told = ", ".join(f"{c.quantity} {(c.share or 0) * 100:+.2f} %" for c in both if c is not None)
            change = replace(change, sentence=f"{change.sentence}; {told}")
        if stream is None or not any(change is each for each in both):
            kept.append(change)
    return kept


def verdict(change: Change) -> str:
    """The verdict as a word; a change that fails although its verdict alone would not says so."""
    plain = change.verdict in (Verdict.CHANGED, Verdict.NOT_COMPARABLE)
    return f"{change.verdict.value} (fails)" if change.fails and plain else change.verdict.value


def printable(text: str) -> str:
    """Text on one line without control characters: a reason may be anything that a codec said."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


def advice(outcome: Outcome) -> str:
    """What to do next."""
    if not outcome.failed:
        return ""
    return "If these changes are meant, the same command with --update makes this run the baseline file."


def markdown(outcome: Outcome) -> str:
    """For a pull request: the outcome, a diagnosis per codec, worst first; everything that is fine is folded."""
    lines = [f"## {'❌' if outcome.failed else '✅'} lic-bench check", "", f"**{_plain(outcome.headline)}**", ""]
    lines += [f"`{_code(outcome.run)}` against `{_code(outcome.baseline)}`", ""]
    lines += [f"- **{_plain(codec)}**: {_plain(told)}" for codec, told in outcome.diagnoses.items()]
    lines += [""] if outcome.diagnoses else []
    first = [c for c in outcome.changes if c.fails or c.verdict is Verdict.CHANGED]
    rest = [c for c in outcome.changes if c not in first and c.verdict is not Verdict.NOT_COMPARABLE]
    apart = [c for c in outcome.changes if c not in first and c.verdict is Verdict.NOT_COMPARABLE]
    table = rows(first)
    lines += _table([table[0], *table[1 : SHOWN + 1]])
    lines += _folded(f"{len(table) - 1 - SHOWN} more", [table[0], *table[SHOWN + 1 :]])
    lines += _folded(f"{len(rest)} better or new", rows(rest))
    lines += _folded(f"{len(apart)} not comparable (these have not passed)", rows(apart))
    lines += _folded(f"{outcome.counts.get(Verdict.SAME, 0)} the same", _same(outcome))
    lines += [_plain(note) + "\n" for note in outcome.notes]
    lines += [advice(outcome)] if outcome.failed else []
    return "\n".join(lines).rstrip() + "\n"


def to_json(outcome: Outcome) -> str:
    """Every comparison with both values, what failed and how many of each verdict."""
    return json.dumps(
        {
            "format": FORMAT,
            "failed": outcome.failed,
            "run": outcome.run,
            "baseline": outcome.baseline,
            "counts": {verdict.value: number for verdict, number in outcome.counts.items()},
            "diagnoses": dict(outcome.diagnoses),
            "notes": outcome.notes,
            "changes": [asdict(change) for change in outcome.changes],
            "same": [asdict(change) for change in outcome.comparisons if change.verdict is Verdict.SAME],
        },
        indent=1,
        ensure_ascii=False,
        allow_nan=False,
    )


def junit(outcome: Outcome) -> str:
    """JUnit XML: a suite per codec, a case per comparison. What is not comparable is skipped, never passed."""
    suites = ElementTree.Element("testsuites", name="lic-bench check")
    by_codec: dict[str, list[Change]] = {}
    for change in outcome.comparisons:
        by_codec.setdefault(change.codec or "run", []).append(change)
    for codec, changes in by_codec.items():
        suite = ElementTree.SubElement(suites, "testsuite", name=_xml(codec), errors="0", time="0")
        for change in changes:
            _case(suite, codec, change)
        _count(suite, changes)
    _count(suites, outcome.comparisons)
    ElementTree.indent(suites)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(suites, encoding="unicode") + "\n"


def _case(suite: ElementTree.Element, codec: str, change: Change) -> None:
    name = " ".join(filter(None, (change.point, change.quantity, change.part, change.picture)))
    case = ElementTree.SubElement(suite, "testcase", classname=_xml(codec), name=_xml(name), time="0")
    said = _xml(change.sentence)
    if change.fails:
        ElementTree.SubElement(case, "failure", type=change.verdict.value, message=said).text = said
    elif change.verdict is Verdict.NOT_COMPARABLE:
        ElementTree.SubElement(case, "skipped", message=said)
    else:
        ElementTree.SubElement(case, "system-out").text = f"{change.verdict.value}: {said}"


def _count(element: ElementTree.Element, changes: Sequence[Change]) -> None:
    failures = sum(change.fails for change in changes)
    element.set("tests", str(len(changes)))
    element.set("failures", str(failures))
    element.set("skipped", str(sum(c.verdict is Verdict.NOT_COMPARABLE and not c.fails for c in changes)))


def _same(outcome: Outcome) -> list[tuple[str, ...]]:
    return rows(change for change in outcome.comparisons if change.verdict is Verdict.SAME)


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    """A pipe table, or nothing where there are only heads."""
    if len(rows) < 2:
        return []
    lines = [rows[0], ["---"] * len(rows[0]), *([_cell(cell) for cell in row] for row in rows[1:])]
    return ["| " + " | ".join(line) + " |" for line in lines] + [""]


def _folded(title: str, rows: Sequence[Sequence[str]]) -> list[str]:
    if len(rows) < 2:
        return []
    return [f"<details><summary>{title}</summary>", "", *_table(rows), "</details>", ""]


def _cell(text: str) -> str:
    sign = next((f"{_SIGNS[verdict]} " for verdict in Verdict if text.split(" (")[0] == verdict.value), "")
    return sign + _plain(text).replace("|", "\\|")


def _plain(text: str) -> str:
    """Text that Markdown shows as it is: on one line, no tags, no emphasis."""
    text = printable(text)
    for mark in "\\`*_[]":
        text = text.replace(mark, "\\" + mark)
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _code(text: str) -> str:
    return printable(text).replace("`", "'")


def _xml(text: str) -> str:
    """Text without the control characters that XML 1.0 cannot hold."""
    return "".join(char for char in text if char in "\t\n\r" or " " <= char <= "\ud7ff" or char > "\udfff")
