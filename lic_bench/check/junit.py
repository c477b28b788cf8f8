"""An outcome as JUnit XML, for CI: a suite per codec, a case per comparison."""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree

from lic_bench.check import text
from lic_bench.check.outcome import Change, Outcome, Verdict


def render(outcome: Outcome) -> str:
    """JUnit XML. What is not comparable is skipped, never passed."""
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
    name = " ".join(filter(None, (change.point, change.quantity.name, change.part, change.picture)))
    case = ElementTree.SubElement(suite, "testcase", classname=_xml(codec), name=_xml(name), time="0")
    message = _xml(text.sentence(change))
    if change.fails:
        ElementTree.SubElement(case, "failure", type=change.verdict.value, message=message).text = message
    elif change.verdict is Verdict.NOT_COMPARABLE:
        ElementTree.SubElement(case, "skipped", message=message)
    else:
        ElementTree.SubElement(case, "system-out").text = f"{change.verdict.value}: {message}"


def _count(element: ElementTree.Element, changes: Sequence[Change]) -> None:
    failures = sum(change.fails for change in changes)
    element.set("tests", str(len(changes)))
    element.set("failures", str(failures))
    element.set("skipped", str(sum(c.verdict is Verdict.NOT_COMPARABLE and not c.fails for c in changes)))


def _xml(content: str) -> str:
    """Text without the control characters that XML 1.0 cannot hold."""
    return "".join(char for char in content if char in "\t\n\r" or " " <= char <= "\ud7ff" or char > "\udfff")
