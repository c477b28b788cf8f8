"""How work and memory of each network grow with the picture: predicted at several sizes, measured where it ran."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lic_bench.records import Call, Measurement


@dataclass(frozen=True)
class Size:
    """One call at one picture size. `activation_bytes` is predicted, `measured_bytes` the peak of a fresh process."""

    pixels: int
    kmac_per_pixel: float
    activation_bytes: int | None
    measured_bytes: int | None = None


@dataclass(frozen=True)
class Growth:
    """One call of one network over picture sizes, smallest first."""

    codec: str
    label: str
    call: Call
    sizes: tuple[Size, ...]


def growths(rows: Iterable[Measurement]) -> tuple[Growth, ...]:
    """Every call that was counted at more than one size, by operating point, in the order of the rows."""
    grouped: dict[tuple[str, str], list[Measurement]] = {}
    for row in rows:
        grouped.setdefault((row.codec, row.point), []).append(row)
    found = (Growth(*key, call, _sizes(some, call)) for key, some in grouped.items() for call in Call)
    return tuple(growth for growth in found if len(growth.sizes) > 1)


def distinct(found: Sequence[Growth]) -> tuple[Growth, ...]:
    """Without the operating points that cost what an earlier one of the same codec costs: they run the same network."""
    kept: dict[tuple[object, ...], Growth] = {}
    for one in found:
        work = tuple((size.pixels, round(size.kmac_per_pixel, 3)) for size in one.sizes)
        kept.setdefault((one.codec, one.call, work), one)
    return tuple(kept.values())


def _sizes(rows: Sequence[Measurement], call: Call) -> tuple[Size, ...]:
    sizes: dict[tuple[int, int], Size] = {}
    for row in rows:
        measured = {use.call: use.host_above_loaded_bytes for use in row.memory}
        for count in (*row.macs, *row.scaling):
            shape = (count.width, count.height)
            if count.call is call and (shape not in sizes or (call in measured and count in row.macs)):
                here = measured.get(call) if count in row.macs else None
                pixels = count.width * count.height
                sizes[shape] = Size(pixels, count.kmac_per_pixel, count.activation_bytes, here)
    return tuple(sorted(sizes.values(), key=lambda size: size.pixels))
