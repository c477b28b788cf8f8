"""Logs the ops of a network call: the MACs of each, or its non-MAC work, and the module it belongs to.

Every op that torch dispatches is counted by its formula, known to be non-MAC work or free, or named as uncounted. It
belongs to the module whose forward is running; where a network uses a module's weights outside that module's
forward (a context model in a loop over positions, attention projections), to the module that owns the weights.
"""

from __future__ import annotations

import weakref
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch._ops import OpOverload
from torch.nn.modules.module import register_module_forward_hook, register_module_forward_pre_hook
from torch.overrides import TorchFunctionMode

from lic_bench.complexity import op_formulas
from lic_bench.complexity.light_imports import LightDispatchMode
from lic_bench.complexity.meta_device import tensors_in
from lic_bench.meta_call import MetaCall

_LAYERS = (nn.modules.conv._ConvNd, nn.Linear)
_RECURRENT = frozenset({torch.lstm, torch.gru, torch.rnn_tanh, torch.rnn_relu})


@dataclass(frozen=True)
class OpRecord:
    """The MACs of one kind of op in one module.

    `in_layer` says that a convolution or linear module executes it, which is all that counters of modules see.
    `at_output` is the figure of counters that count transposed convolutions at their output.
    """

    path: str
    operator: str
    in_layer: bool
    macs: int
    at_output: int


@dataclass
class OpLog:
    """The log of one call: MACs by (path, operator, in a layer), non-MAC ops by kind, and uncounted ops by name.

    `serial_reads` are the entropy decoder's; `peak_bytes` is the most memory that the call's own tensors take at one
    time (weights and inputs not included).
    """

    counted: dict[tuple[str, str, bool], tuple[int, int]] = field(default_factory=dict)
    non_mac_ops: Counter[str] = field(default_factory=Counter)
    uncounted: Counter[str] = field(default_factory=Counter)
    serial_reads: int = 0
    peak_bytes: int = 0

    def add(self, path: str, in_layer: bool, cost: op_formulas.OpCost, times: int) -> None:
        """Add one op, `times` times."""
        if cost.softmax:
            self.non_mac_ops["softmax"] += times * cost.softmax
        if cost.uncounted:
            self.uncounted[cost.kind] += times
        elif cost.non_mac:
            self.non_mac_ops[cost.kind] += times * cost.non_mac
        elif cost.macs:
            key = path, cost.kind, in_layer
            macs, at_output = self.counted.get(key, (0, 0))
            self.counted[key] = macs + times * cost.macs, at_output + times * cost.at_output

    def op_records(self) -> tuple[OpRecord, ...]:
        """The MACs, in the order the ops first came."""
        return tuple(OpRecord(*key, *macs) for key, macs in self.counted.items())


@contextmanager
def logged_ops(network: nn.Module, call: MetaCall, inputs: Sequence[Any] = ()) -> Iterator[OpLog]:
    """The log of every op that a network executes inside this block; `inputs` are what it is given."""
    op_log = OpLog()
    modules, storages = (
        _ActiveModules(network),
        _Storages((*network.parameters(), *network.buffers(), *tensors_in(inputs))),
    )
    dispatch = _Dispatch(op_log, modules, storages, call)
    before = call.serial_reads
    with ExitStack() as stack:
        stack.callback(register_module_forward_pre_hook(modules.entered).remove)
        stack.callback(register_module_forward_hook(modules.left, always_call=True).remove)
        stack.enter_context(dispatch)
        stack.enter_context(_FunctionLog(dispatch))
        yield op_log
    op_log.serial_reads = call.serial_reads - before
    op_log.peak_bytes = storages.peak_bytes


class _Storages:
    """Memory by the lifetimes of new storages: how much is alive, and the peak.

    Storages of weights, buffers and inputs are held here, so that no new storage takes their identity.
    """

    def __init__(self, before: Sequence[Tensor]) -> None:
        self.before = {id(storage): storage for storage in (tensor.untyped_storage() for tensor in before)}
        self.alive: dict[int, int] = {}
        self.bytes = self.peak_bytes = 0

    def add(self, tensor: Tensor) -> None:
        """Count the tensor's storage from now until it is freed."""
        storage = tensor.untyped_storage()
        key = id(storage)
        if key not in self.alive and key not in self.before:
            self.alive[key] = storage.nbytes()
            self.bytes += storage.nbytes()
            self.peak_bytes = max(self.peak_bytes, self.bytes)
            weakref.finalize(storage, self._freed, key)

    def _freed(self, key: int) -> None:
        self.bytes -= self.alive.pop(key)


