"""Counts the multiply-accumulates of one call of a network, by default without running it.

The network's twin with fake parameters is called on a fake picture: shapes go through it, no data does. A network that
cannot be called that way is run for real instead, and its count says so.
"""

from __future__ import annotations

import inspect
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode

from lic_bench.codec import HasParts
from lic_bench.errors import LicBenchError, RequestError
from lic_bench.pretend import Pretence, fake_mode_of, pretending, twin
from lic_bench.records import Call, MacCount, Origin
from lic_bench.tally import Piece, Tally, counting

ELSEWHERE = "elsewhere"
"""The part of work done by no named part: in the network's own forward, with nobody's weights."""


class CountingError(LicBenchError):
    """A network can be counted neither without running it nor by running it."""


@dataclass(frozen=True)
class Trace:
    """Everything seen during one call. `part_of` maps the paths of modules to the names of parts.

    `reads` is the number of sequential reads from the entropy decoder, None where the network was run for real.
    `reason` says why it was run although it should not have been, and what else a reader must know.
    """

    call: Call
    width: int
    height: int
    padded_width: int
    padded_height: int
    pieces: tuple[Piece, ...]
    part_of: Mapping[str, str]
    other_work: Mapping[str, int]
    unseen: Mapping[str, int]
    origin: Origin
    reads: int | None = None
    reason: str = ""

    def summary(self) -> MacCount:
        """The record of this call; its parts, operators and layers each add up to the total exactly."""
        return MacCount(
            call=self.call,
            width=self.width,
            height=self.height,
            macs=sum(piece.macs for piece in self.pieces),
            by_part=self._sums(lambda piece: self._part(piece.path)),
            by_operator=self._sums(lambda piece: piece.operator),
            by_layer=self._sums(lambda piece: piece.path or ELSEWHERE),
            other_work=self.other_work,
            unseen=self.unseen,
            origin=self.origin,
            padded_width=self.padded_width,
            padded_height=self.padded_height,
            note=self.reason,
        )

    def _part(self, path: str) -> str:
        return self.part_of.get(path, ELSEWHERE)

    def _sums(self, label: Callable[[Piece], str]) -> dict[str, int]:
        sums: Counter[str] = Counter()
        for piece in self.pieces:
            sums[label(piece)] += piece.macs
        order = {name: place for place, name in enumerate(dict.fromkeys(self.part_of.values()))}
        return dict(sorted(sums.items(), key=lambda item: order.get(item[0], len(order))))


def count(codec: HasParts, width: int, height: int, call: Call | str = Call.FORWARD, run: bool = False) -> MacCount:
    """MAC of one call of a learned codec on a picture of this size, split by the codec's parts.

    The network sees the size the codec pads to. With `run` it is really run, on noise. Without, it is run only when
    it cannot be traced; the record's origin and note say so. A network that reaches its results with less work than
    its authors' code says so by `spares_work = True`, and works as theirs while that is False: theirs is what is
    counted, comparable with what others counted, and the note has the network's own figure.
    Raises RequestError for sizes and calls the network has no use for, CountingError when nothing works.
    """
    return trace(codec, width, height, call, run).summary()


def count_module(
    module: nn.Module,
    size: tuple[int, int] = (768, 512),
    call: Call | str = Call.FORWARD,
    inputs: Sequence[Any] | None = None,
    run: bool = False,
) -> MacCount:
    """MAC of one call of any module. Its parts are its direct children.

    `size` is width x height of the one input 1 x 3 x height x width; `inputs` are given instead for a module that
    takes anything else (then `size` still says by how many pixels to divide).
    """
    return trace_module(module, size, call, inputs, run).summary()


def trace(codec: HasParts, width: int, height: int, call: Call | str = Call.FORWARD, run: bool = False) -> Trace:
    """As `count`, with every piece of work."""
    require_size(width, height)
    padded = codec.padded_size(width, height)
    return _trace(codec.network, codec.parts(), (width, height), padded, Call(call), None, run)


def trace_module(
    module: nn.Module,
    size: tuple[int, int] = (768, 512),
    call: Call | str = Call.FORWARD,
    inputs: Sequence[Any] | None = None,
    run: bool = False,
) -> Trace:
    """As `count_module`, with every piece of work."""
    require_size(*size)
    return _trace(module, dict(module.named_children()), size, size, Call(call), inputs, run)


def require_size(width: int, height: int) -> None:
    """RequestError unless both sides are whole numbers of pixels, at least 1."""
    if not all(isinstance(side, int) and side >= 1 for side in (width, height)):
        raise RequestError(f"A picture of {width} x {height} pixels does not exist; both sides must be whole and >= 1.")


def _trace(
    network: nn.Module,
    parts: Mapping[str, nn.Module],
    size: tuple[int, int],
    padded: tuple[int, int],
    call: Call,
    inputs: Sequence[Any] | None,
    run: bool,
) -> Trace:
    """One call as its authors' code makes it; where the network spares some of that, the note has its own figure."""
    here = _as_it_works(network, parts, size, padded, call, inputs, run)
    if not getattr(network, "spares_work", False):
        return here
    with _sparing_nothing(network):
        authors = _as_it_works(network, parts, size, padded, call, inputs, run)
    kmac = sum(piece.macs for piece in here.pieces) / (size[0] * size[1]) / 1000
    spared = f"counted as the authors' code works; the code here gets the same results with {kmac:.3f} kMAC/pixel"
    return replace(authors, reason="; ".join(filter(None, (authors.reason, spared))))


