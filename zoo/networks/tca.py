"""FLIC's entropy transformer T-CA: attention between channels, which slices of the latent read in order.

Source: H. Li et al., ICLR 2024, arXiv:2310.16387, as released. Everything in it is grouped by slice but the attention,
in which a slice reads itself and the slices before. So it can be called on all slices at once, or on one slice after
another if each leaves its keys and values behind; the layers below do both, on however many slices they are given.
The two agree to rounding, not bit for bit: a codec has to use the same form on both sides.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

LATENT = 320
SLICES = 5
SLICE = LATENT // SLICES
WIDTH = 4 * LATENT
DEPTH = 12
HEADS = 16
WINDOW = 8
_HEAD_ROWS = WIDTH // SLICES // HEADS
"""Channels of a head in one slice; channel 16 d + h belongs to head h."""

Gaussian = tuple[Tensor, Tensor, Tensor]
"""Means, scales (not yet bounded) and residual predictions (before tanh) of some slices, each B x 64 n x H x W."""


def _own(tensor: Tensor | None, first: int, count: int) -> Tensor:
    """The share of a parameter that belongs to `count` slices from `first` on."""
    assert tensor is not None
    share = tensor.shape[0] // SLICES
    return tensor[share * first : share * (first + count)]


class SlicedConv(nn.Conv2d):
    """A convolution grouped by slice, on all slices or on some."""

    def __init__(self, inputs: int, outputs: int, kernel: int, groups: int = SLICES) -> None:
        super().__init__(inputs, outputs, kernel, padding=kernel // 2, groups=groups)

    def forward(self, x: Tensor, first: int = 0) -> Tensor:
        """The slices from `first` on, as many as x has channels for."""
        count = x.shape[1] * SLICES // self.in_channels
        weight, bias = _own(self.weight, first, count), _own(self.bias, first, count)
        return F.conv2d(x, weight, bias, padding=self.kernel_size[0] // 2, groups=count * self.groups // SLICES)


class SlicedNorm(nn.GroupNorm):
    """A group normalisation whose groups are the slices, on all slices or on some."""

    def __init__(self) -> None:
        super().__init__(SLICES, WIDTH)

    def forward(self, x: Tensor, first: int = 0) -> Tensor:
        """The slices from `first` on, as many as x has channels for."""
        count = x.shape[1] * SLICES // WIDTH
        return F.group_norm(x, count, _own(self.weight, first, count), _own(self.bias, first, count), self.eps)


class SlicedSequence(nn.Sequential):
    """Sliced convolutions with a GELU between each two."""

    def forward(self, x: Tensor, first: int = 0) -> Tensor:
        """The slices from `first` on."""
        for layer in self:
            x = layer(x, first) if isinstance(layer, SlicedConv) else layer(x)
        return x


class _PositionalEncoding(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.proj = SlicedConv(WIDTH, WIDTH, 3, groups=WIDTH)
        self.norm = SlicedNorm()

    def forward(self, x: Tensor, first: int) -> Tensor:
        return x + F.gelu(self.norm(self.proj(x, first), first))


class _Projection(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.proj = SlicedConv(WIDTH, WIDTH, 1)

    def forward(self, x: Tensor, first: int) -> Tensor:
        return cast(Tensor, self.proj(x, first))


class _Perceptron(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc1 = SlicedConv(WIDTH, WIDTH, 1)
        self.fc2 = SlicedConv(WIDTH, WIDTH, 1)

    def forward(self, x: Tensor, first: int) -> Tensor:
        return cast(Tensor, self.fc2(F.gelu(self.fc1(x, first)), first))


@dataclass
class Kept:
    """Keys and values of the slices that one block has seen."""

    keys: list[Tensor] = field(default_factory=list)
    values: list[Tensor] = field(default_factory=list)


class ChannelBlock(nn.Module):
    """Attention between the channels of each 8x8 window, and a perceptron, each beside a shortcut."""

    def __init__(self) -> None:
        super().__init__()
        self.q1 = SlicedConv(WIDTH, WIDTH, 1)
        self.k1 = SlicedConv(WIDTH, WIDTH, 1)
        self.v1 = SlicedConv(WIDTH, WIDTH, 1)
        self.norm1 = SlicedNorm()
        self.norm2 = SlicedNorm()
        self.cpe = nn.ModuleList([_PositionalEncoding()])
        self.attn = _Projection()
        self.mlp = _Perceptron()

    def forward(self, a: Tensor, first: int = 0, kept: Kept | None = None) -> Tensor:
        """B x 256 n x H x W, the n slices from `first` on, to the same.

        One slice alone reads what `kept` holds of those before, and adds itself to it. `norm1` and the encoding see a
        window as a picture of its own; the statistics of `norm2` are the whole map's, padding included.
        """
        b = self.cpe[0](self.norm1(_windows(a), first), first)
        q, k, v = (_by_head(project(b, first)) for project in (self.q1, self.k1, self.v1))
        if kept is not None:
            kept.keys.append(k)
            kept.values.append(v)
            k, v = torch.cat(kept.keys, dim=2), torch.cat(kept.values, dim=2)
        logits = torch.matmul(q * (WIDTH // HEADS) ** -0.5, k.transpose(-1, -2))
        if kept is None:
            slices = torch.arange(SLICES, device=a.device)
            rows = slices[:, None].expand(SLICES, _HEAD_ROWS).reshape(-1)
            logits = logits.masked_fill(rows[None, :] > rows[:, None], -torch.inf)
        attended = torch.matmul(logits.softmax(-1), v).transpose(1, 2).reshape(b.shape)
        a = a + _map(self.attn(attended, first), a.shape)
        return cast(Tensor, a + self.mlp(self.norm2(a, first), first))


def _windows(a: Tensor) -> Tensor:
    """B x C x H x W to (B windows) x C x 8 x 8."""
    batch, channels, height, width = a.shape
    tiles = a.view(batch, channels, height // WINDOW, WINDOW, width // WINDOW, WINDOW)
    return tiles.permute(0, 2, 4, 1, 3, 5).reshape(-1, channels, WINDOW, WINDOW)


def _map(windows: Tensor, shape: torch.Size) -> Tensor:
    """The inverse of `_windows`."""
    batch, channels, height, width = shape
    tiles = windows.view(batch, height // WINDOW, width // WINDOW, channels, WINDOW, WINDOW)
    return tiles.permute(0, 3, 1, 4, 2, 5).reshape(shape)


def _by_head(windows: Tensor) -> Tensor:
    """N x (d h) x 8 x 8 to N x h x d x 64: heads are interleaved."""
    return windows.view(windows.shape[0], -1, HEADS, WINDOW * WINDOW).transpose(1, 2)


class ChannelTransformer(nn.Module):
    """From each slice and the hyper-prior to features of the next slice."""

    def __init__(self) -> None:
        super().__init__()
        self.start_token = nn.Parameter(torch.zeros(1, SLICE, 1, 1))  # in every checkpoint, and used by nothing
        self.lift = SlicedConv(LATENT, WIDTH, 3)
        self.start_token_from_hyperprior = nn.Conv2d(2 * LATENT, SLICE, 3, padding=1)
        self.layers = nn.ModuleList(ChannelBlock() for _ in range(DEPTH))

    def forward(self, before: Tensor, first: int = 0, kept: list[Kept] | None = None) -> Tensor:
        """What stands before each slice (B x 64 n x H x W) to the slices' features, B x 256 n x H x W."""
        a = self.lift(before, first)
        for at, layer in enumerate(self.layers):
            a = layer(a, first, None if kept is None else kept[at])
        return cast(Tensor, a)


