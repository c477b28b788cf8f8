"""Loads user-supplied codecs from their cards: with a checkpoint, their own weights, or weights of the fixed seed."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from lic_bench import bitstream
from lic_bench.assets import checkpoints
from lic_bench.codec import Codec, CodecCard, OperatingPoint
from lic_bench.errors import RequestError, WeightsError
from lic_bench.learned_codec import LearnedCodec
from lic_bench.registry import entry_points
from lic_bench.registry.codec_shapes import has_methods, is_codec, is_compressai_network, is_factory
from lic_bench.registry.codecs import CODECS
from lic_bench.registry.metadata import Metadata, kind_of, metadata_of

DEFAULT_MULTIPLE = 64
"""What CompressAI pads to; for networks without a `downsampling_factor`."""

State = Mapping[str, Tensor]


def load(card: CodecCard, point: OperatingPoint, weights: Path | None, device: str) -> Codec:
    """The codec of one operating point, made anew.

    Raises WeightsError for a checkpoint that does not fit; RequestError for what turns out to be no codec, or to have
    a network of which its metadata do not say whether it is trained.
    """
    found = entry_points.attribute(CODECS.entry(card.reference).reference)
    metadata = metadata_of(found)
    state = None if weights is None else checkpoints.read(weights)
    made = _made(found, point.settings)
    if is_compressai_network(type(made)):
        network = made if state is None else _with_state(made, found, card, state)
        _update_tables(network, loaded_its_own=card.trained and state is None)
        multiple = metadata.multiple or getattr(network, "downsampling_factor", None) or DEFAULT_MULTIPLE
        return LearnedCodec(network, bitstream.identity(card.name, point.label), device, int(multiple))
    if not is_codec(type(made)):
        raise RequestError(f"{card.reference} gave {kind_of(made)}, which is no codec: it has no encode and decode.")
    return _prepared(made, card, metadata, state, device)


def _made(found: Any, keywords: Mapping[str, Any]) -> Any:
    """What a class or function makes, its weights drawn with the fixed seed; an object is taken as it is."""
    if not is_factory(found):
        return found
    with checkpoints.fixed_seed():
        return found(**keywords)


def _with_state(network: Any, found: object, card: CodecCard, state: State) -> Any:
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
        except Exception:  # whatever it fails at, the checkpoint is not one of this class
            raise misfit from None
        checkpoints.load_strictly(network, state, card.name)
        return network


def _update_tables(network: Any, loaded_its_own: bool) -> None:
    """Compute the entropy coder's tables; those of a network that loaded its own weights are kept where filled."""
    if not hasattr(network, "update"):
        return
    if loaded_its_own or not _accepts(network.update, "force"):
        network.update()
    else:
        network.update(force=True)


def _prepared(made: Any, card: CodecCard, metadata: Metadata, state: State | None, device: str) -> Codec:
    """A codec with encode and decode, its network loaded, on the device and open to be counted."""
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
        _add_parts(made, network, metadata.multiple or 1)
    elif state is not None:
        raise WeightsError(f"{card.name} takes no checkpoint: it shows no `network` to put it into.")
    codec: Codec = made
    return codec


def _add_parts(made: Any, network: nn.Module, multiple: int) -> None:
    """Let a network in CompressAI's shape be counted where its codec does not show `parts` itself."""
    if not is_compressai_network(type(network)) or has_methods(type(made), "parts", "padded_size"):
        return

    def parts() -> dict[str, nn.Module]:
        return {name: part for name, part in network.named_children() if any(True for _ in part.parameters())}

    def padded_size(width: int, height: int) -> tuple[int, int]:
        return -(-width // multiple) * multiple, -(-height // multiple) * multiple

    made.parts, made.padded_size = parts, padded_size


def _accepts(method: Callable[..., Any], keyword: str) -> bool:
    """Whether a method takes a keyword."""
    parameters = inspect.signature(method).parameters.values()
    return any(p.name == keyword or p.kind is p.VAR_KEYWORD for p in parameters)
