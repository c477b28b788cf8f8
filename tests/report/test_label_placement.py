"""Names beside the markers of a plot."""

from __future__ import annotations

from itertools import combinations

from lic_bench.report import label_placement


def test_names_beside_markers_do_not_overlap():
    markers = {"elic": (100.0, 50.0), "flic": (108.0, 42.0), "elsewhere": (500.0, 50.0), "mbt2018": (100.0, 75.0)}
    found = label_placement.placements(markers)
    boxes = [label_placement.box(name, *markers[name], found[name]) for name in markers]
    assert all(label_placement.overlap(one, other) == 0 for one, other in combinations(boxes, 2))
    assert found["elsewhere"] == "top center"
