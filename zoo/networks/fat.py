"""FLIC's frequency-aware transformer block: windows of four shapes, and a learned filter of the spectrum.

Source: H. Li et al., "Frequency-Aware Transformer for Learned Image Compression", ICLR 2024, arXiv:2310.16387, as
released. Attribute names are the checkpoints'. Maps are B x H x W x C inside the transformer.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .layers import conv1
from .windows import merge, relative_positions, split

BRANCHES = 4


class BranchAttention(nn.Module):
    """Attention inside windows of one shape on a quarter of the channels.

    There is no mask: in a rolled map, windows join opposite borders of the picture, and the released networks are
    trained that way.
    """

    relative_position_index: Tensor

    def __init__(self, channels: int, heads: int, window: tuple[int, int]) -> None:
        super().__init__()
        height, width = self.window = window
        self.heads = heads
        self.scale = (channels // heads) ** -0.5
        table = torch.empty((2 * height - 1) * (2 * width - 1), heads)
        self.relative_position_bias_table = nn.Parameter(nn.init.normal_(table, std=0.02))
        self.register_buffer("relative_position_index", relative_positions(height, width))

    def forward(self, qkv: Tensor) -> Tensor:
        """Queries, keys and values, 3 x B x H x W x C, to B x H x W x C."""
        size = qkv.shape[2], qkv.shape[3]
        tokens = split(qkv.flatten(0, 1), *self.window)
        q, k, v = tokens.reshape(3, -1, tokens.shape[1], self.heads, tokens.shape[2] // self.heads).transpose(2, 3)
        bias = self.relative_position_bias_table[self.relative_position_index].permute(2, 0, 1)
        attended = F.scaled_dot_product_attention(q, k, v, attn_mask=bias[None].contiguous(), scale=self.scale)
        return merge(attended.transpose(1, 2).flatten(2), self.window, size)


class FrequencyModulation(nn.Module):
    """Each f x f window's spectrum times a learned complex weight, one per frequency and channel."""

    def __init__(self, channels: int, window: int) -> None:
        super().__init__()
        self.window = window
        self.complex_weight = nn.Parameter(torch.zeros(window, window // 2 + 1, channels, 2))
        with torch.no_grad():
            self.complex_weight[..., 0] = 1

    def forward(self, x: Tensor) -> Tensor:
        """B x H x W x C to the same; in float32 at least, for want of shorter transforms."""
        f = self.window
        windows = split(x.float(), f, f).unflatten(1, (f, f))  # type: ignore[no-untyped-call]
        spectrum = torch.fft.rfft2(windows, dim=(1, 2), norm="ortho") * torch.view_as_complex(self.complex_weight)
        filtered = torch.fft.irfft2(spectrum, s=(f, f), dim=(1, 2), norm="ortho")
        return merge(filtered.flatten(1, 2), (f, f), (x.shape[1], x.shape[2])).to(x.dtype)


class FrequencyTransformer(nn.Module):
    """Window attention in four branches and a filtered perceptron, each beside a shortcut."""

    def __init__(self, channels: int, heads: int, s: int, f: int, shifted: bool) -> None:
        super().__init__()
        self.qkv = nn.Linear(channels, 3 * channels, bias=False)
        self.norm1 = nn.LayerNorm(channels)
        self.proj = nn.Linear(channels, channels)
        windows = ((2 * s, 2 * s), (s // 2, s // 2), (s // 2, 2 * s), (2 * s, s // 2))
        self.attns = nn.ModuleList(
            BranchAttention(channels // BRANCHES, heads // BRANCHES, window) for window in windows
        )
        self.fm = FrequencyModulation(channels, f)
        self.ffn = nn.Sequential(nn.Linear(channels, 4 * channels), nn.GELU(), nn.Linear(4 * channels, channels))
        self.norm2 = nn.LayerNorm(channels)
        # Short sides roll by (-s) // 4 before and s // 4 after. For s = 2, in the hyper networks, that is -1 and 0: the
        # maps come back one position off, and the weights are trained for it.
        long, short = (-s, s), ((-s) // 4, s // 4)
        rolls = ((long, long), (short, short), (short, long), (long, short))
        self.rolls = rolls if shifted else None

    def forward(self, x: Tensor) -> Tensor:
        """B x H x W x C to the same; H and W must be multiples of 2 s and of f."""
        x = x + self.proj(self._attend(self.qkv(self.norm1(x))))
        return cast(Tensor, x + self.fm(self.ffn(self.norm2(x))))

    def _attend(self, qkv: Tensor) -> Tensor:
        batch, height, width = qkv.shape[:3]
        branches = qkv.view(batch, height, width, 3, BRANCHES, -1).permute(4, 3, 0, 1, 2, 5)
        if self.rolls is None:
            return torch.cat([attend(part) for attend, part in zip(self.attns, branches, strict=True)], dim=-1)
        attended = []
        for attend, part, ((up, down), (left, right)) in zip(self.attns, branches, self.rolls, strict=True):
            attended.append(attend(part.roll((up, left), dims=(2, 3))).roll((down, right), dims=(1, 2)))
        return torch.cat(attended, dim=-1)


class FrequencyBlock(nn.Module):
    """The paper's FAT block: the transformer between two 1x1 convolutions, beside a shortcut."""

    def __init__(self, channels: int, heads: int, s: int, f: int, shifted: bool) -> None:
        super().__init__()
        self.trans_block = FrequencyTransformer(channels, heads, s, f, shifted)
        self.conv1_1 = conv1(channels, channels)
        self.conv1_2 = conv1(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        """B x C x H x W to the same."""
        tokens = self.trans_block(self.conv1_1(x).permute(0, 2, 3, 1))
        return cast(Tensor, x + self.conv1_2(tokens.permute(0, 3, 1, 2)))
