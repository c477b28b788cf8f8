"""Maps cut into windows and back, for attention inside windows. Maps are B x H x W x C, channels last."""

from __future__ import annotations

import torch
from torch import Tensor


def split(grid: Tensor, height: int, width: int) -> Tensor:
    """Non-overlapping windows, row after row, and their tokens, row after row: (B n) x (height width) x C.

    The map's sides must be multiples of the window's.
    """
    batch, rows, columns, channels = grid.shape
    tiles = grid.reshape(batch, rows // height, height, columns // width, width, channels)
    return tiles.transpose(2, 3).reshape(-1, height * width, channels)


def merge(tokens: Tensor, window: tuple[int, int], size: tuple[int, int]) -> Tensor:
    """The inverse of `split`: windows of this height and width to a map of this height and width."""
    (height, width), (rows, columns) = window, size
    tiles = tokens.reshape(-1, rows // height, columns // width, height, width, tokens.shape[-1])
    return tiles.transpose(2, 3).reshape(-1, rows, columns, tokens.shape[-1])


def relative_positions(height: int, width: int) -> Tensor:
    """For each pair of tokens (query, key) of a window the row of the table of its offset, int64.

    The table has (2 height - 1)(2 width - 1) rows, for offsets (query less key) from the most negative on.
    """
    rows, columns = (a.flatten() for a in torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij"))
    down, across = (a[:, None] - a[None, :] for a in (rows, columns))
    return (down + height - 1) * (2 * width - 1) + across + width - 1


def across_borders(height: int, width: int, window: int, shift: int, device: torch.device) -> Tensor:
    """Which pairs of tokens of each square window are neighbours only because the map was rolled by -`shift`.

    bool, windows x tokens x tokens, for a map of this height and width.
    """
    down, across = (torch.arange(side, device=device) >= side - shift for side in (height, width))
    border = split((2 * down[:, None] + across)[None, :, :, None], window, window).squeeze(-1)
    return border[:, :, None] != border[:, None, :]
