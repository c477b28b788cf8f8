"""The order of colour channels, from the errors between them."""

from __future__ import annotations

from lic_bench.check import channels


def test_a_channel_order_is_found_from_errors() -> None:
    before = ((1.0, 50.0, 90.0), (52.0, 2.0, 40.0), (91.0, 42.0, 3.0))
    assert channels.order(before, before) == (0, 1, 2)
    swapped = tuple((row[0], row[2], row[1]) for row in before)
    assert channels.order(before, swapped) == (0, 2, 1)
    blurred = tuple(tuple(value * 1.3 for value in row) for row in before)
    assert channels.order(before, blurred) == (0, 1, 2)
