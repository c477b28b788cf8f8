"""A run beside its baseline, every quantity once."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase

from lic_bench.check import (
    channels,
    complexity,
    diagnosis,
    machines,
    memory,
    presence,
    rate_distortion,
    reproducibility,
    times,
)
from lic_bench.check.baseline import StoredRun
from lic_bench.check.details import RunProblem
from lic_bench.check.limits import LimitSet
from lic_bench.check.outcome import NO_COMPARISON, Change, CheckNote, CheckNoteKind, Outcome
from lic_bench.check.pairs import pairs
from lic_bench.errors import RequestError


def compare(now: StoredRun, before: StoredRun, limits: LimitSet | None = None) -> Outcome:
    """The outcome of checking `now` against `before`.

    RequestError for a baseline of quite another data set, and for figures that were imported.
    """
    _require_measured(before, now)
    _require_same_data(before, now)
    limits = limits or LimitSet()
    comparisons = list(_comparisons(now, before, limits))
    if all(not change.codec or change.verdict in NO_COMPARISON for change in comparisons):
        comparisons.append(presence.run_problem(now, RunProblem.NOTHING_COMPARED))
    notes = (*_notes(before, now), *_unused(limits, before, now), *now.notes)
    return Outcome(now.name, before.name, tuple(comparisons), diagnosis.of_codecs(comparisons), notes)


def _comparisons(now: StoredRun, before: StoredRun, limits: LimitSet) -> Iterator[Change]:
    yield from presence.compare(before, now)
    different = machines.different_for_times(before.header, now.header)
    same_bits = not machines.different_for_bits(before.header, now.header)
    both = pairs(before.measured, now.measured)
    for pair in both:
        mine = limits.of(pair.codec)
        yield from presence.weights(pair)
        yield from complexity.compare(pair, mine)
        yield from rate_distortion.compare(pair, mine, (*before.header.metrics, *now.header.metrics))
        if same_bits:
            yield reproducibility.bit_by_bit(pair, mine)
        yield from reproducibility.fresh_process(pair)
        yield from channels.compare(pair)
        yield from times.compare(pair, mine, different)
        yield from memory.compare(pair, mine, different)
    for codec in dict.fromkeys(pair.codec for pair in both):
        rows = [row for pair in both if pair.codec == codec for row in pair.rows]
        yield from rate_distortion.bd_rates(
            [old for old, _ in rows], [new for _, new in rows], limits.of(codec), now.header.cards
        )


def _require_same_data(before: StoredRun, now: StoredRun) -> None:
    """RequestError for a baseline that shares neither the data set's name nor a picture with the run."""
    shared = {picture.sha256 for picture in before.header.pictures} & {p.sha256 for p in now.header.pictures}
    if before.header.dataset != now.header.dataset and not shared:
        raise RequestError(
            f"The baseline {before.name} was measured on {before.header.dataset}, the run {now.name} on "
            f"{now.header.dataset}; they share no picture. Name a baseline of the same data set."
        )


def _require_measured(*runs: StoredRun) -> None:
    """RequestError for imported figures: they were measured elsewhere, on machines that are not recorded."""
    for run in runs:
        if run.header.imported_from:
            files = ", ".join(file.name for file in run.header.imported_from)
            raise RequestError(
                f"The figures in {run.name} were imported ({files}) and not measured by "
                "lic-bench; a check compares measured runs. `lic-bench report RUN --curve FILE` draws others beside it."
            )


def _notes(before: StoredRun, now: StoredRun) -> Iterator[CheckNote]:
    """What a reader must know of the baseline."""
    yield from before.notes
    if before.header.finished is None:
        yield CheckNote(CheckNoteKind.BASELINE_UNFINISHED, before.name)
    if before.header == now.header and before.rows == now.rows:
        yield CheckNote(CheckNoteKind.SAME_RUN)


def _unused(limits: LimitSet, *runs: StoredRun) -> Iterator[CheckNote]:
    """Limits for codecs that neither run has: perhaps a name was misspelt."""
    codecs = {row.codec for run in runs for row in run.rows}
    for pattern in limits.by_codec:
        if not any(fnmatchcase(codec, pattern) for codec in codecs):
            yield CheckNote(CheckNoteKind.UNUSED_LIMITS, pattern)
