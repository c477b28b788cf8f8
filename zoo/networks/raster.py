"""CompressAI's networks with a serial context, coded as CompressAI does, to the same bits, in less time.

The bitstream has the symbols in raster order, and a position's probabilities depend on the two positions to its left:
a decoder takes one position after the other, and wavefronts would need another bitstream. But most of the time that
CompressAI's loop takes at a position is not the network's. Here, at every position,

* the context's kernel is already laid out as oneDNN reads it, instead of being reordered;
* the kernel's taps that are masked, 13 of 25, are left out;
* the entropy coder is handed the tables that it needs, cut to their lengths, instead of all of them, padded;
* the table of a scale is found by bisection instead of 63 comparisons.

oneDNN's direct convolutions (x86 with AVX2 or more) add product after product in the kernel's order, so that taps of
zero change no bit, and the layers after the context are called as CompressAI calls them: means and scales are
CompressAI's to the last bit, and with them bitstreams and pictures. With another convolution they may differ in the
last bit, and a bitstream with them. Encoder and decoder make the same calls everywhere.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from compressai import models
from torch import Tensor
from torch.nn import functional as F

from lic_bench.meta_call import repeated

from .coding import SymbolReader, SymbolWriter, holds_data, scale_indexes

KERNEL = 5
"""Height and width of the context's kernel."""
TAPS = 12
"""Of its 25 taps, those before the centre in raster order, which are not masked."""

Convolution = Callable[[Tensor], Tensor]
Coder = Callable[[int, int, Tensor, Tensor], Tensor]
"""Row, column, table indexes and means (each 1 x M) of a position to its dequantised values, 1 x M."""


class FastRaster(models.JointAutoregressiveHierarchicalPriors):  # type: ignore[misc]
    """What replaces CompressAI's two loops over positions; the state dict and everything else stay CompressAI's.

    With `as_published = True` masked taps are multiplied too, as in CompressAI's loop, for counting it.
    """

    as_published = False

    def _compress_ar(self, y_hat: Tensor, params: Tensor, height: int, width: int, *_: int) -> bytes:
        """The string of one picture's y, padded by 2 (1 x M x (H + 4) x (W + 4)); quantises it in place."""
        symbols = torch.zeros((height, width, self.M), dtype=torch.int32)
        indexes = torch.zeros_like(symbols)
        margin = KERNEL // 2

        def write(row: int, column: int, chosen: Tensor, means: Tensor) -> Tensor:
            quantised = torch.round(y_hat[:, :, row + margin, column + margin] - means)
            symbols[row, column], indexes[row, column] = quantised[0], chosen[0]
            return quantised + means

        self._walk(y_hat, params, height, width, write)
        writer = SymbolWriter(self.gaussian_conditional)
        writer.write(symbols, indexes)
        return writer.finish()

    def _decompress_ar(self, y_string: bytes, y_hat: Tensor, params: Tensor, height: int, width: int, *_: int) -> None:
        """Fill y_hat, zeros of 1 x M x (H + 4) x (W + 4), with what the string of one picture says."""
        reader = SymbolReader(self.gaussian_conditional, y_string)
        self._walk(y_hat, params, height, width, lambda row, column, chosen, means: reader.read(chosen) + means)

    def _walk(self, y_hat: Tensor, params: Tensor, height: int, width: int, code: Coder) -> None:
        """The one walk over all positions that encoder and decoder share."""
        context, margin = self._context(), KERNEL // 2
        edges = self.gaussian_conditional.scale_table
        # Without data one position stands for all.
        rows, columns, rounds = (height, width, 1) if holds_data(y_hat) else (1, 1, height * width)
        with repeated(rounds):
            for row in range(rows):
                window = y_hat[:, :, row : row + KERNEL]
                for column in range(columns):
                    seen = context(window[..., column : column + KERNEL])
                    known = torch.cat((params[:, :, row : row + 1, column : column + 1], seen), dim=1)
                    scales, means = self.entropy_parameters(known).flatten(1).chunk(2, dim=1)
                    values = code(row, column, scale_indexes(scales, edges), means)
                    y_hat[:, :, row + margin, column + margin] = values

    def _context(self) -> Convolution:
        """The context's convolution, from a window of 5x5 positions to 1 x 2M x 1 x 1."""
        layer = self.context_prediction
        taps = KERNEL**2 if self.as_published else TAPS
        # One row of taps in the kernel's order, for which the sums of the convolution keep their order.
        convolve = packed((layer.weight * layer.mask).flatten(2)[:, :, None, :taps], layer.bias)
        return lambda window: convolve(window.flatten(2)[:, :, None, :taps])


class JointAutoregressiveHierarchicalPriors(FastRaster):
    """CompressAI's network of this name with the loops above."""


class Cheng2020Anchor(FastRaster, models.Cheng2020Anchor):  # type: ignore[misc]
    """CompressAI's network of this name with the loops above."""


class Cheng2020Attention(FastRaster, models.Cheng2020Attention):  # type: ignore[misc]
    """CompressAI's network of this name with the loops above."""


def packed(kernel: Tensor, bias: Tensor) -> Convolution:
    """The convolution of windows of the kernel's own size, its kernel reordered once for all calls.

    torch freezes networks with the same pair of operators; it takes the convolution that F.conv2d would have taken.
    """
    pack: Any = torch.ops.mkldnn_prepacked
    available = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    if available and kernel.device.type == "cpu" and kernel.dtype == torch.float32:
        window = [1, *kernel.shape[1:]]
        held = pack.conv2d_prepack(kernel.contiguous(), bias, [1, 1], [0, 0], [1, 1], 1, window, "none")
        return lambda x: pack.conv2d_run(x, held)
    return lambda x: F.conv2d(x, kernel, bias)
