"""What is asked about a loaded network and its weights; runs in a fresh process."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import torch
from torch import nn

from lic_bench.codec import Codec, HasParts
from lic_bench.doctor.probes import CodecUnderTest
from lic_bench.learned_codec import Estimator, LearnedCodec


class NetworkKind(StrEnum):
    """What network a codec shows."""

    NONE = "none"
    OTHER = "other"  # one that is not called as CompressAI's networks are
    COMPRESSAI = "compressai"
    ESTIMATOR = "estimator"  # as CompressAI's, but it estimates a rate and codes nothing


class WeightsState(StrEnum):
    """Whether a network can code with its weights, and if not, why."""

    READY = "ready"
    NOT_FINITE = "not_finite"
    EMPTY_TABLES = "empty_tables"
    TRAINING_MODE = "training_mode"


@dataclass(frozen=True)
class ShapeDifference:
    """A parameter whose shape is not that of the card's network; `card_shape` is None where that one has none."""

    name: str
    shape: tuple[int, ...]
    card_shape: tuple[int, ...] | None


@dataclass(frozen=True)
class WeightsReport:
    """What was loaded.

    `parameters` and `card_parameters` count those of the network and of the card's own; `first_difference` is the
    first parameter whose shape differs between them. `not_finite`, `empty_tables` and `in_training` name the tensors,
    tables and modules with which nothing can be coded.
    """

    kind: NetworkKind
    parameters: int = 0
    card_parameters: int = 0
    first_difference: ShapeDifference | None = None
    not_finite: tuple[str, ...] = ()
    empty_tables: tuple[str, ...] = ()
    in_training: tuple[str, ...] = ()

    @property
    def state(self) -> WeightsState:
        """Whether the network can code with its weights; the first reason where it cannot."""
        if self.not_finite:
            return WeightsState.NOT_FINITE
        if self.empty_tables:
            return WeightsState.EMPTY_TABLES
        return WeightsState.TRAINING_MODE if self.in_training else WeightsState.READY


def inspect(subject: CodecUnderTest, codec: Codec) -> WeightsReport:
    """Inspects a loaded codec; with a checkpoint, its network is compared with the card's untrained one."""
    if not isinstance(codec, HasParts):
        return WeightsReport(NetworkKind.NONE)
    network = codec.network
    card_parameters, difference = _parameters(network), None
    if subject.weights is not None:
        card_codec = CodecUnderTest(subject.reference, subject.point, None, subject.device, subject.threads).load()
        if isinstance(card_codec, HasParts):
            card_parameters = _parameters(card_codec.network)
            difference = _first_difference(network, card_codec.network)
    tables = {name: buffer for name, buffer in network.named_buffers() if name.endswith("_quantized_cdf")}
    return WeightsReport(
        kind=_kind(codec),
        parameters=_parameters(network),
        card_parameters=card_parameters,
        first_difference=difference,
        not_finite=tuple(name for name, tensor in network.state_dict(keep_vars=True).items() if not _is_finite(tensor)),
        # A network that codes with other tables may leave some empty; with none filled nothing can be coded.
        empty_tables=tuple(tables) if not any(table.numel() for table in tables.values()) else (),
        in_training=tuple(name or "the network" for name, part in network.named_modules() if part.training),
    )


def _kind(codec: Codec) -> NetworkKind:
    if isinstance(codec, Estimator):
        return NetworkKind.ESTIMATOR
    return NetworkKind.COMPRESSAI if isinstance(codec, LearnedCodec) else NetworkKind.OTHER


def _is_finite(tensor: torch.Tensor) -> bool:
    """Parameters must be finite; buffers may hold infinities on purpose (a mask), and no NaN."""
    if not tensor.is_floating_point():
        return True
    bad = ~tensor.isfinite() if isinstance(tensor, nn.Parameter) else tensor.isnan()
    return not bool(bad.any())


def _first_difference(network: nn.Module, card_network: nn.Module) -> ShapeDifference | None:
    """The first parameter whose shape differs, a weight where there is one."""
    shapes = {name: tuple(tensor.shape) for name, tensor in network.named_parameters()}
    card_shapes = {name: tuple(tensor.shape) for name, tensor in card_network.named_parameters()}
    differing = [name for name in shapes if shapes[name] != card_shapes.get(name)]
    if not differing:
        return None
    name = next((name for name in differing if name.endswith("weight")), differing[0])
    return ShapeDifference(name, shapes[name], card_shapes.get(name))


def _parameters(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())
