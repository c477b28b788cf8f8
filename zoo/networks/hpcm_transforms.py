"""What HPCM's networks are built from: residual blocks, transforms, and the attention that carries context on.

Nothing is normalised anywhere. Attribute names are the ones of the published checkpoints.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import cast

import torch
from torch import Tensor, nn

from .layers import conv1, conv3
from .windows import merge, split

Widths = tuple[int, int, int]
"""Channels at 1/2, 1/4 and 1/8 of the picture's size."""

_HEADS = 32


def channels_last(x: Tensor) -> Tensor:
    """The same in the layout that 1x1 convolutions are fastest in."""
    return x.contiguous(memory_format=torch.channels_last)


class Transform(nn.Sequential):
    """Layers in a row, all but the last one channels-last.

    The last one sums in the plain layout, which errs less, so that y comes nearer to what the authors' code rounds.
    """

    def forward(self, x: Tensor) -> Tensor:
        """All layers, one after the other."""
        *large, last = self
        x = channels_last(x)
        for layer in large:
            x = layer(x)
        return cast(Tensor, last(x.contiguous()))


class Branch(nn.Module):
    """Layers in a row, under the name that the authors gave them."""

    def __init__(self, layers: nn.Sequential) -> None:
        super().__init__()
        self.branch = layers

    def forward(self, x: Tensor) -> Tensor:
        """All layers, one after the other."""
        return cast(Tensor, self.branch(x))


class Residual(Branch):
    """Layers in a row beside a shortcut."""

    def __init__(self, *layers: nn.Module) -> None:
        super().__init__(nn.Sequential(*layers))

    def forward(self, x: Tensor) -> Tensor:
        """B x C x H x W to the same."""
        return x + super().forward(x)


class PartialConvolution(nn.Module):
    """A 3x3 convolution of the first channels; the others pass."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.pconv = conv3(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        """B x C x H x W to the same."""
        channels = self.pconv.in_channels
        return torch.cat((self.pconv(x[:, :channels]), x[:, channels:]), dim=1)


def _activation() -> nn.LeakyReLU:
    return nn.LeakyReLU(0.01, inplace=True)


def partial(channels: int, share: int = 4) -> Residual:
    """A partial convolution of one channel in `share`, and a perceptron of four times the width."""
    inner = 4 * channels
    return Residual(
        PartialConvolution(channels // share), conv1(channels, inner), _activation(), conv1(inner, channels)
    )


def depthwise(channels: int) -> Residual:
    """A depthwise 3x3 convolution, and a perceptron of twice the width."""
    convolution = nn.Conv2d(channels, channels, 3, padding=1, groups=channels)
    return Residual(convolution, conv1(channels, 2 * channels), _activation(), conv1(2 * channels, channels))


def down(inputs: int, outputs: int) -> nn.Conv2d:
    """A 2x2 convolution that halves height and width."""
    return nn.Conv2d(inputs, outputs, 2, stride=2)


def up(inputs: int, outputs: int) -> nn.ConvTranspose2d:
    """A 2x2 transposed convolution that doubles height and width."""
    return nn.ConvTranspose2d(inputs, outputs, 2, stride=2)


def repeated(block: Callable[[int], nn.Module], channels: int, count: int) -> list[nn.Module]:
    """A number of blocks alike."""
    return [block(channels) for _ in range(count)]


def analysis(widths: Widths, latent: int, depth: int) -> Branch:
    """g_a with `depth` blocks at 1/8 of the picture's size."""
    half, quarter, eighth = widths
    return Branch(Transform(
        nn.Conv2d(3, half, 4, stride=2, padding=1), *repeated(partial, half, 2),
        down(half, quarter), *repeated(partial, quarter, 2),
        down(quarter, eighth), *repeated(partial, eighth, depth),
        down(eighth, latent),
    ))  # fmt: skip


def synthesis(widths: Widths, latent: int, depth: int) -> Branch:
    """g_s with `depth` blocks at 1/8 of the picture's size."""
    half, quarter, eighth = widths
    return Branch(Transform(
        up(latent, eighth), *repeated(partial, eighth, depth),
        up(eighth, quarter), *repeated(partial, quarter, 2),
        up(quarter, half), *repeated(partial, half, 2),
        nn.ConvTranspose2d(half, 3, 4, stride=2, padding=1),
    ))  # fmt: skip


