"""What my-codec promises: pictures come back from their streams, and nothing is worse than in baseline.json."""

from __future__ import annotations

import numpy as np
import pytest

import lic_bench
from my_codec.model import POINTS


def picture(width: int, height: int) -> np.ndarray:
    """A smooth picture, uint8, height x width x 3."""
    rows, columns = np.mgrid[0:height, 0:width]
    waves = [128 + 60 * np.sin(rows / 9 + channel) + 40 * np.cos(columns / 13) for channel in range(3)]
    return np.stack(waves, axis=-1).astype(np.uint8)


@pytest.mark.parametrize("point", POINTS)
def test_a_stream_alone_gives_what_the_network_promises(point: str) -> None:
    original = picture(96, 64)
    encoder = lic_bench.load_codec("my-codec", point=point, weights="auto")
    decoder = lic_bench.load_codec("my-codec", point=point, weights="auto")
    promised, bits = encoder.forward(original)
    stream = encoder.encode(original)
    assert np.abs(decoder.decode(stream).astype(int) - promised).max() <= 1
    assert encoder.payload_bits(stream) < 1.05 * bits + 64


@pytest.mark.parametrize(("width", "height"), [(1, 1), (17, 33), (64, 8)])
def test_sides_need_not_be_multiples_of_anything(width: int, height: int) -> None:
    codec = lic_bench.load_codec("my-codec", point="1", weights="auto")
    assert codec.decode(codec.encode(picture(width, height))).shape == (height, width, 3)


def test_a_run_is_no_worse_than_the_baseline(lic_benchmark) -> None:
    lic_benchmark(models="my-codec,jpeg", dataset="sample", timing_repeats=0, memory=False).no_worse()
