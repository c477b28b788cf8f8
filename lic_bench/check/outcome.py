"""What a check finds: a change per quantity with its verdict, a diagnosis per codec, and notes. Values only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from lic_bench.check.details import Detail, NotCompared
from lic_bench.check.quantity import Quantity

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
    cent, None where that means nothing. `required` makes a change fail whose verdict alone would not. `detail` holds
    what else belongs to the finding.
    """

    codec: str
    point: str
    quantity: Quantity
    verdict: Verdict
    picture: str = ""
    part: str = ""
    before: Figure = None
    now: Figure = None
    unit: str = ""
    share: float | None = None
    required: bool = False
    detail: Detail | None = None

    @property
    def fails(self) -> bool:
        """Whether a check with this change fails."""
        return self.verdict in FAILING or (self.required and self.verdict is not Verdict.SAME)

    @property
    def not_compared(self) -> NotCompared | None:
        """Why it was not compared; None where it was."""
        return self.detail if isinstance(self.detail, NotCompared) else None

    @property
    def rank(self) -> tuple[bool, int, float]:
        """Worst first: what fails, then by verdict, then by how far it moved."""
        return not self.fails, RANK[self.verdict], -abs(self.share or 0.0)


class DiagnosisKind(StrEnum):
    """Which kind of change to a codec moves just the quantities that moved."""

    FAILS = "fails"
    NOT_MEASURED = "not_measured"
    OTHER_WEIGHTS = "other_weights"
    CHANNELS_EXCHANGED = "channels_exchanged"
    LAYERS_CHANGED = "layers_changed"
    BYTES_CHANGED = "bytes_changed"  # the entropy coder or the container: the expected rate is the same
    RATE_AND_QUALITY = "rate_and_quality"
    QUALITY = "quality"
    RATE = "rate"
    BITS = "bits"  # every figure is within its limit
    TIMES = "times"
    OTHER = "other"


@dataclass(frozen=True)
class Diagnosis:
    """What the changes of one codec have in common.

    `evidence` are the changes that show it, worst first, one of each sort. `other_weights` says that the weights
    changed beside the layers, `same_macs` that the MACs were counted and did not change. `time` is a time that moved
    as well, `same_time` one that did not.
    """

    kind: DiagnosisKind
    evidence: tuple[Change, ...]
    other_weights: bool = False
    same_macs: bool = False
    time: Change | None = None
    same_time: Change | None = None


class CheckNoteKind(StrEnum):
    """What a reader must know of the two runs."""

    NEWEST_FINISHED = "newest_finished"  # of a folder of runs, this one was taken
    NEWER_UNFINISHED = "newer_unfinished"  # of a folder of runs, this one was passed over
    BASELINE_UNFINISHED = "baseline_unfinished"
    SAME_RUN = "same_run"
    UNUSED_LIMITS = "unused_limits"


@dataclass(frozen=True)
class CheckNote:
    """One thing to know; `subject` is the run's name or the limits' pattern, `place` the folder of runs."""

    kind: CheckNoteKind
    subject: str = ""
    place: str = ""


@dataclass(frozen=True)
class Outcome:
    """Every comparison of a check. `diagnoses` has one for each codec of which something changed."""

    run: str
    baseline: str
    comparisons: tuple[Change, ...]
    diagnoses: Mapping[str, Diagnosis] = field(default_factory=dict)
    notes: tuple[CheckNote, ...] = ()

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
        number = Counter(change.verdict for change in self.comparisons)
        return {verdict: number[verdict] for verdict in Verdict if number[verdict]}
