"""Trained networks on Kodak give the figures that CompressAI's own evaluation tool printed for them.

Six pictures by default, landscape and portrait. All 24, in a few minutes:

    LIC_BENCH_EXPECTED=all LIC_BENCH_DATA=<folder with kodak/> python -m pytest tests/zoo/test_expected.py

mbt2018-mean as well where LIC_BENCH_CHECKPOINTS names the folder that holds `mbt2018-mean/1.pth.tar` to `4.pth.tar`.
"""

from __future__ import annotations

import json
import os
from functools import cache
from pathlib import Path

import pytest

from lic_bench.assets import datasets
from lic_bench.assets.pictures import read
from lic_bench.assets.weights import obtain
from lic_bench.benchmark.metrics import ms_ssim, psnr
from lic_bench.codec import Image, SplitsRate
from lic_bench.registry import codecs

EXPECTED = json.loads((Path(__file__).parents[1] / "expected" / "tiny.json").read_text())["curves"]
ALL = sorted(EXPECTED["bmshj2018-factorized"]["1"])
NAMES = ALL if os.environ.get("LIC_BENCH_EXPECTED") == "all" else ALL[::4]
CHECKPOINTS = os.environ.get("LIC_BENCH_CHECKPOINTS")

pytestmark = pytest.mark.slow


@cache
def pictures(root: Path) -> dict[str, Image]:
    every = datasets.find("kodak", root, download=False).pictures
    return {picture.name: read(picture)[0] for picture in every if picture.name in NAMES}


def assert_as_expected(codec_name: str, point: str, expected: dict[str, list[float]], kodak: Path) -> None:
    card = codecs.get(codec_name)
    folders = [Path(CHECKPOINTS)] if CHECKPOINTS else []
    codec = card.load(card.point(point), obtain(card, card.point(point), folders, allow_download=False).path)
    assert isinstance(codec, SplitsRate)
    for name, image in pictures(kodak).items():
        stream = codec.encode(image)
        decoded = codec.decode(stream)
        bpp, decibel, similarity = expected[name]
        assert codec.payload_bits(stream) / (image.shape[0] * image.shape[1]) == pytest.approx(bpp, abs=1e-4), name
        assert psnr(image, decoded) == pytest.approx(decibel, abs=0.005), name
        assert ms_ssim(image, decoded) == pytest.approx(similarity, abs=1e-4), name


@pytest.mark.parametrize("point", ["1", "2", "3", "4"])
def test_the_demo_network_gives_what_compressai_measures(point: str, kodak: Path) -> None:
    assert_as_expected("demo-factorized", point, EXPECTED["bmshj2018-factorized"][point], kodak)


@pytest.mark.skipif(not CHECKPOINTS, reason="NO CHECKPOINTS HERE: set LIC_BENCH_CHECKPOINTS to run this test")
@pytest.mark.parametrize("point", ["1", "2", "3", "4"])
def test_narrow_networks_give_what_compressai_measures(point: str, kodak: Path) -> None:
    assert_as_expected("mbt2018-mean", point, EXPECTED["mbt2018-mean"][point], kodak)
