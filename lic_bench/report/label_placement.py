"""Where the names beside the markers of a plot stand, so that they overlap neither each other nor the markers."""

from __future__ import annotations

from collections.abc import Mapping

Box = tuple[float, float, float, float]

CHARACTER, LINE, MARKER = 7.0, 16.0, 9.0
"""Width of a letter, height of a line and half a marker, in pixels at the charts' font size."""

PLACES = (
    "top center", "bottom center", "middle right", "middle left",
    "top right", "bottom right", "top left", "bottom left",
)  # fmt: skip
"""Plotly's names for where a text stands beside its marker, the most wanted first."""


def placements(markers: Mapping[str, tuple[float, float]]) -> dict[str, str]:
    """A place for each name; `markers` says where its marker is, in pixels to the right and upwards.

    Greedy from left to right: the first place that is free, else the one that covers least.
    """
    taken: list[Box] = [(x - MARKER, y - MARKER, x + MARKER, y + MARKER) for x, y in markers.values()]
    found: dict[str, str] = {}
    for name, (x, y) in sorted(markers.items(), key=lambda item: item[1]):
        covered = {place: sum(overlap(box(name, x, y, place), other) for other in taken) for place in PLACES}
        found[name] = min(PLACES, key=covered.__getitem__)
        taken.append(box(name, x, y, found[name]))
    return found


def box(name: str, x: float, y: float, place: str) -> Box:
    """Left, bottom, right and top of a name beside a marker."""
    width = CHARACTER * len(name)
    vertical, horizontal = place.split()
    left = {"center": x - width / 2, "right": x + MARKER, "left": x - MARKER - width}[horizontal]
    bottom = {"top": y + MARKER, "middle": y - LINE / 2, "bottom": y - MARKER - LINE}[vertical]
    return left, bottom, left + width, bottom + LINE


def overlap(one: Box, other: Box) -> float:
    """The area that two boxes share."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    return max(width, 0.0) * max(height, 0.0)
