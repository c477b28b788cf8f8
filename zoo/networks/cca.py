"""CCA: convolutional transforms with gated blocks; the latent coded in five slices, each wider than the one before.

Source: M. Han, S. Jiang, S. Li, X. Deng, M. Xu, C. Zhu, S. Gu, "Causal Context Adjustment Loss for Learned Image
Compression", NeurIPS 2024, arXiv:2410.04847, as released (https://github.com/LabShuHangGU/CCA, MIT). State-dict names
are the authors'. The loss that gives the paper its name needs a second entropy model in training; nothing is coded with
that one, and it is not here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Any, cast

import torch
from compressai.entropy_models import GaussianConditional
from compressai.models import CompressionModel
from compressai.models.sensetime import ResidualBottleneckBlock
from compressai.models.utils import conv, deconv
from torch import Tensor, nn

from lic_bench.errors import WeightsError

from .coding import FactorizedPrior, SymbolReader, SymbolWriter, scale_indexes
from .layers import conv3, straight_through
from .naf import BLOCKS, NAFBlock, NAFStack, channels_last

HYPER = 192
TRAINING_ONLY = "aux_entropymodel."
"""How the names of the second entropy model begin in checkpoints."""

_BOTTLENECKS = 3  # of each stage

Coder = Callable[[int, Tensor, Tensor], Tensor]
"""Slice number, scales and means to the slice's dequantised values."""


@dataclass(frozen=True)
class Widths:
    """Channels at 1/2, 1/4 and 1/8 of the picture's size, inside the entropy model's stacks, and of each slice."""

    stages: tuple[int, ...] = (192, 224, 256)
    stack: int = 224
    slices: tuple[int, ...] = (8, 28, 56, 92, 136)

    @property
    def latent(self) -> int:
        """Channels of y."""
        return sum(self.slices)


def widths_of(state: Mapping[str, Tensor], origin: str) -> Widths:
    """The widths of a checkpoint's state dict; WeightsError when it is of another network."""

    def outputs(name: str) -> int:
        weight = state.get(name)
        if weight is None or weight.ndim != 4:
            raise WeightsError(f"{origin} is not a checkpoint of CCA: there is no convolution {name} in it.")
        return int(weight.shape[0])

    stack = outputs("mean_NAF_transforms.0.in_conv.weight")
    stages = tuple(outputs(f"g_a.down.{i}.weight") for i in range(3))
    slices = sum(name.startswith("mean_cc_transforms.") and name.endswith(".4.weight") for name in state)
    sizes = tuple(outputs(f"mean_cc_transforms.{i}.4.weight") for i in range(max(slices, 1)))
    return Widths(stages, stack, sizes)


class Analysis(nn.Module):
    """B x 3 x H x W to B x latent x H/16 x W/16."""

    def __init__(self, widths: Widths) -> None:
        super().__init__()
        self.down = nn.ModuleList(conv(a, b) for a, b in pairwise((3, *widths.stages, widths.latent)))
        self.blocks = nn.ModuleList(nn.Sequential(*_bottlenecks(c), *_naf_blocks(c)) for c in widths.stages)

    def forward(self, x: Tensor) -> Tensor:
        """The latent, contiguous."""
        return _in_stages(self.down, self.blocks, x)


class Synthesis(nn.Module):
    """B x latent x H/16 x W/16 to B x 3 x H x W."""

    def __init__(self, widths: Widths) -> None:
        super().__init__()
        self.up = nn.ModuleList(deconv(a, b) for a, b in pairwise((widths.latent, *widths.stages[::-1], 3)))
        self.blocks = nn.ModuleList(nn.Sequential(*_naf_blocks(c), *_bottlenecks(c)) for c in widths.stages[::-1])

    def forward(self, x: Tensor) -> Tensor:
        """The picture, contiguous, not clipped."""
        return _in_stages(self.up, self.blocks, x)


def _in_stages(resampling: nn.ModuleList, blocks: nn.ModuleList, x: Tensor) -> Tensor:
    """A resampling convolution and its stage's blocks, three times; then the last convolution alone."""
    x = channels_last(x)
    for resample, stage in zip(resampling, blocks, strict=False):
        x = stage(resample(x))
    return cast(Tensor, resampling[-1](x)).contiguous()


def _naf_blocks(channels: int) -> list[nn.Module]:
    return [NAFBlock(channels) for _ in range(BLOCKS)]


def _bottlenecks(channels: int) -> list[nn.Module]:
    return [ResidualBottleneckBlock(channels, channels) for _ in range(_BOTTLENECKS)]


def _hyper_analysis(latent: int) -> nn.Sequential:
    return nn.Sequential(conv3(latent, 256), nn.GELU(), conv(256, 256), nn.GELU(), conv(256, HYPER))


def _hyper_synthesis(latent: int) -> nn.Sequential:
    # The last one keeps the size and is transposed all the same: its kernels are laid out and flipped accordingly.
    last = deconv(256, latent, kernel_size=3, stride=1)
    return nn.Sequential(deconv(HYPER, 256), nn.GELU(), deconv(256, 256), nn.GELU(), last)


