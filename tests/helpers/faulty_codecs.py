"""Codecs that are unsound on purpose, each in one way; the doctor has to find it."""

from __future__ import annotations

import os
import secrets
import tempfile
import time
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import torch

from helpers.small_codecs import HEADER_BYTES, Lossless
from lic_bench.codec import Codec, CodecCard, Image, OperatingPoint
from lic_bench.errors import StreamError

SIDE = Path(tempfile.gettempdir()) / f"lic-bench-unsound-{os.getuid()}.bin"
_left_behind: dict[bytes, Image] = {}


class Peeking(Lossless):
    """Gives back what was encoded last."""

    def encode(self, image: Image) -> bytes:
        self.last = image.copy()
        return b"\x00"

    def decode(self, stream: bytes) -> Image:
        return self.last


class Keeping(Lossless):
    """Keeps pictures in its module, under the names that are its streams."""

    def encode(self, image: Image) -> bytes:
        name = zlib.crc32(image.tobytes()).to_bytes(4, "big")
        _left_behind[name] = image.copy()
        return name

    def decode(self, stream: bytes) -> Image:
        return _left_behind[stream]


class Sizeless(Lossless):
    """Puts every sample into the stream, and height and width into the object."""

    def encode(self, image: Image) -> bytes:
        self.shape = image.shape
        return image.tobytes()

    def decode(self, stream: bytes) -> Image:
        return np.resize(np.frombuffer(stream, np.uint8), self.shape)


class SideFile(Lossless):
    """Writes the picture into a file and its size into the stream."""

    def path(self) -> Path:
        return SIDE

    def encode(self, image: Image) -> bytes:
        stream = super().encode(image)
        name = f".{zlib.crc32(stream)}"
        self.path().with_suffix(name).write_bytes(stream)
        return name.encode()

    def decode(self, stream: bytes) -> Image:
        return super().decode(self.path().with_suffix(stream.decode()).read_bytes())


class TemporaryFile(SideFile):
    """As the other, where temporary files are kept."""

    def path(self) -> Path:
        return Path(tempfile.gettempdir()) / SIDE.name


class Drifting(Lossless):
    """Decodes to samples that depend on the number of threads."""

    step_per_thread = 3

    def decode(self, stream: bytes) -> Image:
        return (super().decode(stream) // 2 + self.step_per_thread * torch.get_num_threads()).astype(np.uint8)


class DriftingByOne(Drifting):
    step_per_thread = 1


class OneThreaded(Lossless):
    """Loses its way with more than one thread."""

    def decode(self, stream: bytes) -> Image:
        if torch.get_num_threads() > 1:
            raise RuntimeError("the arithmetic decoder ran out of bits")
        return super().decode(stream)


class UnderReporting(Lossless):
    """Says that a quarter of what it writes are strings."""

    def payload_bits(self, stream: bytes) -> int:
        return 8 * (len(stream) // 4)


class OverReporting(Lossless):
    """Says that its strings take more than its streams."""

    def payload_bits(self, stream: bytes) -> int:
        return 16 * len(stream)


class Honest(Lossless):
    """Counts every sample as payload, which is what it is."""

    def payload_bits(self, stream: bytes) -> int:
        return 8 * (len(stream) - HEADER_BYTES)


class Even(Lossless):
    """Works in blocks of 2 x 2 and does not pad."""

    def encode(self, image: Image) -> bytes:
        height, width = image.shape[:2]
        if height % 2 or width % 2:
            raise ValueError("sides must be even")
        return super().encode(image)


class Padded(Lossless):
    """Gives back blocks of 16 x 16."""

    def decode(self, stream: bytes) -> Image:
        image = super().decode(stream)
        height, width = image.shape[:2]
        return np.pad(image, ((0, -height % 16), (0, -width % 16), (0, 0)))


class Spreading(Lossless):
    """Divides by how far samples lie apart."""

    def encode(self, image: Image) -> bytes:
        if image.min() == image.max():
            raise ZeroDivisionError("no spread")
        return super().encode(image)


class Salting(Lossless):
    """Writes another stream every time, which decodes all the same."""

    def encode(self, image: Image) -> bytes:
        return super().encode(image) + secrets.token_bytes(4)

    def decode(self, stream: bytes) -> Image:
        return super().decode(stream[:-4])


class Dithering(Lossless):
    """Decodes with noise that nobody can draw again."""

    def decode(self, stream: bytes) -> Image:
        image = super().decode(stream)
        return image ^ np.frombuffer(secrets.token_bytes(image.size), np.uint8).reshape(image.shape)


class Seeding(Lossless):
    """Writes what differs from process to process."""

    def encode(self, image: Image) -> bytes:
        return super().encode(image) + os.getpid().to_bytes(4, "big")

    def decode(self, stream: bytes) -> Image:
        return super().decode(stream[:-4])


class Floating(Lossless):
    """Gives back floating-point numbers."""

    def decode(self, stream: bytes) -> Any:
        return super().decode(stream).astype(np.float32)


class Wrapping(Lossless):
    """Gives back a tensor, and not an array."""

    def decode(self, stream: bytes) -> Any:
        return torch.tensor(super().decode(stream))


class Scribbling(Lossless):
    """Works in the array it is given."""

    def encode(self, image: Image) -> bytes:
        image //= 2
        return super().encode(image)


class Travelling(Lossless):
    """Decodes on one of two devices in the way that its operating point says."""

    def __init__(self, device: str, way: str) -> None:
        self.way = way if device != "cpu" else "exact"

    def decode(self, stream: bytes) -> Image:
        image = super().decode(stream)
        if self.way == "refused":
            raise StreamError("This stream was made on another device.")
        if self.way == "broken":
            raise RuntimeError("the arithmetic decoder ran out of bits")
        return image if self.way == "exact" else image ^ np.uint8(5)


class Unloadable(Lossless):
    """Cannot be made here."""

    def __init__(self) -> None:
        raise OSError("the library is not installed")


class SlowOnLines(Lossless):
    """Does not come back from pictures of one line."""

    def decode(self, stream: bytes) -> Image:
        image = super().decode(stream)
        while image.shape[0] == 1:
            time.sleep(0.1)
        return image


class Chatting(Sizeless):
    """Prints what it does, besides."""

    def encode(self, image: Image) -> bytes:
        print("encoding")
        return super().encode(image)


def load(card: CodecCard, point: OperatingPoint, weights: Path | None, device: str) -> Codec:
    return Travelling(device, point.label)


TRAVELLING = CodecCard(
    name="travelling",
    title="Travelling",
    family="unsound",
    paper="none",
    year=2026,
    licence="Apache-2.0",
    learned=False,
    points=tuple(OperatingPoint(label) for label in ("exact", "drift", "broken", "refused")),
    loader="unsound_codecs:load",
)


def reference(name: str) -> str:
    """How the doctor is told of something in this file."""
    return f"{Path(__file__).resolve()}:{name}"
