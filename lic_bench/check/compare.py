"""A run beside its baseline, every quantity once."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase

from lic_bench.check import channels, diagnosis, machines, presence, quality, speed, work
from lic_bench.check.baseline import Kept
from lic_bench.check.limits import LimitBook
from lic_bench.check.outcome import NO_COMPARISON, Change, Outcome, Verdict, found
from lic_bench.check.pairs import pairs
from lic_bench.errors import RequestError


def compare(now: Kept, before: Kept, limits: LimitBook | None = None) -> Outcome:
    """The outcome of checking `now` against `before`.

    RequestError for a baseline of quite another data set, and for figures that were imported.
    """
    _require_measured(before, now)
    _require_same_subject(before, now)
    limits = limits or LimitBook()
    comparisons = list(_all(now, before, limits))
    counted = [change for change in comparisons if change.codec and change.verdict not in NO_COMPARISON]
    if not counted:
        comparisons.append(found(("", ""), "run", Verdict.FAILED, "nothing could be compared with the baseline"))
    notes = (*_notes(before, now), *_idle(limits, before, now), *now.notes)
    return Outcome(now.name, before.name, tuple(comparisons), diagnosis.of_codecs(comparisons), notes)


def _all(now: Kept, before: Kept, limits: LimitBook) -> Iterator[Change]:
    yield from presence.compare(before, now)
    other_machine = machines.different_for_times(before.header, now.header)
    same_bits = not machines.different_for_bits(before.header, now.header)
    both = pairs(before.measured, now.measured)
    for pair in both:
        mine = limits.of(pair.codec)
        yield from presence.weights(pair)
        yield from work.compare(pair, mine)
        yield from quality.compare(pair, mine, same_bits, (*before.header.metrics, *now.header.metrics))
        yield from channels.compare(pair)
        yield from speed.compare(pair, mine, other_machine)
    for codec in dict.fromkeys(pair.codec for pair in both):
        rows = [row for pair in both if pair.codec == codec for row in pair.rows]
        yield from quality.bd_rates([b for b, _ in rows], [n for _, n in rows], limits.of(codec), now.header.cards)


def _require_same_subject(before: Kept, now: Kept) -> None:
    """A baseline that shares neither the data set's name nor a picture was meant for something else."""
    shared = {picture.sha256 for picture in before.header.pictures} & {p.sha256 for p in now.header.pictures}
    if before.header.dataset != now.header.dataset and not shared:
        raise RequestError(
            f"The baseline {before.name} was measured on {before.header.dataset}, the run {now.name} on "
            f"{now.header.dataset}; they share no picture. Name a baseline of the same data set."
        )


def _require_measured(*runs: Kept) -> None:
    """What others measured, on machines nobody knows, is no run to be checked."""
    for run in runs:
        if run.header.imported_from:
            files = ", ".join(file.name for file in run.header.imported_from)
            raise RequestError(
                f"The figures in {run.name} were imported ({files}) and not measured by "
                "lic-bench; a check compares measured runs. `lic-bench report RUN --curve FILE` draws others beside it."
            )


def _notes(before: Kept, now: Kept) -> tuple[str, ...]:
    """What a reader must know of the baseline."""
    said = list(before.notes)
    if before.header.finished is None:
        said.append(f"The baseline {before.name} was never finished; what it lacks is reported as new.")
    if before.header == now.header and before.rows == now.rows:
        said.append("This is the very run that the baseline was made of, so nothing can have moved.")
    return tuple(said)


def _idle(limits: LimitBook, *runs: Kept) -> tuple[str, ...]:
    """Limits for codecs that neither run has: perhaps a name was misspelt."""
    codecs = {row.codec for run in runs for row in run.rows}
    return tuple(
        f'The limits for [codec."{pattern}"] concern no codec of the run or the baseline.'
        for pattern in limits.by_codec
        if not any(fnmatchcase(codec, pattern) for codec in codecs)
    )
