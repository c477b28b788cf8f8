"""Real codecs of a few lines, whose size and error are known by arithmetic; and some that break in known ways."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import numpy as np

from lic_bench.codec import Codec, CodecCard, Image, OperatingPoint

HEADER_BYTES = 8


class Lossless:
    """Every sample as it is, behind height and width."""

    step = 1

    def encode(self, image: Image) -> bytes:
        height, width = image.shape[:2]
        return height.to_bytes(4, "big") + width.to_bytes(4, "big") + image[:: self.step, :: self.step].tobytes()

    def decode(self, stream: bytes) -> Image:
        height, width = int.from_bytes(stream[:4], "big"), int.from_bytes(stream[4:8], "big")
        rows, columns = -(-height // self.step), -(-width // self.step)
        kept = np.frombuffer(stream[HEADER_BYTES:], np.uint8).reshape(rows, columns, 3)
        return kept.repeat(self.step, axis=0).repeat(self.step, axis=1)[:height, :width].copy()


class Skipping(Lossless):
    """Keeps one pixel of every step x step and repeats it."""

    def __init__(self, step: int) -> None:
        self.step = step


class Breaking(Lossless):
    """Fails on pictures wider than 64."""

    def encode(self, image: Image) -> bytes:
        if image.shape[1] > 64:
            raise ValueError("too wide for me")
        return super().encode(image)


class Dying(Lossless):
    """Its process is killed while encoding, as by a system out of memory."""

    def encode(self, image: Image) -> bytes:
        os.kill(os.getpid(), signal.SIGKILL)
        return b""


class Endless(Lossless):
    """Decodes forever."""

    def decode(self, stream: bytes) -> Image:
        while True:
            time.sleep(0.1)


class FailingFirst(Lossless):
    """Fails on the first picture it is given."""

    def __init__(self) -> None:
        self.calls = 0

    def encode(self, image: Image) -> bytes:
        self.calls += 1
        if self.calls == 1:
            raise ValueError("the first fails")
        return super().encode(image)


class Wordy(Lossless):
    """Encodes to text."""

    def encode(self, image: Image) -> bytes:
        return "not bytes"  # type: ignore[return-value]


class Cropping(Lossless):
    """Gives back a picture of another size."""

    def decode(self, stream: bytes) -> Image:
        return super().decode(stream)[:-1]


class Remembering(Lossless):
    """Decodes from what the encoder left in the process, not from the bitstream."""

    def __init__(self) -> None:
        self.kept = np.zeros((32, 96, 3), np.uint8)

    def encode(self, image: Image) -> bytes:
        self.kept = image
        return b"\x00"

    def decode(self, stream: bytes) -> Image:
        return self.kept


_CODECS = {
    "lossless": Lossless,
    "breaking": Breaking,
    "dying": Dying,
    "endless": Endless,
    "cropping": Cropping,
    "remembering": Remembering,
    "failing_first": FailingFirst,
    "wordy": Wordy,
}


def load(card: CodecCard, point: OperatingPoint, weights: Path | None, device: str) -> Codec:
    if card.name == "skipping":
        return Skipping(int(point.settings["step"]))
    return _CODECS[card.name]()


def _card(name: str, points: tuple[OperatingPoint, ...] = (OperatingPoint("only"),)) -> CodecCard:
    return CodecCard(
        name=name,
        title=name.title(),
        family="test",
        paper="none",
        year=2026,
        licence="Apache-2.0",
        learned=False,
        points=points,
        loader="small_codecs:load",
    )


SKIPPING = _card("skipping", tuple(OperatingPoint(str(step), settings={"step": step}) for step in (2, 3, 4, 6, 8)))
LOSSLESS = _card("lossless")
BREAKING = _card("breaking")
DYING = _card("dying")
ENDLESS = _card("endless")
CROPPING = _card("cropping")
REMEMBERING = _card("remembering")
FAILING_FIRST = _card("failing_first")
WORDY = _card("wordy")


def reference(name: str) -> str:
    """The reference of a card of this file, for `--models`."""
    return f"{Path(__file__).resolve()}:{name}"
