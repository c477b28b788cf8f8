"""Colours and markers: the same on every page, never the same twice, readable on light and dark."""

from __future__ import annotations

from itertools import combinations, pairwise

from helpers.made_runs import card, classical, figures, header, on_kodak

from lic_bench.analysis import published
from lic_bench.registry import codecs
from lic_bench.report import page, palette
from lic_bench.report.charts import codec_styles


def test_colours_never_repeat_and_are_readable():
    colours = [palette.colour(index) for index in range(60)]
    assert len(set(colours)) == 60
    for colour in colours:
        light = palette.luminance(tuple(int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)))
        assert 1.05 / (light + 0.05) >= 3  # against white, WCAG 2.2, 1.4.11
        assert (light + 0.05) / (0.0085 + 0.05) >= 3  # against the dark page, #14171a


def test_neighbours_in_the_palette_differ_in_marker_too():
    styles = list(palette.styles([f"codec-{index:02}" for index in range(40)]).values())
    assert all(one != other for one, other in combinations(styles, 2))
    assert all(one.marker != other.marker for one, other in pairwise(styles))


def test_all_codecs_on_one_page_differ_in_style():
    names = [*codecs.names(), *(point.codec for point in published.rd_points()), "mine", "yours"]
    styles = palette.styles(names, [card(name) for name in codecs.names()])
    assert len(styles) == len(set(names))
    assert len(set(styles.values())) == len(styles)


def test_a_codec_has_the_same_style_on_every_page():
    alone = palette.styles(["webp"], [card("webp")])
    beside_others = palette.styles(["jpeg", "webp", "vtm", "else"], [card("jpeg"), card("webp")])
    assert alone["webp"] == beside_others["webp"]
    assert palette.styles(["vtm"])["vtm"] == beside_others["vtm"]


def test_a_cards_colour_index_is_its_codecs_colour():
    (mine,) = header(names=["jpeg"]).cards
    style = palette.styles(["jpeg"], [mine])["jpeg"]
    assert (style.colour, style.marker) == (
        palette.colour(mine.colour_index),
        palette.MARKERS[mine.colour_index % len(palette.MARKERS)],
    )


def test_a_published_curve_has_the_style_of_the_codec_it_is_of():
    content = on_kodak(*classical("avif", 0.8))  # its card names the published curve of "av1"
    (view,) = content.views
    assert [view.codecs(curve) for curve in view.curves if curve.codec == "av1"] == [("avif",)]
    (chart, *_) = figures(page.render(content))
    colours = {trace["name"].split(" · ")[0]: trace["line"]["color"] for trace in chart["data"]}
    assert colours["av1"] == colours["avif"] == codec_styles(content)["avif"].colour
