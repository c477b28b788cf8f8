"""What fresh processes are asked about a codec. Probes report values and judge nothing."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import chdir, contextmanager, nullcontext
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import GeneratorType
from typing import Any, TypeAlias

import numpy as np

from lic_bench.codec import Codec, Image, SplitsRate
from lic_bench.doctor.opened_files import OpenedFiles
from lic_bench.doctor.pictures import TestPicture
from lic_bench.errors import LicBenchError, StreamError
from lic_bench.learned_codec import torch_threads
from lic_bench.registry import codecs
from lic_bench.registry.isolation import stdout_to_stderr

Probe: TypeAlias = Callable[[Any], Any]
"""Called with a loaded codec in a fresh process; returns its answer, or yields Steps and then its answer."""


@dataclass(frozen=True)
class CodecUnderTest:
    """A codec at one operating point by names only, so that any process can load it, and how it is run.

    `weights` is None for an untrained network; `threads` is torch's number of threads.
    """

    reference: str
    point: str
    weights: Path | None
    device: str
    threads: int

    def load(self) -> Codec:
        """The codec, ready to run. Raises whatever its loader raises."""
        card = codecs.get(self.reference)
        return card.load(card.point(self.point), self.weights, self.device)


class Step(StrEnum):
    """The call that a probe makes next, so that a process that ends is known to have ended in it."""

    ENCODE = "encode"
    DECODE = "decode"
    PAYLOAD_BITS = "payload_bits"


class Cause(StrEnum):
    """Why a probe has no answer."""

    RAISED = "raised"
    REFUSED = "refused"  # the decoder says that it cannot read this bitstream (StreamError)
    PROCESS_ENDED = "process_ended"
    TIMED_OUT = "timed_out"
    NOT_RUN = "not_run"  # a probe before it timed out


@dataclass(frozen=True)
class ProbeFailure:
    """Takes the place of a probe's answer: why there is none, what the failing code says, and at which step."""

    cause: Cause
    reason: str
    step: Step | None = None

    @property
    def text(self) -> str:
        """The failure as shown to people."""
        return self.reason if self.step is None else f"{self.step}: {self.reason}"


Decoded: TypeAlias = "Image | ProbeFailure"


@dataclass(frozen=True)
class RoundTrip:
    """A picture encoded and decoded in one process. `input_changed`: the codec wrote into the array it was given."""

    picture: TestPicture
    stream: bytes
    decoded: Image
    input_changed: bool
    payload_bits: int | None


@dataclass(frozen=True)
class RepeatedCoding:
    """What one process gives when it codes more than once.

    `stream` and `stream_again` are made of one picture. `stream` is decoded twice (`decoded`, `decoded_again`), once
    more after another picture of the same size was encoded (`after_same_size`; `other_decoded` is that other picture
    decoded), and once more after one of another size. `files_written` were opened for writing meanwhile.
    """

    stream: bytes
    stream_again: bytes
    decoded: Image
    decoded_again: Decoded
    after_same_size: Decoded
    other_decoded: Decoded
    after_other_size: Decoded | None
    files_written: tuple[str, ...]


@dataclass(frozen=True)
class FreshDecoding:
    """A picture decoded in a process that encoded nothing, and the files that were opened for reading meanwhile."""

    decoded: Image
    files_read: tuple[str, ...]


def run(subject: CodecUnderTest, probes: Sequence[Probe], folder: Path | None = None) -> Iterator[Any]:
    """Yields the answer of each probe, ProbeFailure where it raises; to be called in a fresh process.

    With `folder` (empty), it is the working directory, the home and the place for temporary files once the codec is
    loaded. What the codec prints goes to standard error, so that it does not stand among the findings.
    """
    with stdout_to_stderr(), torch_threads(subject.threads):
        try:
            codec = subject.load()
        except Exception as error:  # a codec may fail in any way, and that is what is examined
            yield from (_failure(error) for _ in probes)
            return
        with nullcontext() if folder is None else _working_in(folder):
            for probe in probes:
                yield from _answer(probe, codec)


