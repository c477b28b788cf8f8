"""The demonstration network as it is and with one deliberate change each: what a check has to distinguish."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lic_bench.zoo.demo import FACTORIZED
from torch import nn

from lic_bench.codec import CodecCard, Image, OperatingPoint
from lic_bench.learned_codec import LearnedCodec

NAME = "watched"
DROPPED_BYTES = 1
SLOWER = 1.5
COARSER = 1.25


class Scaled(nn.Module):
    """Multiplies by a number: in front of the quantiser and behind it, that makes its steps coarser."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * self.factor


def changed_layer(codec: LearnedCodec) -> LearnedCodec:
    """The second convolution of the analysis has a 3x3 kernel instead of 5x5: 9/25 of its work."""
    layer = codec.network.g_a[2]
    layer.weight = nn.Parameter(layer.weight[:, :, 1:4, 1:4].clone())
    layer.kernel_size, layer.padding = (3, 3), (1, 1)
    return codec


def doubled_layer(codec: LearnedCodec) -> LearnedCodec:
    """A convolution of the analysis is there twice: the copy keeps the size and does as much work."""
    layers = list(codec.network.g_a)
    duplicate = copy.deepcopy(layers[2])
    duplicate.stride = (1, 1)
    codec.network.g_a = nn.Sequential(*layers[:3], duplicate, *layers[3:])
    return codec


def changed_quantiser(codec: LearnedCodec) -> LearnedCodec:
    """Steps of the quantiser are wider by a quarter."""
    network = codec.network
    network.g_a = nn.Sequential(*network.g_a, Scaled(1 / COARSER))
    network.g_s = nn.Sequential(Scaled(COARSER), *network.g_s)
    return codec


class Dropping(LearnedCodec):
    """The entropy coder's string loses a byte in its middle before it is packed."""

    def encode(self, image: Image) -> bytes:
        compress = self.network.compress

        def dropping(x: torch.Tensor) -> dict[str, Any]:
            coded = compress(x)
            string = coded["strings"][0][0]
            half = len(string) // 2
            return coded | {"strings": [[string[:half] + string[half + DROPPED_BYTES :]]]}

        self.network.compress = dropping  # type: ignore[assignment]
        try:
            return super().encode(image)
        finally:
            del self.network.compress


class Exchanging(LearnedCodec):
    """Red and blue change places in the decoded picture."""

    def decode(self, data: bytes) -> Image:
        return np.ascontiguousarray(super().decode(data)[:, :, ::-1])


class Slow(LearnedCodec):
    """Decoding computes on for half as long again as it took."""

    def decode(self, data: bytes) -> Image:
        begun = time.process_time()
        picture = super().decode(data)
        until = begun + SLOWER * (time.process_time() - begun)
        while time.process_time() < until:
            pass
        return picture


def _as(kind: type[LearnedCodec]) -> Callable[[LearnedCodec], LearnedCodec]:
    def changed(codec: LearnedCodec) -> LearnedCodec:
        return kind(codec.network, codec.identity, probabilities_fixed=True)

    return changed


CHANGES: dict[str, Callable[[LearnedCodec], LearnedCodec]] = {
    "unchanged": lambda codec: codec,
    "layer": changed_layer,
    "quantiser": changed_quantiser,
    "byte": _as(Dropping),
    "channels": _as(Exchanging),
    "doubled": doubled_layer,
    "slow": _as(Slow),
}


def load(card: CodecCard, point: OperatingPoint, weights: Path | None, device: str) -> LearnedCodec:
    codec = FACTORIZED.load(FACTORIZED.point(point.label), weights, device)
    assert isinstance(codec, LearnedCodec)
    return CHANGES[str(point.settings["change"])](codec)


def _card(change: str) -> CodecCard:
    return CodecCard(
        name=f"{NAME}-{change}",
        title="Watched",
        family="made for tests",
        paper="none",
        year=2026,
        licence="Apache-2.0",
        learned=True,
        points=tuple(OperatingPoint(p.label, "mse", settings={"change": change}) for p in FACTORIZED.points),
        loader="helpers.changed_codecs:load",
    )


UNCHANGED, LAYER, QUANTISER, BYTE, CHANNELS, DOUBLED, SLOW = map(_card, CHANGES)
