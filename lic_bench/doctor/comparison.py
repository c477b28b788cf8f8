"""How two decodings of one stream compare, and how that is put into words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from lic_bench.codec import Image
from lic_bench.doctor.probes import Broken, Outcome


class Kind(StrEnum):
    """How two decodings of one stream compare."""

    EXACT = "exact"
    DRIFT = "drift"
    BROKEN = "broken"


@dataclass(frozen=True)
class Agreement:
    """`largest` is the largest difference of any sample, of 255; `sentence` says what is different."""

    kind: Kind
    largest: int = 0
    sentence: str = ""


def agreement(here: Image, there: Outcome) -> Agreement:
    """Whether a stream decoded elsewhere gives the same picture."""
    if isinstance(there, Broken):
        return Agreement(Kind.BROKEN, sentence=f"decoding fails ({there.sentence})")
    if there.shape != here.shape or there.dtype != here.dtype:
        return Agreement(Kind.BROKEN, sentence=f"it comes back as {kind_of(there)} instead of {kind_of(here)}")
    largest = int(np.abs(there.astype(np.int64) - here.astype(np.int64)).max(initial=0))
    if largest == 0:
        return Agreement(Kind.EXACT)
    return Agreement(Kind.DRIFT, largest, f"it comes back with samples that differ by up to {largest} of 255")


def listed(names: Sequence[str]) -> str:
    """Names in a sentence: "a, b and c"."""
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def some(files: Sequence[str]) -> str:
    """A few names of perhaps many."""
    return listed(files) if len(files) < 4 else f"{', '.join(files[:2])} and {len(files) - 2} more files"


def kind_of(image: Image) -> str:
    """Shape and type of an array: "2x3x3 uint8"."""
    return f"{'x'.join(map(str, image.shape))} {image.dtype}"
