"""An outcome as Markdown, JUnit XML, JSON and rows: read back with other people's parsers."""

from __future__ import annotations

import json
from typing import Any
from xml.etree import ElementTree

import pytest
from helpers.checked_runs import run
from helpers.made_records import measurement
from markdown_it import MarkdownIt
from markdown_it.token import Token

from lic_bench.check import as_json, junit, markdown, outcome_text, table
from lic_bench.check.compare import compare
from lic_bench.check.outcome import Outcome, Verdict
from lic_bench.records import Failure, FailureKind, Measurement

NASTY = "a|b <script>`*x*_y_`</script> & ]]> \x00\x1b[31m\nsecond line"


def rows(count: int = 3, **changes: Any) -> list[Measurement]:
    return [measurement("net", str(at), name, **changes) for at in range(count) for name in ("a", "b")]


@pytest.fixture
def outcome() -> Outcome:
    """Worse, better, new, gone, failed, changed and not comparable, with a reason full of marks."""
    worse = measurement("loss|y*", "1", "a", psnr_db=20.0, stream_bytes=500, payload_bits=4000)
    now = [*rows(), worse, measurement("fresh", "1", "a"), Failure("net", "9", "set", "a", FailureKind.MEASURE, NASTY)]
    before = [*rows(), measurement("loss|y*", "1", "a"), measurement("lost", "1", "a")]
    return compare(run(now), run(before, "runs/`before`"))


def text_of(tokens: list[Token]) -> str:
    return " ".join(token.content for token in tokens if token.type in ("inline", "html_block"))


def plain(inline: Token) -> str:
    """What a reader sees of a cell: a line break inside one would be lost, a mark would be hidden."""
    return "".join(child.content for child in inline.children or [])


def test_markdown_shows_what_fails_and_folds_the_rest(outcome: Outcome) -> None:
    text = markdown.render(outcome)
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    heads = [plain(tokens[at + 1]) for at, token in enumerate(tokens) if token.type == "th_open"]
    tables = sum(token.type == "table_open" for token in tokens)
    assert heads == list(table.HEADS) * tables
    cells = [plain(tokens[at + 1]) for at, token in enumerate(tokens) if token.type == "td_open"]
    lines = [cells[at : at + len(table.HEADS)] for at in range(0, len(cells), len(table.HEADS))]
    assert [line[1] for line in lines[:2]] == ["net", "lost"]
    assert lines[0][5] == "measure: a|b <script>`*x*_y_`</script> & ]]> [31m second line"
    verdicts = [line[0].split(" ", 1)[1] for line in lines]
    assert verdicts.index("worse") < verdicts.index("better") < verdicts.index("same")
    assert text.count("<details>") == text.count("</details>") == text_of(tokens).count("<summary>") == 3
    assert "not comparable (these have not passed)" in text
    assert "--update" in text


def test_markdown_of_a_run_that_is_the_same_is_short() -> None:
    text = markdown.render(compare(run(rows()), run(rows(), "before")))
    before_folds = text.partition("<details>")[0]
    assert "**Passed:" in before_folds
    assert len(before_folds.splitlines()) < 8


def test_a_long_list_is_folded_after_its_worst_lines() -> None:
    many = [measurement(f"codec-{at}", "1", "a", psnr_db=29.0 - at) for at in range(20)]
    before = [measurement(f"codec-{at}", "1", "a") for at in range(20)]
    text = markdown.render(compare(run(many), run(before, "before")))
    assert "<summary>8 more</summary>" in text
    assert text.index("codec-19 |") < text.index("codec-0 |")


SUITE = {"name", "tests", "failures", "errors", "skipped", "time"}
CHILDREN = {
    "testsuites": {"testsuite"},
    "testsuite": {"testcase"},
    "testcase": {"failure", "skipped", "system-out"},
    "failure": set(),
    "skipped": set(),
    "system-out": set(),
}
ATTRIBUTES = {
    "testsuites": SUITE - {"errors", "time"},
    "testsuite": SUITE,
    "testcase": {"classname", "name", "time"},
    "failure": {"type", "message"},
    "skipped": {"message"},
    "system-out": set(),
}


