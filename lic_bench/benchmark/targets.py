"""Target rates and qualities: the quality of a classical codec is searched for on each picture, by bisection.

A searched codec has an operating point per target, labelled "bpp-0.25" or "psnr-35". The first encoding of a picture
searches; every further one of the same picture codes once at the quality found. A run's first encoding is the one that
is scored and never a time sample, so that the search is in no encode time.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property
from pathlib import Path

from lic_bench.assets import requirements
from lic_bench.codec import Codec, CodecCard, Image, OperatingPoint, RecordsCoding
from lic_bench.errors import LicBenchError, RequestError
from lic_bench.records import Coding

BPP_TOLERANCE = 0.01
"""A rate may be off its target by this share before it is said."""
PSNR_TOLERANCE_DB = 0.05
"""About what 1 % of rate is worth."""
_LOADER = "lic_bench.benchmark.targets:load"


class TargetKind(StrEnum):
    """What is to be reached."""

    BPP = "bpp"
    PSNR = "psnr"


@dataclass(frozen=True)
class Target:
    """A rate in bits per pixel of the whole bitstream, or a PSNR in dB, that a picture is to have."""

    kind: TargetKind
    value: float

    @property
    def label(self) -> str:
        """The label of its operating point."""
        return f"{self.kind}-{self.value:g}"

    def is_met(self, value: float) -> bool:
        """Whether a rate or PSNR is within the tolerance."""
        allowed = BPP_TOLERANCE * self.value if self.kind is TargetKind.BPP else PSNR_TOLERANCE_DB
        return abs(value - self.value) <= allowed


def of_label(label: str) -> Target | None:
    """The target of an operating point's label, None for a label of another kind."""
    kind, _, value = label.partition("-")
    try:
        return Target(TargetKind(kind), float(value))
    except ValueError:
        return None


def searching(cards: Iterable[CodecCard], bpp: Iterable[float], psnr: Iterable[float]) -> tuple[CodecCard, ...]:
    """The cards, those with a range of qualities with a point per target instead of their own.

    RequestError for a target that is not above 0. Without targets the cards as they are.
    """
    targets = [Target(TargetKind.BPP, value) for value in bpp] + [Target(TargetKind.PSNR, value) for value in psnr]
    for target in targets:
        if not 0 < target.value < float("inf"):
            raise RequestError(f"A target of {target.value:g} {target.kind} cannot be reached; it must be above 0.")
    targets = list(dict.fromkeys(targets))
    return tuple(_searching(card, targets) if targets and card.qualities else card for card in cards)


def is_searched(card: CodecCard) -> bool:
    """Whether the operating points of a card are targets."""
    return card.loader == _LOADER


def card_of(reference: str, label: str) -> CodecCard:
    """The card of a reference; where the label is that of a target, the card that searches for it."""
    from lic_bench.registry import codecs

    card, target = codecs.get(reference), of_label(label)
    if target is None or card.qualities is None or any(point.label == label for point in card.points):
        return card
    return _searching(card, [target])


def load(card: CodecCard, point: OperatingPoint, weights: Path | None, device: str) -> SearchedQuality:
    """The codec that searches for the target of a point."""
    from lic_bench.registry import codecs

    plain, target = codecs.get(card.reference), of_label(point.label)
    assert plain.qualities is not None
    assert target is not None
    vtm = os.environ.get(requirements.VTM_FOLDER)  # programs are found while a codec is loaded, which is later here

    def at(quality: int) -> Codec:
        settings = {**plain.points[0].settings, "quality": quality}
        with requirements.vtm_folder(vtm):
            return plain.load(replace(plain.points[0], settings=settings), weights, device)

    return SearchedQuality(card.name, at, plain.qualities, target)


class SearchedQuality:
    """Codes each picture at the quality that comes nearest to a target.

    `at` makes the codec of one quality, an integer; `qualities` are the one of the lowest rate and the one of the
    highest.
    """

    def __init__(self, name: str, at: Callable[[int], Codec], qualities: tuple[int, int], target: Target) -> None:
        self.name = name
        self.target = target
        first, last = qualities
        self._steps = range(first, last + 1) if last >= first else range(first, last - 1, -1)
        self._at = at
        self._quality: int | None = None
        self._image: Image | None = None

    @cached_property
    def _lowest(self) -> Codec:
        return self._at(self._steps[0])

    def encode(self, image: Image) -> bytes:
        """The bitstream nearest to the target. LicBenchError where the codec's whole range does not reach it."""
        import numpy as np

        if self._image is None or not (image is self._image or np.array_equal(image, self._image)):
            self._quality = self._search(image)
            self._codec = self._at(self._quality)
            self._image = image
        return self._codec.encode(image)

    def decode(self, stream: bytes) -> Image:
        """The picture of a bitstream, which needs no quality."""
        return (self._lowest if self._quality is None else self._codec).decode(stream)

    def coding(self, stream: bytes) -> Coding:
        """The quality that was found for the last picture, and what else the codec says of its bitstream."""
        inner = self._codec.coding(stream) if isinstance(self._codec, RecordsCoding) else Coding()
        return replace(inner, quality=self._quality)

    def _search(self, image: Image) -> int:
        """The quality whose rate or PSNR is nearest to the target, taking it to grow from step to step."""
        values: dict[int, float] = {}

        def value(step: int) -> float:
            if step not in values:
                values[step] = self._value(image, self._steps[step])
            return values[step]

        low, high = 0, len(self._steps) - 1
        for end, beyond in ((low, value(low) > self.target.value), (high, value(high) < self.target.value)):
            if beyond and not self.target.is_met(value(end)):
                raise LicBenchError(
                    f"{self.name} does not reach {self.target.value:g} {self.target.kind}: it ends at {value(end):.4g} "
                    f"(quality {self._steps[end]})."
                )
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if value(middle) >= self.target.value else (middle, high)
        return self._steps[min((low, high), key=lambda step: abs(value(step) - self.target.value))]

    def _value(self, image: Image, quality: int) -> float:
        codec = self._at(quality)
        stream = codec.encode(image)
        if self.target.kind is TargetKind.BPP:
            return 8 * len(stream) / (image.shape[0] * image.shape[1])
        from lic_bench.benchmark import metrics

        return metrics.psnr(image, codec.decode(stream))


def _searching(card: CodecCard, targets: Iterable[Target]) -> CodecCard:
    points = tuple(OperatingPoint(target.label) for target in targets)
    return replace(card, points=points, loader=_LOADER)
