"""The complexity of codecs and of any module: MACs, parameters, activation memory and serial steps of each call.

`count_complexity(module)` is the Python API; `of_cards` goes through the zoo. Networks are built without weights
where that is possible, so that neither the number of parameters nor the picture's size costs memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import nn

from lic_bench.codec import Codec, CodecCard, HasParts, OperatingPoint
from lic_bench.complexity import mac_counter
from lic_bench.complexity.meta_device import building_on_meta
from lic_bench.errors import RequestError
from lic_bench.records import Call, MacCount, Origin
from lic_bench.registry import entry_points
from lic_bench.registry.codecs import CODECS

DEFAULT_SIZE = (768, 512)


@dataclass(frozen=True)
class Complexity:
    """One call of one network on one picture size.

    `weight_bytes` is what the parameters take in their own type. `codec` and `point` are a module's class and "" where
    no codec was asked for.
    """

    codec: str
    point: str
    count: MacCount
    parameters: int
    weight_bytes: int

    @property
    def total(self) -> int:
        """Multiply-accumulates of the call."""
        return self.count.macs

    @property
    def kmac_per_pixel(self) -> float:
        """Thousand multiply-accumulates per pixel of the picture as given."""
        return self.count.kmac_per_pixel

    @property
    def by_part(self) -> Mapping[str, int]:
        """Multiply-accumulates of each part; they add up to the total."""
        return self.count.by_part

    @property
    def uncounted(self) -> Mapping[str, int]:
        """Operators that went by uncounted, and how often: with any, the figures are lower bounds."""
        return self.count.uncounted

    @property
    def origin(self) -> Origin:
        """Predicted, or measured where the network had to be run to be counted."""
        return self.count.origin

    @property
    def activation_bytes(self) -> int | None:
        """The most memory that activations take at one time."""
        return self.count.activation_bytes

    @property
    def serial_steps(self) -> int | None:
        """How often the call waits for the entropy decoder; None where that is not known."""
        return self.count.serial_steps


def count_complexity(
    subject: Codec | nn.Module,
    size: tuple[int, int] = DEFAULT_SIZE,
    call: Call | str = Call.FORWARD,
    *,
    inputs: Sequence[Any] | None = None,
) -> Complexity:
    """What one call of a codec or of any module costs on a picture of `size` (width x height).

    `call` is "forward", "encode" or "decode"; a module needs CompressAI's `compress` and `decompress` for the last
    two. `inputs` replaces the one input 1 x 3 x height x width of a module that takes something else.
    Raises RequestError for sizes, calls and inputs that make no sense, and for codecs that show no network.
    """
    if isinstance(subject, nn.Module):
        name, point, network = type(subject).__name__, "", subject
        count = mac_counter.count_module(subject, size, call, inputs)
    else:
        codec = _shown(subject)
        name, _, point = str(getattr(codec, "identity", type(codec).__name__)).partition("/")
        network, count = codec.network, mac_counter.count(codec, *size, call)
    return Complexity(name, point, count, *_weights(network))


def of_cards(
    cards: Iterable[CodecCard], sizes: Sequence[tuple[int, int]] = (DEFAULT_SIZE,), calls: Sequence[Call] = tuple(Call)
) -> Iterator[Complexity]:
    """Every different network of the learned codecs among these, untrained, at every size and call."""
    for width, height in sizes:
        mac_counter.require_size(width, height)
    for card in cards:
        for point in networks(card):
            yield from of_point(card, point, sizes, calls)


def networks(card: CodecCard) -> tuple[OperatingPoint, ...]:
    """The first operating point of every network a learned codec has; none of a codec that is not learned."""
    firsts = {point.network: point for point in reversed(card.points)}
    return tuple(point for point in card.points if card.learned and firsts[point.network] is point)


def of_point(
    card: CodecCard, point: OperatingPoint, sizes: Sequence[tuple[int, int]], calls: Sequence[Call]
) -> Iterator[Complexity]:
    """One operating point, untrained, at every size and call it can make; built without weights if that will do.

    RequestError for a network that can make none of the calls.
    """
    codec = built(card, point)
    if not (calls := [call for call in calls if call in mac_counter.calls_of(codec.network)]):
        raise RequestError(f"{card.name} does not code; only its forward call can be counted.")
    for size in sizes:
        try:
            traces = mac_counter.traces(codec, *size, calls)
        except mac_counter.CountingError:
            codec = loaded(card, point)
            traces = mac_counter.traces(codec, *size, calls)
        for trace in traces:
            yield Complexity(card.name, point.label, trace.summary(), *_weights(codec.network))


def built(card: CodecCard, point: OperatingPoint) -> HasParts:
    """The untrained codec without weights, or with them where its making needs numbers."""
    if card.reference:  # imported beforehand: what a module makes while it is imported is real
        entry_points.attribute(CODECS.entry(card.reference).reference)
    try:
        with building_on_meta():
            return _shown(card.load(point))
    except RequestError:
        raise
    except Exception:  # a network may need data in any way while it is made; then it is made as for running
        return loaded(card, point)


def loaded(card: CodecCard, point: OperatingPoint) -> HasParts:
    """The untrained codec, ready to run; RequestError for one that shows no network."""
    return _shown(card.load(point))


def _shown(codec: Codec) -> HasParts:
    if not isinstance(codec, HasParts):
        raise RequestError(f"{type(codec).__name__} shows no network, so there is nothing to count.")
    return codec


def _weights(network: nn.Module) -> tuple[int, int]:
    """Parameters, each once, and their bytes."""
    weights = list(network.parameters())
    return sum(weight.numel() for weight in weights), sum(weight.numel() * weight.element_size() for weight in weights)
