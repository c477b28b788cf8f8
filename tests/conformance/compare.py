"""Networks beside the figures in this folder."""

from __future__ import annotations

import json
import zlib
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn


def expected(name: str) -> Any:
    """The figures of one network."""
    return json.loads((Path(__file__).parent / f"{name}.json").read_text())


def layout(model: nn.Module) -> list[str]:
    """Names and shapes of the state dict, in order: "g_a.0.weight 128x3x5x5"."""
    return [f"{name} {'x'.join(map(str, tensor.shape))}" for name, tensor in model.state_dict().items()]


def difference(tensor: Tensor, summary: dict[str, Any]) -> float:
    """The largest difference at the sampled positions, in mean and in deviation, over the standard deviation."""
    assert list(tensor.shape) == summary["shape"]
    flat = tensor.detach().double().flatten()
    sampled = (flat[summary["at"]] - torch.tensor(summary["values"], dtype=torch.float64)).abs().max().item()
    moments = abs(flat.mean().item() - summary["mean"]), abs(flat.std().item() - summary["std"])
    return max(sampled, *moments) / float(summary["std"])


def crc32(integers: Tensor) -> int:
    """The CRC-32 of integers written as little-endian int32 in row-major order."""
    return zlib.crc32(integers.detach().cpu().numpy().astype("<i4").tobytes())
