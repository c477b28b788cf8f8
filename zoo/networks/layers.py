"""Layers that several families of networks share. Attribute names are the ones published checkpoints use."""

from __future__ import annotations

from typing import cast

import torch
import torch.nn.functional as F
from compressai.layers import GDN
from torch import Tensor, nn


def conv1(inputs: int, outputs: int, stride: int = 1) -> nn.Conv2d:
    """A 1x1 convolution."""
    return nn.Conv2d(inputs, outputs, 1, stride=stride)


def conv3(inputs: int, outputs: int, stride: int = 1) -> nn.Conv2d:
    """A 3x3 convolution that keeps the size, or halves it with a stride of 2."""
    return nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1)


def subpixel3(inputs: int, outputs: int, factor: int = 2) -> nn.Sequential:
    """A 3x3 convolution followed by a pixel shuffle: `factor` times as high and as wide."""
    return nn.Sequential(conv3(inputs, outputs * factor**2), nn.PixelShuffle(factor))


def pointwise(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """A 1x1 convolution of B x C x H x W, best with channels last in memory; weight outputs x C x 1 x 1.

    A dilation means nothing to a kernel of one weight. But with it torch leaves float32 to oneDNN on a single thread
    too, which takes half the time of the matrix product that it chooses otherwise.
    """
    return F.conv2d(x, weight, bias, dilation=2 if x.is_cpu and x.dtype == torch.float32 else 1)


class Conv1(nn.Conv2d):
    """A 1x1 convolution of maps with channels last in memory."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(inputs, outputs, 1)

    def forward(self, x: Tensor) -> Tensor:
        """B x inputs x H x W to B x outputs x H x W."""
        return pointwise(x, self.weight, self.bias)


class PointwiseLinear(nn.Linear):
    """A linear layer, computed as a 1x1 convolution."""

    def forward(self, x: Tensor) -> Tensor:
        """... x inputs to ... x outputs."""
        column = x.reshape(1, -1, 1, x.shape[-1]).permute(0, 3, 1, 2)
        out = pointwise(column, self.weight[:, :, None, None], self.bias)
        return out.permute(0, 2, 3, 1).reshape(*x.shape[:-1], -1)


def straight_through(values: Tensor, means: Tensor | float = 0.0) -> Tensor:
    """Values rounded to a whole distance from their means, half to even; the gradient is that of the values."""
    return (torch.round(values - means) + means).detach() + (values - values.detach())


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions, each with an activation, beside a shortcut (1x1 where the widths differ)."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv1 = conv3(inputs, outputs)
        self.conv2 = conv3(outputs, outputs)
        self.activation = nn.GELU()
        self.skip = conv1(inputs, outputs) if inputs != outputs else None

    def forward(self, x: Tensor) -> Tensor:
        """B x inputs x H x W to B x outputs x H x W."""
        out = self.activation(self.conv2(self.activation(self.conv1(x))))
        return cast(Tensor, out + (x if self.skip is None else self.skip(x)))


class ResidualBlockDown(nn.Module):
    """A residual block that halves height and width and normalises with GDN."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv1 = conv3(inputs, outputs, stride=2)
        self.activation = nn.GELU()
        self.conv2 = conv3(outputs, outputs)
        self.gdn = GDN(outputs)
        self.skip = conv1(inputs, outputs, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        """B x inputs x H x W to B x outputs x H/2 x W/2."""
        return cast(Tensor, self.gdn(self.conv2(self.activation(self.conv1(x)))) + self.skip(x))


class ResidualBlockUp(nn.Module):
    """A residual block that doubles height and width and normalises with inverse GDN."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.subpel_conv = subpixel3(inputs, outputs)
        self.activation = nn.GELU()
        self.conv = conv3(outputs, outputs)
        self.igdn = GDN(outputs, inverse=True)
        self.upsample = subpixel3(inputs, outputs)

    def forward(self, x: Tensor) -> Tensor:
        """B x inputs x H x W to B x outputs x 2H x 2W."""
        return cast(Tensor, self.igdn(self.conv(self.activation(self.subpel_conv(x)))) + self.upsample(x))
