"""The container of a learned codec's strings: all that its decoder needs, in few bytes.

Layout, all numbers as LEB128 varints (7 bits a byte, low first):
    1 byte   magic and version (0xB1)
    4 bytes  CRC-32 of "codec/point", so that another network's bitstream is refused and not decoded into noise
    varint   0 when made on a CPU, 1 on an accelerator
    varint   number of threads it was made with, which the decoder uses too (0 on an accelerator)
    varint   height, width of the picture
    shape    the network's own description of its latents (integers, lists and dictionaries), or 0 where the codec
             works it out from height and width
    varint   number of strings, then for each its length and its bytes
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from lic_bench.errors import StreamError

_MAGIC = 0xB1
_INTEGER, _LIST, _DICTIONARY = 0, 1, 2

# No encoder goes beyond these; a damaged bitstream may say anything, and must not cost the memory or threads it says.
LARGEST_SIDE = 1 << 20  # pixels
MOST_THREADS = 1 << 12
DEEPEST_SHAPE = 100  # lists and dictionaries inside each other
LARGEST_NUMBER = (1 << 64) - 1

Shape: TypeAlias = "int | list[Shape] | dict[str, Shape]"


@dataclass(frozen=True)
class Container:
    """The contents of a bitstream. `device` is "cpu" or "accelerator"; strings in the order the network gave them."""

    codec: str
    device: str
    threads: int
    height: int
    width: int
    shape: Shape
    strings: tuple[bytes, ...]


def identity(codec: str, point: str) -> str:
    """The name of the operating point that a bitstream was made with."""
    return f"{codec}/{point}"


def pack(contents: Container) -> bytes:
    """The bitstream of a container. StreamError for what no bitstream can hold."""
    _require_possible(contents.threads, contents.height, contents.width)
    out = bytearray([_MAGIC])
    out += zlib.crc32(contents.codec.encode()).to_bytes(4, "little")
    for number in (int(contents.device != "cpu"), contents.threads, contents.height, contents.width):
        _put(out, number)
    _put_shape(out, contents.shape)
    _put(out, len(contents.strings))
    for string in contents.strings:
        _put(out, len(string))
        out += string
    return bytes(out)


def unpack(stream: bytes, codec: str) -> Container:
    """The contents of a bitstream.

    Raises StreamError for one of another codec or operating point, and for one that is cut or damaged.
    """
    if not stream or stream[0] != _MAGIC:
        raise StreamError("This is not a bitstream of lic-bench's container: its first byte is wrong.")
    if stream[1:5] != zlib.crc32(codec.encode()).to_bytes(4, "little"):
        raise StreamError(
            f"This bitstream was not made by {codec}; load the codec and operating point it was made with."
        )
    try:
        reader = _Reader(stream, 5)
        device, threads, height, width = (reader.number() for _ in range(4))
        shape = reader.shape()
        strings = tuple(reader.bytes(reader.number()) for _ in range(reader.number()))
        _require_possible(threads, height, width)
    except IndexError:
        raise StreamError(f"The bitstream of {codec} ends too early ({len(stream)} bytes); it was cut.") from None
    except _ImpossibleError as error:
        raise StreamError(f"The bitstream of {codec} is damaged: {error}") from None
    if reader.at != len(stream):
        raise StreamError(f"The bitstream of {codec} has {len(stream) - reader.at} bytes too many; it is damaged.")
    return Container(codec, "cpu" if device == 0 else "accelerator", threads, height, width, shape, strings)


def plain_shape(shape: object) -> Shape:
    """A network's shape (torch.Size, tuples, lists, dictionaries of integers) as plain lists and dictionaries."""
    if isinstance(shape, int):
        return shape
    if isinstance(shape, Mapping):
        return {str(key): plain_shape(value) for key, value in shape.items()}
    if isinstance(shape, Sequence) and not isinstance(shape, str | bytes):
        return [plain_shape(value) for value in shape]
    raise StreamError(
        f"A network described its latents by {type(shape).__name__}; only integers, lists and "
        "dictionaries of them can be put into a bitstream."
    )


def _put(out: bytearray, number: int) -> None:
    if not 0 <= number <= LARGEST_NUMBER:
        raise _ImpossibleError(f"A bitstream cannot hold the number {number}.")
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)


def _put_shape(out: bytearray, shape: Shape, depth: int = 0) -> None:
    _require_shallow(depth)
    if isinstance(shape, int):
        _put(out, shape << 2 | _INTEGER)
    elif isinstance(shape, list):
        _put(out, len(shape) << 2 | _LIST)
        for value in shape:
            _put_shape(out, value, depth + 1)
    else:
        _put(out, len(shape) << 2 | _DICTIONARY)
        for key, value in shape.items():
            name = key.encode()
            _put(out, len(name))
            out += name
            _put_shape(out, value, depth + 1)


def _require_possible(threads: int, height: int, width: int) -> None:
    if not (0 < height <= LARGEST_SIDE and 0 < width <= LARGEST_SIDE and threads <= MOST_THREADS):
        raise _ImpossibleError(f"A bitstream cannot be of {width}x{height} pixels and {threads} threads.")


def _require_shallow(depth: int) -> None:
    if depth > DEEPEST_SHAPE:
        raise _ImpossibleError(f"A latent shape cannot be nested more than {DEEPEST_SHAPE} times.")


class _ImpossibleError(StreamError):
    """Contents that no encoder writes."""


class _Reader:
    """Reads numbers, shapes and strings one after another; IndexError past the end, StreamError for nonsense."""

    def __init__(self, stream: bytes, at: int) -> None:
        self.stream = stream
        self.at = at

    def number(self) -> int:
        value = 0
        for shift in range(0, 70, 7):
            byte = self.stream[self.at]
            self.at += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80 and value <= LARGEST_NUMBER:
                return value
        raise _ImpossibleError("A number has more than 64 bits.")

    def bytes(self, count: int) -> bytes:
        if self.at + count > len(self.stream):
            raise IndexError
        self.at += count
        return self.stream[self.at - count : self.at]

    def shape(self, depth: int = 0) -> Shape:
        _require_shallow(depth)
        value, kind = divmod(self.number(), 4)
        if kind == _INTEGER:
            return value
        if kind == _LIST:
            return [self.shape(depth + 1) for _ in range(value)]
        if kind == _DICTIONARY:
            return {self.text(): self.shape(depth + 1) for _ in range(value)}
        raise _ImpossibleError("Its latent shape is neither an integer nor a list nor a dictionary.")

    def text(self) -> str:
        try:
            return self.bytes(self.number()).decode()
        except UnicodeDecodeError:
            raise _ImpossibleError("A name in its latent shape is no text.") from None
