"""Meta execution: calls a network on tensors that have shapes and no data, so that nothing is computed.

Inside `on_meta_device()` a network in CompressAI's shape takes meta tensors, `compress` and `decompress` included: the
entropy coders write nothing and read zeros, and a loop over latent positions executes one round and says how many
there are. The patches are process-wide while they last, may be nested, and are undone on any error. torch's
FakeTensorMode does more than is needed here and takes twice as long.
"""

from __future__ import annotations

import copy
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import cache
from itertools import chain
from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils._device import _device_constructors
from torch.utils._pytree import tree_map_only

from lic_bench.complexity.light_imports import LightDispatchMode, light_imports
from lic_bench.complexity.meta_shapes import RESULT_SHAPES
from lic_bench.meta_call import MetaCall, entropy_decoder_read, factorized_prior_forward, recorded_call

META = torch.device("meta")
_INITIALISERS = tuple(name for name in vars(nn.init) if name.endswith("_") and not name.startswith("_"))


def is_meta(module: nn.Module) -> bool:
    """Whether some parameter or buffer has no data, so that the module cannot be run."""
    return any(tensor.is_meta for tensor in chain(module.parameters(), module.buffers()))


def meta_copy(module: nn.Module) -> nn.Module:
    """The same modules around parameters without data: no weight is copied, and the original is never touched."""
    memo: dict[int, Any] = {}
    for tensor in chain(module.parameters(), module.buffers()):
        meta = tensor.detach().to(META)
        memo[id(tensor)] = nn.Parameter(meta, tensor.requires_grad) if isinstance(tensor, nn.Parameter) else meta
    return copy.deepcopy(module, memo)


@contextmanager
def building_on_meta() -> Iterator[None]:
    """Networks built inside have no weights: no memory, no time for initial values, no coder tables.

    Tensors made from given numbers (torch.tensor, arange, linspace) stay real: networks compute widths from them.
    """
    replacements = (
        (nn.Module, "_apply", _for_meta(_apply, nn.Module._apply)),
        *_replacements(MetaCall()),
        *_no_tables(),
        *((nn.init, name, _not_initialised(getattr(nn.init, name))) for name in _INITIALISERS),
    )
    with ExitStack() as stack:
        stack.enter_context(light_imports())
        for owner, name, value in replacements:
            stack.enter_context(_replaced(owner, name, value))
        for context in (torch.no_grad(), _MetaConstructors(_constructors(from_numbers=False)), _operators()):
            stack.enter_context(context)
        yield


@contextmanager
def on_meta_device() -> Iterator[MetaCall]:
    """Make every new tensor a meta tensor, and replace CompressAI's coders and loops over positions, inside."""
    with ExitStack() as stack:
        call = stack.enter_context(recorded_call())
        stack.enter_context(light_imports())
        if "compressai.entropy_models" in sys.modules:
            for owner, name, value in _replacements(call):
                stack.enter_context(_replaced(owner, name, value))
        stack.enter_context(warnings.catch_warnings())
        warnings.filterwarnings("ignore", "Inference on GPU is not recommended")  # a device without data is no CPU
        for context in (torch.no_grad(), _MetaConstructors(_constructors(from_numbers=True)), _operators()):
            stack.enter_context(context)
        yield call


def _constructors(from_numbers: bool) -> frozenset[Any]:
    """The functions that make tensors from nothing; those that take numbers only if asked for."""
    numbers = () if from_numbers else (torch.tensor, torch.as_tensor, torch.arange, torch.linspace, torch.logspace)
    return frozenset(_device_constructors()) - frozenset(numbers)


class _MetaConstructors(TorchFunctionMode):
    """New tensors have no data, and reading values out of such tensors gives numbers nobody knows."""

    def __init__(self, constructors: frozenset[Any]) -> None:
        super().__init__()
        self.constructors = constructors

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func is Tensor.tolist and args[0].is_meta:
            return _tolist(args[0])
        if func in self.constructors and kwargs.get("device") is None:
            kwargs = {**kwargs, "device": META}
        return func(*args, **kwargs)


