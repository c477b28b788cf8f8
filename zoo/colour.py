"""Colour paths between 8-bit RGB and the planes that external encoders read, and the ways of scoring across them.

RGB to Y, Cb, Cr with the coefficients of ITU-R BT.709 (Kr 0.2126, Kb 0.0722), full range, in float32: both chroma
signals plus 0.5, everything clipped to [0, 1] and scaled to the largest sample. A path alone, without any coding, gives
Kodak back without loss at 10 bit rounded, at 53.0 dB at 8 bit rounded, and at 46.4 dB at 8 bit cut off.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from lic_bench.errors import PictureError, StreamError

if TYPE_CHECKING:
    from lic_bench.codec import Image

Plane: TypeAlias = npt.NDArray[Any]
"""uint8 or uint16, height x width."""
Floats: TypeAlias = npt.NDArray[np.float32]

RED, BLUE = np.float32(0.2126), np.float32(0.0722)
GREEN = np.float32(0.7152)


@dataclass(frozen=True)
class ColourPath:
    """How a picture becomes planes Y, Cb, Cr of `bit_depth` bits, and how those become 8-bit RGB again.

    `rounds` is False for a path that cuts samples off; RGB is rounded on every path. `halves_chroma` marks 4:2:0:
    chroma is the mean of 2 x 2 samples, and repeated on the way back.
    """

    name: str
    bit_depth: int
    rounds: bool = True
    halves_chroma: bool = False

    @property
    def largest(self) -> int:
        """The largest sample."""
        return (1 << self.bit_depth) - 1


TEN_BIT = ColourPath("bt709-10bit-rounded", 10)
EIGHT_BIT = ColourPath("bt709-8bit-rounded", 8)
EIGHT_BIT_FLOORED = ColourPath("bt709-8bit-floored", 8, rounds=False)
TEN_BIT_420 = ColourPath("bt709-10bit-rounded-420", 10, halves_chroma=True)
PATHS = {path.name: path for path in (TEN_BIT, EIGHT_BIT, EIGHT_BIT_FLOORED, TEN_BIT_420)}


def to_planes(image: Image, path: ColourPath) -> tuple[Plane, ...]:
    """Y, Cb and Cr of a picture (uint8, height x width x 3). PictureError for odd sides where chroma is halved."""
    red, green, blue = (image[..., channel].astype(np.float32) / np.float32(255) for channel in range(3))
    luma = RED * red + GREEN * green + BLUE * blue
    half = np.float32(0.5)
    signals = [
        luma,
        half * (blue - luma) / (1 - BLUE) + half,
        half * (red - luma) / (1 - RED) + half,
    ]
    if path.halves_chroma:
        signals[1:] = [_mean_of_2x2(signal) for signal in signals[1:]]
    return tuple(_quantised(np.clip(signal, 0, 1), path.largest, path.rounds) for signal in signals)


def to_float_rgb(planes: Sequence[Plane], path: ColourPath) -> Floats:
    """RGB in [0, 1], height x width x 3, of planes Y, Cb and Cr, without rounding it to 8 bit."""
    luma, cb, cr = (plane.astype(np.float32) / np.float32(path.largest) for plane in planes)
    if path.halves_chroma:
        cb, cr = (plane.repeat(2, axis=0).repeat(2, axis=1) for plane in (cb, cr))
    half, two = np.float32(0.5), np.float32(2)
    red = luma + (two - two * RED) * (cr - half)
    blue = luma + (two - two * BLUE) * (cb - half)
    green = (luma - RED * red - BLUE * blue) / GREEN
    rgb: Floats = np.clip(np.stack([red, green, blue], axis=-1), 0, 1)
    return rgb


def to_rgb(planes: Sequence[Plane], path: ColourPath) -> Image:
    """The picture (uint8, height x width x 3) of planes Y, Cb and Cr."""
    return _quantised(to_float_rgb(planes, path), 255, rounds=True)


def to_file(planes: Sequence[Plane]) -> bytes:
    """The planes one after another as encoders read them: a byte a sample, or two, little endian, above 8 bit."""
    return b"".join(plane.astype("<u2" if plane.dtype.itemsize > 1 else "u1").tobytes() for plane in planes)


def from_file(content: bytes, width: int, height: int, path: ColourPath) -> tuple[Plane, ...]:
    """The planes of such a file. StreamError where it has another length than this size makes."""
    samples = np.frombuffer(content, "<u2" if path.bit_depth > 8 else "u1")
    chroma = (height // 2, width // 2) if path.halves_chroma else (height, width)
    shapes = ((height, width), chroma, chroma)
    if samples.size != sum(math.prod(shape) for shape in shapes):
        raise StreamError(f"A decoder gave {samples.size} samples, which is no picture of {width}x{height}.")
    starts = np.cumsum([math.prod(shape) for shape in shapes])[:-1]
    return tuple(part.reshape(shape) for part, shape in zip(np.split(samples, starts), shapes, strict=True))


@dataclass(frozen=True)
class Scores:
    """PSNR in dB of one decoded picture under four conventions of scoring, over all channels and pixels.

    `rounded` is the figure of this package: against the picture as given, RGB rounded to 8 bit. `truncated` cuts RGB
    off to 8 bit instead, `floating` leaves it unrounded. `against_converted_original` compares the unrounded RGB with
    the original after the same conversion to planes and back: what the conversion costs is then not seen.
    """

    rounded: float
    truncated: float
    floating: float
    against_converted_original: float


def scores(original: Image, decoded: Sequence[Plane], path: ColourPath) -> Scores:
    """The scores of decoded planes against the picture that was encoded over this path."""
    found = to_float_rgb(decoded, path)
    converted = to_float_rgb(to_planes(original, path), path)
    return Scores(
        rounded=psnr(original, _quantised(found, 255, rounds=True), 255),
        truncated=psnr(original, _quantised(found, 255, rounds=False), 255),
        floating=psnr(original / 255, found, 1),
        against_converted_original=psnr(converted, found, 1),
    )


def psnr(original: npt.NDArray[Any], decoded: npt.NDArray[Any], peak: float) -> float:
    """10 log10(peak^2 / MSE) in dB, the MSE in float64; infinite for equal arrays."""
    error = float(np.mean((original.astype(np.float64) - decoded) ** 2))
    return math.inf if error == 0 else 10 * math.log10(peak**2 / error)


def _quantised(signal: Floats, largest: int, rounds: bool) -> Plane:
    scaled = signal * np.float32(largest)
    return (np.round(scaled) if rounds else scaled).astype(np.uint8 if largest < 256 else np.uint16)


def _mean_of_2x2(signal: Floats) -> Floats:
    height, width = signal.shape
    if height % 2 or width % 2:
        raise PictureError(f"A picture of {width}x{height} cannot be coded as 4:2:0, which needs even sides.")
    mean: Floats = signal.reshape(height // 2, 2, width // 2, 2).mean(axis=(1, 3))
    return mean
