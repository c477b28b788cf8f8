"""Small networks with one known fault each, which the doctor has to find; and Correct, with none."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import torch
from compressai.models import FactorizedPrior
from torch import Tensor


class Correct(FactorizedPrior):  # type: ignore[misc]
    """CompressAI's factorized prior with few channels."""

    lic_bench: ClassVar[dict[str, Any]] = {"points": {"only": {"N": 8, "M": 12}}}


class BatchMean(Correct):
    """Reconstructs every picture of a batch as the mean of all."""

    def forward(self, x: Tensor) -> dict[str, Any]:
        out: dict[str, Any] = super().forward(x)
        return out | {"x_hat": out["x_hat"] + (out["x_hat"].mean(0, keepdim=True) - out["x_hat"])}


class HalfRate(Correct):
    """Its likelihoods give half of the coded bits."""

    def forward(self, x: Tensor) -> dict[str, Any]:
        out: dict[str, Any] = super().forward(x)
        return out | {"likelihoods": {name: p.sqrt() for name, p in out["likelihoods"].items()}}


class Inverted(Correct):
    """Decompresses to the inverse of the forward pass."""

    def decompress(self, strings: Any, shape: Any) -> dict[str, Any]:
        out: dict[str, Any] = super().decompress(strings, shape)
        return {"x_hat": 1 - out["x_hat"]}


class UncountedOperator(Correct):
    """Uses an operator that is not counted."""

    def forward(self, x: Tensor) -> dict[str, Any]:
        torch.linalg.eigvalsh(torch.eye(3))
        out: dict[str, Any] = super().forward(x)
        return out


class EmptyTables(Correct):
    """Never computes the tables of its entropy coder."""

    def update(self, force: bool = False) -> bool:
        return False


def reference(name: str) -> str:
    """The reference of a network in this file."""
    return f"{Path(__file__).resolve()}:{name}"
