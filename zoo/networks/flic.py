"""FLIC (also called FTIC): frequency-aware transforms, and an entropy transformer over five slices of the latent.

Source: H. Li, S. Li, W. Dai, C. Li, J. Zou, H. Xiong, "Frequency-Aware Transformer for Learned Image Compression",
ICLR 2024, arXiv:2310.16387, as released (https://github.com/qingshi9974/ICLR2024-FTIC). State-dict names are the
authors'; their coder, which builds a table for every symbol, is not rebuilt.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from compressai.layers import ResidualBlockUpsample, ResidualBlockWithStride
from compressai.models import CompressionModel
from compressai.ops import LowerBound
from torch import Tensor, nn

from .coding import FactorizedPrior
from .fat import FrequencyBlock
from .gaussian import GaussianReader, GaussianWriter
from .layers import conv3, straight_through, subpixel3
from .tca import LATENT, SLICE, SLICES, EntropyTransformer, Gaussian

HYPER = 192
_SCALE_BOUND = 0.01
_LIKELIHOOD_BOUND = 1e-9

Coder = Callable[[int, Tensor, Tensor], Tensor]
"""Slice number, means and bounded scales to the slice's integers."""


def _pair(channels: int, heads: int, s: int = 8, f: int = 16) -> list[nn.Module]:
    return [FrequencyBlock(channels, heads, s, f, shifted) for shifted in (False, True)]


def _hyper_pair() -> list[nn.Module]:
    return _pair(256, 32, s=2, f=4)


def _analysis() -> nn.Sequential:
    return nn.Sequential(
        ResidualBlockWithStride(3, 96),
        *_pair(96, 8),
        ResidualBlockWithStride(96, 144),
        *_pair(144, 16),
        ResidualBlockWithStride(144, 256),
        *_pair(256, 32),
        conv3(256, LATENT, stride=2),
    )


def _synthesis() -> nn.Sequential:
    return nn.Sequential(
        ResidualBlockUpsample(LATENT, 256),
        *_pair(256, 32),
        ResidualBlockUpsample(256, 144),
        *_pair(144, 16),
        ResidualBlockUpsample(144, 96),
        *_pair(96, 8),
        subpixel3(96, 3),
    )


def _hyper_analysis() -> nn.Sequential:
    return nn.Sequential(ResidualBlockWithStride(LATENT, 256), *_hyper_pair(), conv3(256, HYPER, stride=2))


def _hyper_synthesis() -> nn.Sequential:
    return nn.Sequential(ResidualBlockUpsample(HYPER, 256), *_hyper_pair(), subpixel3(256, LATENT))


class _GaussianTables(nn.Module):
    """The Gaussian's bounds, and buffers that the authors' checkpoints hold for a coder that is never called."""

    def __init__(self) -> None:
        super().__init__()
        for name in ("_offset", "_quantized_cdf", "_cdf_length"):
            self.register_buffer(name, torch.IntTensor())
        self.register_buffer("scale_bound", torch.tensor([_SCALE_BOUND]))
        for name in ("_indexes_table", "_prior_mean", "_prior_scale"):
            self.register_buffer(name, torch.Tensor())
        self.likelihood_lower_bound = LowerBound(_LIKELIHOOD_BOUND)
        self.lower_bound_scale = LowerBound(_SCALE_BOUND)
        self.lower_bound_zero = LowerBound(0.0)
        self.upper_bound_mean = LowerBound(-99.0)
        self.upper_bound_scale = LowerBound(-255.0)


class IntegerGaussian(nn.Module):
    """The likelihood of integers under Gaussians whose means are not subtracted before rounding."""

    def __init__(self) -> None:
        super().__init__()
        self._entropy_model = _GaussianTables()

    def bounded(self, scales: Tensor) -> Tensor:
        """Scales raised to at least 0.01; what the network gives may be negative."""
        return self._entropy_model.lower_bound_scale(scales)  # type: ignore[no-any-return]

    def forward(self, values: Tensor, means: Tensor, scales: Tensor) -> Tensor:
        """The Gaussian's mass within half a step of each value, at least 1e-9."""
        # From the side of the mean on which both tails are small, where their difference loses nothing.
        distance = torch.abs(values - means)
        inverse = 2**-0.5 / self.bounded(scales)
        mass = 0.5 * (torch.erfc((distance - 0.5) * inverse) - torch.erfc((distance + 0.5) * inverse))
        return self._entropy_model.likelihood_lower_bound(mass)  # type: ignore[no-any-return]


