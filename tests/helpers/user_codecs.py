"""User-supplied codecs: classes, functions and objects without a card; and some that are broken."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from compressai.models import FactorizedPrior
from torch import nn

from helpers.small_codecs import Lossless


class MyPrior(FactorizedPrior):
    """CompressAI's shape; two widths."""

    lic_bench: ClassVar = {
        "title": "Mine",
        "licence": "MIT",
        "paper": "in preparation",
        "year": 2026,
        "points": {"narrow": {"N": 4, "M": 6}, "wide": {"N": 8, "M": 12}},
    }


class NoArguments(FactorizedPrior):
    """Says that it loads weights of its own."""

    lic_bench: ClassVar = {"trained": True, "trained_for": "mse"}

    def __init__(self) -> None:
        super().__init__(4, 6)


def build_prior():  # type: ignore[no-untyped-def]
    return FactorizedPrior(4, 6)


def build_skipping() -> Lossless:
    return Lossless()


AN_OBJECT = FactorizedPrior(4, 6)


class Own(Lossless):
    """Nothing but encode and decode."""


class WithNetwork(Lossless):
    """Encode and decode, and a network; nothing says whether it is trained."""

    network: nn.Module

    def __init__(self) -> None:
        self.network = FactorizedPrior(4, 6)


class Secretive(Lossless):
    """Has a network that its class does not show."""

    def __init__(self) -> None:
        self.network = FactorizedPrior(4, 6)


class Misspelt(Own):
    lic_bench: ClassVar = {"tilte": "Mine"}


class WrongKind(Own):
    lic_bench: ClassVar = {"points": ["1", "2"]}


class LostWeights(FactorizedPrior):
    """Names weights that are not there, as before training."""

    lic_bench: ClassVar = {"weights": {"1": "nowhere.pth.tar"}, "points": {"1": {"N": 4, "M": 6}}}


class Neither:
    """No codec at all."""


def reference(name: str) -> str:
    return f"{Path(__file__).resolve()}:{name}"
