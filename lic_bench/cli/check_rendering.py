"""What `lic-bench check` prints and writes: results on standard output, remarks on standard error."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from lic_bench.assets.files import atomic_write
from lic_bench.check import as_json, baseline, diagnosis_text, junit, limits, markdown, outcome_text
from lic_bench.check import table as tables
from lic_bench.check.baseline import StoredRun
from lic_bench.check.compare import compare
from lic_bench.check.outcome import Outcome, Verdict
from lic_bench.cli.terminal import standard_output
from lic_bench.errors import RequestError

_COLOURS = {
    Verdict.FAILED: "red", Verdict.GONE: "red", Verdict.WORSE: "red", Verdict.CHANGED: "yellow",
    Verdict.NOT_COMPARABLE: "yellow", Verdict.BETTER: "green", Verdict.NEW: "cyan", Verdict.SAME: "green",
}  # fmt: skip
_RENDER = {"json": as_json.render, "markdown": markdown.render, "junit": junit.render}


def check(
    run: Path, against: Path, limits_file: Path | None, form: str, files: Mapping[str, Path | None], update: bool
) -> bool:
    """Check, print, write the files asked for; whether the check failed. An update that was made has not failed.

    `form` is "table", "json", "markdown" or "junit"; `files` says by form where further ones are written.
    """
    limit_set = limits.read(limits_file) if limits_file else None
    now = baseline.read(run)
    if update:
        baseline.require_place(against)
        baseline.require_complete(now)
        if not against.exists():
            baseline.write(now, against)
            _remark(f"There was no baseline; {against} is it now, with {len(now.measured)} rows of {now.name}.")
            return False
    before = baseline.read(against)
    outcome = compare(now, before, limit_set)
    if form == "table":
        table(outcome)
    else:
        print(_RENDER[form](outcome), end="" if form != "json" else "\n")
    for name, file in files.items():
        if file is not None:
            _write(file, _RENDER[name](outcome))
    if not update:
        return outcome.failed
    _update(now, before, outcome, against)
    return False


def table(outcome: Outcome) -> None:
    """Diagnoses, then every change, worst first, then the verdict and what to do."""
    out = standard_output()
    for note in outcome.notes:
        out.print(Text(outcome_text.note(note)), soft_wrap=True)
    out.print(Text(f"{outcome.run} against {outcome.baseline}"), soft_wrap=True)
    out.print()
    for codec, diagnosis in outcome.diagnoses.items():
        sentence = outcome_text.printable(diagnosis_text.sentence(diagnosis))
        out.print(Text.assemble((codec, "bold"), ": ", sentence), soft_wrap=True)
    if outcome.diagnoses:
        out.print()
    _changes(outcome, out)
    out.print(
        Text(outcome_text.headline(outcome), style="bold red" if outcome.failed else "bold green"), soft_wrap=True
    )
    if outcome.failed:
        out.print(Text(outcome_text.advice(outcome)), soft_wrap=True)


def _changes(outcome: Outcome, out: Console) -> None:
    """Changes as a table; nothing where there are none."""
    rows = tables.rows(outcome.changes)
    if not rows:
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    for head in tables.HEADS:
        table.add_column(head, overflow="fold")
    for row in rows:
        verdict, *cells = (Text(outcome_text.printable(cell)) for cell in row.cells)
        verdict.stylize(_COLOURS[row.verdict])
        table.add_row(verdict, *cells)
    out.print(table)
    out.print()


def _update(now: StoredRun, before: StoredRun, outcome: Outcome, place: Path) -> None:
    """Write the new baseline. What changed was printed above, to be reviewed."""
    baseline.write(now, place)
    number = len(outcome.changes)
    _remark(
        f"{place} is the run {now.name} now ({now.header.started}) and no longer that of {before.header.started}; "
        f"the {number} change{'s' * (number != 1)} above are accepted with it."
    )


def _remark(sentence: str) -> None:
    Console(stderr=True, highlight=False).print(Text(sentence), soft_wrap=True)


def _write(file: Path, content: str) -> None:
    try:
        atomic_write(file, content)
    except OSError as error:
        raise RequestError(f"{file} cannot be written: {error.strerror}.") from error
