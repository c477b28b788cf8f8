"""Which kind of change to a codec moves just the quantities that moved. Values only; `diagnosis_text` writes them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from lic_bench.check.details import LayersDetail
from lic_bench.check.outcome import Change, Diagnosis, DiagnosisKind, Figure, Verdict
from lic_bench.check.quantity import RATES, SCORES, QuantityKind
from lic_bench.records import Call

MOVED = (Verdict.WORSE, Verdict.BETTER, Verdict.CHANGED, Verdict.GONE)
SAME_RATE = 1e-7
"""Estimated rates that differ by less than this share are the same: the rest is rounding of sums."""


@dataclass(frozen=True)
class _CodecChanges:
    """The comparisons of one codec, and those among them that moved, worst first."""

    every: Sequence[Change]
    moved: Sequence[Change]

    def of(self, *kinds: QuantityKind) -> list[Change]:
        """What moved of some kinds of quantities."""
        return [change for change in self.moved if change.quantity.kind in kinds]

    @property
    def same_macs(self) -> bool:
        """Whether MACs were counted and did not change."""
        counted = any(change.quantity.kind is QuantityKind.MACS for change in self.every)
        return counted and not self.of(QuantityKind.MACS)


def of_codecs(changes: Iterable[Change]) -> dict[str, Diagnosis]:
    """A diagnosis for every codec of which something changed."""
    by_codec: dict[str, list[Change]] = {}
    for change in changes:
        if change.codec:
            by_codec.setdefault(change.codec, []).append(change)
    found = {codec: diagnose(some) for codec, some in by_codec.items()}
    return {codec: diagnosis for codec, diagnosis in found.items() if diagnosis is not None}


def diagnose(changes: Sequence[Change]) -> Diagnosis | None:
    """What the changes of one codec have in common; None where nothing moved.

    The first that fits: it fails; it is not there; other weights, with layers or without; channels exchanged; layers;
    bytes that no likelihood explains; rate and quality, or one of them; bits; times or memory alone.
    """
    moved = sorted((change for change in changes if change.verdict in MOVED), key=lambda change: change.rank)
    failed = [change for change in changes if change.verdict is Verdict.FAILED]
    if failed:
        return Diagnosis(DiagnosisKind.FAILS, (failed[0],))
    if not moved:
        return None
    seen = _CodecChanges(changes, moved)
    rules: tuple[Callable[[_CodecChanges], Diagnosis | None], ...] = (
        _not_measured, _weights, _channels, _layers, _bytes, _rate_and_quality, _bits,
    )  # fmt: skip
    times = seen.of(QuantityKind.TIME)
    for rule in rules:
        if diagnosis := rule(seen):
            return replace(diagnosis, same_macs=seen.same_macs, time=times[0] if times else None)
    return _times(seen) or Diagnosis(DiagnosisKind.OTHER, tuple(moved))


def _not_measured(seen: _CodecChanges) -> Diagnosis | None:
    absent = seen.of(QuantityKind.CODEC, QuantityKind.OPERATING_POINT, QuantityKind.PICTURES)
    return Diagnosis(DiagnosisKind.NOT_MEASURED, tuple(absent)) if absent else None


def _weights(seen: _CodecChanges) -> Diagnosis | None:
    weights = seen.of(QuantityKind.WEIGHTS)
    if not weights:
        return None
    layers = _layers(seen)
    return replace(layers, other_weights=True) if layers else Diagnosis(DiagnosisKind.OTHER_WEIGHTS, (weights[0],))


def _channels(seen: _CodecChanges) -> Diagnosis | None:
    orders = seen.of(QuantityKind.CHANNEL_ORDER)
    return Diagnosis(DiagnosisKind.CHANNELS_EXCHANGED, (orders[0],)) if orders else None


def _layers(seen: _CodecChanges) -> Diagnosis | None:
    """Changed MACs: of coding rather than of the forward pass, of a doubled layer rather than of others."""
    counted = [change for change in seen.of(QuantityKind.MACS) if isinstance(change.detail, LayersDetail)]
    if not counted:
        return None
    coding = [change for change in counted if change.quantity.call is not Call.FORWARD] or counted
    first = next((change for change in coding if _is_doubled(change)), coding[0])
    return Diagnosis(DiagnosisKind.LAYERS_CHANGED, (first, *seen.of(*RATES)[:1], *seen.of(*SCORES)[:1]))


def _is_doubled(change: Change) -> bool:
    return isinstance(change.detail, LayersDetail) and any(event.is_doubled for event in change.detail.events)


def _bytes(seen: _CodecChanges) -> Diagnosis | None:
    """Bitstreams of another length although the network expects the same bits: the coder or the container."""
    expected = [change for change in seen.every if change.quantity.kind is QuantityKind.ESTIMATED_RATE]
    lengths = [change for change in seen.every if change.quantity.kind is QuantityKind.STREAM_BYTES]
    lengths = [change for change in lengths if change.before != change.now]
    if not lengths or not expected or not all(_same_rate(change.before, change.now) for change in expected):
        return None
    return Diagnosis(DiagnosisKind.BYTES_CHANGED, (lengths[0], *seen.of(*SCORES)[:1]))


def _same_rate(before: Figure, now: Figure) -> bool:
    if not isinstance(before, int | float) or not isinstance(now, int | float):
        return False
    return math.isclose(before, now, rel_tol=SAME_RATE)


def _rate_and_quality(seen: _CodecChanges) -> Diagnosis | None:
    rates, scores = seen.of(*RATES), seen.of(*SCORES)
    if rates and scores:
        return Diagnosis(DiagnosisKind.RATE_AND_QUALITY, (rates[0], scores[0]))
    if scores:
        return Diagnosis(DiagnosisKind.QUALITY, (scores[0],))
    return Diagnosis(DiagnosisKind.RATE, (rates[0],)) if rates else None


def _bits(seen: _CodecChanges) -> Diagnosis | None:
    bits = seen.of(QuantityKind.BIT_BY_BIT)
    return Diagnosis(DiagnosisKind.BITS, (bits[0],)) if bits else None


def _times(seen: _CodecChanges) -> Diagnosis | None:
    """The worst of each call's times, and a call whose time is the same."""
    times = seen.of(QuantityKind.TIME)
    if not times:
        return None
    worst = {change.quantity.call: change for change in reversed(times)}
    same = [
        change
        for change in seen.every
        if change.quantity.kind is QuantityKind.TIME
        and change.verdict is Verdict.SAME
        and change.quantity.call not in worst
    ]
    return Diagnosis(
        DiagnosisKind.TIMES, tuple(worst.values()), same_macs=seen.same_macs, same_time=same[0] if same else None
    )
