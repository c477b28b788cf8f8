"""The words for a change: the one place where it becomes a sentence, for terminal, files and pytest alike."""

from __future__ import annotations

import math
from collections.abc import Callable

from lic_bench.check import time_text
from lic_bench.check.details import (
    AgreementDetail,
    BitsDetail,
    ChannelsDetail,
    FactChange,
    FailureDetail,
    LayerEvent,
    LayerEventKind,
    LayersDetail,
    MovementDetail,
    NotComparable,
    NotCompared,
    PictureCount,
    RunDetail,
    RunProblem,
    TimeDetail,
    WeightsChange,
    WeightsDetail,
)
from lic_bench.check.outcome import Change, Figure, Verdict
from lic_bench.check.quantity import RATES, QuantityKind
from lic_bench.records import FailureKind, Training

SHA_DIGITS = 12
"""Digits of a sha256 that are shown."""

_FORMS = {QuantityKind.PSNR: ".3f", QuantityKind.MS_SSIM: ".5f", QuantityKind.SCORE: ".5g"}


def sentence(change: Change) -> str:
    """What became of one quantity: its figures before and now, and what the finding knows beside them."""
    match change.detail:
        case NotCompared() as detail:
            return not_compared(change, detail)
        case RunDetail() as detail:
            return _run(detail)
        case FailureDetail() as detail:
            return _failure(detail)
        case WeightsDetail() as detail:
            return _weights(change, detail)
        case LayersDetail() as detail:
            return _macs(change, detail)
        case MovementDetail() as detail:
            return _movement(change, detail)
        case BitsDetail() as detail:
            return _bits(detail)
        case AgreementDetail() as detail:
            before, now = detail.before.text, detail.now.text
            moved = f"{now}, as before" if detail.before == detail.now else f"{before} → {now}"
            return f"what another process makes of the stream: {moved}"
        case ChannelsDetail() as detail:
            return _channels(change, detail)
        case TimeDetail() as detail:
            return time_text.measured(change, detail)
        case PictureCount(pictures=pictures):
            return _pictures(change, pictures)
        case None:
            return _FIGURES.get(change.quantity.kind, _figures)(change)


def not_compared(change: Change, detail: NotCompared) -> str:
    """Why a quantity was not compared, and what to do where something can be done."""
    match detail.reason:
        case NotComparable.OTHER_MACHINE:
            return "another machine: " + "; ".join(map(fact, detail.facts))
        case NotComparable.NOT_MEASURED:
            return "it was not measured in this run"
        case NotComparable.NOT_TIMED:
            return "it was not timed in this run; raise --timing-budget and --timing-repeats"
        case NotComparable.BUSY_MACHINE:
            return "other programs were using the processor; time both runs on a quiet machine, with --workers 1"
        case NotComparable.TOO_FEW_SAMPLES:
            before, now = detail.samples or (0, 0)
            return f"too few samples ({before} before, {now} now); more pictures or a larger --timing-budget help"
        case NotComparable.NO_CALIBRATION:
            return "one of the runs has no calibration workload beside its times; make it again with this version"
        case NotComparable.MACHINE_SPEED:
            speed = detail.machine_speed or math.nan
            word = "slower" if speed > 1 else "faster"
            return f"the machine itself was {word}: the calibration workload took {speed:.2f} times as long as before"
        case NotComparable.MAYBE_CHANCE | NotComparable.CONTRADICTORY:
            return time_text.undecided(change, detail)
        case NotComparable.UNCOUNTED_OPS:
            verb = "is" if len(detail.operators) == 1 else "are"
            return f"{', '.join(detail.operators)} {verb} not counted now, so the count is only a lower bound"
        case NotComparable.NO_BD_RATE:
            return f"no figure: {detail.explanation}"


def fact(change: FactChange) -> str:
    """A fact of a machine that differs."""
    before, now = ("not recorded" if value is None else value for value in (change.before, change.now))
    return f"{change.name}: {now}" if before == now else f"{change.name}: {before} → {now}"


