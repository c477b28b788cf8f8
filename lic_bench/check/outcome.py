"""What a check finds: a verdict per quantity, with a sentence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

Figure = float | int | str | None


class Verdict(StrEnum):
    """What became of one quantity. The order is that of a report: worst first."""

    FAILED = "failed"
    GONE = "gone"
    WORSE = "worse"
    CHANGED = "changed"
    NOT_COMPARABLE = "not comparable"
    BETTER = "better"
    NEW = "new"
    SAME = "same"


FAILING = (Verdict.FAILED, Verdict.GONE, Verdict.WORSE)
NO_COMPARISON = (Verdict.NOT_COMPARABLE, Verdict.NEW, Verdict.GONE, Verdict.FAILED)
"""Verdicts of what has no figure on one side or the other, or none that can be set beside it."""
RANK = {verdict: rank for rank, verdict in enumerate(Verdict)}


@dataclass(frozen=True)
class Change:
    """One quantity of one operating point beside the baseline's.

    `codec` is empty for what concerns the whole run, `point` for a whole codec, `picture` for all pictures, `part`
    where a quantity has none. `before` and `now` are in `unit`. `share` is the relative movement, 0.1 for ten per
    cent, None where that means nothing. `fails` says whether a check with this change fails.
    """

    codec: str
    point: str
    quantity: str
    verdict: Verdict
    sentence: str
    picture: str = ""
    part: str = ""
    before: Figure = None
    now: Figure = None
    unit: str = ""
    share: float | None = None
    fails: bool = False
    detail: Mapping[str, Figure] = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        """Whether it was compared and is no reason to fail; what could not be compared has not passed."""
        return not self.fails and self.verdict is not Verdict.NOT_COMPARABLE

    @property
    def rank(self) -> tuple[bool, int, float]:
        """Worst first: what fails, then by verdict, then by how far it moved."""
        return not self.fails, RANK[self.verdict], -abs(self.share or 0.0)


def found(
    where: tuple[str, str], quantity: str, verdict: Verdict, sentence: str, fails: bool | None = None, **more: object
) -> Change:
    """A change at (codec, point) that fails where its verdict says so, unless `fails` decides."""
    decided = verdict in FAILING if fails is None else fails
    return Change(*where, quantity, verdict, sentence, fails=decided, **more)  # type: ignore[arg-type]


def counted(number: int, thing: str) -> str:
    """ "1 picture", "2 pictures"."""
    return f"{number} {thing}{'s' * (number != 1)}"


@dataclass(frozen=True)
class Outcome:
    """Every comparison of a check. `diagnoses` has a sentence for each codec of which something changed."""

    run: str
    baseline: str
    comparisons: tuple[Change, ...]
    diagnoses: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def changes(self) -> tuple[Change, ...]:
        """What is not the same, worst first."""
        return tuple(sorted((c for c in self.comparisons if c.verdict is not Verdict.SAME), key=lambda c: c.rank))

    @property
    def failed(self) -> bool:
        """Whether something got worse, vanished, failed, or nothing was compared at all."""
        return any(change.fails for change in self.comparisons)

    @property
    def counts(self) -> dict[Verdict, int]:
        """How many comparisons ended with each verdict, worst first; those that never occurred are left out."""
        counted = Counter(change.verdict for change in self.comparisons)
        return {verdict: counted[verdict] for verdict in Verdict if counted[verdict]}

    @property
    def headline(self) -> str:
        """The outcome in one line; what could not be compared is counted apart."""
        counts = self.counts
        apart = counts.pop(Verdict.NOT_COMPARABLE, 0)
        told = ", ".join(f"{number} {verdict.value}" for verdict, number in counts.items())
        beside = f" {apart} not comparable, which have not passed." if apart else ""
        return f"{'Failed' if self.failed else 'Passed'}: {told or 'nothing was compared'}.{beside}"

    def as_markdown(self) -> str:
        """For a pull request: worst first, details folded."""
        from lic_bench.check import written

        return written.markdown(self)

    def as_json(self) -> str:
        """Everything, for programs."""
        from lic_bench.check import written

        return written.to_json(self)

    def as_junit(self) -> str:
        """JUnit XML, a test case per comparison; what is not comparable is skipped."""
        from lic_bench.check import written

        return written.junit(self)