def _transform(inputs: int, outputs: int) -> nn.Sequential:
    """Three convolutions from some channels to a slice's."""
    return nn.Sequential(conv3(inputs, 224), nn.GELU(), conv3(224, 128), nn.GELU(), conv3(128, outputs))


class CCA(CompressionModel):  # type: ignore[misc]
    """The network in CompressAI's shape; height and width must be multiples of 64.

    The encoder leaves out the residual prediction of the last slice, whose result it does not use; `as_published =
    True` has it do that too, as the authors' code does, for counting it.
    """

    def __init__(self, widths: Widths) -> None:
        super().__init__()
        sizes, latent = widths.slices, widths.latent
        known = [latent + before for before in accumulate(sizes[:-1], initial=0)]  # hyper-prior and earlier slices
        self.as_published = False
        self.sizes = sizes
        self.g_a = Analysis(widths)
        self.g_s = Synthesis(widths)
        self.h_a = _hyper_analysis(latent)
        self.h_mean_s = _hyper_synthesis(latent)
        self.h_scale_s = _hyper_synthesis(latent)
        self.mean_NAF_transforms = nn.ModuleList(NAFStack(width, widths.stack) for width in known)
        self.scale_NAF_transforms = nn.ModuleList(NAFStack(width, widths.stack) for width in known)
        self.mean_cc_transforms = nn.ModuleList(map(_transform, known, sizes))
        self.scale_cc_transforms = nn.ModuleList(map(_transform, known, sizes))
        self.lrp_transforms = nn.ModuleList(_transform(a + b, b) for a, b in zip(known, sizes, strict=True))
        self.z_entropy_bottleneck = FactorizedPrior(HYPER)
        self.gaussian_conditional = GaussianConditional(None)

    def forward(self, x: Tensor) -> dict[str, Any]:
        """Reconstruction and likelihoods of pictures, B x 3 x H x W in [0, 1]; "x_hat" is not clipped."""
        y = self.g_a(x)
        z = self.h_a(y)
        _, z_likelihoods = self.z_entropy_bottleneck(z)
        slices = y.split(self.sizes, dim=1)
        likelihoods = []

        def estimate(i: int, scales: Tensor, means: Tensor) -> Tensor:
            likelihoods.append(self.gaussian_conditional(slices[i], scales, means)[1])
            return straight_through(slices[i], means)

        y_hat = self._code(straight_through(z, self.z_entropy_bottleneck.medians()), estimate)
        return {"x_hat": self.g_s(y_hat), "likelihoods": {"y": torch.cat(likelihoods, dim=1), "z": z_likelihoods}}

    @torch.no_grad()
    def compress(self, x: Tensor) -> dict[str, Any]:
        """Pictures to {"strings": [[y], [z, ...]], "shape": (H/64, W/64)}; all pictures of a batch share y's string."""
        y = self.g_a(x)
        z_strings, z_hat = self.z_entropy_bottleneck.write(self.h_a(y))
        slices = y.split(self.sizes, dim=1)
        writer = SymbolWriter(self.gaussian_conditional)

        def write(i: int, scales: Tensor, means: Tensor) -> Tensor:
            symbols = torch.round(slices[i] - means).int()
            writer.write(symbols, scale_indexes(scales, self.gaussian_conditional.scale_table))
            return symbols + means

        self._code(z_hat, write, reconstructs=self.as_published)
        return {"strings": [[writer.finish()], z_strings], "shape": tuple(z_hat.shape[-2:])}

    @torch.no_grad()
    def decompress(self, strings: Sequence[Sequence[bytes]], shape: Sequence[int]) -> dict[str, Tensor]:
        """The strings and the shape that `compress` gave to {"x_hat"}, clipped to [0, 1]."""
        (y_string,), z_strings = strings
        reader = SymbolReader(self.gaussian_conditional, y_string)

        def read(_i: int, scales: Tensor, means: Tensor) -> Tensor:
            return reader.read(scale_indexes(scales, self.gaussian_conditional.scale_table)) + means

        y_hat = self._code(self.z_entropy_bottleneck.read(z_strings, shape), read)
        return {"x_hat": self.g_s(y_hat).clamp(0, 1)}

    def _code(self, z_hat: Tensor, code: Coder, reconstructs: bool = True) -> Tensor:
        """The one walk through all slices that estimating, encoding and decoding share; returns y_hat.

        Without `reconstructs` the residual prediction of the last slice is left out, and y_hat is not complete.
        """
        hyper_scales, hyper_means = self.h_scale_s(z_hat), self.h_mean_s(z_hat)
        decoded: list[Tensor] = []
        for i in range(len(self.sizes)):
            support = self.mean_NAF_transforms[i](torch.cat((hyper_means, *decoded), dim=1))
            means = self.mean_cc_transforms[i](support)
            scale_support = self.scale_NAF_transforms[i](torch.cat((hyper_scales, *decoded), dim=1))
            scales = self.scale_cc_transforms[i](scale_support)
            values = code(i, scales, means)
            if reconstructs or i < len(self.sizes) - 1:
                # The residual prediction sees what the means' stack made, not what went into it.
                residual = self.lrp_transforms[i](torch.cat((support, values), dim=1))
                values = values + 0.5 * torch.tanh(residual)
            decoded.append(values)
        return torch.cat(decoded, dim=1)
