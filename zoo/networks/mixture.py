"""A mixture of Gaussian, Laplacian and logistic components over integers: its probabilities, and coding with them.

Source: Fu et al., "Learned Image Compression with Gaussian-Laplacian-Logistic Mixture Model and Concatenated Residual
Modules", arXiv:2107.06463. The probability of an integer v is the mixture's mass between v - 1/2 and v + 1/2. The coder
is constriction's range coder, given one table of probabilities per symbol.

A decoder has to make the encoder's tables again, bit for bit. They are computed in float64 and rounded to multiples of
2^-20: so last digits that differ change a table hardly ever, and the rounding costs less than 0.0001 bit per symbol.
"""

from __future__ import annotations

import math
import struct
from typing import NamedTuple

import constriction
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from lic_bench.errors import StreamError

from .coding import holds_data

FAMILIES = 3
PER_FAMILY = 3
COMPONENTS = FAMILIES * PER_FAMILY
GROUPS = 3 * COMPONENTS + FAMILIES
"""How many numbers describe one mixture."""

_SMALLEST_SCALE = 1e-10
_LIKELIHOOD_BOUND = 1e-6
_LAST_LOW, _LAST_HIGH = -254.5, 255.5
_UNIT = 2.0**-20
# What a symbol is given at least. The coder cannot go below 2^-24; 2^-16 is what the authors' tables have, and takes
# fewer bits where the network predicts badly. The encoder tries both and the stream says which was shorter.
_FLOORS = (2.0**-24, 2.0**-16)
_HEADER = struct.Struct("<BhH")
_AT_ONCE = 1 << 16
"""Table entries evaluated at a time, so that they stay in the processor's cache."""


class Mixture(NamedTuple):
    """Shares of the families (3 x ...), of components within a family (3 x 3 x ...), means and scales (9 x ...).

    Families and components are in the order Gaussian, Laplacian, logistic. A scale is a Gaussian's standard
    deviation, a Laplacian's mean deviation, a logistic's scale parameter.
    """

    families: Tensor
    within: Tensor
    means: Tensor
    scales: Tensor

    @property
    def weights(self) -> Tensor:
        """The share of each component in the whole, 9 x ..."""
        return (self.families[:, None] * self.within).flatten(0, 1)


def mixture(numbers: Tensor) -> Mixture:
    """The mixtures that numbers of shape 30 x ... describe.

    Nine times logit, mean and raw scale, then three family logits. Scales are absolute values, at least 1e-10.
    """
    logits, means, raw = (numbers[k : 3 * COMPONENTS : 3] for k in range(3))
    return Mixture(
        families=numbers[3 * COMPONENTS :].softmax(0),
        within=logits.reshape(FAMILIES, PER_FAMILY, *logits.shape[1:]).softmax(1),
        means=means,
        scales=raw.abs().clamp(min=_SMALLEST_SCALE),
    )


def mass(values: Tensor, described: Mixture) -> Tensor:
    """The mixture's mass within 1/2 of each value; below -254.5 and above 255.5 that of the whole tail beyond.

    A difference of two distribution functions near 1 has few digits left, so where a value lies above a component's
    mean the two are taken from the other side, where both are small.
    """
    low = (values - 0.5).masked_fill(values < _LAST_LOW, -math.inf)
    high = (values + 0.5).masked_fill(values > _LAST_HIGH, math.inf)
    above = values > described.means
    first = (low - described.means) / described.scales
    last = (high - described.means) / described.scales
    first, last = torch.where(above, -last, first), torch.where(above, -first, last)
    return (described.weights * (_distribution(last) - _distribution(first))).sum(0)


def likelihood(values: Tensor, described: Mixture) -> Tensor:
    """`mass`, and at least 1e-6: what the rate is trained with and estimated from."""
    return mass(values, described).clamp(_LIKELIHOOD_BOUND, 1)


def _distribution(at: Tensor) -> Tensor:
    """The standard distribution functions of the nine components, 9 x ..."""
    gaussian, laplacian, logistic = (at[k : k + PER_FAMILY] for k in range(0, COMPONENTS, PER_FAMILY))
    tail = 0.5 * torch.exp(-laplacian.abs())
    return torch.cat((
        0.5 * torch.erfc(-gaussian * math.sqrt(0.5)),
        torch.where(laplacian < 0, tail, 1 - tail),
        torch.sigmoid(logistic),
    ))  # fmt: skip