def layer_event(event: LayerEvent) -> str:
    """What became of a layer, with its MACs."""
    match event.kind:
        case LayerEventKind.REMOVED:
            return f"{event.layer} is gone ({_mega(event.before)})"
        case LayerEventKind.ADDED:
            return f"{event.layer} is new ({_mega(event.now)})"
        case LayerEventKind.DUPLICATED:
            return f"a layer is there twice: {duplicates(event)}"
        case LayerEventKind.REPEATED:
            return f"{_layer_macs(event)}: it is there twice"
        case LayerEventKind.CHANGED:
            return _layer_macs(event)


def duplicates(event: LayerEvent) -> str:
    """The two layers of a duplicate."""
    return f"{' and '.join(event.pair)} do the same work ({_mega(event.now)} each)"


def counted(number: int, thing: str) -> str:
    """ "1 picture", "2 pictures"."""
    return f"{number} {thing}{'s' * (number != 1)}"


def _run(detail: RunDetail) -> str:
    match detail.problem:
        case RunProblem.NOT_FINISHED:
            return f"the run in {detail.run} was not finished; the command that made it continues it"
        case RunProblem.NOTHING_MEASURED:
            return f"the run in {detail.run} measured nothing"
        case RunProblem.NOTHING_COMPARED:
            return "nothing could be compared with the baseline"


def _failure(detail: FailureDetail) -> str:
    what = detail.kind.value.replace("_", " ")
    if detail.kind is FailureKind.METRIC:
        what = f"metric {', '.join(detail.metrics)}"
    more = f" (and {counted(detail.pictures - 1, 'more picture')})" if detail.pictures > 1 else ""
    again = "; it failed in the baseline too" if detail.failed_before else ""
    return f"{what}: {detail.reason}{more}{again}"


def _weights(change: Change, detail: WeightsDetail) -> str:
    if detail.change is WeightsChange.TRAINING:
        lost = change.now == Training.UNTRAINED.value
        what = ": its rate and distortion do not exist any more; give its weights with --weights" if lost else ""
        return f"was {change.before} and is {change.now}{what}"
    before, now = _sha(change.before), _sha(change.now)
    if before == now:
        return f"sha256 {now}, as before"
    return (
        f"another file of weights (sha256 {before} → {now}): it is another model; "
        "if that is meant, make a new baseline with --update"
    )


def _sha(digest: Figure) -> str:
    return str(digest or "none")[:SHA_DIGITS]


def _pictures(change: Change, pictures: int) -> str:
    count = counted(pictures, "picture")
    match change.quantity.kind:
        case QuantityKind.DATA_SET:
            return f"{count}, the same files"
        case QuantityKind.PICTURES:
            return f"no figures in the run for {count} of the baseline, first {change.picture}"
        case QuantityKind.CONTAINER:
            before, now = _number(change.before), _number(change.now)
            if before == now:
                return f"{now:,.0f} bytes over {count}, as before"
            return f"{before:,.0f} → {now:,.0f} bytes over {count} ({now - before:+,.0f})"
        case _:
            return f"there was a figure before and there is none now ({count}, first {change.picture})"


def _macs(change: Change, detail: LayersDetail) -> str:
    events = [layer_event(event) for event in detail.events]
    before, now = (_number(value) / (detail.width * detail.height) / 1000 for value in (change.before, change.now))
    if not change.part:
        return f"work moved between layers: {'; '.join(events)}" if events else f"{now:.4g} kMAC/pixel, as before"
    moved = f"{before:.4g} → {now:.4g} kMAC/pixel ({_percent(change.share)}) at {detail.width}x{detail.height}"
    return "; ".join([moved, *events])


def _layer_macs(event: LayerEvent) -> str:
    if not event.before:
        return f"{event.layer} works now ({_mega(event.now)})"
    share = (event.now - event.before) / event.before
    return f"{event.layer} {_mega(event.before)} → {_mega(event.now)} ({_percent(share)})"


def _movement(change: Change, detail: MovementDetail) -> str:
    unit = f" {change.unit}" if change.unit else ""
    before, now = _value(change, change.before), _value(change, change.now)
    moved = _difference(change, detail.moved)
    if change.picture:
        single = "on this picture, while the data set as a whole did not get worse"
        return f"{before} → {now}{unit} ({moved}) {single}"
    count = counted(detail.pictures, "picture")
    if not detail.most:
        return f"{now}{unit} over {count}, as before"
    most = f"; most on {detail.most_picture} ({_difference(change, detail.most)})" if detail.pictures > 1 else ""
    return f"{before} → {now}{unit} over {count} ({moved}{most})"


