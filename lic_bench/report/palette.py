"""A colour and a marker for each codec: the same on every page, never the same twice, readable on light and dark."""

from __future__ import annotations

import colorsys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

from lic_bench.analysis import published
from lic_bench.records import CardSummary, Origin

FIRST_PUBLISHED_INDEX = 1000
"""Colour indices of codecs that a run has no card of begin here, above those of the cards."""

GOLDEN_ANGLE = 0.381966
"""As a share of the circle: hues that many steps apart never repeat and fill the circle evenly."""

LUMINANCES = (0.16, 0.26)
"""Relative luminances (WCAG 2) that keep a contrast of 3 with both white and the dark page."""

MARKERS = ("circle", "square", "diamond", "triangle-up", "triangle-down", "pentagon", "hexagon", "star", "cross", "x")
LINES = {Origin.MEASURED: "solid", Origin.PUBLISHED: "dash", Origin.DIGITISED: "dot", Origin.PREDICTED: "dashdot"}
MARKER_SUFFIXES = {
    Origin.MEASURED: "",
    Origin.PUBLISHED: "-open",
    Origin.DIGITISED: "-open-dot",
    Origin.PREDICTED: "-open",
}


@dataclass(frozen=True)
class Style:
    """The colour (#rrggbb) and marker of a codec; the origin decides line style and whether markers are filled."""

    colour: str
    marker: str

    def symbol(self, origin: Origin) -> str:
        """Plotly's name of the marker: filled where measured, open otherwise, with a dot where digitised."""
        return self.marker + MARKER_SUFFIXES[origin]


def styles(codecs: Iterable[str], cards: Sequence[CardSummary] = ()) -> dict[str, Style]:
    """A style for each codec of a page: by its card's colour index, else by its place among the published codecs.

    `cards` are those of the run's header. Codecs that are neither in the run nor published, such as those of a file of
    curves, come after them in order of name.
    """
    wanted = list(dict.fromkeys(codecs))
    indices = {card.name: card.colour_index for card in cards}
    others = sorted({*wanted} - indices.keys() - set(_published_codecs()))
    for place, name in enumerate([*_published_codecs(), *others]):
        indices.setdefault(name, FIRST_PUBLISHED_INDEX + place)
    return {name: Style(colour(indices[name]), MARKERS[indices[name] % len(MARKERS)]) for name in wanted}


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


@cache
def _published_codecs() -> tuple[str, ...]:
    """Every published codec once, in the order of the table: rows added at its end leave the others in place."""
    return tuple(dict.fromkeys(point.codec for point in published.rd_points()))


def _rgb(hue: float, lightness: float) -> tuple[float, float, float]:
    return colorsys.hls_to_rgb(hue, lightness, 0.75)
