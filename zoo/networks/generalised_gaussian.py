"""Integers under generalised Gaussian densities proportional to exp(-|u / scale|^beta), beta = 1.5.

The scale is the density's own parameter; the standard deviation is 0.8594 of it. Likelihoods are differences of the
distribution function, and the tables of the rANS coder are made from them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from compressai.entropy_models.entropy_models import pmf_to_quantized_cdf
from compressai.ops import LowerBound
from torch import Tensor, nn

SMALLEST_SCALE = 0.12
LARGEST_SCALE = 64.0
LEVELS = 60
_REACH = 5.4269110
"""Minus the 5e-7 quantile of the density of scale 1."""
_ESCAPE = 1


@dataclass(frozen=True)
class Tables:
    """Tables of the coder, as CompressAI's entropy models hold them: one row of cumulative frequencies each, padded."""

    quantized_cdf: Tensor
    cdf_length: Tensor
    offset: Tensor


def scale_table() -> Tensor:
    """The scales of which tables are made, float32: from the smallest to the largest, evenly spaced logarithms."""
    return torch.exp(torch.linspace(math.log(SMALLEST_SCALE), math.log(LARGEST_SCALE), LEVELS))


class GeneralisedGaussian(nn.Module):
    """Likelihoods of integers, and tables; scales below the bound, negative ones too, count as the bound."""

    beta: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("beta", torch.tensor([1.5]))
        self.scale_lower_bound = LowerBound(SMALLEST_SCALE)
        self.likelihood_lower_bound = LowerBound(1e-9)

    def forward(self, inputs: Tensor, scales: Tensor, means: Tensor) -> tuple[Tensor, Tensor]:
        """Inputs rounded to a whole distance from their means, half to even, and the mass within half a step of each.

        Scales and means broadcast; likelihoods are at least 1e-9.
        """
        symbols = torch.round(inputs - means)
        scales = self.scale_lower_bound(scales)
        mass = self.cumulative((symbols + 0.5) / scales) - self.cumulative((symbols - 0.5) / scales)
        return symbols + means, self.likelihood_lower_bound(mass)

    def cumulative(self, values: Tensor) -> Tensor:
        """The distribution function at scale 1."""
        magnitude: Tensor = torch.special.gammainc(1 / self.beta, values.abs() ** self.beta)
        return (1 + values.sign() * magnitude) / 2

    def tables(self, scales: Tensor) -> Tables:
        """One table for each of some scales (in one dimension): symbols -k to k, k growing with the scale, and escape.

        The last entry, which escapes are coded with, has the mass outside.
        """
        reach = torch.ceil(scales * _REACH).int()
        longest = 2 * int(reach.max()) + 1
        symbols = torch.arange(longest) - reach[:, None]
        below = self.cumulative((symbols - 0.5) / scales[:, None])
        up_to = self.cumulative((symbols + 0.5) / scales[:, None])
        lengths = 2 * reach + 1
        cdf = torch.zeros(len(scales), longest + _ESCAPE + 1, dtype=torch.int32)
        for row, length in enumerate(lengths.tolist()):
            outside = below[row, :1] + 1 - up_to[row, length - 1]
            masses = torch.cat(((up_to - below)[row, :length], outside))
            cdf[row, : length + _ESCAPE + 1] = pmf_to_quantized_cdf(masses)
        return Tables(cdf, lengths + _ESCAPE + 1, -reach)