class _ActiveModules:
    """The modules whose forward is running, and the owners of weights: whose an op is.

    Weights of the network itself, in none of its modules, have no owner: they count for the module that uses them.
    """

    def __init__(self, network: nn.Module) -> None:
        self.paths = {id(module): path for path, module in network.named_modules()}
        self.running: list[nn.Module] = []
        self._owners: dict[int, tuple[weakref.ref[Tensor], nn.Module]] = {}
        for module in reversed(list(network.modules())[1:]):
            for tensor in (*module.parameters(recurse=False), *module.buffers(recurse=False)):
                self._own(tensor, module)

    def entered(self, module: nn.Module, inputs: Any) -> None:
        if id(module) in self.paths:
            self.running.append(module)

    def left(self, module: nn.Module, inputs: Any, outputs: Any) -> None:
        if id(module) in self.paths:
            self.running.pop()

    def _own(self, tensor: Tensor, module: nn.Module) -> None:
        self._owners[id(tensor)] = weakref.ref(tensor), module

    def owners(self, tensors: Sequence[Tensor]) -> list[nn.Module]:
        """The modules that own those tensors that are weights, or computed from weights alone."""
        found = ((self._owners.get(id(tensor)), tensor) for tensor in tensors)
        return [owned[1] for owned, tensor in found if owned is not None and owned[0]() is tensor]

    def inherit(self, tensors: Sequence[Tensor], result: Any) -> None:
        """Give what is computed from weights alone (masked, reshaped, reparametrised) to the owner of the first."""
        if tensors and id(tensors[0]) in self._owners and isinstance(result, Tensor):
            owners = self.owners(tensors)
            if len(owners) == len(tensors) and not self.owners((result,)):
                self._own(result, owners[0])

    def now(self, tensors: Sequence[Tensor]) -> tuple[str, bool]:
        """The path of the module that an op belongs to, and whether it is a convolution or linear module."""
        module = self.running[-1] if self.running else None
        owners = self.owners(tensors)
        if owners and module not in owners and not _holds(module, tensors):
            module = owners[0]
        return self.paths[id(module)] if module is not None else "", isinstance(module, _LAYERS)


def _holds(module: nn.Module | None, tensors: Sequence[Tensor]) -> bool:
    """Whether the running module has one of these weights too (shared weights have several owners)."""
    held = () if module is None else module.parameters(recurse=False)
    return any(weight is tensor for weight in held for tensor in tensors)


@dataclass(frozen=True)
class _OpCosting:
    """How an op is counted, found out once: decomposed or not, its costing (None: free), its arguments' defaults.

    The result of a `view` shares its argument's memory.
    """

    decomposed: bool
    view: bool
    costing: op_formulas.Costing | None
    names: tuple[str, ...]
    defaults: tuple[Any, ...]


@cache
def _known(operator: OpOverload) -> _OpCosting:
    schema = operator._schema.arguments
    return _OpCosting(
        not op_formulas.is_known(operator),
        operator.is_view,
        op_formulas.costing(operator),
        tuple(item.name for item in schema),
        tuple(item.default_value for item in schema),
    )


class _Dispatch(LightDispatchMode):
    """Logs every op below autograd, with or without data."""

    def __init__(self, op_log: OpLog, modules: _ActiveModules, storages: _Storages, call: MetaCall) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.op_log, self.modules, self.storages, self.call = op_log, modules, storages, call
        self.linear = False
        self.silent = False

    def __torch_dispatch__(self, func: OpOverload, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        known = _known(func)
        if known.decomposed:
            with self:  # an op made of others is counted by them
                parts = func.decompose(*args, **kwargs)
            if parts is not NotImplemented:
                return parts
        result = func(*args, **kwargs)
        if not known.view:
            for tensor in tensors_in((result,)):
                self.storages.add(tensor)
        # Half of all ops only view an activation in another way; there is nothing to count.
        if not self.silent and (known.costing is not None or self.modules.owners(args[:1])):
            self._record(known, args, kwargs, result)
        return result

    def _record(self, known: _OpCosting, args: Sequence[Any], kwargs: Mapping[str, Any], result: Any) -> None:
        rest = range(len(args), len(known.names))
        arguments = [*args, *(kwargs.get(known.names[at], known.defaults[at]) for at in rest)]
        tensors = tuple(tensors_in(arguments))
        self.modules.inherit(tensors, result)
        if known.costing is None:
            return
        cost = known.costing(arguments, result)
        if cost.kind == op_formulas.MATMUL:
            cost = replace(cost, kind=self._product(tensors))
        self.add(cost, tensors)

    def add(self, cost: op_formulas.OpCost, tensors: Sequence[Tensor]) -> None:
        place = self.modules.now(tensors) if cost.macs else ("", False)
        self.op_log.add(*place, cost, self.call.times)

    def _product(self, tensors: Sequence[Tensor]) -> str:
        """What a matrix product is for: MultiheadAttention hides its own calls from `_FunctionLog`."""
        if self.modules.running and isinstance(self.modules.running[-1], nn.MultiheadAttention):
            return op_formulas.LINEAR if self.modules.owners(tensors) else op_formulas.ATTENTION
        return op_formulas.LINEAR if self.linear else op_formulas.MATMUL

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
        """Ops inside were counted already."""
        before, self.silent = self.silent, True
        try:
            yield
        finally:
            self.silent = before


class _FunctionLog(TorchFunctionMode):
    """Logs torch's functions above autograd: which products are linear layers or attention, by whatever kernel."""

    def __init__(self, dispatch: _Dispatch) -> None:
        super().__init__()
        self.dispatch = dispatch

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func is F.linear:
            with self.dispatch.in_linear():
                return func(*args, **kwargs)
        if func is F.scaled_dot_product_attention:
            query, key, value = (*args, *(kwargs[name] for name in ("query", "key", "value") if name in kwargs))[:3]
            return self._instead(op_formulas.attention(query, key, value), (query, key, value), func, args, kwargs)
        if func in _RECURRENT:
            source, weights = args[0], [weight for weight in tensors_in(args[2:4]) if weight.dim() == 2]
            return self._instead(op_formulas.recurrent(source, weights), tuple(weights), func, args, kwargs)
        return func(*args, **kwargs)

    def _instead(self, cost: op_formulas.OpCost, tensors: Sequence[Tensor], func: Any, args: Any, kwargs: Any) -> Any:
        """Count here and not below, so that the figure does not depend on the kernel a processor has for it."""
        if not self.dispatch.silent:
            self.dispatch.add(cost, tensors)
        with self.dispatch.silenced():
            return func(*args, **kwargs)
