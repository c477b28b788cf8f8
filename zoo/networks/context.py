"""The contexts of MLIC++'s entropy model: attention within a slice, to the slice before, and to all earlier slices.

Source: W. Jiang et al., "MLIC++: Linear Complexity Multi-Reference Entropy Modeling for Learned Image Compression",
arXiv:2307.15421, as released; LoC-LIC uses the same modules. A slice has 32 channels, and a context 64 (channel
context: 128). Positions of a class are *squeezed* as `checkerboard` says.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .checkerboard import ANCHOR, NON_ANCHOR, only, squeeze, unsqueeze
from .layers import conv1

SLICE = 32
CONTEXT = 64
WINDOW = 5
_CELLS = WINDOW * WINDOW
_REACH = WINDOW // 2
_MASKED = -100.0
"""Added to the logits of masked pairs. Finite on purpose: where all 25 are masked, the softmax is the unmasked one."""


def depthwise3(channels: int) -> nn.Conv2d:
    """A 3x3 convolution on every channel by itself."""
    return nn.Conv2d(channels, channels, 3, padding=1, groups=channels)


def _linear_attention(queries: Tensor, keys: Tensor, values: Tensor, heads: int) -> Tensor:
    """Attention whose cost grows with the number of positions, not its square: B x C x ... each, head after head."""
    batch, channels = queries.shape[:2]
    q, k, v = (t.reshape(batch * heads, channels // heads, -1) for t in (queries, keys, values))
    context = torch.bmm(k.softmax(dim=2), v.transpose(1, 2))
    return torch.bmm(context.transpose(1, 2), q.softmax(dim=1)).view_as(queries)


class _GlobalContext(nn.Module):
    """Projections that the two linear attentions share."""

    def __init__(self, channels: int, heads: int, reprojected: int) -> None:
        super().__init__()
        self.heads = heads
        self.keys = nn.Sequential(conv1(channels, channels), depthwise3(channels))
        self.queries = nn.Sequential(conv1(channels, channels), depthwise3(channels))
        self.values = nn.Sequential(conv1(channels, channels), depthwise3(channels))
        self.reprojection = nn.Conv2d(channels, reprojected, 5, padding=2)
        self.mlp = nn.Sequential(
            conv1(reprojected, 2 * CONTEXT), nn.GELU(), depthwise3(2 * CONTEXT), nn.GELU(), conv1(2 * CONTEXT, CONTEXT)
        )


class GlobalInterContext(_GlobalContext):
    """Attention over all earlier slices, one head for each."""

    def __init__(self, earlier: int) -> None:
        super().__init__(SLICE * earlier, heads=earlier, reprojected=96)
        self.skip = conv1(96, CONTEXT)

    def forward(self, decoded: Tensor) -> Tensor:
        """B x 32 i x H x W, the i earlier slices, to B x 64 x H x W."""
        attended = _linear_attention(self.queries(decoded), self.keys(decoded), self.values(decoded), self.heads)
        attended = self.reprojection(attended)
        return cast(Tensor, self.skip(attended) + self.mlp(attended))


class GlobalIntraContext(_GlobalContext):
    """What the slice before says about how this slice's anchors relate to its other positions, in two heads."""

    def __init__(self) -> None:
        super().__init__(SLICE, heads=2, reprojected=CONTEXT)

    def forward(self, previous: Tensor, anchors: Tensor) -> Tensor:
        """Previous slice and this slice's anchors (zero elsewhere), B x 32 x H x W, to B x 64 x H x W.

        The products run over squeezed positions; the authors' run over the grid with zeros between.
        """
        queries = squeeze(self.queries(only(previous, NON_ANCHOR)), NON_ANCHOR)
        keys = squeeze(self.keys(only(previous, ANCHOR)), ANCHOR)
        values = squeeze(self.values(anchors), ANCHOR)
        attended = unsqueeze(_linear_attention(queries, keys, values, self.heads), NON_ANCHOR)
        attended = self.reprojection(attended)
        return cast(Tensor, attended + self.mlp(attended))