def test_junit_is_well_formed_and_counts_right(outcome: Outcome) -> None:
    root = ElementTree.fromstring(junit.render(outcome))
    for element in root.iter():
        assert {child.tag for child in element} <= CHILDREN[element.tag]
        assert set(element.attrib) == ATTRIBUTES[element.tag]
    for suite in [root, *root.findall("testsuite")]:
        assert int(suite.get("tests", "")) == len(list(suite.iter("testcase")))
        assert int(suite.get("failures", "")) == len(list(suite.iter("failure")))
        assert int(suite.get("skipped", "")) == len(list(suite.iter("skipped")))
    assert len(list(root.iter("testcase"))) == len(outcome.comparisons)
    assert len(list(root.iter("failure"))) == sum(change.fails for change in outcome.comparisons)
    uncompared = sum(change.verdict is Verdict.NOT_COMPARABLE for change in outcome.comparisons)
    assert len(list(root.iter("skipped"))) == uncompared > 0
    assert any("<script>" in (failure.get("message") or "") for failure in root.iter("failure"))


def test_every_junit_case_has_a_name_of_its_own() -> None:
    root = ElementTree.fromstring(junit.render(compare(run(rows()), run(rows(), "before"))))
    names = [(case.get("classname"), case.get("name")) for case in root.iter("testcase")]
    assert len(set(names)) == len(names)


def test_json_says_everything_and_nothing_that_is_no_json(outcome: Outcome) -> None:
    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    content = json.loads(as_json.render(outcome), parse_constant=refuse)
    assert content["failed"] is True
    assert len(content["changes"]) + len(content["same"]) == len(outcome.comparisons)
    assert sum(content["counts"].values()) == len(outcome.comparisons)
    worse = next(change for change in content["changes"] if change["quantity"] == "PSNR" and change["fails"])
    assert (worse["codec"], worse["before"], worse["now"], worse["unit"]) == ("loss|y*", 30.0, 20.0, "dB")
    assert worse["text"] == "30.000 → 20.000 dB over 1 picture (-10.000 dB)"
    reasons = {change["detail"]["reason"] for change in content["changes"] if change["kind"] == "time"}
    assert reasons == {"too_few_samples", "no_calibration"}
    (failed,) = (change["detail"] for change in content["changes"] if change["kind"] == "coding")
    assert (failed["kind"], failed["reason"]) == ("measure", NASTY)
    assert content["diagnoses"]["net"]["kind"] == "fails"


def test_json_writes_infinity_as_the_records_do() -> None:
    now, before = run(rows(1, psnr_db=float("inf"))), run(rows(1), "before")
    content = json.loads(as_json.render(compare(now, before)))
    (change,) = (change for change in content["changes"] if change["quantity"] == "PSNR")
    assert (change["before"], change["now"], change["detail"]["moved"]) == (30.0, "Infinity", "Infinity")


def test_points_and_quantities_with_equal_changes_share_a_row() -> None:
    outcome = compare(run(rows(psnr_db=29.0)), run(rows(), "before"))
    rows_shown = table.rows(outcome.changes)
    assert [row.points for row in rows_shown if row.quantities == ("PSNR",)] == [("0", "1", "2")]
    assert any(row.quantities == ("encode time", "decode time") for row in rows_shown)


def test_payload_and_estimate_share_the_row_of_the_stream() -> None:
    now = run(rows(1, stream_bytes=1100, payload_bits=8800, estimated_bits=8700.0))
    outcome = compare(now, run(rows(1, estimated_bits=8000.0), "before"))
    assert {"stream bytes", "payload", "estimated rate"} <= {change.quantity.name for change in outcome.changes}
    shown = {row.cells[3]: row.sentence for row in table.rows(outcome.changes)}
    assert not {"payload", "estimated rate"} & set(shown)
    assert shown["stream bytes"].endswith("; payload +10.00 %, estimated rate +8.75 %")
    apart = compare(run(rows(1, payload_bits=7000)), run(rows(1), "before"))
    assert "payload" in {row.cells[3] for row in table.rows(apart.changes)}


def test_the_headline_counts_what_was_not_comparable_apart() -> None:
    outcome = compare(run(rows(1)), run(rows(1), "before"))
    assert outcome_text.headline(outcome) == "Passed: 7 same. 2 not comparable, which have not passed."
