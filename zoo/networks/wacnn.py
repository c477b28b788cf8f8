"""WACNN: an autoencoder with GDN and gated window attention; the latent coded in ten slices.

Source: R. Zou, C. Song, Z. Zhang, "The Devil Is in the Details: Window-based Attention for Image Compression", CVPR
2022, arXiv:2203.08450: the convolutional network of the two, as released (https://github.com/Googolxx/STF, Apache 2.0).
State-dict names are the authors'.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any, cast

import torch
from compressai.entropy_models import GaussianConditional
from compressai.layers import GDN
from compressai.models import CompressionModel
from compressai.models.utils import conv, deconv
from torch import Tensor, nn

from lic_bench.errors import WeightsError

from .coding import FactorizedPrior, SymbolReader, SymbolWriter, scale_indexes
from .layers import conv1, conv3, straight_through, subpixel3
from .windows import across_borders, merge, relative_positions, split

LATENT = 320
HYPER = 192
SLICES = 10
SLICE = LATENT // SLICES
SUPPORT = 5
"""A slice sees at most the first five slices; from the sixth slice on all see the same five."""
HEADS = 8
MASKED = -100.0
"""Added to the logits of tokens that do not see each other."""

Coder = Callable[[int, Tensor, Tensor], Tensor]
"""Slice number, scales and means to the slice's dequantised values."""


