"""A colour and a marker for each codec: the same on every page, never the same twice, readable on light and dark."""

from __future__ import annotations

import colorsys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from lic_bench.analysis import published
from lic_bench.records import Origin

AFTER_THE_ZOO = 1000
"""Places of codecs that the run has no card of begin here, so that they never take the colour of one that it has."""

GOLDEN_ANGLE = 0.381966
"""As a share of the circle: hues that many steps apart never repeat and fill the circle evenly."""

LUMINANCES = (0.16, 0.26)
"""Relative luminances (WCAG 2) that keep a contrast of 3 with both white and the dark page."""

MARKERS = ("circle", "square", "diamond", "triangle-up", "triangle-down", "pentagon", "hexagon", "star", "cross", "x")
LINES = {Origin.MEASURED: "solid", Origin.PUBLISHED: "dash", Origin.DIGITISED: "dot", Origin.PREDICTED: "dashdot"}
OPENINGS = {Origin.MEASURED: "", Origin.PUBLISHED: "-open", Origin.DIGITISED: "-open-dot", Origin.PREDICTED: "-open"}


@dataclass(frozen=True)
class Look:
    """How a codec is drawn; the origin decides line style and whether markers are filled."""

    colour: str
    marker: str

    def symbol(self, origin: Origin) -> str:
        """Plotly's name of the marker: filled where measured, hollow otherwise, with a dot where digitised."""
        return self.marker + OPENINGS[origin]


def looks(codecs: Iterable[str], places: Mapping[str, int]) -> dict[str, Look]:
    """A look for each codec: by its place in `places` (the run's cards), else by its place among published names.

    What is neither in the run nor published comes after them, in order of name.
    """
    known = sorted({point.codec for point in published.rd_points()})
    others = sorted(set(codecs) - set(places) - set(known))
    found = {}
    for name in codecs:
        if name in places:
            index = places[name]
        elif name in known:
            index = AFTER_THE_ZOO + known.index(name)
        else:
            index = AFTER_THE_ZOO + len(known) + others.index(name)
        found[name] = Look(colour(index), MARKERS[index % len(MARKERS)])
    return found


def colour(index: int) -> str:
    """The `index`-th colour as #rrggbb."""
    hue = (0.58 + index * GOLDEN_ANGLE) % 1
    wanted = LUMINANCES[index % len(LUMINANCES)]
    dark, light = 0.0, 1.0
    for _ in range(20):  # luminance rises with lightness, so halving finds it
        middle = (dark + light) / 2
        dark, light = (middle, light) if luminance(_rgb(hue, middle)) < wanted else (dark, middle)
    return "#" + "".join(f"{round(255 * channel):02x}" for channel in _rgb(hue, dark))


def luminance(rgb: tuple[float, float, float]) -> float:
    """Relative luminance of an sRGB colour in [0, 1] (WCAG 2.2)."""
    linear = [channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4 for channel in rgb]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _rgb(hue: float, lightness: float) -> tuple[float, float, float]:
    return colorsys.hls_to_rgb(hue, lightness, 0.75)
