"""GLLMM's transforms: residual blocks, the simplified attention of Cheng et al., and what is made of them.

Source: Fu et al., arXiv:2107.06463, as its published TensorFlow graph has it. Parameter names are those of our
conversion of the authors' checkpoints.
"""

from __future__ import annotations

from typing import cast

import torch
from compressai.layers import GDN
from torch import Tensor, nn
from torch.nn import functional as F

from .layers import conv1, conv3


def leaky(x: Tensor) -> Tensor:
    """The leaky ReLU of all of GLLMM, with a slope of 0.2."""
    return F.leaky_relu(x, 0.2)


class ResidualBottleneck(nn.Module):
    """A 3x3 convolution at half the width between two 1x1 ones, beside an identity; no activation at the end."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = conv1(channels, channels // 2)
        self.conv2 = conv3(channels // 2, channels // 2)
        self.conv3 = conv1(channels // 2, channels)

    def forward(self, x: Tensor) -> Tensor:
        """B x C x H x W to the same."""
        return x + cast(Tensor, self.conv3(F.relu(self.conv2(F.relu(self.conv1(x))))))


class Attention(nn.Module):
    """The simplified attention of Cheng et al.; the paper calls it non-local, and nothing in it is."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.trunk = nn.Sequential(*(ResidualBottleneck(channels) for _ in range(3)))
        self.attention = nn.Sequential(*(ResidualBottleneck(channels) for _ in range(3)))
        self.conv = conv1(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        """B x C x H x W to the same."""
        return x + torch.sigmoid(self.conv(self.attention(x))) * cast(Tensor, self.trunk(x))


class ConcatenatedResiduals(nn.Module):
    """Two residual blocks, and around them one more shortcut: the identity enters twice (2 x + r1 + r2)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1, self.conv2, self.conv3, self.conv4 = (conv3(channels, channels) for _ in range(4))

    def forward(self, x: Tensor) -> Tensor:
        """B x C x H x W to the same."""
        first = x + leaky(self.conv2(leaky(self.conv1(x))))
        return x + first + leaky(self.conv4(leaky(self.conv3(first))))


class Down(nn.Module):
    """Halves height and width; after concatenated residuals where `refines`."""

    def __init__(self, inputs: int, outputs: int, refines: bool) -> None:
        super().__init__()
        self.crm = ConcatenatedResiduals(inputs) if refines else None
        self.shortcut = conv1(inputs, outputs, stride=2)
        self.conv1 = conv3(inputs, outputs, stride=2)
        self.conv2 = conv3(outputs, outputs)
        self.gdn = GDN(outputs)

    def forward(self, x: Tensor) -> Tensor:
        """B x inputs x H x W to B x outputs x H/2 x W/2."""
        x = x if self.crm is None else self.crm(x)
        return cast(Tensor, self.gdn(self.conv2(leaky(self.conv1(x)))) + self.shortcut(x))


class Up(nn.Module):
    """Doubles height and width, after concatenated residuals."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.crm = ConcatenatedResiduals(channels)
        self.shortcut = conv1(channels, 4 * channels)
        self.conv1 = conv3(channels, 4 * channels)
        self.conv2 = conv3(channels, channels)
        self.igdn = GDN(channels, inverse=True)

    def forward(self, x: Tensor) -> Tensor:
        """B x C x H x W to B x C x 2H x 2W."""
        x = self.crm(x)
        wide = F.pixel_shuffle(leaky(self.conv1(x)), 2)
        return cast(Tensor, self.igdn(self.conv2(wide)) + F.pixel_shuffle(self.shortcut(x), 2))


class _LastDown(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.crm = ConcatenatedResiduals(channels)
        self.conv = nn.Conv2d(channels, channels, 3, stride=2, padding=1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return cast(Tensor, self.conv(self.crm(x)))


class _LastUp(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.crm = ConcatenatedResiduals(channels)
        self.conv = conv3(channels, 12)

    def forward(self, x: Tensor) -> Tensor:
        return F.pixel_shuffle(self.conv(self.crm(x)), 2)


class Analysis(nn.Module):
    """Picture to latent, at 1/16 of its size."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.block0 = Down(3, channels, refines=False)
        self.block1 = Down(channels, channels, refines=True)
        self.nlab0 = Attention(channels)
        self.block2 = Down(channels, channels, refines=True)
        self.block3 = _LastDown(channels)
        self.nlab1 = Attention(channels)

    def forward(self, x: Tensor) -> Tensor:
        """B x 3 x H x W to B x N x H/16 x W/16."""
        x = self.nlab0(self.block1(self.block0(x)))
        return cast(Tensor, self.nlab1(self.block3(self.block2(x))))


class Synthesis(nn.Module):
    """Latent to picture."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.nlab0 = Attention(channels)
        self.block0 = Up(channels)
        self.block1 = Up(channels)
        self.nlab1 = Attention(channels)
        self.block2 = Up(channels)
        self.block3 = _LastUp(channels)

    def forward(self, y: Tensor) -> Tensor:
        """B x N x H/16 x W/16 to B x 3 x H x W."""
        y = self.block1(self.block0(self.nlab0(y)))
        return cast(Tensor, self.block3(self.block2(self.nlab1(y))))


class HyperAnalysis(nn.Module):
    """Latent to hyper-latent, at a quarter of its size."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        for at, stride in enumerate((1, 1, 2, 1, 2)):
            self.add_module(f"conv{at}", conv3(channels, channels, stride))

    def forward(self, y: Tensor) -> Tensor:
        """B x N x H x W to B x N x H/4 x W/4."""
        *inner, last = self.children()
        for layer in inner:
            y = leaky(layer(y))
        return cast(Tensor, last(y))


class HyperSynthesis(nn.Module):
    """Hyper-latent to what the parameter network takes, 2 N channels at the latent's size."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        wide = channels * 3 // 2
        self.conv0 = conv3(channels, channels)
        self.up1 = _transposed3(channels, channels)
        self.conv2 = conv3(channels, wide)
        self.up3 = _transposed3(wide, wide)
        self.conv4 = conv3(wide, 2 * channels)

    def forward(self, z: Tensor) -> Tensor:
        """B x N x H x W to B x 2N x 4H x 4W."""
        z = leaky(self.conv2(leaky(self.up1(leaky(self.conv0(z))))))
        return cast(Tensor, self.conv4(leaky(self.up3(z))))


def _transposed3(inputs: int, outputs: int) -> nn.ConvTranspose2d:
    return nn.ConvTranspose2d(inputs, outputs, 3, stride=2, padding=1, output_padding=1)
