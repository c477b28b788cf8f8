"""Multiply-accumulates of each call, by part and layer, and parameters: whole numbers, the same on any machine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from difflib import SequenceMatcher

from lic_bench.check.limits import Limits
from lic_bench.check.outcome import Change, Verdict, found
from lic_bench.check.pairs import Pairs
from lic_bench.records import MacCount

DOUBLED = "is there twice"
"""What the sentence says of a layer that does its work a second time."""

Layers = Sequence[tuple[str, int]]


def compare(pairs: Pairs, limits: Limits) -> Iterator[Change]:
    """Parameters once; work, sequential steps and activations' memory of each call at the first size that differs."""
    yield from _parameters(pairs, limits)
    first: dict[str, tuple[MacCount, MacCount]] = {}
    for before, now in pairs.rows:
        if before.macs and not now.macs:
            yield found(pairs.where, "macs", Verdict.GONE, "work was counted before and is not any more; run with it")
            return
        mine = {count.call: count for count in now.macs}
        for count in before.macs:
            if count.call not in mine:
                yield found(pairs.where, "macs", Verdict.GONE, f"{count.call} was counted before and is not any more")
                return
            other = mine[count.call]
            if count.call not in first or (_equal(*first[count.call]) and not _equal(count, other)):
                first[count.call] = count, other
    for before_count, now_count in first.values():
        yield from _call(pairs, before_count, now_count, limits)


def layer_changes(before: Mapping[str, int], now: Mapping[str, int], same_parameters: bool = False) -> dict[str, str]:
    """Layers that differ, by path, each with what became of it. Work is in multiply-accumulates.

    Layers are matched by name where the names are the same, else in the order they run, since a layer put into a
    sequence renumbers all that follow. One that does twice the work with no more parameters in the network is called
    twice.
    """
    if set(before) == set(now):
        return {
            path: _beside(path, macs, now[path])
            + (f": it {DOUBLED}" if same_parameters and now[path] == 2 * macs else "")
            for path, macs in before.items()
            if now[path] != macs
        }
    old, new = list(before.items()), list(now.items())
    matcher = SequenceMatcher(None, [macs for _, macs in old], [macs for _, macs in new], autojunk=False)
    said: dict[str, str] = {}
    for kind, a, b, c, d in matcher.get_opcodes():
        if kind == "replace" and b - a == d - c:
            both = zip(old[a:b], new[c:d], strict=True)
            said |= {path: _beside(path, macs, now_macs) for (_, macs), (path, now_macs) in both}
        elif kind != "equal":
            said |= {path: f"{path} is gone ({_mega(macs)})" for path, macs in old[a:b]}
            said |= {new[at][0]: _added(at, new) for at in range(c, d)}
    return said


def _added(at: int, layers: Layers) -> str:
    path, macs = layers[at]
    for other in (at - 1, at + 1):
        if 0 <= other < len(layers) and layers[other][1] == macs:
            first, second = (layers[place][0] for place in sorted((at, other)))
            return f"a layer {DOUBLED}: {first} and {second} do the same work ({_mega(macs)} each)"
    return f"{path} is new ({_mega(macs)})"


def _parameters(pairs: Pairs, limits: Limits) -> Iterator[Change]:
    before, now = pairs.rows[0][0].parameters, pairs.rows[0][1].parameters
    if before is None:
        return
    if now is None:
        yield found(pairs.where, "parameters", Verdict.GONE, "the network shows no parameters any more", before=before)
        return
    verdict, share = _judged(before, now, limits.parameters_percent)
    sentence = f"{before:,} → {now:,} ({share * 100:+.3g} %)" if before != now else f"{now:,}, as before"
    yield found(
        pairs.where, "parameters", verdict, sentence, before=before, now=now, share=share, unit="trainable numbers"
    )


