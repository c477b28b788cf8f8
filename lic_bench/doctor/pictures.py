"""The pictures a codec is examined with: every kind of size, and pictures with next to nothing in them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lic_bench.codec import Image

Size = tuple[int, int]
"""Width and height in pixels."""

USUAL: Size = (64, 64)
"""No codec known here has to pad it by more than one block. Everything but the sizes is examined at this size."""

SIZES: tuple[Size, ...] = ((1, 1), (1, 70), (70, 1), (17, 33), (33, 17), (63, 65), (128, 64), (64, 128))
"""One pixel, lines, odd sides, landscape and portrait. `USUAL` is always examined before them."""

LARGE: Size = (768, 512)


@dataclass(frozen=True)
class Made:
    """A picture (uint8, height x width x 3) and what it is called."""

    name: str
    image: Image

    @property
    def size(self) -> Size:
        """Width and height."""
        return self.image.shape[1], self.image.shape[0]


def of_size(size: Size) -> Made:
    """A picture with edges, smooth parts and a little noise, called by its size."""
    width, height = size
    rows, columns = np.mgrid[0:height, 0:width]
    waves = [128 + 70 * np.sin(rows / (5 + channel)) + 40 * np.cos(columns / (9 - 2 * channel)) for channel in range(3)]
    edges = 40 * ((rows // 16 + columns // 16) % 2)
    grain = np.random.default_rng(width * 65537 + height).normal(0, 3, (height, width, 3))
    return Made(f"{width}x{height}", _eight_bit(np.stack(waves, axis=-1) + edges[..., None] + grain))


def noise(size: Size = USUAL) -> Made:
    """Noise: nothing can be predicted in it."""
    image = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3)).astype(np.uint8)
    return Made("noise", image)


def flat(name: str, colour: tuple[int, int, int], size: Size = USUAL) -> Made:
    """One colour all over."""
    return Made(name, np.full((size[1], size[0], 3), colour, np.uint8))


def plain() -> tuple[Made, ...]:
    """Pictures that are unusual by what is in them, all of the usual size."""
    grey = of_size(USUAL).image[:, :, :1].repeat(3, axis=2)
    return (
        Made("grey", grey),
        flat("black", (0, 0, 0)),
        flat("white", (255, 255, 255)),
        flat("one colour", (230, 20, 60)),
        noise(),
    )


def _eight_bit(values: npt.NDArray[np.float64]) -> Image:
    return np.clip(values, 0, 255).astype(np.uint8)