def hyper_analysis(latent: int, hyper: int) -> Branch:
    """h_a, from the latent to z."""
    blocks = repeated(partial, hyper, 3)
    return Branch(nn.Sequential(partial(latent), down(latent, hyper), *blocks, down(hyper, hyper)))


def hyper_synthesis(latent: int, hyper: int) -> Branch:
    """h_s, from z to the latent's first scales and means."""
    blocks = repeated(partial, hyper, 3)
    return Branch(nn.Sequential(up(hyper, hyper), *blocks, up(hyper, 2 * latent), partial(2 * latent)))


def half_partial(channels: int) -> Residual:
    """The block of HPCM-1B's transforms, which convolves half of the channels."""
    return partial(channels, share=2)


def deep_analysis(widths: Widths, latent: int) -> Transform:
    """g_a of HPCM-1B."""
    channels, depths = (3, *widths, latent), (3, 9, 3, 3)
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    for level, depth in enumerate(depths, 1):
        layers[f"g_a_down{level}"] = down(channels[level - 1], channels[level])
        layers[f"g_a_chunk{level}"] = nn.Sequential(*repeated(half_partial, channels[level], depth))
    return Transform(layers)


def deep_synthesis(widths: Widths, latent: int) -> Transform:
    """g_s of HPCM-1B."""
    channels, depths = (3, *widths, latent), (3, 3, 9, 3)
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    for level, depth in reversed([*enumerate(depths, 1)]):
        layers[f"g_s_chunk{level}"] = nn.Sequential(*repeated(half_partial, channels[level], depth))
        layers[f"g_s_up{level}"] = up(channels[level], channels[level - 1])
    return Transform(layers)


def deep_hyper_analysis(latent: int, hyper: int) -> nn.Sequential:
    """h_a of HPCM-1B."""
    return nn.Sequential(
        *repeated(half_partial, latent, 4), down(latent, latent),
        *repeated(half_partial, latent, 9), down(latent, hyper),
    )  # fmt: skip


def deep_hyper_synthesis(latent: int, hyper: int) -> nn.Sequential:
    """h_s of HPCM-1B."""
    return nn.Sequential(
        up(hyper, latent), *repeated(half_partial, latent, 9),
        up(latent, 2 * latent), *repeated(half_partial, 2 * latent, 4),
    )  # fmt: skip


class Prior(nn.Module):
    """What was decoded and its context to the scales and means of a step."""

    def __init__(self, latent: int, blocks: tuple[int, int, int]) -> None:
        super().__init__()
        before, between, after = blocks
        self.branch_1 = nn.Sequential(*repeated(depthwise, 3 * latent, before))
        self.branch_2 = nn.Sequential(
            *repeated(depthwise, 3 * latent, between),
            conv1(3 * latent, 2 * latent),
            *repeated(depthwise, 2 * latent, after),
        )

    def forward(self, x: Tensor, factors: Tensor) -> Tensor:
        """B x 3M x h x w and a factor per channel, 1 x 3M x 1 x 1, to B x 2M x h x w."""
        return cast(Tensor, self.branch_2(self.branch_1(x) * factors))


class ContextAttention(nn.Module):
    """A step's result asks the context before it, inside windows; the shortcut is a projection of the step's result."""

    def __init__(self, channels: int, window: int) -> None:
        super().__init__()
        self.window = window
        self.conv_q = conv1(channels, channels)
        self.conv_k = conv1(channels, channels)
        self.conv_v = conv1(channels, channels)
        self.conv_out = conv1(channels, channels)

    def forward(self, new: Tensor, old: Tensor) -> Tensor:
        """Both B x C x h x w to the next context in the same shape; h and w are multiples of the window."""
        q, k, v = (self._heads(x) for x in (self.conv_q(new), self.conv_k(old), self.conv_v(old)))
        weights = (torch.matmul(q, k.transpose(-1, -2)) * q.shape[-1] ** -0.5).softmax(-1)
        attended = torch.matmul(weights, v).transpose(1, 2).flatten(2)
        height, width = new.shape[-2:]
        merged = merge(attended, (self.window, self.window), (height, width))
        return cast(Tensor, self.conv_out(new) + merged.permute(0, 3, 1, 2))

    def _heads(self, x: Tensor) -> Tensor:
        """B x C x h x w to windows x heads x positions x channels of a head."""
        tokens = split(x.permute(0, 2, 3, 1), self.window, self.window)
        return torch.unflatten(tokens, -1, (_HEADS, -1)).transpose(1, 2)
