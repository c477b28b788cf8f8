"""The test pictures: every kind of size, and pictures with very little content."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from lic_bench.codec import Image

Size = tuple[int, int]
"""Width and height in pixels."""

BASE_SIZE: Size = (64, 64)
"""The size of all checks but that of sizes. No codec known here has to pad it by more than one block."""

SIZES: tuple[Size, ...] = ((1, 1), (1, 70), (70, 1), (17, 33), (33, 17), (63, 65), (128, 64), (64, 128))
"""One pixel, lines, odd sides, landscape and portrait. `BASE_SIZE` is always tried before them."""

LARGE_SIZE: Size = (768, 512)
"""The largest picture tried by default."""


@dataclass(frozen=True)
class TestPicture:
    """A picture (uint8, height x width x 3) and its name."""

    __test__: ClassVar[bool] = False  # pytest takes every class called Test* for one of tests

    name: str
    image: Image

    @property
    def size(self) -> Size:
        """Width and height."""
        return self.image.shape[1], self.image.shape[0]


def of_size(size: Size) -> TestPicture:
    """A picture with edges, smooth parts and a little noise, named after its size."""
    width, height = size
    rows, columns = np.mgrid[0:height, 0:width]
    waves = [128 + 70 * np.sin(rows / (5 + channel)) + 40 * np.cos(columns / (9 - 2 * channel)) for channel in range(3)]
    edges = 40 * ((rows // 16 + columns // 16) % 2)
    grain = np.random.default_rng(width * 65537 + height).normal(0, 3, (height, width, 3))
    return TestPicture(f"{width}x{height}", _eight_bit(np.stack(waves, axis=-1) + edges[..., None] + grain))


def noise(size: Size = BASE_SIZE) -> TestPicture:
    """Uniform noise, which no codec can predict."""
    image = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3)).astype(np.uint8)
    return TestPicture("noise", image)


def flat(name: str, colour: tuple[int, int, int], size: Size = BASE_SIZE) -> TestPicture:
    """A picture of one colour."""
    return TestPicture(name, np.full((size[1], size[0], 3), colour, np.uint8))


def plain_pictures() -> tuple[TestPicture, ...]:
    """Pictures of unusual content, all of BASE_SIZE: grey, single colours, noise."""
    grey = of_size(BASE_SIZE).image[:, :, :1].repeat(3, axis=2)
    return (
        TestPicture("grey", grey),
        flat("black", (0, 0, 0)),
        flat("white", (255, 255, 255)),
        flat("one colour", (230, 20, 60)),
        noise(),
    )


def _eight_bit(values: npt.NDArray[np.float64]) -> Image:
    return np.clip(values, 0, 255).astype(np.uint8)
