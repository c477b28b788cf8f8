"""An outcome as Markdown, for a pull request: diagnoses, the worst changes, everything else folded."""

from __future__ import annotations

from collections.abc import Sequence

from lic_bench.check import diagnosis_text, outcome_text
from lic_bench.check.outcome import Outcome, Verdict
from lic_bench.check.table import HEADS, OutcomeRow, rows

SHOWN = 12
"""Rows of the first table; the rest is folded."""

_SIGNS = {
    Verdict.FAILED: "❌", Verdict.GONE: "❌", Verdict.WORSE: "❌", Verdict.CHANGED: "🔶",
    Verdict.NOT_COMPARABLE: "⚪", Verdict.BETTER: "✅", Verdict.NEW: "🆕", Verdict.SAME: "✅",
}  # fmt: skip


def render(outcome: Outcome) -> str:
    """The outcome, a diagnosis per codec, worst first; everything that is fine is folded."""
    lines = [
        f"## {'❌' if outcome.failed else '✅'} lic-bench check",
        "",
        f"**{_plain(outcome_text.headline(outcome))}**",
        "",
    ]
    lines += [f"`{_code(outcome.run)}` against `{_code(outcome.baseline)}`", ""]
    diagnoses = {codec: diagnosis_text.sentence(diagnosis) for codec, diagnosis in outcome.diagnoses.items()}
    lines += [f"- **{_plain(codec)}**: {_plain(sentence)}" for codec, sentence in diagnoses.items()]
    lines += [""] if diagnoses else []
    first = [c for c in outcome.changes if c.fails or c.verdict is Verdict.CHANGED]
    rest = [c for c in outcome.changes if c not in first and c.verdict is not Verdict.NOT_COMPARABLE]
    apart = [c for c in outcome.changes if c not in first and c.verdict is Verdict.NOT_COMPARABLE]
    same = [change for change in outcome.comparisons if change.verdict is Verdict.SAME]
    worst = rows(first)
    lines += _table(worst[:SHOWN])
    lines += _folded(f"{len(worst) - SHOWN} more", worst[SHOWN:])
    lines += _folded(f"{len(rest)} better or new", rows(rest))
    lines += _folded(f"{len(apart)} not comparable (these have not passed)", rows(apart))
    lines += _folded(f"{len(same)} the same", rows(same))
    lines += [_plain(outcome_text.note(note)) + "\n" for note in outcome.notes]
    lines += [outcome_text.advice(outcome)] if outcome.failed else []
    return "\n".join(lines).rstrip() + "\n"


def _table(rows: Sequence[OutcomeRow]) -> list[str]:
    """A pipe table, or nothing where there are no rows."""
    if not rows:
        return []
    lines = [HEADS, ["---"] * len(HEADS), *map(_cells, rows)]
    return ["| " + " | ".join(line) + " |" for line in lines] + [""]


def _folded(title: str, rows: Sequence[OutcomeRow]) -> list[str]:
    if not rows:
        return []
    return [f"<details><summary>{title}</summary>", "", *_table(rows), "</details>", ""]


def _cells(row: OutcomeRow) -> list[str]:
    verdict, *others = (_plain(cell).replace("|", "\\|") for cell in row.cells)
    return [f"{_SIGNS[row.verdict]} {verdict}", *others]


def _plain(content: str) -> str:
    """Text that Markdown shows as it is: on one line, no tags, no emphasis."""
    content = outcome_text.printable(content)
    for mark in "\\`*_[]":
        content = content.replace(mark, "\\" + mark)
    return content.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _code(content: str) -> str:
    return outcome_text.printable(content).replace("`", "'")
