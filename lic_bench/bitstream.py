"""The container around a learned codec's strings: all that its decoder needs, in as few bytes as is simple.

Layout, all numbers as LEB128 varints (7 bits a byte, low first):
    1 byte   magic and version (0xB1)
    4 bytes  CRC-32 of "codec/point", so that another network's stream is refused and not decoded into noise
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

Shape: TypeAlias = "int | list[Shape] | dict[str, Shape]"


@dataclass(frozen=True)
class Container:
    """What a stream holds. `device` is "cpu" or "accelerator"; strings in the order the network gave them."""

    codec: str
    device: str
    threads: int
    height: int
    width: int
    shape: Shape
    strings: tuple[bytes, ...]


def identity(codec: str, point: str) -> str:
    """How a stream names the operating point it was made with."""
    return f"{codec}/{point}"


def pack(contents: Container) -> bytes:
    """Container to bytes."""
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
    """Bytes to contents.

    Raises StreamError for bytes of another codec or operating point, and for a stream that is cut or damaged.
    """
    if not stream or stream[0] != _MAGIC:
        raise StreamError("This is not a stream of lic-bench's container: its first byte is wrong.")
    if stream[1:5] != zlib.crc32(codec.encode()).to_bytes(4, "little"):
        raise StreamError(f"This stream was not made by {codec}; load the codec and operating point it was made with.")
    try:
        reader = _Reader(stream, 5)
        device = "cpu" if reader.number() == 0 else "accelerator"
        threads, height, width = reader.number(), reader.number(), reader.number()
        shape = reader.shape()
        strings = tuple(reader.bytes(reader.number()) for _ in range(reader.number()))
    except IndexError:
        raise StreamError(f"The stream of {codec} ends too early ({len(stream)} bytes); it was cut.") from None
    if reader.at != len(stream):
        raise StreamError(f"The stream of {codec} has {len(stream) - reader.at} bytes too many; it is damaged.")
    return Container(codec, device, threads, height, width, shape, strings)


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
        "dictionaries of them can be put into a stream."
    )


def _put(out: bytearray, number: int) -> None:
    if number < 0:
        raise StreamError(f"A stream cannot hold the negative number {number}.")
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)


def _put_shape(out: bytearray, shape: Shape) -> None:
    if isinstance(shape, int):
        _put(out, shape << 2 | _INTEGER)
    elif isinstance(shape, list):
        _put(out, len(shape) << 2 | _LIST)
        for value in shape:
            _put_shape(out, value)
    else:
        _put(out, len(shape) << 2 | _DICTIONARY)
        for key, value in shape.items():
            name = key.encode()
            _put(out, len(name))
            out += name
            _put_shape(out, value)


class _Reader:
    """Reads numbers, shapes and strings one after another; IndexError past the end."""

    def __init__(self, stream: bytes, at: int) -> None:
        self.stream = stream
        self.at = at

    def number(self) -> int:
        value, shift = 0, 0
        while True:
            byte = self.stream[self.at]
            self.at += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7

    def bytes(self, count: int) -> bytes:
        if self.at + count > len(self.stream):
            raise IndexError
        self.at += count
        return self.stream[self.at - count : self.at]

    def shape(self) -> Shape:
        value, kind = divmod(self.number(), 4)
        if kind == _INTEGER:
            return value
        if kind == _LIST:
            return [self.shape() for _ in range(value)]
        if kind == _DICTIONARY:
            return {self.bytes(self.number()).decode(): self.shape() for _ in range(value)}
        raise StreamError("The stream is damaged: its latent shape cannot be read.")
