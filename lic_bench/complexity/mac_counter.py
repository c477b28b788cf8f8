"""Counts the MACs of one call of a network on the meta device; no weights are needed.

A copy of the network without data is called on a picture without data: shapes go through it, nothing is computed. A
network that cannot be called that way is executed instead, and its count says so.
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
from torch.utils._pytree import tree_map_only

from lic_bench.codec import HasParts
from lic_bench.complexity.meta_device import META, is_meta, meta_copy, on_meta_device
from lic_bench.complexity.op_log import OpLog, OpRecord, logged_ops
from lic_bench.errors import LicBenchError, RequestError
from lic_bench.meta_call import MetaCall
from lic_bench.records import Call, MacCount, Origin

ELSEWHERE = "elsewhere"
"""The part of ops that no named part executes: in the network's own forward, without weights."""

_NEEDED: Mapping[Call, tuple[str, ...]] = {
    Call.FORWARD: (),
    Call.ENCODE: ("compress",),
    Call.DECODE: ("compress", "decompress"),
}


class CountingError(LicBenchError):
    """A network can be counted neither on the meta device nor by executing it."""


@dataclass(frozen=True)
class Trace:
    """The op records of one call, with everything a MacCount is made from.

    `part_of` maps the paths of modules to the names of parts. `peak_bytes` is the most memory that activations take at
    one time. `serial_reads` is the number of serial reads from the entropy decoder, None where the network was
    executed. `redundant` are the MACs among the op records that the authors' code executes and the code here does not.
    `fallback_reason` is why it could not be called on the meta device.
    """

    call: Call
    width: int
    height: int
    padded_width: int
    padded_height: int
    op_records: tuple[OpRecord, ...]
    part_of: Mapping[str, str]
    non_mac_ops: Mapping[str, int]
    uncounted: Mapping[str, int]
    peak_bytes: int
    origin: Origin
    serial_reads: int | None = None
    redundant: int = 0
    fallback_reason: str = ""

    def summary(self) -> MacCount:
        """The record of this call; its parts, operators and layers each add up to the total exactly."""
        return MacCount(
            call=self.call,
            width=self.width,
            height=self.height,
            macs=self.macs,
            by_part=self._sums(lambda record: self._part(record.path)),
            by_operator=self._sums(lambda record: record.operator),
            by_layer=self._sums(lambda record: record.path or ELSEWHERE),
            non_mac_ops=self.non_mac_ops,
            uncounted=self.uncounted,
            origin=self.origin,
            padded_width=self.padded_width,
            padded_height=self.padded_height,
            activation_bytes=self.peak_bytes,
            serial_steps=self.serial_reads if self.call is Call.DECODE else None,
            redundant_macs=self.redundant,
            fallback_reason=self.fallback_reason,
        )

    @property
    def macs(self) -> int:
        """The MACs of all op records."""
        return sum(record.macs for record in self.op_records)

    def _part(self, path: str) -> str:
        return self.part_of.get(path, ELSEWHERE)

    def _sums(self, label: Callable[[OpRecord], str]) -> dict[str, int]:
        sums: Counter[str] = Counter()
        for record in self.op_records:
            sums[label(record)] += record.macs
        order = {name: place for place, name in enumerate(dict.fromkeys(self.part_of.values()))}
        return dict(sorted(sums.items(), key=lambda item: order.get(item[0], len(order))))


def count(codec: HasParts, width: int, height: int, call: Call | str = Call.FORWARD, run: bool = False) -> MacCount:
    """MAC of one call of a learned codec on a picture of this size, split by the codec's parts.

    The network sees the size the codec pads to. With `run` it is really run, on noise. Without, it is run only when
    it cannot be called on the meta device; the record's origin and `fallback_reason` say so. A network that leaves out
    redundant work of its authors' code has an attribute `as_published`, and does that work while it is True: the
    published network is what is counted, comparable with what others counted, and `redundant_macs` is the difference.
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
    """As `count`, with every record of work."""
    return traces(codec, width, height, (call,), run)[0]


def traces(
    codec: HasParts, width: int, height: int, calls: Sequence[Call | str] | None = None, run: bool = False
) -> tuple[Trace, ...]:
    """As `trace`, for several calls at once: what is encoded is then decoded, so that nothing is called twice.

    None stands for all calls the network can make; see `calls_of`.
    """
    require_size(width, height)
    padded = codec.padded_size(width, height)
    asked = calls_of(codec.network) if calls is None else calls
    return _Subject(codec.network, codec.parts(), (width, height), padded).traces(asked, run)


def calls_of(network: nn.Module) -> tuple[Call, ...]:
    """The calls a network can make: forward, and what it has the functions of CompressAI's networks for."""
    return tuple(call for call in Call if all(callable(getattr(network, name, None)) for name in _NEEDED[call]))


def trace_module(
    module: nn.Module,
    size: tuple[int, int] = (768, 512),
    call: Call | str = Call.FORWARD,
    inputs: Sequence[Any] | None = None,
    run: bool = False,
) -> Trace:
    """As `count_module`, with every record of work."""
    require_size(*size)
    return _Subject(module, dict(module.named_children()), size, size, inputs).traces((call,), run)[0]


def require_size(width: int, height: int) -> None:
    """RequestError unless both sides are whole numbers of pixels, at least 1."""
    if not all(isinstance(side, int) and side >= 1 for side in (width, height)):
        raise RequestError(f"A picture of {width} x {height} pixels does not exist; both sides must be whole and >= 1.")


