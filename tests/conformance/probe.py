"""The filling and the picture behind the numbers in this folder: both follow from names and shapes alone.

Every trainable parameter is drawn from a generator seeded with the CRC-32 of its name, so that two implementations of
a network with the same state dict hold the same weights, and their outputs can be compared without a checkpoint.
What a network initialises without chance (GDN, the factorized prior but for its biases) keeps its initial value.
"""

from __future__ import annotations

import re
import zlib

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

_OLD_PRIOR_NAMES = {"matrices": "_matrix", "biases": "_bias", "factors": "_factor"}
_PRIOR = re.compile(r"(matrices|biases|factors)\.(\d+)$")
_KEPT = ("beta", "gamma", "quantiles")


def old_name(name: str) -> str:
    """The name a tensor had up to CompressAI 1.2.6, which seeds its values."""
    return _PRIOR.sub(lambda found: _OLD_PRIOR_NAMES[found[1]] + found[2], name)


def drawn(name: str, shape: tuple[int, ...], gain: float) -> npt.NDArray[np.float64] | None:
    """The values of a parameter, or None where it keeps its initial ones."""
    name = old_name(name)
    leaf = name.rpartition(".")[2]
    if leaf in _KEPT or leaf.startswith(("_matrix", "_factor")):
        return None
    chance = np.random.Generator(np.random.PCG64(zlib.crc32(name.encode())))
    if leaf.startswith("_bias"):
        return chance.uniform(-0.5, 0.5, shape)
    normal = chance.standard_normal(shape)
    if len(shape) > 1:  # unit variance in gives variance gain^2 out
        return normal * gain / np.sqrt(np.prod(shape[1:]))
    return 1 + 0.1 * normal if leaf == "weight" else 0.05 * normal


@torch.no_grad()
def fill(network: nn.Module, gain: float) -> None:
    """Fill a network in place."""
    for name, parameter in network.named_parameters():
        values = drawn(name, tuple(parameter.shape), gain)
        if values is not None:
            parameter.copy_(torch.from_numpy(values))


def picture(height: int, width: int) -> Tensor:
    """Waves and a little noise: 1 x 3 x height x width, float32 in [0, 1]."""
    down, right = np.meshgrid(np.linspace(0, 1, height), np.linspace(0, 1, width), indexing="ij")
    planes = [
        0.5 + 0.22 * np.sin(2 * np.pi * (a * right + b * down) + shift) + 0.18 * np.cos(2 * np.pi * (c * right * down))
        for a, b, shift, c in ((3, 2, 0.1, 5), (5, 1, 0.7, 3), (2, 7, 1.9, 9))
    ]
    noise = np.random.Generator(np.random.PCG64(20240508)).standard_normal((3, height, width))
    return torch.from_numpy(np.clip(np.stack(planes) + 0.04 * noise, 0, 1).astype(np.float32))[None]
