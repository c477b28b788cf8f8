"""Watches a network being called and writes down its work: how much, of what kind, and whose.

Every operator that torch dispatches is counted by its formula, known to be other work or free, or named as unseen. The
work belongs to the module whose forward is running; where a network uses a module's weights outside that module's
forward (a context model in a loop over positions, attention projections), to the module that owns the weights.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn
from torch._ops import OpOverload
from torch.nn.modules.module import register_module_forward_hook, register_module_forward_pre_hook
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.weak import WeakTensorKeyDictionary

from lic_bench import operators
from lic_bench.pretend import Pretence

_LAYERS = (nn.modules.conv._ConvNd, nn.Linear)


@dataclass(frozen=True)
class Piece:
    """The MAC of one operator in one module.

    `in_layer` says that a convolution or linear module did it in its own forward, which is all that counters of
    modules see; `at_output` is the figure of counters that take transposed convolutions at their output.
    """

    path: str
    operator: str
    in_layer: bool
    macs: int
    at_output: int


@dataclass
class Tally:
    """What is being counted: MAC by (path, operator, in a layer), other work, and operators nobody knows."""

    counted: dict[tuple[str, str, bool], tuple[int, int]] = field(default_factory=dict)
    other: Counter[str] = field(default_factory=Counter)
    unseen: Counter[str] = field(default_factory=Counter)

    def add(self, path: str, in_layer: bool, cost: operators.Cost, times: int) -> None:
        """Take down one operator, `times` times."""
        if cost.softmax:
            self.other["softmax"] += times * cost.softmax
        if cost.unseen:
            self.unseen[cost.kind] += times
        elif cost.other:
            self.other[cost.kind] += times * cost.other
        elif cost.macs:
            key = path, cost.kind, in_layer
            macs, at_output = self.counted.get(key, (0, 0))
            self.counted[key] = macs + times * cost.macs, at_output + times * cost.at_output

    def pieces(self) -> tuple[Piece, ...]:
        """The MAC in the order the work was first seen."""
        return tuple(Piece(*key, *macs) for key, macs in self.counted.items())


@contextmanager
def counting(network: nn.Module, pretence: Pretence) -> Iterator[Tally]:
    """Count everything the network does inside this block, wherever it is called from."""
    tally = Tally()
    place = _Place(network)
    dispatch = _Dispatch(tally, place, pretence)
    with ExitStack() as stack:
        stack.callback(register_module_forward_pre_hook(place.entered).remove)
        stack.callback(register_module_forward_hook(place.left, always_call=True).remove)
        stack.enter_context(dispatch)
        stack.enter_context(_Functions(dispatch))
        yield tally


class _Place:
    """Whose work is being done: the modules that are running, and the owners of weights."""

    def __init__(self, network: nn.Module) -> None:
        self.paths = {id(module): path for path, module in network.named_modules()}
        self.running: list[nn.Module] = []
        self.owners = _owners(network)

    def entered(self, module: nn.Module, inputs: Any) -> None:
        if id(module) in self.paths:
            self.running.append(module)

    def left(self, module: nn.Module, inputs: Any, outputs: Any) -> None:
        if id(module) in self.paths:
            self.running.pop()

    def inherit(self, arguments: Sequence[Tensor], result: Any) -> None:
        """What is made of weights alone (masked, reshaped, reparametrised) belongs to the owner of the first."""
        owners = [self.owners.get(tensor) for tensor in arguments]
        if isinstance(result, Tensor) and owners and all(owners):
            self.owners.setdefault(result, owners[0])

    def weighs(self, arguments: Sequence[Tensor]) -> bool:
        """Whether a weight is among these."""
        return any(self.owners.get(tensor) is not None for tensor in arguments)

    def now(self, arguments: Sequence[Tensor]) -> tuple[str, bool]:
        """The path that this work belongs to, and whether a convolution or linear module does it itself."""
        module = self.running[-1] if self.running else None
        held = [owner for tensor in arguments if (owner := self.owners.get(tensor)) is not None]
        if held and module not in held and not self._holds(module, arguments):
            return self.paths[id(held[0])], False
        return self.paths[id(module)] if module is not None else "", isinstance(module, _LAYERS)

    def _holds(self, module: nn.Module | None, arguments: Sequence[Tensor]) -> bool:
        """Whether the running module has one of these weights too (shared weights have several owners)."""
        return module is not None and any(weight is tensor for weight in module.parameters(recurse=False)
                                          for tensor in arguments)


def _owners(network: nn.Module) -> MutableMapping[Tensor, Any]:
    """Every parameter and buffer to the module that holds it; the first where several do."""
    owners: MutableMapping[Tensor, Any] = WeakTensorKeyDictionary()
    owners.update(
        (tensor, module)
        for module in reversed(list(network.modules()))
        for tensor in (*module.parameters(recurse=False), *module.buffers(recurse=False))
    )
    return owners


class _Dispatch(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Sees every operator below autograd, with or without data."""

    def __init__(self, tally: Tally, place: _Place, pretence: Pretence) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.tally, self.place, self.pretence = tally, place, pretence
        self.linear = False
        self.silent = False

    def __torch_dispatch__(self, func: OpOverload, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if not operators.is_known(func):
            with self:  # an operator made of others is taken apart
                parts = func.decompose(*args, **kwargs)
            if parts is not NotImplemented:
                return parts
        result = func(*args, **kwargs)
        if not self.silent:
            arguments = _positional(func, args, kwargs)
            tensors = tuple(_tensors(arguments))
            self.place.inherit(tensors, result)
            cost = operators.cost(func, arguments, result)
            if cost.kind == operators.MATMUL:
                cost = replace(cost, kind=self._product(tensors))
            self.add(cost, tensors)
        return result

    def add(self, cost: operators.Cost, tensors: Sequence[Tensor]) -> None:
        self.tally.add(*self.place.now(tensors), cost, self.pretence.times)

    def _product(self, tensors: Sequence[Tensor]) -> str:
        """What a matrix product is for: MultiheadAttention hides its own calls from `_Functions`."""
        if self.place.running and isinstance(self.place.running[-1], nn.MultiheadAttention):
            return operators.LINEAR if self.place.weighs(tensors) else operators.ATTENTION
        return operators.LINEAR if self.linear else operators.MATMUL

    @contextmanager
    def in_linear(self) -> Iterator[None]:
        """Matrix products inside are those of a linear layer."""
        before, self.linear = self.linear, True
        try:
            yield
        finally:
            self.linear = before

    @contextmanager
    def silenced(self) -> Iterator[None]:
        """Work inside was counted already."""
        before, self.silent = self.silent, True
        try:
            yield
        finally:
            self.silent = before


class _Functions(TorchFunctionMode):
    """Sees torch's functions above autograd: which products are linear layers or attention, by whatever kernel."""

    def __init__(self, dispatch: _Dispatch) -> None:
        super().__init__()
        self.dispatch = dispatch

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func is F.linear:
            with self.dispatch.in_linear():
                return func(*args, **kwargs)
        if func is F.scaled_dot_product_attention:
            return self._attention(func, args, kwargs)
        return func(*args, **kwargs)

    def _attention(self, func: Any, args: Any, kwargs: Any) -> Any:
        """Counted here, so that the figure does not depend on the kernel a processor has for it."""
        query, key, value = (*args, *(kwargs[name] for name in ("query", "key", "value") if name in kwargs))[:3]
        if not self.dispatch.silent:
            self.dispatch.add(operators.attention(query, key, value), (query, key, value))
        with self.dispatch.silenced():
            return func(*args, **kwargs)


def _positional(func: OpOverload, args: Sequence[Any], kwargs: Mapping[str, Any]) -> list[Any]:
    """All arguments in the order of the operator's schema, with defaults where none was given."""
    schema = func._schema.arguments
    given = [kwargs.get(item.name, item.default_value) for item in schema[len(args) :]]
    return [*args, *given]


def _tensors(arguments: Sequence[Any]) -> Iterator[Tensor]:
    for item in arguments:
        if isinstance(item, Tensor):
            yield item
        elif isinstance(item, list | tuple):
            yield from _tensors(item)
