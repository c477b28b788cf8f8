"""MACs and memory of each network at several picture sizes: predicted, and measured at the sizes it ran on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lic_bench.records import Call, Measurement


@dataclass(frozen=True)
class ScalingPoint:
    """One call at one picture size. `activation_bytes` is predicted, `measured_bytes` the peak of a fresh process."""

    pixels: int
    kmac_per_pixel: float
    activation_bytes: int | None
    measured_bytes: int | None = None


@dataclass(frozen=True)
class Scaling:
    """One call of one network over picture sizes, smallest first."""

    codec: str
    label: str
    call: Call
    points: tuple[ScalingPoint, ...]


def scalings(rows: Iterable[Measurement]) -> tuple[Scaling, ...]:
    """Every call that was counted at more than one size, by operating point, in the order of the rows."""
    grouped: dict[tuple[str, str], list[Measurement]] = {}
    for row in rows:
        grouped.setdefault((row.codec, row.point), []).append(row)
    found = (Scaling(*key, call, _points(some, call)) for key, some in grouped.items() for call in Call)
    return tuple(scaling for scaling in found if len(scaling.points) > 1)


def one_per_network(found: Sequence[Scaling]) -> tuple[Scaling, ...]:
    """The first of those of one codec and call with equal MACs at every size: these points run the same network."""
    kept: dict[tuple[object, ...], Scaling] = {}
    for one in found:
        macs = tuple((point.pixels, round(point.kmac_per_pixel, 3)) for point in one.points)
        kept.setdefault((one.codec, one.call, macs), one)
    return tuple(kept.values())


def _points(rows: Sequence[Measurement], call: Call) -> tuple[ScalingPoint, ...]:
    by_size: dict[tuple[int, int], ScalingPoint] = {}
    for row in rows:
        measured = {use.call: use.host_above_loaded_bytes for use in row.memory}
        for count in (*row.macs, *row.scaling):
            size = (count.width, count.height)
            if count.call is call and (size not in by_size or (call in measured and count in row.macs)):
                here = measured.get(call) if count in row.macs else None
                pixels = count.width * count.height
                by_size[size] = ScalingPoint(pixels, count.kmac_per_pixel, count.activation_bytes, here)
    return tuple(sorted(by_size.values(), key=lambda point: point.pixels))