class _MLP(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc1 = nn.Linear(CONTEXT, 2 * CONTEXT)
        self.fc2 = nn.Linear(2 * CONTEXT, CONTEXT)

    def forward(self, tokens: Tensor) -> Tensor:
        return cast(Tensor, self.fc2(F.gelu(self.fc1(tokens))))


class LocalContext(nn.Module):
    """Attention among the 25 cells of the 5x5 window around a position, fused into one vector of 64.

    Queries, keys and values are channels 0..31, 32..63 and 64..95 of one projection; head h of two owns the
    interleaved channels 2 j + h of each, and the heads' results are put one after the other.
    """

    heads = 2

    def __init__(self) -> None:
        super().__init__()
        self.relative_position_table = nn.Parameter(torch.zeros((2 * WINDOW - 1) ** 2, self.heads))
        self.register_buffer("relative_position_index", _relative_positions())
        self.qkv_proj = nn.Linear(SLICE, 3 * SLICE)
        self.proj = nn.Linear(CONTEXT, CONTEXT)
        self.mlp = _MLP()
        self.norm1 = nn.LayerNorm(SLICE)
        self.norm2 = nn.LayerNorm(CONTEXT)
        self.fusion = nn.Conv2d(SLICE, CONTEXT, WINDOW)
        nn.init.normal_(self.relative_position_table, std=0.02)

    def forward(self, anchors: Tensor, masks: Mapping[int, Tensor]) -> list[Tensor]:
        """The slice's anchors (zero elsewhere) to the contexts of the classes that masks are given for, squeezed.

        B x 32 x H x W to B x 64 x H x W/2 for each class; its mask is `window_mask(H, W, parity)`.
        """
        batch, _, height, width = anchors.shape
        tokens = self.qkv_proj(self.norm1(anchors.permute(0, 2, 3, 1)))
        interleaved = tokens.view(batch, height, width, 3, SLICE // self.heads, self.heads)
        by_head = interleaved.transpose(-1, -2).flatten(-3)
        fused = [self._fuse(_windows(by_head, parity), mask) for parity, mask in masks.items()]
        return [t.view(batch, height, width // 2, CONTEXT).permute(0, 3, 1, 2).contiguous() for t in fused]

    def _fuse(self, windows: Tensor, mask: Tensor) -> Tensor:
        """Windows x 25 x 96 (q of each head, k of each, v of each) to one vector of 64 for each window."""
        cells = windows.view(-1, _CELLS, 3, self.heads, SLICE // self.heads)
        attended = torch.cat([self._attend(cells[:, :, :, head], mask, head) for head in range(self.heads)], dim=-1)
        # A convolution over a window of its own size is one product with all cells and channels side by side.
        kernel = self.fusion.weight.permute(0, 2, 3, 1).flatten(1)
        fused = self.proj(F.linear(attended.flatten(1), kernel, self.fusion.bias))
        return cast(Tensor, fused + self.mlp(self.norm2(fused)))

    def _attend(self, cells: Tensor, mask: Tensor, head: int) -> Tensor:
        """One head in all windows: windows x 25 x (q, k, v) x 16 to windows x 25 x 16."""
        queries, keys, values = cells.unbind(2)
        bias = self.relative_position_table[:, head][cast(Tensor, self.relative_position_index)]
        offsets = (mask + bias).repeat(len(cells) // len(mask), 1, 1)
        logits = torch.bmm(queries * (SLICE // self.heads) ** -0.5, keys.transpose(1, 2)) + offsets
        return torch.bmm(logits.softmax(dim=-1), values)


def window_mask(height: int, width: int, parity: int, like: Tensor) -> Tensor:
    """What is added to the logits in the windows around the positions of one class: windows x 25 x 25.

    0 between two anchors inside the picture, -100 for any other pair. The same for all slices of a picture.
    """
    anchors = unsqueeze(like.new_ones(1, 1, height, width // 2), ANCHOR)
    seen = _windows(anchors.permute(0, 2, 3, 1), parity).squeeze(-1)
    return _MASKED * (1 - seen[:, :, None] * seen[:, None, :])


def _windows(grid: Tensor, parity: int) -> Tensor:
    """The 5x5 windows around the positions of one class, zero outside: B x H x W x C to (B H W/2) x 25 x C."""
    padded = F.pad(grid, (0, 0, _REACH, _REACH, _REACH, _REACH))
    rows = [
        padded[:, row:, column:].unfold(1, WINDOW, 2).unfold(2, WINDOW, 2).permute(0, 1, 2, 4, 5, 3)
        for row, column in ((0, parity), (1, 1 - parity))
    ]
    return torch.stack(rows, dim=2).view(-1, _CELLS, grid.shape[-1])


def _relative_positions() -> Tensor:
    """The row of the bias table for each pair of cells m, n: (row_m - row_n + 4) * 9 + (column_m - column_n + 4)."""
    cell = torch.arange(_CELLS)
    row, column = cell // WINDOW, cell % WINDOW
    down, right = row[:, None] - row[None, :], column[:, None] - column[None, :]
    return (down + WINDOW - 1) * (2 * WINDOW - 1) + (right + WINDOW - 1)
