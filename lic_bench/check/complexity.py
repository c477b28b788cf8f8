"""MACs of each call by part and layer, serial steps, activation memory and parameters: the same on any machine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from difflib import SequenceMatcher

from lic_bench.check.details import LayerEvent, LayerEventKind, LayersDetail, NotComparable, NotCompared
from lic_bench.check.limits import Limits
from lic_bench.check.outcome import Change, Verdict
from lic_bench.check.pairs import Pairs
from lic_bench.check.quantity import Quantity, QuantityKind
from lic_bench.records import Call, MacCount

Layers = Sequence[tuple[str, int]]
"""Layers in the order they run: path and MACs."""


def compare(pairs: Pairs, limits: Limits) -> Iterator[Change]:
    """Parameters once; MACs, serial steps and activation memory of each call at the first size that differs."""
    yield from _parameters(pairs, limits)
    first: dict[Call, tuple[MacCount, MacCount]] = {}
    for before, now in pairs.rows:
        if before.macs and not now.macs:
            yield Change(*pairs.where, Quantity(QuantityKind.MACS), Verdict.GONE)
            return
        counts = {count.call: count for count in now.macs}
        for count in before.macs:
            if count.call not in counts:
                yield Change(*pairs.where, Quantity(QuantityKind.MACS, count.call), Verdict.GONE)
                return
            other = counts[count.call]
            if count.call not in first or (_equal(*first[count.call]) and not _equal(count, other)):
                first[count.call] = count, other
    for before_count, now_count in first.values():
        yield from _call(pairs, before_count, now_count, limits)


def layer_events(
    before: Mapping[str, int], now: Mapping[str, int], same_parameters: bool = False
) -> tuple[LayerEvent, ...]:
    """What became of the layers that differ; both mappings hold MACs by path, in the order the layers run.

    Layers are matched by name where the names are the same, else in the order they run, since a layer put into a
    sequence renumbers all that follow. One that does twice the work with no more parameters in the network is called
    twice.
    """
    if set(before) == set(now):
        return tuple(
            LayerEvent(_kind(macs, now[path], same_parameters), path, macs, now[path])
            for path, macs in before.items()
            if now[path] != macs
        )
    old, new = list(before.items()), list(now.items())
    matcher = SequenceMatcher(None, [macs for _, macs in old], [macs for _, macs in new], autojunk=False)
    events: list[LayerEvent] = []
    for tag, a, b, c, d in matcher.get_opcodes():
        if tag == "replace" and b - a == d - c:
            both = zip(old[a:b], new[c:d], strict=True)
            events += [LayerEvent(LayerEventKind.CHANGED, path, was, macs) for (_, was), (path, macs) in both]
        elif tag != "equal":
            events += [LayerEvent(LayerEventKind.REMOVED, path, macs, 0) for path, macs in old[a:b]]
            events += [_added(place, new) for place in range(c, d)]
    return tuple(events)


def _kind(before: int, now: int, same_parameters: bool) -> LayerEventKind:
    return LayerEventKind.REPEATED if same_parameters and now == 2 * before else LayerEventKind.CHANGED


def _added(place: int, layers: Layers) -> LayerEvent:
    """A layer that is new at a place; it duplicates a neighbour with as many MACs."""
    path, macs = layers[place]
    for other in (place - 1, place + 1):
        if 0 <= other < len(layers) and layers[other][1] == macs:
            pair = tuple(layers[at][0] for at in sorted((place, other)))
            return LayerEvent(LayerEventKind.DUPLICATED, path, 0, macs, pair)
    return LayerEvent(LayerEventKind.ADDED, path, 0, macs)


def _parameters(pairs: Pairs, limits: Limits) -> Iterator[Change]:
    before, now = pairs.rows[0][0].parameters, pairs.rows[0][1].parameters
    quantity, unit = Quantity(QuantityKind.PARAMETERS), "trainable numbers"
    if before is None:
        return
    if now is None:
        yield Change(*pairs.where, quantity, Verdict.GONE, before=before, unit=unit)
        return
    verdict, share = _judged(before, now, limits.parameters_percent)
    yield Change(*pairs.where, quantity, verdict, before=before, now=now, unit=unit, share=share)


def _call(pairs: Pairs, before: MacCount, now: MacCount, limits: Limits) -> Iterator[Change]:
    uncounted = tuple(sorted(set(now.uncounted) - set(before.uncounted)))
    if uncounted:
        yield Change(
            *pairs.where, Quantity(QuantityKind.MACS, now.call), Verdict.NOT_COMPARABLE, before=before.macs,
            now=now.macs, unit="MAC", detail=NotCompared(NotComparable.UNCOUNTED_OPS, operators=uncounted),
        )  # fmt: skip
    else:
        yield from _macs(pairs, before, now, limits)
    if before.serial_steps is not None and now.serial_steps is not None:
        moved = now.serial_steps - before.serial_steps
        yield Change(
            *pairs.where, Quantity(QuantityKind.SERIAL_STEPS, now.call),
            Verdict.WORSE if moved > limits.serial_steps else Verdict.BETTER if moved < 0 else Verdict.SAME,
            before=before.serial_steps, now=now.serial_steps,
            share=moved / before.serial_steps if before.serial_steps else None,
        )  # fmt: skip
    if before.activation_bytes and now.activation_bytes:
        verdict, share = _judged(before.activation_bytes, now.activation_bytes, limits.activation_percent)
        yield Change(
            *pairs.where, Quantity(QuantityKind.ACTIVATION_MEMORY, now.call), verdict,
            before=before.activation_bytes, now=now.activation_bytes, unit="bytes", share=share,
        )  # fmt: skip


def _macs(pairs: Pairs, before: MacCount, now: MacCount, limits: Limits) -> Iterator[Change]:
    """One change per part that differs; a single one for all parts where none does."""
    quantity = Quantity(QuantityKind.MACS, now.call)
    parameters = [row.parameters for row in pairs.rows[0]]
    events = layer_events(before.by_layer, now.by_layer, parameters[0] == parameters[1])
    parts = [
        part
        for part in dict.fromkeys([*before.by_part, *now.by_part])
        if before.by_part.get(part, 0) != now.by_part.get(part, 0)
    ]
    for part in parts:
        old, new = before.by_part.get(part, 0), now.by_part.get(part, 0)
        verdict, share = _judged(old, new, limits.macs_percent)
        inside = events if len(parts) == 1 else tuple(e for e in events if f"{e.layer}.".startswith(f"{part}."))
        yield Change(
            *pairs.where, quantity, verdict, part=part, before=old, now=new, unit="MAC", share=share,
            detail=LayersDetail(now.width, now.height, inside),
        )  # fmt: skip
    if not parts:
        yield Change(
            *pairs.where, quantity, Verdict.CHANGED if events else Verdict.SAME, before=before.macs, now=now.macs,
            unit="MAC", share=0.0, detail=LayersDetail(now.width, now.height, events),
        )  # fmt: skip


def _judged(before: int, now: int, limit_percent: float) -> tuple[Verdict, float]:
    share = (now - before) / before if before else float(now > 0)
    if now > before and share * 100 > limit_percent:
        return Verdict.WORSE, share
    return (Verdict.BETTER if share * 100 < -limit_percent else Verdict.SAME), share


def _equal(before: MacCount, now: MacCount) -> bool:
    return before.macs == now.macs and dict(before.by_layer) == dict(now.by_layer)
