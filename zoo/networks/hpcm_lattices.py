"""The lattices on which HPCM codes its latent, and which channels a step codes at each position.

The full grid (scale 3) holds a lattice of every second row and column (scale 2), which holds another (scale 1). Which
position of each 2x2 square a lattice takes depends on the channel: the channels fall into groups of equal size, and
each group has its own phase, the row and the column in the square. A step codes, at every position of its lattice, one
of the groups there: of 2 groups at scale 1, of 4 at scale 2, of 8 at scale 3.
"""

from __future__ import annotations

import torch
from torch import Tensor

Phases = tuple[tuple[int, int], ...]

LATTICE_2: Phases = ((0, 0), (1, 1), (0, 1), (1, 0)) * 2
"""Where scale 2 lies in the full grid, by eighths of the latent's channels."""
LATTICE_1: Phases = ((0, 0), (0, 1), (1, 0), (1, 1))
"""Where scale 1 lies in scale 2, by quarters of the latent's channels."""


def take(grid: Tensor, phases: Phases) -> Tensor:
    """The lattice's elements, each group of channels from its phase: B x C x H x W to B x C x H/2 x W/2."""
    groups = grid.chunk(len(phases), dim=1)
    return torch.cat(
        [group[..., row::2, column::2] for group, (row, column) in zip(groups, phases, strict=True)], dim=1
    )


def put(lattice: Tensor, phases: Phases) -> Tensor:
    """The inverse of `take`, zero elsewhere: B x C x H/2 x W/2 to B x C x H x W."""
    batch, channels, height, width = lattice.shape
    grid = lattice.new_zeros(batch, channels, 2 * height, 2 * width)
    groups = zip(grid.chunk(len(phases), dim=1), lattice.chunk(len(phases), dim=1), phases, strict=True)
    for target, group, (row, column) in groups:
        target[..., row::2, column::2] = group
    return grid


def without(grid: Tensor, phases: Phases) -> Tensor:
    """The grid with the lattice's elements set to zero."""
    return grid - put(take(grid, phases), phases)


def on_full_grid(values: Tensor, scale: int) -> Tensor:
    """A map of scale 1, 2 or 3, of the latent's channels, at its places in the full grid, zero elsewhere."""
    if scale == 1:
        values = put(values, LATTICE_1)
    return put(values, LATTICE_2) if scale < 3 else values


def misplaced_hyper(grid: Tensor, phases: Phases = LATTICE_1) -> Tensor:
    """A map of scale 2 without its elements on scale 1, as the released networks move it; their weights need it so.

    Zero on scale 1; at the other positions, in row-major order, the elements left when those of another phase are taken
    out: (0, 0) in the first two groups of four, (0, 1) in the last two. Only in the first group is that scale 1's own
    phase. Where an element comes from thus depends on the width of the map.
    """
    moved = torch.zeros_like(grid)
    half = grid.shape[-1] // 2
    groups = zip(grid.chunk(len(phases), dim=1), moved.chunk(len(phases), dim=1), phases, strict=True)
    for place, (group, target, (row, column)) in enumerate(groups):
        left_out = place % 4 // 2  # its column; its row is 0
        # In every two rows of the map three elements of four are left; as many places are to be filled.
        left = torch.cat((group[..., 0::2, 1 - left_out :: 2], group[..., 1::2, :]), dim=-1)
        if row == 0:
            some, all_of_a_row = torch.split(left, [half, 2 * half], dim=-1)
        else:
            all_of_a_row, some = torch.split(left, [2 * half, half], dim=-1)
        target[..., row::2, 1 - column :: 2] = some
        target[..., 1 - row :: 2, :] = all_of_a_row
    return moved


def coded_groups(scale: int, turn: int, height: int, width: int, device: torch.device) -> Tensor:
    """The group of channels that a step codes at each position, H x W, int64.

    Scale 1 has the turns 0 and 1, scale 2 has 1 to 3 and scale 3 has 2 to 7; what is missing to 4 and 8 is coded on the
    lattice before.
    """
    rows = torch.arange(height, device=device)[:, None]
    columns = torch.arange(width, device=device)
    if scale == 1:
        return (rows + columns + turn) % 2
    if scale == 2:
        return (2 * (rows % 2) + columns % 2) ^ (4 - turn)
    upper_half = (rows // 2 + columns // 2 + turn) % 2
    return (2 * (columns % 2) - rows % 2 - turn // 2) % 4 + 4 * upper_half


def pack(grid: Tensor, groups: Tensor, count: int) -> Tensor:
    """The channels coded at each position: B x C x H x W to B x C/count x H x W."""
    by_group = torch.unflatten(grid, 1, (count, -1))
    chosen = groups.expand(grid.shape[0], 1, *by_group.shape[2:])
    return by_group.gather(1, chosen).squeeze(1)


def unpack(packed: Tensor, groups: Tensor, count: int) -> Tensor:
    """The inverse of `pack`, zero in the other channels: B x C/count x H x W to B x C x H x W."""
    batch, *shape = packed.shape
    chosen = groups.expand(batch, 1, *shape)
    return packed.new_zeros(batch, count, *shape).scatter(1, chosen, packed[:, None]).flatten(1, 2)
