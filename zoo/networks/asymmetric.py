"""The asymmetric codec: separable convolutions, wavelet attention, a post-quantisation filter. Two networks.

`Reading` can code: a design with the parts and the size that the README "Asymmetric-Learned-Image-Compression" claims,
where the published code cannot decode. `Published` is that code's network: it estimates a rate and codes nothing,
because its context sees the very symbols whose probabilities it gives. They share the shape of their blocks; the
reading has LayerNorm where the published code has BatchNorm.

Background: Fu et al., "Asymmetric Learned Image Compression with Multi-Scale Residual Block, Importance Map, and
Post-Quantization Filtering", arXiv:2206.10618. The latent y is at 1/8 of the picture's size, z at 1/32.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

import torch
from compressai.entropy_models import GaussianConditional
from torch import Tensor, nn
from torch.nn import functional as F

from .checkerboard import squeeze, unsqueeze
from .coding import FactorizedPrior, PictureByPicture, SymbolReader, SymbolWriter, scale_indexes
from .layers import conv1, conv3, straight_through

FIRST, SECOND = 0, 1
"""The two passes, as parities of row + column: what is coded first is the context of the rest."""

Norm = Callable[[int], nn.Module]
Coder = Callable[[int, Tensor, Tensor], Tensor]
"""Pass, means and scales (squeezed) to the values of its positions."""


class ChannelNorm(nn.LayerNorm):
    """LayerNorm over the channels at each position."""

    def forward(self, x: Tensor) -> Tensor:
        """B x C x H x W to the same."""
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class Activated(nn.Module):
    """A normalisation and a PReLU with one slope per channel."""

    def __init__(self, channels: int, norm: Norm = ChannelNorm) -> None:
        super().__init__()
        self.norm = norm(channels)
        self.act = nn.PReLU(channels)

    def forward(self, x: Tensor) -> Tensor:
        """B x C x H x W to the same."""
        return cast(Tensor, self.act(self.norm(x)))


def _conv5(inputs: int, outputs: int) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 5, stride=2, padding=2)


def _transposed5(inputs: int, outputs: int) -> nn.ConvTranspose2d:
    return nn.ConvTranspose2d(inputs, outputs, 5, stride=2, padding=2, output_padding=1)


def _depthwise(channels: int, kernel: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(channels, channels, kernel, stride, kernel // 2, groups=channels, bias=False)


class Separable(nn.Module):
    """A depthwise convolution and a 1x1 one, each normalised and activated."""

    def __init__(self, inputs: int, outputs: int, kernel: int = 3, stride: int = 1, norm: Norm = ChannelNorm) -> None:
        super().__init__()
        self.dw = _depthwise(inputs, kernel, stride)
        self.n1 = Activated(inputs, norm)
        self.pw = nn.Conv2d(inputs, outputs, 1, bias=False)
        self.n2 = Activated(outputs, norm)

    def forward(self, x: Tensor) -> Tensor:
        """B x inputs x H x W to B x outputs x H/stride x W/stride."""
        return cast(Tensor, self.n2(self.pw(self.n1(self.dw(x)))))


class InvertedBottleneck(nn.Module):
    """A depthwise 3x3 convolution at `expansion` times the width, beside an identity."""

    def __init__(self, channels: int, expansion: int, norm: Norm = ChannelNorm) -> None:
        super().__init__()
        wide = expansion * channels
        self.expand = nn.Conv2d(channels, wide, 1, bias=False)
        self.n1 = Activated(wide, norm)
        self.dw = _depthwise(wide, 3)
        self.n2 = Activated(wide, norm)
        self.project = nn.Conv2d(wide, channels, 1, bias=False)
        self.n3 = norm(channels)

    def forward(self, x: Tensor) -> Tensor:
        """B x C x H x W to the same."""
        return x + cast(Tensor, self.n3(self.project(self.n2(self.dw(self.n1(self.expand(x)))))))


def haar(x: Tensor) -> Tensor:
    """The orthonormal Haar transform: B x C x H x W to B x 4C x H/2 x W/2, bands LL, LH, HL, HH one after the other."""
    p, q = x[..., 0::2, 0::2], x[..., 0::2, 1::2]
    r, t = x[..., 1::2, 0::2], x[..., 1::2, 1::2]
    return torch.cat((p + q + r + t, p - q + r - t, p + q - r - t, p - q - r + t), dim=1) / 2


class WaveletAttention(nn.Module):
    """Scales every element by an importance between 0.3 and 1 that is estimated from wavelet bands (DWAN)."""

    def __init__(self, channels: int, norm: Norm = ChannelNorm) -> None:
        super().__init__()
        self.conv1 = Separable(4 * channels, channels // 2, norm=norm)
        self.conv2 = Separable(channels // 2, channels // 4, norm=norm)
        self.conv3 = conv1(channels // 4, channels)

    def forward(self, x: Tensor) -> Tensor:
        """B x C x H x W to the same; both sides even."""
        importance = torch.sigmoid(self.conv3(self.conv2(self.conv1(haar(x)))))
        importance = F.interpolate(importance, size=x.shape[-2:], mode="bilinear", align_corners=False)
        return x * (0.3 + 0.7 * importance)


class PostQuantisationFilter(nn.Module):
    """Adds at most 0.1 to each element of the decoded latent, then wavelet attention (PQF)."""

    def __init__(self, channels: int, norm: Norm = ChannelNorm) -> None:
        super().__init__()
        self.conv1 = Separable(channels, channels // 2, norm=norm)
        self.conv2 = Separable(channels // 2, channels // 2, norm=norm)
        self.conv3 = conv1(channels // 2, channels)
        self.dwan = WaveletAttention(channels, norm)

    def forward(self, y: Tensor) -> Tensor:
        """B x C x H x W to the same; both sides even."""
        return cast(Tensor, self.dwan(y + 0.1 * torch.tanh(self.conv3(self.conv2(self.conv1(y))))))


class Context(nn.Module):
    """Means and scales in two passes over a checkerboard, under a gate that knows the whole picture (SSM style).

    The first pass (row + column even) knows phi, what the hyper-prior says; the second also what the first gave
    within two positions.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.local = nn.Conv2d(channels, 2 * channels, 5, padding=2)
        self.gate1 = conv1(2 * channels, channels // 4)
        self.gate_act = nn.PReLU(channels // 4)
        self.gate2 = conv1(channels // 4, 4 * channels)
        self.fuse1 = conv1(4 * channels, 2 * channels)
        self.act1 = nn.PReLU(2 * channels)
        self.fuse2 = conv1(2 * channels, 2 * channels)

    def gate(self, phi: Tensor) -> Tensor:
        """B x 2N x H x W to B x 4N x 1 x 1, between 0 and 1."""
        return torch.sigmoid(self.gate2(self.gate_act(self.gate1(phi.mean(dim=(2, 3), keepdim=True)))))

    def neighbours(self, first: Tensor) -> Tensor:
        """`local` at the positions of the second pass: B x N x H x W, zero there, to B x 2N x H x W/2 (squeezed).

        Its taps at an even distance fall on zeros, so only the twelve others are multiplied.
        """
        height, width = first.shape[-2:]
        padded = F.pad(first, (2, 2, 2, 2))
        total = cast(Tensor, self.local.bias)[:, None, None]
        for row, column in ((row, column) for row in range(5) for column in range(5) if (row + column) % 2):
            seen = squeeze(padded[..., row : row + height, column : column + width], SECOND)
            total = total + F.conv2d(seen, self.local.weight[:, :, row, column, None, None])
        return total

    def gaussians(self, local: Tensor, phi: Tensor, gate: Tensor) -> tuple[Tensor, Tensor]:
        """Means and scales of one pass, squeezed, from 2N local features and 2N of the hyper-prior."""
        features = torch.cat((local, phi), dim=1) * gate
        means, raw = self.fuse2(self.act1(self.fuse1(features))).chunk(2, dim=1)
        return means, F.softplus(raw)


def _chain(**layers: nn.Module) -> nn.Sequential:
    """Named layers in a row."""
    chain = nn.Sequential()
    for name, layer in layers.items():
        chain.add_module(name, layer)
    return chain


class Reading(PictureByPicture):
    """The design that can code; N channels in y, M in z."""

    def __init__(self, n: int = 160, m: int = 192) -> None:
        super().__init__()
        self.g_a = _chain(
            conv1=_conv5(3, n), norm1=Activated(n), hcnn1=InvertedBottleneck(n, 4),
            conv2=Separable(n, n, 5, 2), hcnn2=InvertedBottleneck(n, 2),
            conv3=Separable(n, n, 5, 2), hcnn3=InvertedBottleneck(n, 4), conv4=conv3(n, n),
        )  # fmt: skip
        self.attention = WaveletAttention(n)
        self.h_a = _chain(
            conv1=Separable(n, n), conv2=Separable(n, n, 5, 2), conv3=_conv5(n, m), dwan=WaveletAttention(m)
        )
        self.entropy_bottleneck = FactorizedPrior(m)
        self.h_s = _chain(
            up1=_transposed5(m, n), act1=nn.PReLU(n), up2=_transposed5(n, n), act2=nn.PReLU(n), conv3=conv3(n, 2 * n)
        )
        self.context = Context(n)
        self.gaussian_conditional = GaussianConditional(None)
        self.g_s = _chain(
            pqf=PostQuantisationFilter(n), conv1=conv3(n, n), hcnn=InvertedBottleneck(n, 2),
            up1=_transposed5(n, n), norm1=Activated(n), up2=_transposed5(n, n), norm2=Activated(n),
            up3=_transposed5(n, 3),
        )  # fmt: skip

    def forward(self, x: Tensor) -> dict[str, Any]:
        """Reconstruction and likelihoods of pictures, B x 3 x H x W in [0, 1]; "x_hat" is not clipped.

        In training the likelihoods are those of noisy values; gradients pass the rounding as if it were not there.
        """
        y, z = self._analyse(x)
        _, z_likelihoods = self.entropy_bottleneck(z)
        medians = self.entropy_bottleneck.medians()
        likelihoods = []

        def estimate(parity: int, means: Tensor, scales: Tensor) -> Tensor:
            values = squeeze(y, parity)
            _, likelihood = self.gaussian_conditional(values, scales, means)
            likelihoods.append(unsqueeze(likelihood, parity))
            return straight_through(values, means)

        y_hat = self._code(self.h_s(straight_through(z, medians)), estimate)
        return {"x_hat": self._synthesise(y_hat), "likelihoods": {"y": sum(likelihoods), "z": z_likelihoods}}

    def compress_picture(self, x: Tensor) -> tuple[tuple[bytes, ...], tuple[int, ...]]:
        """One picture to the strings of z, the first and the second pass, and the height and width of z."""
        y, z = self._analyse(x)
        (z_string,), z_hat = self.entropy_bottleneck.write(z)
        strings = [z_string]

        def write(parity: int, means: Tensor, scales: Tensor) -> Tensor:
            symbols = torch.round(squeeze(y, parity) - means).int()
            writer = SymbolWriter(self.gaussian_conditional)
            writer.write(symbols, scale_indexes(scales, self.gaussian_conditional.scale_table))
            strings.append(writer.finish())
            return symbols + means

        self._code(self.h_s(z_hat), write)
        return tuple(strings), tuple(z_hat.shape[-2:])

    def decompress_picture(self, strings: Sequence[bytes], shape: Sequence[int]) -> Tensor:
        """What `compress_picture` gave to the reconstruction, not clipped."""
        z_string, *passes = strings
        z_hat = self.entropy_bottleneck.read([z_string], shape)

        def read(parity: int, means: Tensor, scales: Tensor) -> Tensor:
            reader = SymbolReader(self.gaussian_conditional, passes[parity])
            return reader.read(scale_indexes(scales, self.gaussian_conditional.scale_table)) + means

        return self._synthesise(self._code(self.h_s(z_hat), read))

    def _analyse(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """y and z, contiguous as a decoder has them: the layout of a tensor changes the last bits of sums."""
        y = self.attention(self.g_a(2 * x - 1))
        return y.contiguous(), self.h_a(y).contiguous()

    def _synthesise(self, y_hat: Tensor) -> Tensor:
        return (cast(Tensor, self.g_s(y_hat)) + 1) / 2

    def _code(self, phi: Tensor, code: Coder) -> Tensor:
        """The two passes that estimating, encoding and decoding share; returns y_hat, B x N x H x W."""
        gate = self.context.gate(phi)
        of_first, of_second = squeeze(phi, FIRST), squeeze(phi, SECOND)
        nothing = torch.zeros_like(of_first)
        first = unsqueeze(code(FIRST, *self.context.gaussians(nothing, of_first, gate)), FIRST)
        local = self.context.neighbours(first)
        return first + unsqueeze(code(SECOND, *self.context.gaussians(local, of_second, gate)), SECOND)


class Published(nn.Module):
    """The published network, an estimator: it has no coder, and a decoder could not have what its context reads.

    Its hyper synthesis is computed from z as it is, not quantised, and its result is used nowhere; z is rated under a
    fixed standard normal. As published a symbol of y costs 10 bits at most, and one of z 8.
    """

    def __init__(self, n: int = 128, m: int = 192) -> None:
        super().__init__()

        def separable(inputs: int, outputs: int, kernel: int = 3, stride: int = 1) -> Separable:
            return Separable(inputs, outputs, kernel, stride, nn.BatchNorm2d)

        def bottleneck(expansion: int) -> InvertedBottleneck:
            return InvertedBottleneck(n, expansion, nn.BatchNorm2d)

        self.g_a = _chain(
            conv1=_conv5(3, n), norm1=Activated(n), hcnn1=bottleneck(4),
            conv2=separable(n, n, 5, 2), norm2=Activated(n), hcnn2=bottleneck(2),
            conv3=separable(n, n, 5, 2), norm3=Activated(n), hcnn3=bottleneck(4), conv4=conv3(n, n),
        )  # fmt: skip
        self.attention = WaveletAttention(n, nn.BatchNorm2d)
        self.h_a = _chain(
            conv1=separable(n, n), conv2=separable(n, n, 5, 2), conv3=separable(n, m, 5, 2),
            dwan=WaveletAttention(m, nn.BatchNorm2d),
        )  # fmt: skip
        self.h_s = _chain(
            up1=_transposed5(m, n), act1=nn.PReLU(n), up2=_transposed5(n, n), act2=nn.PReLU(n), conv3=conv3(n, n)
        )
        self.context = _chain(
            local=nn.Sequential(separable(n, n), separable(n, n)),
            whole=nn.Sequential(conv1(n, n // 4), nn.PReLU(n // 4), conv1(n // 4, n), nn.Sigmoid()),
            fuse=conv1(n, 2 * n),
        )
        self.g_s = _chain(
            pqf=PostQuantisationFilter(n, nn.BatchNorm2d), conv1=conv3(n, n), hcnn=bottleneck(2),
            up1=_transposed5(n, n), norm1=Activated(n), up2=_transposed5(n, n), norm2=Activated(n),
            up3=_transposed5(n, 3), last=nn.Tanh(),
        )  # fmt: skip

    def forward(self, x: Tensor) -> dict[str, Any]:
        """Reconstruction and what the network takes for likelihoods; pictures B x 3 x H x W in [0, 1]."""
        y_hat = torch.round(self.attention(self.g_a(2 * x - 1)))
        z = self.h_a(y_hat)
        self.h_s(z)
        local, whole, fuse = self.context.children()
        means, raw = fuse(local(y_hat) * whole(y_hat.mean(dim=(2, 3), keepdim=True))).chunk(2, dim=1)
        y_likelihoods = _normal_mass(y_hat, means, F.softplus(raw) + 0.1).clamp(min=2.0**-10)
        z_likelihoods = _normal_mass(torch.round(z), torch.zeros_like(z), torch.ones_like(z)).clamp(min=2.0**-8)
        return {
            "x_hat": (cast(Tensor, self.g_s(y_hat)) + 1) / 2,
            "likelihoods": {"y": y_likelihoods, "z": z_likelihoods},
        }

    def update(self, force: bool = False) -> bool:
        """There is no coder whose tables could be computed."""
        return False


def _normal_mass(values: Tensor, means: Tensor, scales: Tensor) -> Tensor:
    """The mass of normal distributions within 1/2 of some values."""
    distance = (values - means).abs()
    upper, lower = ((side - distance) / scales for side in (0.5, -0.5))
    return cast(Tensor, torch.special.ndtr(upper) - torch.special.ndtr(lower))