@dataclass
class Walk:
    """What the steps of one picture share: computed once, or left behind by the steps before."""

    start: Tensor
    hyper: Tensor
    kept: list[Kept] = field(default_factory=lambda: [Kept() for _ in range(DEPTH)])


class EntropyTransformer(nn.Module):
    """The means, scales and residual predictions of a latent from the hyper-prior and the slices before each."""

    def __init__(self) -> None:
        super().__init__()
        self.TCA = ChannelTransformer()
        self.hyper_trans = nn.Linear(2 * LATENT, 2 * LATENT)
        self.entropy_parameters_net = SlicedSequence(
            SlicedConv(6 * LATENT, 2 * LATENT, 3),
            nn.GELU(),
            SlicedConv(2 * LATENT, 3 * LATENT, 3),
            nn.GELU(),
            SlicedConv(3 * LATENT, 3 * LATENT, 3),
        )

    def forward(self, hyper: Tensor, y: Tensor) -> Gaussian:
        """All slices at once: hyper-prior (B x 640 x H x W) and quantised latent (B x 320 x H x W)."""
        walk = self.begin(hyper)
        return self._gaussian(self.TCA(torch.cat((walk.start, y[:, :-SLICE]), dim=1)), walk.hyper, 0)

    def begin(self, hyper: Tensor) -> Walk:
        """What depends on the hyper-prior alone."""
        features = self.hyper_trans(hyper.permute(0, 2, 3, 1)).permute(0, 3, 1, 2).contiguous()
        return Walk(self.TCA.start_token_from_hyperprior(hyper), features)

    def step(self, i: int, before: Tensor | None, walk: Walk) -> Gaussian:
        """Slice i alone, after the slices before it; `before` is the slice just before, None for the first."""
        features = self.TCA(walk.start if before is None else before, i, walk.kept)
        return self._gaussian(features, walk.hyper[:, 2 * SLICE * i : 2 * SLICE * (i + 1)], i)

    def _gaussian(self, features: Tensor, hyper: Tensor, first: int) -> Gaussian:
        """Each latent channel's four features and two of the hyper-prior to its three parameters."""
        batch, _, height, width = features.shape
        both = [t.view(batch, -1, n, height, width) for t, n in ((features, 4), (hyper, 2))]
        parameters = self.entropy_parameters_net(torch.cat(both, dim=2).flatten(1, 2), first)
        mean, scale, residual = parameters.view(batch, -1, 3, height, width).unbind(2)
        return mean, scale, residual
