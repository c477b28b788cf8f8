"""The protocols of a codec, and the card that describes one. Nothing here loads a network."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, cast, runtime_checkable

from lic_bench.errors import RequestError
from lic_bench.records import CardSummary, Coding, PointSummary
from lic_bench.records import CurveId as CurveId  # part of a card

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from torch import nn

    Image: TypeAlias = npt.NDArray[np.uint8]
    """uint8, height x width x 3, sRGB."""
else:
    Image = Any


@runtime_checkable
class Codec(Protocol):
    """A picture to bytes and back. The bytes are all the decoder gets."""

    def encode(self, image: Image) -> bytes:
        """One self-contained bitstream of a picture (uint8, height x width x 3)."""
        ...

    def decode(self, stream: bytes) -> Image:
        """The picture (uint8, height x width x 3) rebuilt from its bitstream alone. StreamError for a damaged one."""
        ...


@runtime_checkable
class HasParts(Protocol):
    """A learned codec that shows its network, so that MACs can be counted.

    `network` is in CompressAI's shape: called on 1 x 3 x H x W float in [0, 1] it returns "x_hat" and "likelihoods";
    `compress(x)` returns "strings" and "shape", which `decompress(strings, shape)` takes.
    """

    network: nn.Module

    def parts(self) -> Mapping[str, nn.Module]:
        """The network's parts by path ("g_a", "h_a", ...), in the order in which MACs are reported."""
        ...

    def padded_size(self, width: int, height: int) -> tuple[int, int]:
        """The width and height the network runs on for a picture of this size."""
        ...


@runtime_checkable
class SplitsRate(Protocol):
    """A codec that separates the entropy-coded strings of a bitstream from the header around them."""

    def payload_bits(self, stream: bytes) -> int:
        """Bits of the entropy-coded strings alone."""
        ...


@runtime_checkable
class EstimatesRate(Protocol):
    """A codec that estimates a picture's rate from its likelihoods."""

    def estimated_bits(self, image: Image) -> float:
        """Sum of -log2 likelihood over all latents of the picture."""
        ...


@runtime_checkable
class RecordsCoding(Protocol):
    """A codec whose bitstreams are made by more than its operating point says: a search, an external program."""

    def coding(self, stream: bytes) -> Coding:
        """How this bitstream was made."""
        ...


@dataclass(frozen=True)
class Requirement:
    """Something that a codec needs and a plain install of this package does not have.

    It is a `module` to import, or one of `programs`, looked for in the folder that the environment variable
    `folder_variable` names and on PATH. `install` says how to get it: a command, or a sentence's part.
    """

    install: str
    module: str = ""
    programs: tuple[str, ...] = ()
    folder_variable: str = ""


@dataclass(frozen=True)
class Weights:
    """Where a checkpoint is published.

    `file` is its path below a folder of weights ("mbt2018/3.pth.tar"). `sha256` is the digest or the first digits of
    it that the publisher gives; None where none is published. `page` is where a person gets it by hand; `urls` are
    addresses a program can read.
    """

    file: str
    urls: tuple[str, ...] = ()
    sha256: str | None = None
    page: str | None = None


@dataclass(frozen=True)
class OperatingPoint:
    """One operating point. `trained_for` is "mse", "ms-ssim" or None (classical); `lmbda` as the authors print it.

    `settings` is what the loader needs (a quality, a width). Points of a codec with equal `network` run the same
    network, so that untrained they need measuring only once.
    """

    label: str
    trained_for: str | None = None
    lmbda: float | None = None
    weights: Weights | None = None
    network: str = ""
    settings: Mapping[str, int | float | str] = field(default_factory=dict)


@dataclass(frozen=True)
class CodecCard:
    """The description of a codec: data only, it downloads and imports nothing.

    `licence` is the licence of the code and weights the card stands for and must be written; None means looked for
    and not found. `loader` names "module:function", imported on first use and called as
    `loader(card, point, weights, device)`; it raises WeightsError when a checkpoint does not fit.
    `claims` are the names under which published complexity tables list the codec. `estimates_only` marks a network
    that says what a picture would cost and cannot code it: it is listed, counted and audited, and never run. `trained`
    marks a network that loads its own trained weights. `requirements` are what it needs beyond a plain install; a codec
    without them is missing, which is no error. `by_name_only` keeps a codec that is too slow or too large for most
    machines out of a run of "all". `qualities` are the integers its setting "quality" may have, the one of
    the lowest rate first: what a search for a target goes through; None where there is nothing to search. `year` is 0
    where it is unknown. `reference` is the name or reference by which any process finds the card, and `source_sha256` a
    digest of a user-supplied codec's source; the registry fills in both.
    """

    name: str
    title: str
    family: str
    paper: str
    year: int
    licence: str | None
    learned: bool
    points: tuple[OperatingPoint, ...]
    loader: str
    published: tuple[CurveId, ...] = ()
    claims: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    demonstration: bool = False
    estimates_only: bool = False
    trained: bool = False
    requirements: tuple[Requirement, ...] = ()
    by_name_only: bool = False
    qualities: tuple[int, int] | None = None
    reference: str = ""
    source_sha256: str = ""

    def point(self, label: str) -> OperatingPoint:
        """The operating point of this label; RequestError names those there are."""
        for point in self.points:
            if point.label == label:
                return point
        labels = ", ".join(point.label for point in self.points)
        raise RequestError(f"{self.name} has no operating point {label!r}; it has {labels}.")

    def summary(self, colour_index: int) -> CardSummary:
        """What a report needs of the card; `colour_index` is the codec's place in the registry."""
        points = tuple(
            PointSummary(point.label, point.trained_for, point.network or point.label) for point in self.points
        )
        return CardSummary(
            self.name, self.title, self.family, self.paper, self.year, self.licence, self.learned, self.demonstration,
            points, self.published, self.claims, colour_index,
        )  # fmt: skip

    def load(self, point: OperatingPoint, weights: Path | None = None, device: str = "cpu") -> Codec:
        """The codec at one point: from a checkpoint, or untrained with a fixed seed where `weights` is None."""
        module, _, function = self.loader.partition(":")
        return cast(Codec, getattr(import_module(module), function)(self, point, weights, device))


def labels(points: Iterable[OperatingPoint]) -> tuple[str, ...]:
    """The labels of some points, in order."""
    return tuple(point.label for point in points)
