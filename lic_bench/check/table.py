"""An outcome as rows of a table, for the terminal, Markdown and the pytest plug-in alike."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass

from lic_bench.check import outcome_text, text
from lic_bench.check.outcome import Change, Verdict
from lic_bench.check.quantity import RATES, QuantityKind

Shown = tuple[Change, tuple[Change, ...]]
"""A change, and rates that are shown in its row."""

HEADS = ("verdict", "codec", "point", "quantity", "part", "what")


@dataclass(frozen=True)
class OutcomeRow:
    """One or several changes of a codec that differ only in operating point or quantity.

    `codec` is empty for the whole run; `part` is a part of the network or a picture, "" for all of them.
    """

    verdict: Verdict
    fails: bool
    codec: str
    points: tuple[str, ...]
    quantities: tuple[str, ...]
    part: str
    sentence: str

    @property
    def cells(self) -> tuple[str, ...]:
        """The text below each of HEADS."""
        return (
            outcome_text.verdict(self.verdict, self.fails),
            self.codec or "run",
            " ".join(filter(None, self.points)),
            ", ".join(self.quantities),
            self.part,
            self.sentence,
        )


def rows(changes: Iterable[Change]) -> list[OutcomeRow]:
    """Changes as rows; operating points, then quantities, that share all else share a row."""
    points: dict[Hashable, list[Shown]] = {}
    for shown in _rates_together(list(changes)):
        change, rates = shown
        points.setdefault((_shared(change), change.quantity, rates), []).append(shown)
    quantities: dict[Hashable, list[list[Shown]]] = {}
    for group in points.values():
        change, rates = group[0]
        # A sentence about figures belongs to its kind of quantity; why nothing was compared belongs to none.
        kind = None if change.not_compared else change.quantity.kind
        key = (_shared(change), kind, rates, tuple(change.point for change, _ in group))
        quantities.setdefault(key, []).append(group)
    return [_row(groups) for groups in quantities.values()]


def _row(groups: Sequence[Sequence[Shown]]) -> OutcomeRow:
    """A row of groups by quantity, each of changes by operating point."""
    change, rates = groups[0][0]
    beside = ", ".join(f"{rate.quantity.name} {(rate.share or 0) * 100:+.2f} %" for rate in rates)
    return OutcomeRow(
        change.verdict,
        change.fails,
        change.codec,
        tuple(each.point for each, _ in groups[0]),
        tuple(dict.fromkeys(group[0][0].quantity.name for group in groups)),
        change.part or change.picture,
        "; ".join(filter(None, (text.sentence(change), beside))),
    )


def _shared(change: Change) -> Hashable:
    """What changes of one row have in common."""
    return (
        change.codec, change.verdict, change.fails, change.part, change.picture, change.before, change.now,
        change.unit, change.share, change.detail,
    )  # fmt: skip


def _rates_together(changes: Sequence[Change]) -> list[Shown]:
    """Each change with those shown beside it: payload and estimated rate that moved as the bitstream's length did."""
    rates: dict[tuple[str, str, QuantityKind, Verdict], Change] = {
        (change.codec, change.point, change.quantity.kind, change.verdict): change
        for change in changes
        if change.quantity.kind in RATES and not change.picture and change.verdict is not Verdict.SAME
    }
    kept: list[Shown] = []
    for change in changes:
        stream, *others = (rates.get((change.codec, change.point, kind, change.verdict)) for kind in RATES)
        beside = tuple(other for other in others if other is not None)
        if stream is change:
            kept.append((change, beside))
        elif stream is None or not any(change is other for other in beside):
            kept.append((change, ()))
    return kept