class FLIC(CompressionModel):  # type: ignore[misc]
    """The network, in CompressAI's shape; height and width must be multiples of 128.

    `keeps` says how coding runs the entropy transformer: slice by slice, keeping keys and values (True), or five times
    on the whole latent with the slices to come left zero, as the authors' decoder does. Encoder and decoder do the
    same either way, and the streams of one cannot be read by the other.
    """

    def __init__(self) -> None:
        super().__init__()
        self.keeps = True
        self.g_a = _analysis()
        self.g_s = _synthesis()
        self.h_a = _hyper_analysis()
        self.h_mean_s = _hyper_synthesis()
        self.h_scale_s = _hyper_synthesis()
        self.tca = EntropyTransformer()
        self.entropy_bottleneck = FactorizedPrior(HYPER)
        self.gaussian_conditional = IntegerGaussian()

    def forward(self, x: Tensor) -> dict[str, Any]:
        """Reconstruction and likelihoods of pictures, B x 3 x H x W in [0, 1]; "x_hat" is not clipped."""
        y = self._analyse(x)
        z = self.h_a(y)
        _, z_likelihoods = self.entropy_bottleneck(z)
        medians = self.entropy_bottleneck.medians()
        integers = straight_through(y)
        means, scales, residuals = self.tca(self._hyper(straight_through(z, medians)), integers)
        coded = y + torch.empty_like(y).uniform_(-0.5, 0.5) if self.training else integers
        y_likelihoods = self.gaussian_conditional(coded, means, scales)
        x_hat = self._synthesise(integers + 0.5 * torch.tanh(residuals))
        return {"x_hat": x_hat, "likelihoods": {"y": y_likelihoods, "z": z_likelihoods}}

    @torch.no_grad()
    def compress(self, x: Tensor) -> dict[str, Any]:
        """Pictures to {"strings": [[y], [z, ...]], "shape": (H/64, W/64)}; all pictures of a batch share y's string."""
        y = self._analyse(x)
        z_strings, z_hat = self.entropy_bottleneck.write(self.h_a(y))
        slices = [torch.round(part).contiguous() for part in torch.split(y, SLICE, dim=1)]
        writer = GaussianWriter()

        def write(i: int, means: Tensor, scales: Tensor) -> Tensor:
            writer.write(slices[i], means, scales)
            return slices[i]

        self._code(z_hat, write)
        return {"strings": [[writer.finish()], z_strings], "shape": tuple(z_hat.shape[-2:])}

    @torch.no_grad()
    def decompress(self, strings: Sequence[Sequence[bytes]], shape: Sequence[int]) -> dict[str, Tensor]:
        """The strings and the shape that `compress` gave to {"x_hat"}, clipped to [0, 1]."""
        (y_string,), z_strings = strings
        reader = GaussianReader(y_string)
        y_hat = self._code(
            self.entropy_bottleneck.read(z_strings, shape), lambda _, means, scales: reader.read(means, scales)
        )
        reader.finish()
        return {"x_hat": self._synthesise(y_hat).clamp(0, 1)}

    def _analyse(self, x: Tensor) -> Tensor:
        """The latent; inside, channels are last, as the transformers take them, which saves a third of the time."""
        y: Tensor = self.g_a(x.contiguous(memory_format=torch.channels_last))
        return y.contiguous()

    def _synthesise(self, y_hat: Tensor) -> Tensor:
        """The pictures; inside, channels are last."""
        x_hat: Tensor = self.g_s(y_hat.contiguous(memory_format=torch.channels_last))
        return x_hat.contiguous()

    def _hyper(self, z_hat: Tensor) -> Tensor:
        return torch.cat((self.h_mean_s(z_hat), self.h_scale_s(z_hat)), dim=1)

    def _code(self, z_hat: Tensor, code: Coder) -> Tensor:
        """The one walk through all slices that encoding and decoding share; returns y_hat."""
        hyper = self._hyper(z_hat)
        given = self._kept(hyper) if self.keeps else self._anew(hyper)
        decoded: list[Tensor] = []
        refined = []
        for i in range(SLICES):
            means, scales, residuals = given(i, decoded)
            decoded.append(code(i, means, self.gaussian_conditional.bounded(scales)))
            refined.append(decoded[i] + 0.5 * torch.tanh(residuals))
        return torch.cat(refined, dim=1)

    def _kept(self, hyper: Tensor) -> Callable[[int, list[Tensor]], Gaussian]:
        """Each slice's Gaussians from a step of its own."""
        walk = self.tca.begin(hyper)
        return lambda i, decoded: self.tca.step(i, decoded[-1] if decoded else None, walk)

    def _anew(self, hyper: Tensor) -> Callable[[int, list[Tensor]], Gaussian]:
        """Each slice's Gaussians from a pass over the whole latent, the slices to come being zero."""
        empty = hyper.new_zeros(hyper.shape[0], SLICE, *hyper.shape[2:])

        def give(i: int, decoded: list[Tensor]) -> Gaussian:
            known = torch.cat((*decoded, *([empty] * (SLICES - i))), dim=1)
            mean, scale, residual = (t[:, SLICE * i : SLICE * (i + 1)] for t in self.tca(hyper, known))
            return mean, scale, residual

        return give
