"""Integers coded with a Gaussian of their own each: exact means and scales, no tables.

The coder is constriction's ANS coder (R. Bamler, arXiv:2201.01741), a stack of 32-bit words: what is pushed last is
read first, so the writer collects everything and pushes it backwards. A symbol's probability is its Gaussian's mass
within half a step, at least 2^-24. Tensors that hold no data pass through and reads are announced, as in `coding`.
"""

from __future__ import annotations

from typing import Any

import constriction
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from lic_bench.errors import LicBenchError, StreamError
from lic_bench.meta_call import entropy_decoder_read

from .coding import holds_data

AnsCoder = constriction.stream.stack.AnsCoder
QuantizedGaussian = constriction.stream.model.QuantizedGaussian

_REACH_LIMIT = 1 << 20
"""Probabilities have 24 bits, and each symbol of the alphabet needs some of them."""

_Numbers = npt.NDArray[np.float64]


class GaussianWriter:
    """Collects integers, group after group, into one stream: two bytes or a few for their reach, then the words."""

    def __init__(self) -> None:
        self._groups: list[tuple[npt.NDArray[np.int32], _Numbers, _Numbers]] = []

    def write(self, symbols: Tensor, means: Tensor, scales: Tensor) -> None:
        """Append integers; all three have the same shape, scales are positive."""
        if symbols.numel() and holds_data(symbols) and holds_data(means):
            values = np.ascontiguousarray(symbols.detach().cpu().numpy().astype(np.int32).ravel())
            self._groups.append((values, *_numbers(means, scales)))

    def finish(self) -> bytes:
        """The stream; empty where no symbol held data."""
        if not self._groups:
            return b""
        reach = max(1, *(int(np.abs(values).max()) for values, _, _ in self._groups))
        if reach >= _REACH_LIMIT:
            raise LicBenchError(
                f"A latent of {reach} cannot be coded: integers must stay below {_REACH_LIMIT}. Are the weights sound?"
            )
        coder, model = AnsCoder(), QuantizedGaussian(-reach, reach)
        for values, means, scales in reversed(self._groups):
            coder.encode_reverse(values, model, means, scales)
        return reach.to_bytes(3, "little") + np.asarray(coder.get_compressed(), dtype="<u4").tobytes()


class GaussianReader:
    """Gives the integers of one stream back, in the groups and the order they were written in."""

    def __init__(self, stream: bytes) -> None:
        self._coder: Any = None
        if not stream:  # what a writer of symbols without data gives
            return
        reach = int.from_bytes(stream[:3], "little")
        if len(stream) % 4 != 3 or not 0 < reach < _REACH_LIMIT:
            raise StreamError(f"A string of {len(stream)} bytes is not one of Gaussian symbols; the stream is damaged.")
        try:
            self._coder = AnsCoder(np.frombuffer(stream, dtype="<u4", offset=3).astype(np.uint32))
        except ValueError as error:
            raise StreamError(f"A string of Gaussian symbols is damaged: {error}.") from error
        self._model = QuantizedGaussian(-reach, reach)

    def read(self, means: Tensor, scales: Tensor) -> Tensor:
        """The next integers, as numbers of the means' type and shape."""
        if not means.numel() or not holds_data(means):
            entropy_decoder_read()
            return torch.zeros_like(means, memory_format=torch.contiguous_format)
        if self._coder is None:
            raise StreamError("The string of Gaussian symbols is empty; the stream is damaged.")
        values = self._coder.decode(self._model, *_numbers(means, scales))
        return torch.from_numpy(values).to(means).view(means.shape)

    def finish(self) -> None:
        """StreamError unless everything was read: what was written with other Gaussians leaves a rest, or is noise."""
        if self._coder is not None and not self._coder.is_empty():
            raise StreamError(
                "The string of Gaussian symbols does not come out even: it is damaged, or this machine computes other "
                "probabilities than the one that wrote it."
            )


def _numbers(means: Tensor, scales: Tensor) -> tuple[_Numbers, _Numbers]:
    """Flat float64 arrays of both, in row-major order; LicBenchError for what is no number."""
    arrays = [np.ascontiguousarray(t.detach().double().cpu().numpy().ravel()) for t in (means, scales)]
    if not all(np.isfinite(array).all() for array in arrays):
        raise LicBenchError("The network gave a mean or a scale that is not a finite number. Are the weights sound?")
    return arrays[0], arrays[1]
