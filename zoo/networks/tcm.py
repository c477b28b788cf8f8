"""LIC-TCM: blocks half convolution, half window attention; the latent coded in five slices.

Source: J. Liu, H. Sun, J. Katto, "Learned Image Compression with Mixed Transformer-CNN Architectures", CVPR 2023,
arXiv:2303.14978, as released (https://github.com/jmliu206/LIC_TCM, MIT). State-dict names are the authors'. Three
sizes differ in N alone; the paper's C is 2 N.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, cast

import torch
import torch.nn.functional as F
from compressai.entropy_models import GaussianConditional
from compressai.layers import AttentionBlock, ResidualBlock, ResidualBlockUpsample, ResidualBlockWithStride
from compressai.models import CompressionModel
from torch import Tensor, nn

from lic_bench.errors import WeightsError

from .coding import FactorizedPrior, SymbolReader, SymbolWriter, scale_indexes
from .layers import PointwiseLinear, conv1, conv3, straight_through, subpixel3
from .windows import across_borders, merge, relative_positions, split

LATENT = 320
HYPER = 192
SLICES = 5
SLICE = LATENT // SLICES
ATTENDED = 128
"""Width of the attention in the entropy model; like all of it, the same for every N."""

Coder = Callable[[int, Tensor, Tensor], Tensor]
"""Slice number, scales and means to the slice's dequantised values."""


