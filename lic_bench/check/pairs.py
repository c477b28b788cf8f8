"""The rows of a run beside those of its baseline: one operating point, the same pictures in both."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from lic_bench.records import Measurement, Training

Where = tuple[str, str]
"""A codec and an operating point."""


@dataclass(frozen=True)
class Pairs:
    """One operating point of one codec: (before, now) for every picture that both runs measured."""

    codec: str
    point: str
    rows: tuple[tuple[Measurement, Measurement], ...]

    @property
    def where(self) -> Where:
        """Codec and operating point."""
        return self.codec, self.point

    @property
    def has_quality(self) -> bool:
        """Whether rate and distortion mean something in both runs: an untrained network's do not."""
        return all(row.training is not Training.UNTRAINED for pair in self.rows for row in pair)


def by_point(rows: Iterable[Measurement]) -> dict[Where, dict[str, Measurement]]:
    """Rows by operating point and picture, in the order they first appear."""
    found: dict[Where, dict[str, Measurement]] = {}
    for row in rows:
        found.setdefault((row.codec, row.point), {})[row.picture] = row
    return found


def pairs(before: Iterable[Measurement], now: Iterable[Measurement]) -> list[Pairs]:
    """What both runs measured, point by point. A picture that is another file now is no pair."""
    old, new = by_point(before), by_point(now)
    made = []
    for where in (where for where in old if where in new):
        both = tuple(
            (row, new[where][name])
            for name, row in old[where].items()
            if name in new[where] and _same_picture(row, new[where][name])
        )
        if both:
            made.append(Pairs(*where, both))
    return made


def _same_picture(before: Measurement, now: Measurement) -> bool:
    """By the file's hash; where a row has none, the name has to do."""
    return "" in (before.picture_sha256, now.picture_sha256) or before.picture_sha256 == now.picture_sha256
