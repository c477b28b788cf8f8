"""The changes of one codec told apart: which kind of change to its code moves just these quantities."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lic_bench.check.outcome import Change, Verdict
from lic_bench.check.work import DOUBLED

MOVED = (Verdict.WORSE, Verdict.BETTER, Verdict.CHANGED, Verdict.GONE)
RATES = ("stream bytes", "payload", "estimated rate")
SCORES = ("PSNR", "MS-SSIM")


@dataclass(frozen=True)
class _Seen:
    """The comparisons of one codec, and those among them that moved, worst first."""

    every: Sequence[Change]
    moved: Sequence[Change]

    def of(self, *names: str) -> list[Change]:
        """What moved of some quantities."""
        return [change for change in self.moved if change.quantity in names]

    @property
    def work(self) -> list[Change]:
        """What moved of the multiply-accumulates."""
        return [change for change in self.moved if change.quantity.endswith("macs")]

    @property
    def same_work(self) -> bool:
        """Whether the work was counted and did not change."""
        return any(change.quantity.endswith("macs") for change in self.every) and not self.work


def of_codecs(changes: Iterable[Change]) -> dict[str, str]:
    """A diagnosis for every codec of which something changed."""
    by_codec: dict[str, list[Change]] = {}
    for change in changes:
        if change.codec:
            by_codec.setdefault(change.codec, []).append(change)
    told = {codec: diagnose(some) for codec, some in by_codec.items()}
    return {codec: sentence for codec, sentence in told.items() if sentence}


def diagnose(changes: Sequence[Change]) -> str:
    """What the changes of one codec have in common, in a sentence or two; nothing where nothing moved.

    The first that fits: it fails; it is not there; other weights, with layers or without; channels exchanged; layers;
    bytes that no likelihood explains; rate and quality, or one of them; time or memory alone.
    """
    moved = sorted((change for change in changes if change.verdict in MOVED), key=lambda change: change.rank)
    failed = [change for change in changes if change.verdict is Verdict.FAILED]
    if failed:
        where = f" at {failed[0].point}" if failed[0].point else ""
        return f"It does not code any more{where}: {failed[0].sentence.rstrip('.')}."
    if not moved:
        return ""
    seen = _Seen(changes, moved)
    for fits in (_absent, _weights, _channels, _layers, _bytes, _rate_and_quality, _bits, _times):
        sentence = fits(seen)
        if sentence:
            return sentence if fits is _times else f"{sentence}{_and_time(seen)}"
    names = ", ".join(dict.fromkeys(change.quantity for change in moved))
    return f"Only this moved: {names}."


def _absent(seen: _Seen) -> str:
    if not seen.of("codec", "operating point", "pictures"):
        return ""
    return "It was not measured, in whole or in part: see what the run asked for and whether something stopped it."


def _weights(seen: _Seen) -> str:
    if not seen.of("weights"):
        return ""
    layers = _layers(seen)
    if layers:
        return f"{layers} It runs with other weights, too."
    return "It runs with other weights: it is another model, which may explain all that follows."


def _channels(seen: _Seen) -> str:
    orders = seen.of("channel order")
    if not orders:
        return ""
    return (
        f"The colour channels were exchanged ({orders[0].before} → {orders[0].now}): look where pictures become "
        "tensors and tensors pictures."
    )


def _layers(seen: _Seen) -> str:
    if not seen.work:
        return ""
    coding = [change for change in seen.work if not change.quantity.startswith("forward")] or seen.work
    doubled = [change for change in coding if DOUBLED in change.sentence]
    first = (doubled or coding)[0]
    layers = first.sentence.partition("; ")[2] or first.sentence
    layers = layers.removeprefix(f"a layer {DOUBLED}: ")
    what = f"A layer {DOUBLED}" if doubled else "The network was changed"
    said = f"{what}, in {first.part or 'several places'} of {first.quantity.removesuffix(' macs')}: {layers}."
    follows = [_brief(some[0]) for some in (seen.of(*RATES), seen.of(*SCORES)) if some]
    return f"{said} With it: {', '.join(follows)}." if follows else said


def _bytes(seen: _Seen) -> str:
    """Streams of another length although the network expects the same bits: the coder or the container."""
    expected = [change for change in seen.every if change.quantity == "estimated rate"]
    alike = expected and all(_alike(change.before, change.now) for change in expected)
    lengths = [change for change in seen.every if change.quantity == "stream bytes"]
    lengths = [change for change in lengths if change.before != change.now]
    if not alike or not lengths:
        return ""
    each = _number(lengths[0].now) - _number(lengths[0].before)
    pictures = _number(lengths[0].detail.get("pictures", 1))
    return (
        f"Streams are {_bytes_text(abs(each) / pictures)} {'longer' if each > 0 else 'shorter'} per picture while the "
        "network expects exactly the same bits: bytes were dropped or added by the entropy coder or the container"
        + (", and the picture suffers." if seen.of(*SCORES) else ".")
    )


def _bytes_text(number: float) -> str:
    return "1 byte" if number == 1 else f"{number:.3g} bytes"


def _rate_and_quality(seen: _Seen) -> str:
    rates, scores = seen.of(*RATES), seen.of(*SCORES)
    if rates and scores:
        said = f"Rate and quality moved together ({_brief(rates[0])}, {_brief(scores[0])})"
        same = ", while the work is the same" if seen.same_work else ""
        return f"{said}{same}: look at the quantiser, and at the numbers inside the layers."
    if scores:
        return f"The same bits decode to another picture ({_brief(scores[0])}): look at synthesis and rounding."
    if rates:
        return f"The same picture costs other bits ({_brief(rates[0])}): look at the entropy model and its tables."
    return ""


def _bits(seen: _Seen) -> str:
    if not seen.of("bit by bit"):
        return ""
    return "Every figure is within its limit, but streams or pictures are not the same bit by bit."


def _times(seen: _Seen) -> str:
    times = [change for change in seen.moved if change.quantity.endswith(" time")]
    if not times:
        return ""
    worst = {change.quantity: change for change in reversed(times)}
    told = " and ".join(
        f"{_doing(name)} takes {1 + (change.share or 0):.2f} times as long" for name, change in worst.items()
    )
    same = {c.quantity for c in seen.every if c.verdict is Verdict.SAME and c.quantity.endswith(" time")} - set(worst)
    beside = f"; {_doing(same.pop())} takes as long as before" if same else ""
    work = "; the work is the same: it is the code, not the network" if seen.same_work else ""
    return f"{told[0].upper()}{told[1:]}{beside}{work}."


def _and_time(seen: _Seen) -> str:
    times = [change for change in seen.moved if change.quantity.endswith(" time")]
    return f" {times[0].quantity.capitalize()} moved as well ({_brief(times[0])})." if times else ""


def _doing(quantity: str) -> str:
    return quantity.removesuffix(" time").replace("code", "coding")


def _brief(change: Change) -> str:
    """A movement in a few words."""
    before, now = change.before, change.now
    if change.unit == "dB" and isinstance(before, float) and isinstance(now, float):
        return f"{change.quantity} {now - before:+.2f} dB"
    if change.share is None:
        return f"{change.quantity} {before} → {now}"
    return f"{change.quantity} {change.share * 100:+.1f} %"


def _alike(before: object, now: object) -> bool:
    return math.isclose(_number(before), _number(now), rel_tol=1e-7)


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else math.nan