@dataclass(frozen=True)
class _Subject:
    """What is counted: a network, its parts, the picture's size, and what the network is given."""

    network: nn.Module
    parts: Mapping[str, nn.Module]
    size: tuple[int, int]
    padded: tuple[int, int]
    inputs: Sequence[Any] | None = None

    def traces(self, asked: Sequence[Call | str], run: bool) -> tuple[Trace, ...]:
        """One trace per call, as published, with the share of it that is redundant."""
        calls = tuple(Call(call) for call in asked)
        for call in calls:
            self._require(call)
        here = self._executed(calls, run)
        if not hasattr(self.network, "as_published"):
            return here
        with as_published(self.network):
            authors = self._executed(calls, run)
        return tuple(_compared(mine, theirs) for mine, theirs in zip(here, authors, strict=True))

    def _executed(self, calls: Sequence[Call], run: bool) -> tuple[Trace, ...]:
        """One trace per call; executed where asked to or where meta execution fails."""
        if run:
            return self._ran(calls, "")
        try:
            logs = self._on_meta(calls)
        except Exception as error:  # whatever a network does that needs data; running it will tell
            if len(calls) > 1:
                return tuple(trace for call in calls for trace in self._executed((call,), run))
            return self._ran(calls, _reason(error))
        return tuple(self._trace(call, logs[call], Origin.PREDICTED) for call in calls)

    def _ran(self, calls: Sequence[Call], reason: str) -> tuple[Trace, ...]:
        name, (width, height) = _name(self.network), self.padded
        if is_meta(self.network):
            raise CountingError(
                f"{name} was built without data and its {calls[0].value} needs some on a "
                f"{width} x {height} picture: {reason}"
            )
        try:
            with torch.no_grad():
                logs = self._logged(self.network, calls, self._arguments(self.network), MetaCall())
        except LicBenchError:
            raise
        except Exception as error:  # the user's module may fail in any way; its sentence is what helps
            raise RequestError(
                f"{name} does not take a {width} x {height} picture ({calls[0].value}): {_reason(error)}"
            ) from error
        return tuple(self._trace(call, logs[call], Origin.MEASURED, reason) for call in calls)

    def _on_meta(self, calls: Sequence[Call]) -> dict[Call, OpLog]:
        copied = meta_copy(self.network)
        with on_meta_device() as meta_call:
            return self._logged(copied, calls, self._arguments(copied), meta_call)

    def _logged(
        self, network: nn.Module, calls: Sequence[Call], arguments: Sequence[Any], meta_call: MetaCall
    ) -> dict[Call, OpLog]:
        """The log of each call; decoding needs an encoder's bitstream, asked for or not."""
        logs: dict[Call, OpLog] = {}
        coded: Any = None
        for call in Call:
            if call in calls or (call is Call.ENCODE and Call.DECODE in calls):
                with logged_ops(network, meta_call, arguments) as logs[call]:
                    if call is Call.FORWARD:
                        _called(network, network, arguments)
                    elif call is Call.ENCODE:
                        coded = _called(network, network.compress, arguments)
                    else:
                        _called(network, network.decompress, (coded["strings"], coded["shape"]))
        return logs

    def _trace(self, call: Call, log: OpLog, origin: Origin, reason: str = "") -> Trace:
        return Trace(
            call,
            *self.size,
            *self.padded,
            log.op_records(),
            _part_of(self.network, self.parts),
            _positive(log.non_mac_ops),
            _positive(log.uncounted),
            log.peak_bytes,
            origin,
            log.serial_reads if origin is Origin.PREDICTED else None,
            fallback_reason=reason,
        )

    def _require(self, call: Call) -> None:
        for name in _NEEDED[call]:
            if not callable(getattr(self.network, name, None)):
                raise RequestError(f'{_name(self.network)} has no {name}(); only call="forward" can be counted.')

    def _arguments(self, network: nn.Module) -> Sequence[Any]:
        """What was given, or a picture of noise where the network's first weights live, in their type."""
        if self.inputs is not None:
            return self.inputs if not is_meta(network) else tree_map_only(Tensor, lambda x: x.to(META), self.inputs)
        like = next((weight for weight in network.parameters() if weight.is_floating_point()), torch.empty(0))
        return (torch.rand(1, 3, self.padded[1], self.padded[0], dtype=like.dtype, device=like.device),)


@contextmanager
def as_published(network: nn.Module) -> Iterator[None]:
    """Let a network do all the redundant work of its authors' code; one that makes no difference is left as it is."""
    if not hasattr(network, "as_published"):
        yield
        return
    before = network.as_published
    network.as_published = True  # type: ignore[assignment]
    try:
        yield
    finally:
        network.as_published = before


def _compared(here: Trace, authors: Trace) -> Trace:
    """The authors' trace with the share that is redundant; memory is that of the code that runs here."""
    return replace(authors, redundant=authors.macs - here.macs, peak_bytes=here.peak_bytes)


def _called(network: nn.Module, function: Any, arguments: Sequence[Any]) -> Any:
    called = network.forward if function is network else function
    try:
        inspect.signature(called).bind(*arguments)
    except TypeError as error:
        raise RequestError(
            f"{_name(network)} cannot be called with {len(arguments)} input(s) ({error}); "
            "give all of them as inputs=(...)."
        ) from None
    return function(*arguments)


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
