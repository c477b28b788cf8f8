"""Looks at a checkpoint and at the weights that were loaded from it, and judges them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import torch
from torch import nn

from lic_bench.assets import weights
from lic_bench.assets.checkpoints import describe
from lic_bench.assets.download import sha256_of
from lic_bench.codec import Codec, CodecCard, HasParts, OperatingPoint
from lic_bench.doctor.findings import Finding, doubtful, sound, told, wrong
from lic_bench.doctor.probes import Patient
from lic_bench.learned_codec import Estimator, LearnedCodec
from lic_bench.registry import codecs

SHOWN = 8


class Kind(StrEnum):
    """What was loaded: a codec that shows no network, one that shows some network, one in CompressAI's shape, or what
    estimates rates only."""

    PLAIN = "plain"
    SHOWS_NETWORK = "shows a network"
    LEARNED = "learned"
    ESTIMATOR = "estimator"


@dataclass(frozen=True)
class Look:
    """What was loaded. `usual_parameters` and `differing` ("g_a.0.weight is 8x3x5x5 instead of ...") tell a network
    that is not as wide as its card's."""

    kind: Kind
    parameters: int = 0
    usual_parameters: int = 0
    differing: str = ""
    not_finite: tuple[str, ...] = ()
    empty_tables: tuple[str, ...] = ()
    training: tuple[str, ...] = ()


def look(patient: Patient, codec: Codec) -> Look:
    """Look at a loaded codec, and beside a checkpoint at the same network without one."""
    if not isinstance(codec, HasParts):
        return Look(Kind.PLAIN)
    kind = Kind.LEARNED if isinstance(codec, LearnedCodec) else Kind.SHOWS_NETWORK
    kind = Kind.ESTIMATOR if isinstance(codec, Estimator) else kind
    network = codec.network
    count = _parameters(network)
    usual_count, differing = count, ""
    if patient.weights is not None:
        card = codecs.get(patient.reference)
        usual = card.load(card.point(patient.point), None, patient.device)
        if isinstance(usual, HasParts):
            usual_count, differing = _parameters(usual.network), _differing(network, usual.network)
    state = network.state_dict(keep_vars=True)
    named = dict(network.named_modules())
    tables = {name: buffer for name, buffer in network.named_buffers() if name.endswith("_quantized_cdf")}
    return Look(
        kind=kind,
        parameters=count,
        usual_parameters=usual_count,
        differing=differing,
        not_finite=tuple(name for name, tensor in state.items() if not _sane(tensor)),
        # Some tables may be empty by design, where a network codes with others; with none at all nothing is coded.
        empty_tables=tuple(tables) if not any(table.numel() for table in tables.values()) else (),
        training=tuple(name or "the network" for name, part in named.items() if part.training),
    )


def at_hand(card: CodecCard, point: OperatingPoint) -> Path | None:
    """The checkpoint of a point that is in the package or in the cache, proved; None where there is none.

    WeightsError for one that is not the file it should be.
    """
    if isinstance(weights.find(card, point), weights.Missing):
        return None
    return weights.obtain(card, point, allow_download=False).path


def file(point: OperatingPoint, path: Path) -> Iterator[Finding]:
    """The file itself: its sha256, and how its tensors are laid out. WeightsError for what is no checkpoint."""
    layout = describe(path)
    digest = sha256_of(path)
    published = point.weights.sha256 if point.weights is not None else None
    whose = "nobody published one to compare it with"
    if published is not None:
        whose = "" if digest.startswith(published.lower()) else "not "
        whose += f"the published file ({published})"
    yield told("file", f"{path.stat().st_size:,} bytes, sha256 {digest}; {whose}.")
    yield told("layout", f"{layout}.")


def fit(card: CodecCard, point: OperatingPoint, path: Path | None, seen: Look) -> Finding:
    """How large the network is, and where it differs from the card's."""
    if weights is None:
        return told(
            "width", f"{seen.parameters:,} parameters ({point.network or 'of one width'}), no checkpoint given."
        )
    if not seen.differing:
        widths = f"the widths of {card.name} {point.label} ({point.network})"
        return sound("fit", f"every tensor fits; {seen.parameters:,} parameters, {widths}.")
    return doubtful(
        "fit",
        f"every tensor fits, at widths of the checkpoint's own: {seen.parameters:,} parameters instead of "
        f"{seen.usual_parameters:,}; {seen.differing}.",
        "Say these widths beside every figure: it is not the network of the card.",
    )


def numbers(seen: Look) -> Finding:
    """Whether every weight is a number, the coder's tables are filled, and nothing is left in training mode."""
    if seen.not_finite:
        return wrong(
            "numbers",
            f"{_some(seen.not_finite)} hold what is not a finite number.",
            "Training diverged, or the file is damaged: take an earlier checkpoint.",
        )
    if seen.empty_tables:
        return wrong(
            "numbers",
            f"the entropy coder's tables are empty ({_some(seen.empty_tables)}).",
            "Call the network's update(force=True) after its weights are loaded.",
        )
    if seen.training:
        return wrong(
            "numbers",
            f"{_some(seen.training)} would run as in training.",
            "Call eval() on the network after it is built, and keep it so.",
        )
    return sound("numbers", "every weight is a finite number, and the entropy coder's tables are filled.")


def _sane(tensor: torch.Tensor) -> bool:
    """Weights must be finite; buffers may hold infinities on purpose (a mask), and no NaN."""
    if not tensor.is_floating_point():
        return True
    bad = ~tensor.isfinite() if isinstance(tensor, nn.Parameter) else tensor.isnan()
    return not bool(bad.any())


def _differing(ours: nn.Module, theirs: nn.Module) -> str:
    """The first weight whose shape differs between two networks, or ""."""
    here = {name: tuple(tensor.shape) for name, tensor in ours.named_parameters()}
    there = {name: tuple(tensor.shape) for name, tensor in theirs.named_parameters()}
    differing = [name for name in here if here[name] != there.get(name)]
    if not differing:
        return ""
    name = next((name for name in differing if name.endswith("weight")), differing[0])
    return f"{name} is {_by(here[name])} instead of {_by(there.get(name, ()))}"


def _parameters(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def _by(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape)) or "not there"


def _some(names: tuple[str, ...]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more
