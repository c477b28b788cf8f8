"""NAF ("nonlinear activation free") blocks, as CCA has them: gates in place of activations.

Source: L. Chen, X. Chu, X. Zhang, J. Sun, "Simple Baselines for Image Restoration", ECCV 2022, arXiv:2204.04676.
Attribute names are those of CCA's checkpoints (https://github.com/LabShuHangGU/CCA). Maps are B x C x H x W in the
channels-last layout, in which 1x1 convolutions, depthwise ones and norms take half the time, or less.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn

from .layers import conv1

BLOCKS = 4
"""Blocks of a stack, and of each stage of CCA's transforms."""

_STRIP = 16  # rows


def channels_last(x: Tensor) -> Tensor:
    """The same map in the layout that the blocks are fast in."""
    return x.contiguous(memory_format=torch.channels_last)


class ChannelNorm(nn.Module):
    """A layer norm over the channels of each position."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.eps = 1e-6

    def forward(self, x: Tensor) -> Tensor:
        """B x channels x H x W to the same, channels-last."""
        normed = nn.functional.layer_norm(x.permute(0, 2, 3, 1), self.weight.shape, self.weight, self.bias, self.eps)
        return normed.permute(0, 3, 1, 2)


class Gate(nn.Module):
    """The product of the two halves of the channels."""

    def forward(self, x: Tensor) -> Tensor:
        """B x 2C x H x W to B x C x H x W."""
        first, second = x.chunk(2, dim=1)
        return first * second


class NAFBlock(nn.Module):
    """A gated depthwise convolution with channel attention, then a gated perceptron, each beside a shortcut.

    A new block is the identity: the factors of both branches start at zero. The attention's mean is over the whole
    picture, padding included, so that every position depends on every other. On a CPU the block works through strips of
    rows: fresh memory for the wide maps of a whole picture would cost as much time as the arithmetic.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        wide = 2 * channels
        self.beta = nn.Parameter(torch.zeros(1, channels, 1, 1))
        self.gamma = nn.Parameter(torch.zeros(1, channels, 1, 1))
        # The depthwise convolution is given the rows above and below.
        self.dwconv = nn.Sequential(conv1(channels, wide), nn.Conv2d(wide, wide, 3, padding=(0, 1), groups=wide))
        self.sca = nn.Sequential(nn.AdaptiveAvgPool2d(1), conv1(channels, channels))
        self.FFN = nn.Sequential(conv1(channels, wide), Gate(), conv1(channels, channels))
        self.norm1 = ChannelNorm(channels)
        self.norm2 = ChannelNorm(channels)
        self.conv1 = conv1(channels, channels)
        self.gate = Gate()

    def forward(self, x: Tensor) -> Tensor:
        """B x channels x H x W to the same; fastest channels-last."""
        strips = torch.split(x, x.shape[2] if x.is_cuda else _STRIP, dim=2)
        gated = self._gated(strips)
        attention = self.sca(torch.cat(gated, dim=2))
        return torch.cat([self._add(x, g * attention) for x, g in zip(strips, gated, strict=True)], dim=2)

    def _gated(self, strips: Sequence[Tensor]) -> list[Tensor]:
        """The first branch up to its gate, in strips."""
        widen, depthwise = self.dwconv
        strip = widen(self.norm1(strips[0]))
        border = torch.zeros_like(strip[:, :, :1])
        above, gated = border, []
        for following in (*strips[1:], None):
            below = border if following is None else widen(self.norm1(following))
            gated.append(self.gate(depthwise(torch.cat((above, strip, below[:, :, :1]), dim=2))))
            above, strip = strip[:, :, -1:], below
        return gated

    def _add(self, x: Tensor, gated: Tensor) -> Tensor:
        """A strip with what the first branch makes of its gated values, and then with the second branch, added."""
        x = torch.addcmul(x, self.beta, self.conv1(gated))
        return torch.addcmul(x, self.gamma, self.FFN(self.norm2(x)))


class NAFStack(nn.Module):
    """NAF blocks of one width beside a shortcut, between two 1x1 convolutions; none goes around those."""

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.blocks = nn.Sequential(*(NAFBlock(width) for _ in range(BLOCKS)))
        self.in_conv = conv1(channels, width)
        self.out_conv = conv1(width, channels)

    def forward(self, x: Tensor) -> Tensor:
        """B x channels x H x W to the same, contiguous."""
        narrow = self.in_conv(channels_last(x))
        return cast(Tensor, self.out_conv(self.blocks(narrow) + narrow)).contiguous()
