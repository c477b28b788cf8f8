"""Small networks that are unsound on purpose, each in one way; the doctor has to find it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import torch
from compressai.models import FactorizedPrior
from torch import Tensor


class Sound(FactorizedPrior):  # type: ignore[misc]
    """CompressAI's network, narrow."""

    lic_bench: ClassVar[dict[str, Any]] = {"points": {"only": {"N": 8, "M": 12}}}


class Mixing(Sound):
    """Gives every picture of a batch the mean of all."""

    def forward(self, x: Tensor) -> dict[str, Any]:
        out: dict[str, Any] = super().forward(x)
        return out | {"x_hat": out["x_hat"] + (out["x_hat"].mean(0, keepdim=True) - out["x_hat"])}


class Promising(Sound):
    """Promises half of the bits that it takes."""

    def forward(self, x: Tensor) -> dict[str, Any]:
        out: dict[str, Any] = super().forward(x)
        return out | {"likelihoods": {name: p.sqrt() for name, p in out["likelihoods"].items()}}


class Rounding(Sound):
    """Decompresses to another picture than the one it promises."""

    def decompress(self, strings: Any, shape: Any) -> dict[str, Any]:
        out: dict[str, Any] = super().decompress(strings, shape)
        return {"x_hat": 1 - out["x_hat"]}


class Unusual(Sound):
    """Uses an operator that no counter knows."""

    def forward(self, x: Tensor) -> dict[str, Any]:
        torch.linalg.eigvalsh(torch.eye(3))
        out: dict[str, Any] = super().forward(x)
        return out


class Untabled(Sound):
    """Never computes the tables of its entropy coder."""

    def update(self, force: bool = False) -> bool:
        return False


def reference(name: str) -> str:
    """How the doctor is told of something in this file."""
    return f"{Path(__file__).resolve()}:{name}"
