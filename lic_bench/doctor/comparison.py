"""How a picture that comes back compares with the one expected."""

from __future__ import annotations

from dataclasses import dataclass

from lic_bench.benchmark import metrics
from lic_bench.codec import Image
from lic_bench.doctor.probes import Decoded, ProbeFailure
from lic_bench.doctor.wording import shape_text
from lic_bench.records import Agreement, AgreementKind


@dataclass(frozen=True)
class ArrayFormat:
    """The shape and type of an array."""

    shape: tuple[int, ...]
    dtype: str

    @property
    def text(self) -> str:
        """As shown to people: "2x3x3 uint8"."""
        return f"{shape_text(self.shape)} {self.dtype}"


@dataclass(frozen=True)
class WrongFormat:
    """A decoded array that has not the shape and type expected."""

    decoded: ArrayFormat
    expected: ArrayFormat

    @property
    def text(self) -> str:
        """As shown to people: "2x3x3 float32 instead of 2x3x3 uint8"."""
        return f"{self.decoded.text} instead of {self.expected.text}"


@dataclass(frozen=True)
class PictureComparison:
    """How a picture decoded elsewhere compares with the one decoded here; `fault` says why it cannot be compared."""

    agreement: Agreement
    fault: ProbeFailure | WrongFormat | None = None

    @property
    def is_exact(self) -> bool:
        """Whether the pictures are equal."""
        return self.agreement.is_exact

    @property
    def largest(self) -> int:
        """The largest difference of a sample, 0 to 255; 0 where the pictures cannot be compared."""
        return self.agreement.largest

    @property
    def text(self) -> str:
        """As shown to people, to follow the name of a picture."""
        if isinstance(self.fault, ProbeFailure):
            return f"decoding fails ({self.fault.text})"
        if isinstance(self.fault, WrongFormat):
            return f"it comes back as {self.fault.text}"
        if self.is_exact:
            return "it comes back the same"
        return f"it comes back with samples that differ by up to {self.largest} of 255"


def wrong_format(expected: Image, decoded: Image) -> WrongFormat | None:
    """What is wrong with the shape or type of a decoded array, or None."""
    here, there = (ArrayFormat(array.shape, str(array.dtype)) for array in (expected, decoded))
    return None if here == there else WrongFormat(there, here)


def compare(expected: Image, decoded: Decoded) -> PictureComparison:
    """Compares what a bitstream decodes to elsewhere with what it decodes to here."""
    if isinstance(decoded, ProbeFailure):
        return PictureComparison(Agreement(AgreementKind.FAILED), decoded)
    return PictureComparison(metrics.agreement(expected, decoded), wrong_format(expected, decoded))