class ShiftedAttention(nn.Module):
    """Attention among the tokens of each window x window square, the squares displaced by half a window.

    The map is rolled, so that the last row and column of squares join opposite borders of the picture; the tokens of
    one border then do not see those of the other. The weights' names are those of Swin, without its norm and MLP.
    """

    relative_position_index: Tensor

    def __init__(self, channels: int, window: int) -> None:
        super().__init__()
        self.window = window
        self.scale = (channels // HEADS) ** -0.5
        self.relative_position_bias_table = nn.Parameter(torch.empty((2 * window - 1) ** 2, HEADS))
        nn.init.trunc_normal_(self.relative_position_bias_table, std=0.02)
        self.register_buffer("relative_position_index", relative_positions(window, window))
        self.qkv = nn.Linear(channels, 3 * channels)
        self.proj = nn.Linear(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        """B x H x W x C to the same; H and W must be multiples of the window."""
        (height, width), window, shift = x.shape[1:3], self.window, self.window // 2
        tokens = split(x.roll((-shift, -shift), dims=(1, 2)), window, window)
        q, k, v = self.qkv(tokens).unflatten(-1, (3, HEADS, -1)).permute(2, 0, 3, 1, 4)
        logits = torch.matmul(q * self.scale, k.transpose(-1, -2))
        logits = logits + self.relative_position_bias_table[self.relative_position_index].permute(2, 0, 1)
        apart = across_borders(height, width, window, shift, x.device)
        logits = logits.view(-1, len(apart), *logits.shape[1:]) + MASKED * apart[:, None].to(x.dtype)
        attended = torch.matmul(logits.flatten(0, 1).softmax(-1), v).transpose(1, 2).flatten(2)
        return merge(self.proj(attended), (window, window), (height, width)).roll((shift, shift), dims=(1, 2))


class AttentionLayer(nn.Module):
    """Window attention beside a shortcut, on B x C x H x W."""

    def __init__(self, channels: int, window: int) -> None:
        super().__init__()
        self.attn = ShiftedAttention(channels, window)

    def forward(self, x: Tensor) -> Tensor:
        """B x C x H x W to the same."""
        attended: Tensor = self.attn(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
        return attended + x


class ResidualUnit(nn.Module):
    """A bottleneck of three convolutions beside a shortcut, with a GELU after the sum too."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        half = channels // 2
        self.conv = nn.Sequential(conv1(channels, half), nn.GELU(), conv3(half, half), nn.GELU(), conv1(half, channels))

    def forward(self, x: Tensor) -> Tensor:
        """B x C x H x W to the same."""
        return nn.functional.gelu(self.conv(x) + x)


class GatedAttention(nn.Module):
    """The paper's window attention module: three residual units, gated by what window attention makes of the input."""

    def __init__(self, channels: int, window: int) -> None:
        super().__init__()
        self.conv_a = _units(channels)
        self.conv_b = nn.Sequential(AttentionLayer(channels, window), *_units(channels), conv1(channels, channels))

    def forward(self, x: Tensor) -> Tensor:
        """B x C x H x W to the same; H and W must be multiples of the window."""
        return cast(Tensor, self.conv_a(x) * torch.sigmoid(self.conv_b(x)) + x)


def _units(channels: int) -> nn.Sequential:
    return nn.Sequential(*(ResidualUnit(channels) for _ in range(3)))


def _analysis(n: int) -> nn.Sequential:
    wide = [conv(3, n), GDN(n), conv(n, n), GDN(n), GatedAttention(n, 8), conv(n, n), GDN(n)]
    return nn.Sequential(*wide, conv(n, LATENT), GatedAttention(LATENT, 4))


def _synthesis(n: int) -> nn.Sequential:
    def up(inputs: int) -> list[nn.Module]:
        return [deconv(inputs, n), GDN(n, inverse=True)]

    return nn.Sequential(
        GatedAttention(LATENT, 4), *up(LATENT), *up(n), GatedAttention(n, 8), *up(n), deconv(n, 3)
    )  # fmt: skip


def _with_gelu(*layers: nn.Module) -> nn.Sequential:
    """Layers with a GELU between each two."""
    between = [module for layer in layers for module in (layer, nn.GELU())]
    return nn.Sequential(*between[:-1])


def _hyper_analysis() -> nn.Sequential:
    return _with_gelu(conv3(LATENT, 320), conv3(320, 288), conv3(288, 256, 2), conv3(256, 224), conv3(224, HYPER, 2))


def _hyper_synthesis() -> nn.Sequential:
    return _with_gelu(
        conv3(HYPER, 192), subpixel3(192, 224), conv3(224, 256), subpixel3(256, 288), conv3(288, LATENT)
    )  # fmt: skip


def _transforms(more: int) -> nn.ModuleList:
    """For each slice five convolutions from the hyper-prior, its support and `more` further slices to a slice."""

    def transform(inputs: int) -> nn.Sequential:
        widths = (inputs, 224, 176, 128, 64, SLICE)
        return _with_gelu(*(conv3(a, b) for a, b in pairwise(widths)))

    return nn.ModuleList(transform(LATENT + SLICE * (min(i, SUPPORT) + more)) for i in range(SLICES))


def width_of(state: Mapping[str, Tensor], origin: str) -> int:
    """N of a checkpoint's state dict; WeightsError when it is of another network."""
    first = state.get("g_a.0.weight")
    if first is None or first.ndim != 4 or first.shape[0] % HEADS or "g_a.4.conv_b.0.attn.qkv.weight" not in state:
        raise WeightsError(
            f"{origin} is not a checkpoint of WACNN: there is no g_a.0.weight or no g_a.4.conv_b.0.attn.qkv.weight in "
            f"it, or its width N is not a multiple of {HEADS}."
        )
    return int(first.shape[0])


class WACNN(CompressionModel):  # type: ignore[misc]
    """The network, in CompressAI's shape; height and width must be multiples of 64. The published width N is 192."""

    def __init__(self, n: int = 192) -> None:
        super().__init__()
        self.g_a = _analysis(n)
        self.g_s = _synthesis(n)
        self.h_a = _hyper_analysis()
        self.h_mean_s = _hyper_synthesis()
        self.h_scale_s = _hyper_synthesis()
        self.cc_mean_transforms = _transforms(more=0)
        self.cc_scale_transforms = _transforms(more=0)
        self.lrp_transforms = _transforms(more=1)
        self.entropy_bottleneck = FactorizedPrior(HYPER)
        self.gaussian_conditional = GaussianConditional(None)

    def forward(self, x: Tensor) -> dict[str, Any]:
        """Reconstruction and likelihoods of pictures, B x 3 x H x W in [0, 1]; "x_hat" is not clipped."""
        y = self.g_a(x)
        z = self.h_a(y)
        _, z_likelihoods = self.entropy_bottleneck(z)
        medians = self.entropy_bottleneck.medians()
        slices = y.split(SLICE, dim=1)
        likelihoods = []

        def estimate(i: int, scales: Tensor, means: Tensor) -> Tensor:
            likelihoods.append(self.gaussian_conditional(slices[i], scales, means)[1])
            return straight_through(slices[i], means)

        y_hat = self._code(straight_through(z, medians), estimate)
        return {"x_hat": self.g_s(y_hat), "likelihoods": {"y": torch.cat(likelihoods, dim=1), "z": z_likelihoods}}

    @torch.no_grad()
    def compress(self, x: Tensor) -> dict[str, Any]:
        """Pictures to {"strings": [[y], [z, ...]], "shape": (H/64, W/64)}; all pictures of a batch share y's string."""
        y = self.g_a(x)
        z_strings, z_hat = self.entropy_bottleneck.write(self.h_a(y))
        slices = y.split(SLICE, dim=1)
        writer = SymbolWriter(self.gaussian_conditional)

        def write(i: int, scales: Tensor, means: Tensor) -> Tensor:
            symbols = torch.round(slices[i] - means).int()
            writer.write(symbols, scale_indexes(scales, self.gaussian_conditional.scale_table))
            return symbols + means

        self._code(z_hat, write)
        return {"strings": [[writer.finish()], z_strings], "shape": tuple(z_hat.shape[-2:])}

    @torch.no_grad()
    def decompress(self, strings: Sequence[Sequence[bytes]], shape: Sequence[int]) -> dict[str, Tensor]:
        """The strings and the shape that `compress` gave to {"x_hat"}, clipped to [0, 1]."""
        (y_string,), z_strings = strings
        reader = SymbolReader(self.gaussian_conditional, y_string)

        def read(_i: int, scales: Tensor, means: Tensor) -> Tensor:
            return reader.read(scale_indexes(scales, self.gaussian_conditional.scale_table)) + means

        y_hat = self._code(self.entropy_bottleneck.read(z_strings, shape), read)
        return {"x_hat": self.g_s(y_hat).clamp(0, 1)}

    def _code(self, z_hat: Tensor, code: Coder) -> Tensor:
        """The one walk through all slices that estimating, encoding and decoding share; returns y_hat."""
        hyper_scales, hyper_means = self.h_scale_s(z_hat), self.h_mean_s(z_hat)
        decoded: list[Tensor] = []
        for i in range(SLICES):
            known = torch.cat((hyper_means, *decoded[:SUPPORT]), dim=1)
            means = self.cc_mean_transforms[i](known)
            scales = self.cc_scale_transforms[i](torch.cat((hyper_scales, *decoded[:SUPPORT]), dim=1))
            values = code(i, scales, means)
            residual = self.lrp_transforms[i](torch.cat((known, values), dim=1))
            decoded.append(values + 0.5 * torch.tanh(residual))
        return torch.cat(decoded, dim=1)