def round_trip(picture: TestPicture, codec: Codec) -> Iterator[Step | RoundTrip]:
    """Encodes and decodes one picture."""
    given = picture.image.copy()
    yield Step.ENCODE
    stream = encode(given, codec)
    yield Step.DECODE
    decoded = decode(stream, codec)
    yield Step.PAYLOAD_BITS
    bits = int(codec.payload_bits(stream)) if isinstance(codec, SplitsRate) else None
    yield RoundTrip(picture, stream, decoded, not np.array_equal(given, picture.image), bits)


def repeated_coding(first: Image, same_size: Image, other_size: Image | None, codec: Codec) -> RepeatedCoding:
    """Encodes and decodes in an order that shows whether the decoder uses anything the encoder kept."""
    with OpenedFiles() as files:
        stream = encode(first.copy(), codec)
        decoded = decode(stream, codec)
        decoded_again = _decoded(stream, codec)
        stream_again = encode(first.copy(), codec)
        other_stream = encode(same_size.copy(), codec)
        after_same_size, other_decoded = _decoded(stream, codec), _decoded(other_stream, codec)
        after_other_size = None
        if other_size is not None:
            encode(other_size.copy(), codec)
            after_other_size = _decoded(stream, codec)
    return RepeatedCoding(
        stream, stream_again, decoded, decoded_again, after_same_size, other_decoded, after_other_size,
        tuple(sorted(files.written)),
    )  # fmt: skip


def fresh_decoding(stream: bytes, codec: Codec) -> FreshDecoding:
    """Decodes a bitstream in a process that has encoded nothing."""
    with OpenedFiles() as files:
        decoded = decode(stream, codec)
    return FreshDecoding(decoded, tuple(sorted(files.read - files.written)))


def encode(image: Image, codec: Codec) -> bytes:
    """A codec's bitstream of a picture. Raises TypeError for anything but bytes."""
    stream: object = codec.encode(image)
    if not isinstance(stream, bytes | bytearray):
        raise TypeError(f"encode gave a {type(stream).__name__}, not bytes")
    return bytes(stream)


def decode(stream: bytes, codec: Codec) -> Image:
    """A codec's picture of a bitstream. Raises TypeError for anything but an array."""
    decoded: object = codec.decode(stream)
    if not isinstance(decoded, np.ndarray):
        raise TypeError(f"decode gave a {type(decoded).__name__}, not a numpy array")
    return decoded.copy()


def _answer(probe: Probe, codec: Codec) -> Iterator[Any]:
    """The steps and the answer of one probe."""
    step = None
    try:
        answer = probe(codec)
        if not isinstance(answer, GeneratorType):
            yield answer
            return
        for item in answer:
            step = item if isinstance(item, Step) else step
            yield item
    except Exception as error:  # a codec may fail in any way, and that is what is examined
        yield _failure(error, step)


def _decoded(stream: bytes, codec: Codec) -> Decoded:
    try:
        return decode(stream, codec)
    except Exception as error:  # a codec may fail in any way, and that is what is examined
        return _failure(error)


def _failure(error: Exception, step: Step | None = None) -> ProbeFailure:
    reason = str(error) if isinstance(error, LicBenchError) else f"{type(error).__name__}: {error}"
    return ProbeFailure(Cause.REFUSED if isinstance(error, StreamError) else Cause.RAISED, reason, step)


@contextmanager
def _working_in(folder: Path) -> Iterator[None]:
    """Makes a folder the working directory, the home and the place for temporary files."""
    places = ("HOME", "TMPDIR", "TEMP", "TMP", "XDG_CACHE_HOME")
    before = {name: os.environ.get(name) for name in places}
    temporary, tempfile.tempdir = tempfile.tempdir, str(folder)
    os.environ.update(dict.fromkeys(places, str(folder)))
    try:
        with chdir(folder):
            yield
    finally:
        tempfile.tempdir = temporary
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
