"""Colour paths: exact files on Kodak, what a path alone costs, and scores that arithmetic gives."""

from __future__ import annotations

import hashlib
import math
from pathlib import Path

import numpy as np
import pytest
from helpers.pictures import picture
from lic_bench.zoo import colour
from lic_bench.zoo.colour import EIGHT_BIT, EIGHT_BIT_FLOORED, TEN_BIT, TEN_BIT_420, ColourPath

from lic_bench.assets import datasets
from lic_bench.assets.pictures import read
from lic_bench.codec import Image
from lic_bench.errors import PictureError, StreamError


@pytest.fixture(scope="module")
def kodak_images(kodak: Path) -> list[Image]:
    return [read(one)[0] for one in datasets.find("kodak", kodak, download=False).pictures]


@pytest.mark.parametrize(
    ("path", "all_pictures", "first"),
    [
        (EIGHT_BIT_FLOORED, "dd3c0f374a87f24e", "2ea0f60f109dd5f4"),
        (EIGHT_BIT, "5407c91255d17df9", "1f5bb19eeff0f51d"),
        (TEN_BIT, "33cbd4302707208d", "514d5357cfbbfda6"),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_kodaks_files_are_those_of_the_vtm_runs(
    path: ColourPath, all_pictures: str, first: str, kodak_images: list[Image]
) -> None:
    files = [colour.to_file(colour.to_planes(image, path)) for image in kodak_images]
    assert hashlib.sha256(files[0]).hexdigest()[:16] == first
    assert hashlib.sha256(b"".join(files)).hexdigest()[:16] == all_pictures


@pytest.mark.parametrize(("path", "db"), [(EIGHT_BIT, 53.0), (EIGHT_BIT_FLOORED, 46.4)], ids=["rounded", "floored"])
def test_8_bit_alone_costs_a_known_psnr_on_kodak(path: ColourPath, db: float, kodak_images: list[Image]) -> None:
    scores = [colour.psnr(image, colour.to_rgb(colour.to_planes(image, path), path), 255) for image in kodak_images]
    assert np.mean(scores) == pytest.approx(db, abs=0.05)


def test_10_bit_alone_is_lossless_on_kodak(kodak_images: list[Image]) -> None:
    for image in kodak_images:
        assert np.array_equal(colour.to_rgb(colour.to_planes(image, TEN_BIT), TEN_BIT), image)


def every_fifth_colour() -> Image:
    levels = np.arange(0, 256, 5, dtype=np.uint8)
    return np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(52, -1, 3)


def test_10_bit_gives_every_colour_back_and_8_bit_does_not() -> None:
    image = every_fifth_colour()
    back = {path: colour.to_rgb(colour.to_planes(image, path), path) for path in (TEN_BIT, EIGHT_BIT)}
    assert np.array_equal(back[TEN_BIT], image)
    assert not np.array_equal(back[EIGHT_BIT], image)


@pytest.mark.parametrize("path", [TEN_BIT, EIGHT_BIT, EIGHT_BIT_FLOORED], ids=lambda path: path.name)
def test_planes_are_those_of_bt_709(path: ColourPath) -> None:
    # Y = 0.2126 R + 0.7152 G + 0.0722 B; Cb = (B - Y) / 1.8556 + 0.5; Cr = (R - Y) / 1.5748 + 0.5
    image = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255], [60, 120, 180]]], np.uint8)
    planes = colour.to_planes(image, path)
    for column, (red, green, blue) in enumerate(image[0] / 255):
        luma = 0.2126 * red + 0.7152 * green + 0.0722 * blue
        exact = [luma, (blue - luma) / 1.8556 + 0.5, (red - luma) / 1.5748 + 0.5]
        for plane, value in zip(planes, exact, strict=True):
            scaled = min(max(value, 0), 1) * path.largest
            expected = round(scaled) if path.rounds else math.floor(scaled + 1e-4)
            assert plane[0, column] == expected


def test_halved_chroma_is_the_mean_of_four_samples() -> None:
    image = picture(16, 8)
    whole, halved = (colour.to_planes(image, path) for path in (TEN_BIT, TEN_BIT_420))
    assert np.array_equal(whole[0], halved[0])
    means = whole[1].reshape(4, 2, 8, 2).mean(axis=(1, 3))
    assert np.abs(halved[1] - means).max() <= 1  # rounded before the mean there, after it here
    grey = np.full((8, 16, 3), 77, np.uint8)
    assert np.array_equal(colour.to_rgb(colour.to_planes(grey, TEN_BIT_420), TEN_BIT_420), grey)
    with pytest.raises(PictureError, match="picture of 15x8 cannot be coded as 4:2:0, which needs even sides"):
        colour.to_planes(picture(15, 8), TEN_BIT_420)


@pytest.mark.parametrize("path", colour.PATHS.values(), ids=colour.PATHS)
def test_files_hold_the_planes_one_after_another(path: ColourPath) -> None:
    planes = colour.to_planes(picture(16, 8), path)
    file = colour.to_file(planes)
    assert len(file) == sum(plane.size for plane in planes) * (2 if path.bit_depth == 10 else 1)
    for ours, theirs in zip(planes, colour.from_file(file, 16, 8, path), strict=True):
        assert np.array_equal(ours, theirs)
    with pytest.raises(StreamError, match="no picture of 16x10"):
        colour.from_file(file, 16, 10, path)


def test_scores_of_a_grey_picture_are_those_of_arithmetic() -> None:
    level, added = 100, 13
    image = np.full((8, 8, 3), level, np.uint8)
    planes = colour.to_planes(image, TEN_BIT)
    decoded = (planes[0] + np.uint16(added), *planes[1:])
    found = colour.scores(image, decoded, TEN_BIT)
    luma = round(level / 255 * 1023)
    grey = (luma + added) / 1023
    # 512 is the sample nearest to the middle, half a sample off: what it adds to red, green and blue
    off = 0.5 / 1023
    shifts = (1.5748 * off, -(0.2126 * 1.5748 + 0.0722 * 1.8556) / 0.7152 * off, 1.8556 * off)
    exact = [grey + shift for shift in shifts]
    before = [luma / 1023 + shift for shift in shifts]

    def db(errors: list[float], peak: float) -> float:
        return 10 * math.log10(peak**2 / (sum(error**2 for error in errors) / 3))

    assert found.floating == pytest.approx(db([value - level / 255 for value in exact], 1), abs=1e-3)
    assert found.rounded == pytest.approx(db([round(255 * value) - level for value in exact], 255), abs=1e-9)
    assert found.truncated == pytest.approx(db([math.floor(255 * value) - level for value in exact], 255), abs=1e-9)
    against = [after - value for after, value in zip(exact, before, strict=True)]
    assert found.against_converted_original == pytest.approx(db(against, 1), abs=1e-3)


def test_scoring_against_the_converted_original_hides_the_conversion() -> None:
    image = every_fifth_colour()
    found = colour.scores(image, colour.to_planes(image, EIGHT_BIT_FLOORED), EIGHT_BIT_FLOORED)
    assert math.isinf(found.against_converted_original)
    assert found.truncated < found.rounded < 54
