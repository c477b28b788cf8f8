"""The two classes of a checkerboard over a latent: anchors (row + column odd) and the rest (row + column even).

A *squeezed* tensor holds one class only, as H x W/2: each row keeps its positions in order of increasing column.
Height and width must be even.
"""

from __future__ import annotations

import torch
from torch import Tensor

ANCHOR = 1
NON_ANCHOR = 0


def squeeze(grid: Tensor, parity: int) -> Tensor:
    """The positions with (row + column) % 2 == parity: B x C x H x W to B x C x H x W/2."""
    even_rows, odd_rows = grid[..., 0::2, parity::2], grid[..., 1::2, 1 - parity :: 2]
    return torch.stack((even_rows, odd_rows), dim=-2).flatten(-3, -2)


def unsqueeze(half: Tensor, parity: int) -> Tensor:
    """The inverse of `squeeze`, zero at the other positions: B x C x H x W/2 to B x C x H x W."""
    batch, channels, height, width = half.shape
    grid = half.new_zeros(batch, channels, height, 2 * width)
    grid[..., 0::2, parity::2] = half[..., 0::2, :]
    grid[..., 1::2, 1 - parity :: 2] = half[..., 1::2, :]
    return grid


def only(grid: Tensor, parity: int) -> Tensor:
    """The grid with the positions of the other class set to zero."""
    return unsqueeze(squeeze(grid, parity), parity)
