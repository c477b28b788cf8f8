"""The words for a whole outcome: its headline, its notes, and what to do next."""

from __future__ import annotations

from lic_bench.check.outcome import CheckNote, CheckNoteKind, Outcome, Verdict


def headline(outcome: Outcome) -> str:
    """The outcome in one line; what could not be compared is counted apart."""
    counts = outcome.counts
    apart = counts.pop(Verdict.NOT_COMPARABLE, 0)
    numbers = ", ".join(f"{number} {verdict.value}" for verdict, number in counts.items())
    beside = f" {apart} not comparable, which have not passed." if apart else ""
    return f"{'Failed' if outcome.failed else 'Passed'}: {numbers or 'nothing was compared'}.{beside}"


def advice(outcome: Outcome) -> str:
    """What to do next; empty for an outcome that passed."""
    if not outcome.failed:
        return ""
    return "If these changes are meant, the same command with --update makes this run the baseline file."


def note(said: CheckNote) -> str:
    """A note in a sentence."""
    match said.kind:
        case CheckNoteKind.NEWEST_FINISHED:
            return f"The newest finished run below {said.place} is {said.subject}."
        case CheckNoteKind.NEWER_UNFINISHED:
            return f"A newer run below {said.place} is not finished and was passed over: {said.subject}."
        case CheckNoteKind.BASELINE_UNFINISHED:
            return f"The baseline {said.subject} was never finished; what it lacks is reported as new."
        case CheckNoteKind.SAME_RUN:
            return "This is the very run that the baseline was made of, so nothing can have moved."
        case CheckNoteKind.UNUSED_LIMITS:
            return f'The limits for [codec."{said.subject}"] concern no codec of the run or the baseline.'


def verdict(change_verdict: Verdict, fails: bool) -> str:
    """The verdict as a word; one that fails although its verdict alone would not says so."""
    plain = change_verdict in (Verdict.CHANGED, Verdict.NOT_COMPARABLE)
    return f"{change_verdict.value} (fails)" if fails and plain else change_verdict.value


def printable(text: str) -> str:
    """Text on one line without control characters: a reason may be anything that a codec gave as its own."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())
