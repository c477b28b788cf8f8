"""Codecs with one known fault each, which the doctor has to find; and CountedPayload, with none."""

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

SIDE_FILE = Path(tempfile.gettempdir()) / f"lic-bench-faulty-{os.getuid()}.bin"
_kept: dict[bytes, Image] = {}


class LastPicture(Lossless):
    """Decodes to the picture that was encoded last."""

    def encode(self, image: Image) -> bytes:
        self.last = image.copy()
        return b"\x00"

    def decode(self, stream: bytes) -> Image:
        return self.last


class ModuleState(Lossless):
    """Keeps pictures in its module; the bitstream is the key of one."""

    def encode(self, image: Image) -> bytes:
        name = zlib.crc32(image.tobytes()).to_bytes(4, "big")
        _kept[name] = image.copy()
        return name

    def decode(self, stream: bytes) -> Image:
        return _kept[stream]


class SizeInObject(Lossless):
    """Writes every sample into the bitstream, and keeps height and width in the object."""

    def encode(self, image: Image) -> bytes:
        self.shape = image.shape
        return image.tobytes()

    def decode(self, stream: bytes) -> Image:
        return np.resize(np.frombuffer(stream, np.uint8), self.shape)


class SideFile(Lossless):
    """Writes the picture into a file, and the name of the file into the bitstream."""

    def path(self) -> Path:
        return SIDE_FILE

    def encode(self, image: Image) -> bytes:
        stream = super().encode(image)
        name = f".{zlib.crc32(stream)}"
        self.path().with_suffix(name).write_bytes(stream)
        return name.encode()

    def decode(self, stream: bytes) -> Image:
        return super().decode(self.path().with_suffix(stream.decode()).read_bytes())


class TemporaryFile(SideFile):
    """Writes the picture into a file in the folder of temporary files."""

    def path(self) -> Path:
        return Path(tempfile.gettempdir()) / SIDE_FILE.name


class DriftingByThree(Lossless):
    """Decodes to samples that depend on the number of threads, by three steps a thread."""

    step_per_thread = 3

    def decode(self, stream: bytes) -> Image:
        return (super().decode(stream) // 2 + self.step_per_thread * torch.get_num_threads()).astype(np.uint8)


class DriftingByOne(DriftingByThree):
    """Decodes to samples that depend on the number of threads, by one step."""

    step_per_thread = 1


class OneThreaded(Lossless):
    """Cannot decode with more than one thread."""

    def decode(self, stream: bytes) -> Image:
        if torch.get_num_threads() > 1:
            raise RuntimeError("the arithmetic decoder ran out of bits")
        return super().decode(stream)


class SmallPayload(Lossless):
    """Reports a quarter of its bitstream as payload."""

    def payload_bits(self, stream: bytes) -> int:
        return 8 * (len(stream) // 4)


class LargePayload(Lossless):
    """Reports twice its bitstream as payload."""

    def payload_bits(self, stream: bytes) -> int:
        return 16 * len(stream)


class CountedPayload(Lossless):
    """Reports all samples as payload, which is correct."""

    def payload_bits(self, stream: bytes) -> int:
        return 8 * (len(stream) - HEADER_BYTES)


class EvenSides(Lossless):
    """Raises for sides that are odd."""

    def encode(self, image: Image) -> bytes:
        height, width = image.shape[:2]
        if height % 2 or width % 2:
            raise ValueError("sides must be even")
        return super().encode(image)


class NotCropped(Lossless):
    """Decodes to sides that are multiples of 16."""

    def decode(self, stream: bytes) -> Image:
        image = super().decode(stream)
        height, width = image.shape[:2]
        return np.pad(image, ((0, -height % 16), (0, -width % 16), (0, 0)))


class NoFlatPictures(Lossless):
    """Raises for pictures of one value."""

    def encode(self, image: Image) -> bytes:
        if image.min() == image.max():
            raise ZeroDivisionError("no spread")
        return super().encode(image)


class RandomStream(Lossless):
    """Encodes to another bitstream every time; all of them decode to the same picture."""

    def encode(self, image: Image) -> bytes:
        return super().encode(image) + secrets.token_bytes(4)

    def decode(self, stream: bytes) -> Image:
        return super().decode(stream[:-4])


class RandomPicture(Lossless):
    """Adds random noise when it decodes."""

    def decode(self, stream: bytes) -> Image:
        image = super().decode(stream)
        return image ^ np.frombuffer(secrets.token_bytes(image.size), np.uint8).reshape(image.shape)


class ProcessInStream(Lossless):
    """Writes the process id into the bitstream."""

    def encode(self, image: Image) -> bytes:
        return super().encode(image) + os.getpid().to_bytes(4, "big")

    def decode(self, stream: bytes) -> Image:
        return super().decode(stream[:-4])


class FloatPicture(Lossless):
    """Decodes to float32."""

    def decode(self, stream: bytes) -> Any:
        return super().decode(stream).astype(np.float32)


class TensorPicture(Lossless):
    """Decodes to a tensor instead of an array."""

    def decode(self, stream: bytes) -> Any:
        return torch.tensor(super().decode(stream))


class WritesIntoInput(Lossless):
    """Changes the array it is given."""

    def encode(self, image: Image) -> bytes:
        image //= 2
        return super().encode(image)


class DeviceDependent(Lossless):
    """Decodes on a device other than the CPU as its operating point says: exact, drift, broken, refused."""

    def __init__(self, device: str, point: str) -> None:
        self.point = point if device != "cpu" else "exact"

    def decode(self, stream: bytes) -> Image:
        image = super().decode(stream)
        if self.point == "refused":
            raise StreamError("This stream was made on another device.")
        if self.point == "broken":
            raise RuntimeError("the arithmetic decoder ran out of bits")
        return image if self.point == "exact" else image ^ np.uint8(5)


class Unloadable(Lossless):
    """Raises when it is constructed."""

    def __init__(self) -> None:
        raise OSError("the library is not installed")


class SlowOnLines(Lossless):
    """Never ends decoding a picture of one line."""

    def decode(self, stream: bytes) -> Image:
        image = super().decode(stream)
        while image.shape[0] == 1:
            time.sleep(0.1)
        return image


class Printing(SizeInObject):
    """Prints to standard output while it encodes."""

    def encode(self, image: Image) -> bytes:
        print("encoding")
        return super().encode(image)


def load(card: CodecCard, point: OperatingPoint, weights: Path | None, device: str) -> Codec:
    return DeviceDependent(device, point.label)


DEVICE_DEPENDENT = CodecCard(
    name="device-dependent",
    title="Device dependent",
    family="test",
    paper="none",
    year=2026,
    licence="Apache-2.0",
    learned=False,
    points=tuple(OperatingPoint(label) for label in ("exact", "drift", "broken", "refused")),
    loader="faulty_codecs:load",
)


def reference(name: str) -> str:
    """The reference of a codec in this file."""
    return f"{Path(__file__).resolve()}:{name}"