def _call(pairs: Pairs, before: MacCount, now: MacCount, limits: Limits) -> Iterator[Change]:
    call = now.call.value
    uncounted = sorted(set(now.uncounted) - set(before.uncounted))
    if uncounted:
        yield found(
            pairs.where, f"{call} macs", Verdict.NOT_COMPARABLE,
            f"{', '.join(uncounted)} goes by uncounted now, so the count is only a lower bound",
            before=before.macs, now=now.macs, unit="MAC",
        )  # fmt: skip
    else:
        yield from _macs(pairs, before, now, limits)
    if None not in (before.serial_steps, now.serial_steps):
        steps = before.serial_steps or 0, now.serial_steps or 0
        moved = steps[1] - steps[0]
        verdict = Verdict.WORSE if moved > limits.serial_steps else Verdict.BETTER if moved < 0 else Verdict.SAME
        yield found(
            pairs.where, f"{call} serial steps", verdict,
            f"waits for its entropy coder {steps[0]:,} → {steps[1]:,} times" if moved else f"{steps[1]:,}, as before",
            before=steps[0], now=steps[1], share=moved / steps[0] if steps[0] else None,
        )  # fmt: skip
    if before.activation_bytes and now.activation_bytes:
        verdict, share = _judged(before.activation_bytes, now.activation_bytes, limits.activation_percent)
        yield found(
            pairs.where, f"{call} activation memory", verdict,
            _mebibytes(before.activation_bytes, now.activation_bytes),
            before=before.activation_bytes, now=now.activation_bytes, share=share, unit="bytes",
        )  # fmt: skip


def _macs(pairs: Pairs, before: MacCount, now: MacCount, limits: Limits) -> Iterator[Change]:
    """One change per part that differs; a single "same" where none does."""
    quantity, pixels = f"{now.call.value} macs", now.width * now.height
    parameters = [row.parameters for row in pairs.rows[0]]
    layers = layer_changes(before.by_layer, now.by_layer, parameters[0] == parameters[1])
    parts = [
        part
        for part in dict.fromkeys([*before.by_part, *now.by_part])
        if before.by_part.get(part, 0) != now.by_part.get(part, 0)
    ]
    for part in parts:
        old, new = before.by_part.get(part, 0), now.by_part.get(part, 0)
        verdict, share = _judged(old, new, limits.macs_percent)
        inside = layers if len(parts) == 1 else {k: v for k, v in layers.items() if f"{k}.".startswith(f"{part}.")}
        size = f"at {now.width}x{now.height}"
        yield found(
            pairs.where, quantity, verdict,
            f"{old / pixels / 1000:.4g} → {new / pixels / 1000:.4g} kMAC/pixel ({share * 100:+.1f} %) {size}"
            + "".join(f"; {what}" for what in inside.values()),
            part=part, before=old, now=new, unit="MAC", share=share,
        )  # fmt: skip
    if not parts:
        yield found(
            pairs.where, quantity, Verdict.SAME if not layers else Verdict.CHANGED,
            f"{now.kmac_per_pixel:.4g} kMAC/pixel, as before" if not layers
            else "work moved between layers: " + "; ".join(layers.values()),
            before=before.macs, now=now.macs, unit="MAC", share=0.0,
        )  # fmt: skip


def _judged(before: int, now: int, limit_percent: float) -> tuple[Verdict, float]:
    share = (now - before) / before if before else float(now > 0)
    if now > before and share * 100 > limit_percent:
        return Verdict.WORSE, share
    return (Verdict.BETTER if share * 100 < -limit_percent else Verdict.SAME), share


def _equal(before: MacCount, now: MacCount) -> bool:
    return before.macs == now.macs and dict(before.by_layer) == dict(now.by_layer)


def _beside(path: str, before: int, now: int) -> str:
    if not before:
        return f"{path} works now ({_mega(now)})"
    return f"{path} {_mega(before)} → {_mega(now)} ({(now - before) / before * 100:+.1f} %)"


def _mega(macs: int) -> str:
    return f"{macs / 1e6:.4g} MMAC"


def _mebibytes(before: int, now: int) -> str:
    if before == now:
        return f"{now / 2**20:,.1f} MiB, as before"
    return f"{before / 2**20:,.1f} → {now / 2**20:,.1f} MiB ({(now - before) / before * 100:+.1f} %)"