def tables(numbers: Tensor, low: int, high: int) -> Tensor:
    """Probabilities of all integers from `low` to `high`: 30 x R numbers to R x (high - low + 1), in float64.

    Each distribution function is evaluated once between every two integers. What lies outside the range is left out,
    so that a row may sum to less than 1.
    """
    described = mixture(numbers.double())
    edges = torch.arange(low, high + 2, dtype=torch.float64, device=numbers.device) - 0.5
    rows = max(1, _AT_ONCE // len(edges))
    # One component at a time over a few rows: the arrays stay small enough for the cache.
    parts = (
        _cumulative(weights, means, scales, edges)
        for weights, means, scales in zip(
            *(torch.split(t, rows, dim=1) for t in (described.weights, described.means, described.scales)), strict=True
        )
    )
    return torch.cat([cumulative.diff(dim=1) for cumulative in parts])


def _cumulative(weights: Tensor, means: Tensor, scales: Tensor, edges: Tensor) -> Tensor:
    """The mixture's distribution function but for a constant: three times 9 x R, and E edges, to R x E."""
    total = torch.zeros(means.shape[1], len(edges), dtype=torch.float64, device=edges.device)
    inverse = 1 / scales
    for k in range(COMPONENTS):
        at = (edges - means[k][:, None]).mul_(inverse[k][:, None])
        if k < PER_FAMILY:
            value, share = at.mul_(math.sqrt(0.5)).erf_(), 0.5
        elif k < 2 * PER_FAMILY:
            value, share = at.abs().neg_().expm1_().neg_().copysign_(at), 0.5
        else:
            value, share = at.sigmoid_(), 1.0
        total.addcmul_(value, weights[k][:, None], value=share)
    return total


class _Alphabet(NamedTuple):
    """The range of the symbols that are coded, and which floor their tables have."""

    low: int
    high: int
    floor: int

    def rows(self, numbers: Tensor) -> npt.NDArray[np.float64]:
        """`tables` rounded to the unit, before the floor."""
        return torch.round(tables(numbers, self.low, self.high) / _UNIT).cpu().numpy()


class MixtureWriter:
    """Collects symbols between `low` and `high`, group after group, into one stream."""

    def __init__(self, low: int, high: int) -> None:
        # The coder wants two symbols to choose from.
        self._alphabet = _Alphabet(low, max(high, low + 1), 0)
        if not -(1 << 15) <= low <= high < 1 << 15:
            raise StreamError(f"The latents reach from {low} to {high}; this coder takes -32768 to 32767.")
        self._coders = [constriction.stream.queue.RangeEncoder() for _ in _FLOORS]

    def write(self, symbols: Tensor, numbers: Tensor) -> None:
        """Append R integers, whose mixtures the 30 x R numbers describe."""
        if not (holds_data(symbols) and holds_data(numbers)):
            return
        rows = self._alphabet.rows(numbers)
        indexes = (symbols - self._alphabet.low).to(torch.int32).cpu().numpy()
        for floor, coder in zip(_FLOORS, self._coders, strict=True):
            coder.encode(indexes, _MODEL, np.maximum(rows, floor / _UNIT))

    def finish(self) -> bytes:
        """The stream with the smaller of the two codings."""
        coded: list[bytes] = [coder.get_compressed().astype("<u4").tobytes() for coder in self._coders]
        floor = min(range(len(coded)), key=lambda at: len(coded[at]))
        return _HEADER.pack(floor, self._alphabet.low, self._alphabet.high - self._alphabet.low) + coded[floor]


class MixtureReader:
    """Gives the symbols of one stream back, in the groups and the order they were written in."""

    def __init__(self, stream: bytes) -> None:
        if len(stream) < _HEADER.size or (len(stream) - _HEADER.size) % 4 or stream[0] >= len(_FLOORS):
            raise StreamError(f"The latents' stream of {len(stream)} bytes is cut or damaged.")
        floor, low, spread = _HEADER.unpack_from(stream)
        self._alphabet = _Alphabet(low, low + spread, floor)
        words = np.frombuffer(stream, "<u4", offset=_HEADER.size).astype(np.uint32)
        self._coder = constriction.stream.queue.RangeDecoder(words)

    def read(self, numbers: Tensor) -> Tensor:
        """The next R symbols, int32, whose mixtures the 30 x R numbers describe."""
        rows = np.maximum(self._alphabet.rows(numbers), _FLOORS[self._alphabet.floor] / _UNIT)
        try:
            indexes = self._coder.decode(_MODEL, rows)
        except AssertionError as error:
            raise StreamError(
                "The latents' stream does not fit the probabilities it is read with; it is damaged, or "
                "was made with other weights or on another machine."
            ) from error
        return torch.from_numpy(indexes).to(numbers.device) + self._alphabet.low


_MODEL = constriction.stream.model.Categorical(perfect=False)
