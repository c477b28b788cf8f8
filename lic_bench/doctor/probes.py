"""What fresh processes are asked about a codec. They report, and judge nothing."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import GeneratorType
from typing import Any, ClassVar, TypeAlias

import numpy as np
import torch

from lic_bench.codec import Codec, Image, SplitsRate
from lic_bench.doctor.pictures import Made
from lic_bench.errors import LicBenchError, StreamError
from lic_bench.registry import codecs

Question: TypeAlias = Callable[[Any], Any]
"""Asked of a loaded codec, in another process. One that takes long may be a generator: words for what it is at, and
last its answer."""


@dataclass(frozen=True)
class Patient:
    """A codec by names only, so that any process can load it, and with how many threads it is run."""

    reference: str
    point: str
    weights: Path | None
    device: str
    threads: int

    def load(self) -> Codec:
        """The codec, ready to run; whatever its loader raises."""
        torch.set_num_threads(self.threads)
        card = codecs.get(self.reference)
        return card.load(card.point(self.point), self.weights, self.device)


@dataclass(frozen=True)
class Broken:
    """In place of an answer: what happened.

    `refused`: a decoder knew that the stream was not for it. `stopped`: it ran past its time.
    """

    sentence: str
    refused: bool = False
    stopped: bool = False


Outcome: TypeAlias = "Image | Broken"


@dataclass(frozen=True)
class Trip:
    """A picture there and back. `changed`: the codec wrote into the caller's picture."""

    made: Made
    stream: bytes
    decoded: Image
    changed: bool
    payload_bits: int | None


@dataclass(frozen=True)
class Habits:
    """What one process does when it is asked more than once.

    The first picture's stream, made twice and decoded twice; decoded once more after another picture of the same size
    was encoded (`same_size` is what that one decodes to), and after one of another size. `wrote` are the files that
    were opened for writing while encoding.
    """

    stream: bytes
    stream_again: bytes
    decoded: Image
    decoded_again: Outcome
    after_same_size: Outcome
    same_size: Outcome
    after_other_size: Outcome | None
    wrote: tuple[str, ...]


@dataclass(frozen=True)
class Read:
    """A picture decoded from its stream alone, and the files that were opened for reading meanwhile."""

    decoded: Image
    files: tuple[str, ...]


def ask(patient: Patient, questions: Sequence[Question], room: Path | None = None) -> Iterator[Any]:
    """The answer to each question, `Broken` where it raises; to be called in a fresh process.

    With `room`, an empty folder, the questions are asked there: it is the working directory, the home and the place
    for temporary files, once the codec is loaded.
    """
    os.dup2(2, 1)  # what a codec prints must not stand among findings
    try:
        codec = patient.load()
    except Exception as error:  # a codec may break in any way; that is what is being examined
        yield from (Broken(said(error)) for _ in questions)
        return
    if room is not None:
        _enter(room)
    for question in questions:
        yield from _answer(question, codec)


def there_and_back(made: Made, codec: Codec) -> Iterator[str | Trip]:
    """Encode and decode one picture."""
    given = made.image.copy()
    yield "encode"
    stream = encode(given, codec)
    yield "decode"
    decoded = decode(stream, codec)
    yield "payload_bits"
    bits = int(codec.payload_bits(stream)) if isinstance(codec, SplitsRate) else None
    yield Trip(made, stream, decoded, not np.array_equal(given, made.image), bits)


def habits(first: Image, same_size: Image, other_size: Image | None, codec: Codec) -> Habits:
    """Encode and decode in an order in which a decoder that remembers what was encoded gives itself away."""
    with Watch() as files:
        stream = encode(first.copy(), codec)
        decoded = decode(stream, codec)
        decoded_again = _tried(stream, codec)
        stream_again = encode(first.copy(), codec)
        others = encode(same_size.copy(), codec)
        after_same_size, same = _tried(stream, codec), _tried(others, codec)
        after_other_size = None
        if other_size is not None:
            encode(other_size.copy(), codec)
            after_other_size = _tried(stream, codec)
    wrote = tuple(sorted(files.wrote))
    return Habits(stream, stream_again, decoded, decoded_again, after_same_size, same, after_other_size, wrote)


def read(stream: bytes, codec: Codec) -> Read:
    """Decode a stream in a process that has encoded nothing."""
    with Watch() as files:
        decoded = decode(stream, codec)
    return Read(decoded, tuple(sorted(files.read - files.wrote)))


def encode(image: Image, codec: Codec) -> bytes:
    """A codec's stream; TypeError for anything but bytes."""
    stream: object = codec.encode(image)
    if not isinstance(stream, bytes | bytearray):
        raise TypeError(f"encode gave a {type(stream).__name__}, not bytes")
    return bytes(stream)


def decode(stream: bytes, codec: Codec) -> Image:
    """A codec's picture; TypeError for anything but an array."""
    decoded: object = codec.decode(stream)
    if not isinstance(decoded, np.ndarray):
        raise TypeError(f"decode gave a {type(decoded).__name__}, not a numpy array")
    return decoded.copy()


def said(error: Exception) -> str:
    """An error in words."""
    return str(error) if isinstance(error, LicBenchError) else f"{type(error).__name__}: {error}"


class Watch:
    """Notes the files that Python opens while it is entered, by absolute path, compiled modules apart."""

    _watching: ClassVar[list[Watch]] = []
    _listening: ClassVar[bool] = False

    def __init__(self) -> None:
        self.read: set[str] = set()
        self.wrote: set[str] = set()

    def __enter__(self) -> Watch:
        if not Watch._listening:  # a hook can never be taken away again
            sys.addaudithook(Watch._heard)
            Watch._listening = True
        Watch._watching.append(self)
        return self

    def __exit__(self, *_: object) -> None:
        Watch._watching.remove(self)

    @staticmethod
    def _heard(event: str, arguments: tuple[Any, ...]) -> None:
        if not Watch._watching or event not in ("open", "os.rename"):
            return
        path = arguments[0] if event == "open" else arguments[1]
        if isinstance(path, int) or "__pycache__" in str(path):
            return
        writing = event == "os.rename" or arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
        for files in Watch._watching:
            (files.wrote if writing else files.read).add(os.path.abspath(os.fsdecode(path)))


def _answer(question: Question, codec: Codec) -> Iterator[Any]:
    at = ""
    try:
        answer = question(codec)
        if not isinstance(answer, GeneratorType):
            yield answer
            return
        for told in answer:
            at = f"{told}: " if isinstance(told, str) else at
            yield told
    except Exception as error:  # as above
        yield Broken(f"{at}{said(error)}", isinstance(error, StreamError))


def _tried(stream: bytes, codec: Codec) -> Outcome:
    try:
        return decode(stream, codec)
    except Exception as error:  # as above
        return Broken(said(error), isinstance(error, StreamError))


def _enter(room: Path) -> None:
    os.chdir(room)
    os.environ.update(dict.fromkeys(("HOME", "TMPDIR", "TEMP", "TMP", "XDG_CACHE_HOME"), str(room)))
    tempfile.tempdir = None  # asked for anew, and then found in TMPDIR
