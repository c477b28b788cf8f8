"""A diagnosis in a sentence or two."""

from __future__ import annotations

import math

from lic_bench.check import text
from lic_bench.check.details import LayerEventKind, LayersDetail, MovementDetail
from lic_bench.check.outcome import Change, Diagnosis, DiagnosisKind, Verdict
from lic_bench.check.quantity import SCORES, QuantityKind
from lic_bench.records import Call

_DOING = {Call.FORWARD: "the forward pass", Call.ENCODE: "encoding", Call.DECODE: "decoding"}


def sentence(diagnosis: Diagnosis) -> str:
    """What changed in the codec, and where to look."""
    said = _kind(diagnosis)
    if diagnosis.other_weights:
        said += " It runs with other weights, too."
    if diagnosis.time is not None:
        said += f" {diagnosis.time.quantity.name.capitalize()} moved as well ({_brief(diagnosis.time)})."
    return said


def _kind(diagnosis: Diagnosis) -> str:
    first = diagnosis.evidence[0]
    match diagnosis.kind:
        case DiagnosisKind.FAILS:
            where = f" at {first.point}" if first.point else ""
            return f"It does not code any more{where}: {text.sentence(first).rstrip('.')}."
        case DiagnosisKind.NOT_MEASURED:
            return (
                "It was not measured, in whole or in part: see what the run asked for and whether something stopped it."
            )
        case DiagnosisKind.OTHER_WEIGHTS:
            return "It runs with other weights: it is another model, which may explain all that follows."
        case DiagnosisKind.CHANNELS_EXCHANGED:
            return (
                f"The colour channels were exchanged ({first.before} → {first.now}): look where pictures become "
                "tensors and tensors pictures."
            )
        case DiagnosisKind.LAYERS_CHANGED:
            return _layers(diagnosis)
        case DiagnosisKind.BYTES_CHANGED:
            return _bytes(diagnosis)
        case DiagnosisKind.RATE_AND_QUALITY:
            same = ", while the work is the same" if diagnosis.same_macs else ""
            moved = ", ".join(map(_brief, diagnosis.evidence))
            return (
                f"Rate and quality moved together ({moved}){same}: look at the quantiser, and at the numbers inside "
                "the layers."
            )
        case DiagnosisKind.QUALITY:
            return f"The same bits decode to another picture ({_brief(first)}): look at synthesis and rounding."
        case DiagnosisKind.RATE:
            return f"The same picture costs other bits ({_brief(first)}): look at the entropy model and its tables."
        case DiagnosisKind.BITS:
            return "Every figure is within its limit, but streams or pictures are not the same bit by bit."
        case DiagnosisKind.TIMES:
            return _times(diagnosis)
        case DiagnosisKind.OTHER:
            names = ", ".join(dict.fromkeys(change.quantity.name for change in diagnosis.evidence))
            return f"Only this moved: {names}."


def _layers(diagnosis: Diagnosis) -> str:
    first, *follows = diagnosis.evidence
    events = first.detail.events if isinstance(first.detail, LayersDetail) else ()
    doubled = any(event.is_doubled for event in events)
    layers = [text.layer_event(event) for event in events]
    if events and events[0].kind is LayerEventKind.DUPLICATED:
        layers[0] = text.duplicates(events[0])
    what = "A layer is there twice" if doubled else "The network was changed"
    call = first.quantity.call.value if first.quantity.call else "coding"
    where = f"in {first.part or 'several places'} of {call}"
    said = f"{what}, {where}: {'; '.join(layers) or text.sentence(first)}."
    return f"{said} With it: {', '.join(map(_brief, follows))}." if follows else said


def _bytes(diagnosis: Diagnosis) -> str:
    lengths = diagnosis.evidence[0]
    pictures = lengths.detail.pictures if isinstance(lengths.detail, MovementDetail) else 1
    each = _moved(lengths) / pictures
    number = "1 byte" if abs(each) == 1 else f"{abs(each):.3g} bytes"
    suffers = any(change.quantity.kind in SCORES for change in diagnosis.evidence)
    return (
        f"Streams are {number} {'longer' if each > 0 else 'shorter'} per picture while the network expects exactly the "
        "same bits: bytes were dropped or added by the entropy coder or the container"
        + (", and the picture suffers." if suffers else ".")
    )


def _times(diagnosis: Diagnosis) -> str:
    slower = " and ".join(
        f"{_doing(change)} takes {1 + (change.share or 0):.2f} times as long" for change in diagnosis.evidence
    )
    same = f"; {_doing(diagnosis.same_time)} takes as long as before" if diagnosis.same_time else ""
    macs = "; the work is the same: it is the code, not the network" if diagnosis.same_macs else ""
    return f"{slower[0].upper()}{slower[1:]}{same}{macs}."


def _doing(change: Change) -> str:
    return _DOING[change.quantity.call] if change.quantity.call else change.quantity.name


def _brief(change: Change) -> str:
    """A movement in a few words."""
    name = change.quantity.name
    if change.verdict is Verdict.GONE:
        return f"{name} gone"
    if change.quantity.kind is QuantityKind.PSNR and math.isfinite(_moved(change)):
        return f"{name} {_moved(change):+.2f} dB"
    if change.share is None:
        return f"{name} {change.before} → {change.now}"
    return f"{name} {change.share * 100:+.1f} %"


def _moved(change: Change) -> float:
    before, now = change.before, change.now
    return now - before if isinstance(before, int | float) and isinstance(now, int | float) else math.nan