class WindowAttention(nn.Module):
    """Attention among the tokens of each window x window square; `shifted` displaces the squares by half a window.

    A shifted map is rolled, so that the last row and column of squares join opposite borders of the picture; the
    tokens of one border then do not see those of the other.
    """

    positions: Tensor

    def __init__(self, channels: int, head_width: int, window: int, shifted: bool) -> None:
        super().__init__()
        self.heads = channels // head_width
        self.window = window
        self.shift = window // 2 if shifted else 0
        self.relative_position_params = nn.Parameter(torch.empty(self.heads, 2 * window - 1, 2 * window - 1))
        nn.init.normal_(self.relative_position_params, std=0.02)
        self.embedding_layer = PointwiseLinear(channels, 3 * channels)
        self.linear = PointwiseLinear(channels, channels)
        self.register_buffer("positions", relative_positions(window, window), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """B x H x W x C to the same; H and W must be multiples of the window."""
        height, width = x.shape[1:3]
        if self.shift:
            x = x.roll((-self.shift, -self.shift), dims=(1, 2))
        tokens = split(x, self.window, self.window)
        q, k, v = self.embedding_layer(tokens).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        bias = self.relative_position_params.flatten(1)[:, self.positions][None]
        if self.shift:
            apart = across_borders(height, width, self.window, self.shift, x.device)
            bias = bias.masked_fill(apart[:, None], -torch.inf).repeat(len(q) // len(apart), 1, 1, 1)
        # The fused kernel, which never stores the logits, needs the bias in its full shape.
        attended = F.scaled_dot_product_attention(q, k, v, attn_mask=bias.expand(len(q), -1, -1, -1))
        attended = attended.transpose(1, 2).flatten(2)
        out = merge(self.linear(attended), (self.window, self.window), (height, width))
        return out.roll((self.shift, self.shift), dims=(1, 2)) if self.shift else out


class TransformerBlock(nn.Module):
    """Window attention and a perceptron, each beside a shortcut, on B x H x W x C."""

    def __init__(self, channels: int, head_width: int, window: int, shifted: bool) -> None:
        super().__init__()
        self.ln1 = nn.LayerNorm(channels)
        self.msa = WindowAttention(channels, head_width, window, shifted)
        self.ln2 = nn.LayerNorm(channels)
        self.mlp = nn.Sequential(nn.Linear(channels, 4 * channels), nn.GELU(), nn.Linear(4 * channels, channels))

    def forward(self, x: Tensor) -> Tensor:
        """B x H x W x C to the same."""
        x = x + self.msa(self.ln1(x))
        return cast(Tensor, x + self.mlp(self.ln2(x)))


class MixedBlock(nn.Module):
    """The paper's TCM block: half of the 2 N channels through a residual block, half through a transformer block."""

    def __init__(self, n: int, head_width: int, window: int, shifted: bool) -> None:
        super().__init__()
        self.n = n
        self.trans_block = TransformerBlock(n, head_width, window, shifted)
        self.conv1_1 = conv1(2 * n, 2 * n)
        self.conv1_2 = conv1(2 * n, 2 * n)
        self.conv_block = ResidualBlock(n, n)

    def forward(self, x: Tensor) -> Tensor:
        """B x 2N x H x W to the same."""
        convolved, attended = self.conv1_1(x).split(self.n, dim=1)
        # The residual block has a shortcut of its own; the released networks are trained with both.
        convolved = self.conv_block(convolved) + convolved
        attended = self.trans_block(attended.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
        return cast(Tensor, x + self.conv1_2(torch.cat((convolved, attended), dim=1)))


class _TransformerPair(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.block_1 = TransformerBlock(ATTENDED, head_width=16, window=8, shifted=False)
        self.block_2 = TransformerBlock(ATTENDED, head_width=16, window=8, shifted=True)

    def forward(self, x: Tensor) -> Tensor:
        return cast(Tensor, self.block_2(self.block_1(x.permute(0, 2, 3, 1))).permute(0, 3, 1, 2))


class SlicedAttention(AttentionBlock):  # type: ignore[misc]
    """The paper's SWAtten: CompressAI's attention block whose gate looks through two transformer blocks first.

    The released code pads maps of a single window wrongly and fails; nothing needs padding here.
    """

    def __init__(self, channels: int) -> None:
        super().__init__(ATTENDED)
        self.non_local_block = _TransformerPair()
        self.in_conv = conv1(channels, ATTENDED)
        self.out_conv = conv1(ATTENDED, channels)

    def forward(self, x: Tensor) -> Tensor:
        """B x channels x H x W to the same."""
        narrow = self.in_conv(x)
        gate = torch.sigmoid(self.conv_b(self.non_local_block(narrow)))
        return cast(Tensor, self.out_conv(self.conv_a(narrow) * gate + narrow))


def _pair(n: int, head_width: int, window: int = 8) -> list[nn.Module]:
    return [MixedBlock(n, head_width, window, shifted) for shifted in (False, True)]


def _analysis(n: int) -> nn.Sequential:
    wide = 2 * n
    down = [ResidualBlockWithStride(inputs, wide) for inputs in (3, wide, wide)]
    return nn.Sequential(down[0], *_pair(n, 8), down[1], *_pair(n, 16), down[2], *_pair(n, 32), conv3(wide, LATENT, 2))


def _synthesis(n: int) -> nn.Sequential:
    wide = 2 * n
    up = [ResidualBlockUpsample(inputs, wide) for inputs in (LATENT, wide, wide)]
    return nn.Sequential(up[0], *_pair(n, 32), up[1], *_pair(n, 16), up[2], *_pair(n, 8), subpixel3(wide, 3))


def _hyper_analysis(n: int) -> nn.Sequential:
    return nn.Sequential(ResidualBlockWithStride(LATENT, 2 * n), *_pair(n, 32, window=4), conv3(2 * n, HYPER, 2))


def _hyper_synthesis(n: int) -> nn.Sequential:
    return nn.Sequential(ResidualBlockUpsample(HYPER, 2 * n), *_pair(n, 32, window=4), subpixel3(2 * n, LATENT))


def slice_transform(inputs: int) -> nn.Sequential:
    """Three convolutions from some channels to a slice's."""
    return nn.Sequential(conv3(inputs, 224), nn.GELU(), conv3(224, 128), nn.GELU(), conv3(128, SLICE))


def _attentions(widths: Iterable[int]) -> nn.ModuleList:
    return nn.ModuleList(nn.Sequential(SlicedAttention(width)) for width in widths)


def width_of(state: Mapping[str, Tensor], origin: str) -> int:
    """N of a checkpoint's state dict; WeightsError when it is of another network."""
    first = state.get("g_a.0.conv1.weight")
    if first is None or first.ndim != 4 or first.shape[0] % 64:
        raise WeightsError(
            f"{origin} is not a checkpoint of TCM: there is no g_a.0.conv1.weight in it, or its width is not 2 N "
            "with N a multiple of 32."
        )
    return int(first.shape[0]) // 2


class TCM(CompressionModel):  # type: ignore[misc]
    """The network of one width N, in CompressAI's shape; height and width must be multiples of 128."""

    def __init__(self, n: int) -> None:
        super().__init__()
        known = [LATENT + SLICE * i for i in range(SLICES)]  # the hyper-prior's map and the slices before
        self.entropy_bottleneck = FactorizedPrior(HYPER)
        self.g_a = _analysis(n)
        self.g_s = _synthesis(n)
        self.h_a = _hyper_analysis(n)
        self.h_mean_s = _hyper_synthesis(n)
        self.h_scale_s = _hyper_synthesis(n)
        self.atten_mean = _attentions(known)
        self.atten_scale = _attentions(known)
        self.cc_mean_transforms = nn.ModuleList(slice_transform(width) for width in known)
        self.cc_scale_transforms = nn.ModuleList(slice_transform(width) for width in known)
        self.lrp_transforms = nn.ModuleList(slice_transform(width + SLICE) for width in known)
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
            attended = self.atten_mean[i](torch.cat((hyper_means, *decoded), dim=1))
            means = self.cc_mean_transforms[i](attended)
            scales = self.cc_scale_transforms[i](self.atten_scale[i](torch.cat((hyper_scales, *decoded), dim=1)))
            values = code(i, scales, means)
            # The residual prediction sees what the means' attention made, not what went into it.
            residual = self.lrp_transforms[i](torch.cat((attended, values), dim=1))
            decoded.append(values + 0.5 * torch.tanh(residual))
        return torch.cat(decoded, dim=1)