@contextmanager
def _sparing_nothing(network: nn.Module) -> Iterator[None]:
    network.spares_work = False  # type: ignore[assignment]
    try:
        yield
    finally:
        network.spares_work = True  # type: ignore[assignment]


def _as_it_works(
    network: nn.Module,
    parts: Mapping[str, nn.Module],
    size: tuple[int, int],
    padded: tuple[int, int],
    call: Call,
    inputs: Sequence[Any] | None,
    run: bool,
) -> Trace:
    _require_call(network, call)
    reason = ""
    if not run:
        try:
            seen, pretence = _pretended(network, padded, call, inputs)
        except Exception as error:  # whatever a network does that needs data; running it will tell
            reason = _reason(error)
        else:
            return _as_trace(seen, network, parts, size, padded, call, Origin.PREDICTED, pretence.reads)
        if fake_mode_of(network):
            raise CountingError(f"{_name(network)} was built without data and its {call.value} needs some on a "
                                f"{padded[0]} x {padded[1]} picture: {reason}")
    seen = _really(network, padded, call, inputs)
    reason = reason and f"run to be counted, because it cannot be traced without data: {reason}"
    return _as_trace(seen, network, parts, size, padded, call, Origin.MEASURED, None, reason)


def _as_trace(
    seen: Tally,
    network: nn.Module,
    parts: Mapping[str, nn.Module],
    size: tuple[int, int],
    padded: tuple[int, int],
    call: Call,
    origin: Origin,
    reads: int | None,
    reason: str = "",
) -> Trace:
    return Trace(
        call, *size, *padded, seen.pieces(), _part_of(network, parts), _positive(seen.other), _positive(seen.unseen),
        origin, reads, reason,
    )


def _pretended(
    network: nn.Module, size: tuple[int, int], call: Call, inputs: Sequence[Any] | None
) -> tuple[Tally, Pretence]:
    """Call the network's twin on fake tensors. One-off work of `compress` before a decode is not counted."""
    mode = fake_mode_of(network) or FakeTensorMode(allow_non_fake_inputs=True)
    copied = twin(network, mode)
    with pretending() as pretence, torch.no_grad(), mode:
        arguments = inputs if inputs is not None else (_noise(copied, size),)
        function, arguments = _prepared(copied, call, arguments)
        pretence.reads = 0
        with counting(copied, pretence) as seen:
            _called(copied, function, arguments)
        return seen, pretence


def _really(network: nn.Module, size: tuple[int, int], call: Call, inputs: Sequence[Any] | None) -> Tally:
    with torch.no_grad():
        try:
            arguments = inputs if inputs is not None else (_noise(network, size),)
            function, arguments = _prepared(network, call, arguments)
            with counting(network, Pretence()) as seen:
                _called(network, function, arguments)
        except LicBenchError:
            raise
        except Exception as error:  # the user's module may fail in any way; its sentence is what helps
            raise RequestError(f"{_name(network)} does not take a {size[0]} x {size[1]} picture "
                               f"({call.value}): {_reason(error)}") from error
    return seen


def _prepared(network: nn.Module, call: Call, arguments: Sequence[Any]) -> tuple[Callable[..., Any], Sequence[Any]]:
    """The function to count and what to call it with; a decoder needs a stream first."""
    if call is Call.FORWARD:
        return network, arguments
    if call is Call.ENCODE:
        return network.compress, arguments  # type: ignore[return-value]
    coded = network.compress(*arguments)  # type: ignore[operator]
    return network.decompress, (coded["strings"], coded["shape"])  # type: ignore[return-value]


def _called(network: nn.Module, function: Callable[..., Any], arguments: Sequence[Any]) -> None:
    called = network.forward if function is network else function
    try:
        inspect.signature(called).bind(*arguments)
    except TypeError as error:
        raise RequestError(f"{_name(network)} cannot be called with {len(arguments)} input(s) ({error}); "
                           "give all of them as inputs=(...).") from None
    function(*arguments)


def _require_call(network: nn.Module, call: Call) -> None:
    needed = {Call.FORWARD: (), Call.ENCODE: ("compress",), Call.DECODE: ("compress", "decompress")}[call]
    for name in needed:
        if not callable(getattr(network, name, None)):
            raise RequestError(f'{_name(network)} has no {name}(); only call="forward" can be counted.')


def _noise(network: nn.Module, size: tuple[int, int]) -> Tensor:
    """A picture of noise where the network's first floating-point parameter lives, in its type."""
    like = next((weight for weight in network.parameters() if weight.is_floating_point()), torch.empty(0))
    return torch.rand(1, 3, size[1], size[0], dtype=like.dtype, device=like.device)


def _part_of(network: nn.Module, parts: Mapping[str, nn.Module]) -> dict[str, str]:
    """Path to part: a module belongs to the smallest part that contains it."""
    modules = {name: {id(module) for module in part.modules()} for name, part in parts.items()}
    owner = {member: name for name in sorted(modules, key=lambda name: -len(modules[name])) for member in modules[name]}
    by_path = {path: owner[id(module)] for path, module in network.named_modules() if id(module) in owner}
    place = {name: at for at, name in enumerate(parts)}
    return dict(sorted(by_path.items(), key=lambda item: place[item[1]]))


def _positive(counter: Counter[str]) -> dict[str, int]:
    return {name: number for name, number in sorted(counter.items()) if number}


def _name(network: nn.Module) -> str:
    return type(network).__name__


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error).strip().splitlines()[0] if str(error).strip() else 'no message'}"