def _difference(change: Change, moved: float) -> str:
    if change.quantity.kind in RATES:
        return f"{moved:+.2f} %"
    if math.isinf(moved):
        return "lossless now" if moved > 0 else "lossless no more"
    return f"{moved:+{_FORMS[change.quantity.kind]}} {change.unit}".rstrip()


def _value(change: Change, value: Figure) -> str:
    number = _number(value)
    return "∞" if math.isinf(number) else format(number, _FORMS.get(change.quantity.kind, ",.0f"))


def _bits(detail: BitsDetail) -> str:
    different = [
        f"{what} of {number} of {detail.pictures} (first {first})"
        for what, number, first in (
            ("the stream's length", detail.lengths, detail.first_length),
            ("the decoded picture", detail.decoded, detail.first_decoded),
        )
        if number
    ]
    if different:
        return f"on the same machine with the same packages, {' and '.join(different)} changed"
    what = "streams' lengths and decoded pictures" if detail.decoded_known else "streams' lengths"
    return f"{what} are the same"


def _channels(change: Change, detail: ChannelsDetail) -> str:
    if not detail.exchanged:
        return "red, green, blue, as before"
    return (
        f"the decoded picture's channels were exchanged: {change.before} → {change.now}, on {detail.exchanged} of "
        f"{counted(detail.pictures, 'picture')}"
    )


def _figures(change: Change) -> str:
    return f"{change.before} → {change.now} {change.unit}".rstrip()


def _data_set(change: Change) -> str:
    if change.verdict is Verdict.GONE:
        return "this picture of the baseline is not in the run"
    if change.verdict is Verdict.NEW:
        return "this picture is not in the baseline"
    return f"another picture under the same name (sha256 {_sha(change.before)} → {_sha(change.now)})"


def _presence(change: Change) -> str:
    if change.verdict is Verdict.NEW:
        return "not in the baseline; --update takes it in"
    return f"the baseline has this {change.quantity.name} and the run has not"


def _parameters(change: Change) -> str:
    before, now = _number(change.before), _number(change.now)
    if change.verdict is Verdict.GONE:
        return "the network shows no parameters any more"
    return (
        f"{now:,.0f}, as before" if before == now else f"{before:,.0f} → {now:,.0f} ({_percent(change.share, '.3g')})"
    )


def _serial_steps(change: Change) -> str:
    before, now = _number(change.before), _number(change.now)
    return (
        f"{now:,.0f}, as before" if before == now else f"waits for its entropy coder {before:,.0f} → {now:,.0f} times"
    )


def _activation_memory(change: Change) -> str:
    before, now = (_number(value) / 2**20 for value in (change.before, change.now))
    if before == now:
        return f"{now:,.1f} MiB, as before"
    return f"{before:,.1f} → {now:,.1f} MiB ({_percent(change.share)})"


def _memory(change: Change) -> str:
    before, now = (_number(value) / 2**20 for value in (change.before, change.now))
    return f"peak {before:,.1f} → {now:,.1f} MiB above the loaded model"


def _uncounted_macs(change: Change) -> str:
    return "MACs were counted before and are not counted any more"


def _bd_rate(change: Change) -> str:
    return f"{_number(change.now):+.2f} % rate at equal quality, against the baseline's own curve"


_FIGURES: dict[QuantityKind, Callable[[Change], str]] = {
    QuantityKind.DATA_SET: _data_set,
    QuantityKind.CODEC: _presence,
    QuantityKind.OPERATING_POINT: _presence,
    QuantityKind.PARAMETERS: _parameters,
    QuantityKind.MACS: _uncounted_macs,
    QuantityKind.SERIAL_STEPS: _serial_steps,
    QuantityKind.ACTIVATION_MEMORY: _activation_memory,
    QuantityKind.MEMORY: _memory,
    QuantityKind.BD_RATE: _bd_rate,
}
"""What is said of changes that carry nothing beside their figures."""


def _number(value: Figure) -> float:
    return float(value) if isinstance(value, int | float) else math.nan


def _percent(share: float | None, form: str = ".1f") -> str:
    return f"{(share or 0.0) * 100:+{form}} %"


def _mega(macs: int) -> str:
    return f"{macs / 1e6:.4g} MMAC"
