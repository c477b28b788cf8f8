"""User-supplied codecs built from their cards: networks drawn or filled, padding known, parts shown."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from lic_bench import bitstream
from lic_bench.assets import checkpoints
from lic_bench.codec import Codec, CodecCard, OperatingPoint
from lic_bench.errors import RequestError, WeightsError
from lic_bench.learned_codec import LearnedCodec
from lic_bench.registry import entry_points
from lic_bench.registry.adapters import a, description_of, has, is_maker, is_network
from lic_bench.registry.codecs import CODECS

MULTIPLE = 64
"""What CompressAI pads to; for networks that do not tell their `downsampling_factor`."""


def load(card: CodecCard, point: OperatingPoint, weights: Path | None, device: str) -> Codec:
    """The codec of one point, made anew. Raises WeightsError for a checkpoint that does not fit.

    RequestError for what turns out to be no codec, or to have a network of which nobody said what it is worth.
    """
    found = entry_points.attribute(CODECS.entry(card.reference).reference)
    state = None if weights is None else checkpoints.read(weights)
    made = _make(found, point.settings)
    if is_network(type(made)):
        return _learned(made, found, card, point, state, device)
    if not has(type(made), "encode", "decode"):
        raise RequestError(f"{card.reference} gave {a(made)}, which is no codec: it has no encode and decode.")
    network = getattr(made, "network", made)
    if isinstance(network, nn.Module):
        if not card.learned:
            raise RequestError(
                f"{card.reference} has a network, so it must say what its figures are worth: "
                'lic_bench = {"trained": True} where it loads trained weights, else False.'
            )
        if state is not None:
            checkpoints.load_strictly(network, state, card.name)
        network.eval().to(device)
        _show(made, network, description_of(found).get("multiple", 1))
    elif state is not None:
        raise WeightsError(f"{card.name} takes no checkpoint: it shows no `network` to put it into.")
    codec: Codec = made
    return codec


def _make(found: Any, keywords: Mapping[str, Any]) -> Any:
    """The codec itself, any weights drawn with the fixed seed; an object is taken as it is."""
    if not is_maker(found):
        return found
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(checkpoints.SEED)
        return found(**keywords)


def _learned(
    network: Any, found: object, card: CodecCard, point: OperatingPoint, state: Mapping[str, Tensor] | None, device: str
) -> Codec:
    """A network in CompressAI's shape as a codec: filled, its coder's tables up to date, its padding known."""
    if state is not None:
        network = _filled(network, found, card, state)
    if hasattr(network, "update"):
        # A network that loaded its own weights may have made its tables in its own way; they are kept where filled.
        own = card.trained and state is None
        network.update() if own or not _takes(network.update, "force") else network.update(force=True)
    multiple = description_of(found).get("multiple") or getattr(network, "downsampling_factor", None) or MULTIPLE
    return LearnedCodec(network, bitstream.identity(card.name, point.label), device, int(multiple))


def _filled(network: Any, found: object, card: CodecCard, state: Mapping[str, Tensor]) -> Any:
    """The network with a checkpoint's tensors, at the checkpoint's own widths where its class can read them off."""
    try:
        checkpoints.load_strictly(network, state, card.name)
        return network
    except WeightsError as misfit:
        if not isinstance(found, type) or not hasattr(found, "from_state_dict"):
            raise
        # CompressAI's from_state_dict reads the widths, builds, and loads; only the last is done here, strictly.
        unloaded: Any = type(found.__name__, (found,), {"load_state_dict": lambda self, state_dict: None})
        try:
            network = unloaded.from_state_dict(dict(state))
        except Exception:  # whatever it stumbles over, the checkpoint is not one of this class
            raise misfit from None
        checkpoints.load_strictly(network, state, card.name)
        return network


def _show(made: Any, network: nn.Module, multiple: int) -> None:
    """Have the work of a network in CompressAI's shape counted, where its codec does not show it by itself."""
    if not is_network(type(network)) or has(type(made), "parts", "padded_size"):
        return

    def parts() -> dict[str, nn.Module]:
        return {name: part for name, part in network.named_children() if any(True for _ in part.parameters())}

    def padded_size(width: int, height: int) -> tuple[int, int]:
        return -(-width // multiple) * multiple, -(-height // multiple) * multiple

    made.parts, made.padded_size = parts, padded_size


def _takes(method: Callable[..., Any], keyword: str) -> bool:
    parameters = inspect.signature(method).parameters.values()
    return any(p.name == keyword or p.kind is p.VAR_KEYWORD for p in parameters)
