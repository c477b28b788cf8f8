"""Whether a check shows a run to be no worse than a baseline, and the lines that a test reports of it."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path

from lic_bench import api
from lic_bench.check import baseline as baselines
from lic_bench.check import text
from lic_bench.check.outcome import NO_COMPARISON, Change, Outcome, Verdict
from lic_bench.check.table import rows
from lic_bench.errors import LicBenchError


def compared(run: Path, baseline: Path, limits: Path | None, only: Collection[str]) -> Outcome:
    """The check of a run, narrowed to quantities by name or glob; what failed, vanished or is of no codec stays."""
    outcome = api.check_run(run, against=baseline, limits=limits)
    if not only:
        return outcome
    always = (Verdict.FAILED, Verdict.GONE)
    kept = (
        change
        for change in outcome.comparisons
        if not change.codec or change.verdict in always or any(_matches(change, name) for name in only)
    )
    return replace(outcome, comparisons=tuple(kept))


def problems(outcome: Outcome, only: Collection[str] = ()) -> list[str]:
    """Why an outcome does not show that a run is no worse: empty when it does.

    For each of the quantities in `only` something must have been compared; without them, anything at all.
    """
    comparisons = [each for each in outcome.comparisons if each.codec and each.verdict not in NO_COMPARISON]
    found = lines(change for change in outcome.changes if change.fails)
    lacking = [name for name in only if not any(_matches(each, name) for each in comparisons)]
    if lacking:
        there = ", ".join(dict.fromkeys(each.quantity.name for each in outcome.comparisons if each.codec)) or "nothing"
        found.append(f"Asked for and not compared: {', '.join(lacking)}. The check looked at {there}.")
    elif not comparisons and not found:
        found.append("Nothing could be compared.")
    return found + (uncompared(outcome) if lacking or not comparisons else [])


def lines(changes: Iterable[Change]) -> list[str]:
    """Changes as lines: whose, which quantity, of which part, and what became of it; points that agree share one."""
    return [
        f"{' '.join(filter(None, (codec, points)))}: {quantity}{f' of {part}' if part else ''}: {sentence}"
        for _, codec, points, quantity, part, sentence in (row.cells for row in rows(changes))
    ]


def uncompared(outcome: Outcome) -> list[str]:
    """What could not be compared and why, a line per reason; reasons that differ in numbers only share one."""
    alike: dict[Hashable, list[Change]] = {}
    for change in outcome.changes:
        if (why := change.not_compared) is not None:
            alike.setdefault((why.reason, why.facts, why.operators), []).append(change)
    return [_reason(changes) for changes in alike.values()]


def summary(outcome: Outcome, only: Collection[str] = ()) -> str:
    """An outcome in a line, and a line for each reason why something could not be compared."""
    verdict = "not shown to be no worse than" if problems(outcome, only) else "no worse than"
    counts = ", ".join(f"{number} {verdict.value}" for verdict, number in outcome.counts.items())
    return "\n    ".join([f"{verdict} {outcome.baseline}: {counts or 'nothing'}.", *uncompared(outcome)])


def review(outcome: Outcome) -> list[str]:
    """Everything that moved, for whoever makes the run the new baseline."""
    return lines(change for change in outcome.changes if change.verdict is not Verdict.NOT_COMPARABLE)


def update(baseline: Path, runs: Sequence[Path], failed: Sequence[str]) -> tuple[bool, str]:
    """Make a run the new baseline; whether it was written, and a sentence.

    `runs` are the folders of all runs that were compared with it: they must be of the same jobs, as those of several
    processes are. `failed` names the tests among those that compared it that failed: with one, nothing is written.
    """
    if failed:
        return False, f"{baseline} was not written, since a test of its run failed: {', '.join(failed)}."
    try:
        baselines.require_place(baseline)
        first, *others = (baselines.read(run) for run in runs)
        if any((run.header.jobs, run.header.pictures) != (first.header.jobs, first.header.pictures) for run in others):
            why = "different runs were compared with it; give each a baseline of its own: no_worse(than=PATH)"
            return False, f"{baseline} was not written: {why}."
        baselines.require_complete(first)
        baselines.write(first, baseline)
    except LicBenchError as error:
        return False, str(error)
    return True, f"{baseline} was written: the new baseline."


def _reason(changes: Sequence[Change]) -> str:
    quantities = ", ".join(dict.fromkeys(change.quantity.name for change in changes))
    others = f" (and {len(changes) - 1} like it)" if len(changes) > 1 else ""
    return f"Not comparable: {quantities}: {text.sentence(changes[0]).rstrip('.')}{others}."


def _matches(change: Change, name: str) -> bool:
    return fnmatchcase(change.quantity.name.lower(), name.lower())