class _Operators(LightDispatchMode):  # type: ignore[no-untyped-call]
    """Everything is on one device, the one without data, whatever a network asks for or brings along."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        shape_of = RESULT_SHAPES.get(func)
        if shape_of is not None and not kwargs and args[0].is_meta and (known := shape_of(args)) is not None:
            return known
        if kwargs.get("device") is not None and _some_meta(args):
            kwargs = {**kwargs, "device": META}
        try:
            return func(*args, **kwargs)
        except (RuntimeError, NotImplementedError):
            if not _some_meta((args, kwargs)) or not _some_real((args, kwargs)):
                raise
        args, kwargs = tree_map_only(Tensor, lambda tensor: tensor.to(META), (args, kwargs))
        return func(*args, **kwargs)


def _operators() -> LightDispatchMode:
    return _Operators()  # type: ignore[no-untyped-call]


def _some_meta(arguments: Any) -> bool:
    return any(tensor.is_meta for tensor in tensors_in(arguments))


def _some_real(arguments: Any) -> bool:
    return any(not tensor.is_meta for tensor in tensors_in(arguments))


def tensors_in(arguments: Any) -> Iterator[Tensor]:
    """The tensors among arguments, lists and mappings of them."""
    for item in arguments.values() if isinstance(arguments, Mapping) else arguments:
        if isinstance(item, Tensor):
            yield item
        elif isinstance(item, list | tuple | Mapping):
            yield from tensors_in(item)


@contextmanager
def _replaced(owner: Any, name: str, value: Any) -> Iterator[None]:
    before = vars(owner)[name]
    setattr(owner, name, value)
    try:
        yield
    finally:
        setattr(owner, name, before)


class _Unknown:
    """A number nobody computed. It can be collected and handed to a coder; any arithmetic with it is a TypeError."""


def _tolist(tensor: Tensor) -> Any:
    """The values of a tensor without data as nested lists, of which only the shape is known."""

    def nested(shape: Sequence[int]) -> Any:
        return [nested(shape[1:])] * shape[0] if shape else _Unknown()

    return nested(tensor.shape)


def _replacements(call: MetaCall) -> Iterator[tuple[Any, str, Any]]:
    from compressai import ans
    from compressai.entropy_models import EntropyBottleneck, EntropyModel
    from compressai.models.google import JointAutoregressiveHierarchicalPriors

    yield EntropyBottleneck, "forward", factorized_prior_forward
    yield EntropyBottleneck, "decompress", _bottleneck_decompress
    yield EntropyModel, "compress", _model_compress
    yield EntropyModel, "decompress", _model_decompress
    for name in ("_compress_ar", "_decompress_ar"):
        yield JointAutoregressiveHierarchicalPriors, name, _one_position(_own_loop(name), call)
    coders: dict[type, type] = {
        ans.RansEncoder: _NoEncoder,
        ans.BufferedRansEncoder: _NoEncoder,
        ans.RansDecoder: _NoDecoder,
    }
    for module in list(sys.modules.values()):  # networks import the coders by name, each into its own module
        for coder, replacement in coders.items():
            if isinstance(module, ModuleType) and vars(module).get(coder.__name__) is coder:
                yield module, coder.__name__, replacement


def _no_tables() -> Iterator[tuple[Any, str, Any]]:
    """Coder tables are not made for networks that are never run."""
    from compressai.entropy_models import EntropyBottleneck, GaussianConditional

    yield EntropyBottleneck, "update", _no_update
    yield GaussianConditional, "update_scale_table", _scale_table


def _not_initialised(initialise: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """An initialiser that leaves tensors without data alone."""

    def either(tensor: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        return tensor if tensor.is_meta else initialise(tensor, *args, **kwargs)

    return either


@cache
def _own_loop(name: str) -> Callable[..., Any]:
    """CompressAI's own loop, kept at first use, before anything was replaced."""
    from compressai.models.google import JointAutoregressiveHierarchicalPriors

    loop: Callable[..., Any] = getattr(JointAutoregressiveHierarchicalPriors, name)
    return loop


def _for_meta(replacement: Callable[..., Any], original: Callable[..., Any]) -> Callable[..., Any]:
    """The replacement for networks on the meta device, the original for all others."""

    def either(self: nn.Module, *args: Any, **kwargs: Any) -> Any:
        return (replacement if is_meta(self) else original)(self, *args, **kwargs)

    return either


def _apply(self: nn.Module, function: Callable[[Tensor], Tensor], recurse: bool = True) -> nn.Module:
    """Module.to and the like, for tensors that cannot leave their device."""
    for module in self.modules():
        for name, weight in module.named_parameters(recurse=False):
            if (moved := function(weight)) is not weight:
                module._parameters[name] = nn.Parameter(moved, weight.requires_grad)
        for name, tensor in module.named_buffers(recurse=False):
            module._buffers[name] = function(tensor)
    return self


def _no_update(self: Any, *args: Any, **kwargs: Any) -> bool:
    return False


def _scale_table(self: Any, scale_table: Sequence[float], *args: Any, **kwargs: Any) -> bool:
    self.scale_table = torch.zeros(len(scale_table))  # the search for a table row costs one comparison per entry
    return True


def _bottleneck_decompress(self: Any, strings: Sequence[bytes], size: Sequence[int]) -> Tensor:
    shape = (len(strings), self.channels, *size)
    medians = self._extend_ndims(self._get_medians().detach(), len(size))
    medians = medians.expand(len(strings), *([-1] * (len(size) + 1)))
    return _model_decompress(self, strings, self._build_indexes(shape), medians.dtype, medians)


def _model_compress(self: Any, inputs: Tensor, indexes: Tensor, means: Tensor | None = None) -> list[bytes]:
    self.quantize(inputs, "symbols", means)
    return [b""] * inputs.size(0)


def _model_decompress(
    self: Any, strings: Sequence[bytes], indexes: Tensor, dtype: torch.dtype = torch.float, means: Tensor | None = None
) -> Tensor:
    entropy_decoder_read()
    symbols = torch.zeros(indexes.shape, dtype=torch.int32, device=indexes.device)
    return self.dequantize(symbols, means, dtype)  # type: ignore[no-any-return]


def _one_position(loop: Callable[..., Any], call: MetaCall) -> Callable[..., Any]:
    """A loop over latent positions that runs its body once and counts it for every position.

    One round is taken n times, and what happens without any round -n + 1 times, so that the work before the loop,
    which both include, counts once.
    """

    def run(self: Any, *args: Any) -> Any:
        *tensors, height, width, kernel_size, padding = args
        with call.repeated(height * width):
            result = loop(self, *tensors, 1, 1, kernel_size, padding)
        with call.repeated(1 - height * width):
            loop(self, *tensors, 0, 0, kernel_size, padding)
        return result

    return run


class _NoEncoder:
    """CompressAI's rANS encoders: takes anything, writes nothing."""

    def encode_with_indexes(self, *args: Any) -> bytes:
        return b""

    def flush(self) -> bytes:
        return b""


class _NoDecoder:
    """CompressAI's rANS decoder: every symbol is zero."""

    def set_stream(self, stream: bytes) -> None:
        pass

    def decode_stream(self, indexes: Sequence[int], *args: Any) -> list[int]:
        entropy_decoder_read()
        return [0] * len(indexes)

    def decode_with_indexes(self, stream: bytes, indexes: Sequence[int], *args: Any) -> list[int]:
        return self.decode_stream(indexes)
