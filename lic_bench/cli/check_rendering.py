"""What `lic-bench check` prints and writes: results on standard output, remarks on standard error."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from lic_bench.check import baseline, limits, written
from lic_bench.check.baseline import Kept
from lic_bench.check.compare import compare
from lic_bench.check.outcome import Outcome, Verdict
from lic_bench.cli.rendering import standard_output
from lic_bench.errors import RequestError

_COLOURS = {
    Verdict.FAILED: "red", Verdict.GONE: "red", Verdict.WORSE: "red", Verdict.CHANGED: "yellow",
    Verdict.NOT_COMPARABLE: "yellow", Verdict.BETTER: "green", Verdict.NEW: "cyan", Verdict.SAME: "green",
}  # fmt: skip
_TEXTS = {"json": written.to_json, "markdown": written.markdown, "junit": written.junit}


def check(
    run: Path, against: Path, limits_file: Path | None, form: str, files: Mapping[str, Path | None], update: bool
) -> bool:
    """Check, print, write the files asked for; whether the check failed. An update that was made has not failed."""
    book = limits.read(limits_file) if limits_file else None
    now = baseline.read(run)
    if update:
        baseline.require_place(against)
        baseline.require_sound(now)
        if not against.exists():
            baseline.write(now, against)
            _say(f"There was no baseline; {against} is it now, with {len(now.measured)} rows of {now.name}.")
            return False
    before = baseline.read(against)
    outcome = compare(now, before, book)
    if form == "table":
        table(outcome)
    else:
        print(_TEXTS[form](outcome), end="" if form != "json" else "\n")
    for way, file in files.items():
        if file is not None:
            _write(file, _TEXTS[way](outcome))
    if update:
        return _updated(now, before, outcome, against)
    return outcome.failed


def table(outcome: Outcome) -> None:
    """Diagnoses, then every change, worst first, then the verdict and what to do."""
    out = standard_output()
    for note in outcome.notes:
        out.print(Text(note), soft_wrap=True)
    out.print(Text(f"{outcome.run} against {outcome.baseline}"), soft_wrap=True)
    out.print()
    for codec, told in outcome.diagnoses.items():
        out.print(Text.assemble((codec, "bold"), ": ", written.printable(told)), soft_wrap=True)
    if outcome.diagnoses:
        out.print()
    _changes(outcome, out)
    out.print(Text(outcome.headline, style="bold red" if outcome.failed else "bold green"), soft_wrap=True)
    if outcome.failed:
        out.print(Text(written.advice(outcome)), soft_wrap=True)


def _changes(outcome: Outcome, out: Console) -> None:
    """Changes as a table; nothing where there are none."""
    rows = written.rows(outcome.changes)
    if len(rows) == 1:
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    for head in rows[0]:
        table.add_column(head, overflow="fold")
    colours = {verdict.value: colour for verdict, colour in _COLOURS.items()}
    for word, *cells in rows[1:]:
        table.add_row(
            Text(word, style=colours[word.partition(" (")[0]]), *(Text(written.printable(cell)) for cell in cells)
        )
    out.print(table)
    out.print()


def _updated(now: Kept, before: Kept, outcome: Outcome, place: Path) -> bool:
    """Write the new baseline. What changed was printed above, to be reviewed."""
    baseline.write(now, place)
    number = len(outcome.changes)
    _say(
        f"{place} is the run {now.name} now ({now.header.started}) and no longer that of {before.header.started}; "
        f"the {number} change{'s' * (number != 1)} above are accepted with it."
    )
    return False


def _say(text: str) -> None:
    Console(stderr=True, highlight=False).print(Text(text), soft_wrap=True)


def _write(file: Path, text: str) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise RequestError(f"{file} cannot be written: {error.strerror}.") from error
