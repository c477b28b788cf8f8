"""Calling a network without running it: meta tensors have shapes and no data, so entropy coders are put aside.

Inside `on_meta_device()` a network in CompressAI's shape can be called on meta tensors, `compress` and `decompress`
included: nothing is computed or coded, decoded symbols are zeros, and a loop over latent positions runs once and says
how often it would have run. The replacements are process-wide while they last, may be nested, and are undone on any
error. (torch's FakeTensorMode does more than is needed here and takes twice as long.)
"""

from __future__ import annotations

import copy
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from itertools import chain
from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils._device import _device_constructors
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_map_only

from lic_bench.complexity.meta_shapes import SHORTCUTS

META = torch.device("meta")
_INITIALISERS = tuple(name for name in vars(nn.init) if name.endswith("_") and not name.startswith("_"))


@dataclass
class MetaCall:
    """What a pretended call tells its counters.

    `times` is how often the work now seen counts (a loop's body is run once for all its rounds). `reads` is the number
    of symbols' groups the entropy decoder was asked for one after another: the serial steps of a decoder.
    """

    times: int = 1
    reads: int = 0

    @contextmanager
    def repeated(self, rounds: int) -> Iterator[None]:
        """Let the work inside count `rounds` times."""
        before = self.times
        self.times = before * rounds
        try:
            yield
        finally:
            self.times = before


_current: list[MetaCall] = []


def entropy_decoder_read() -> None:
    """Called by networks with entropy coders of their own at every read that later computation waits for."""
    if _current:
        _current[-1].reads += _current[-1].times


@contextmanager
def repeated(rounds: int) -> Iterator[None]:
    """Called by networks that do one round of a loop for all its rounds, where nothing holds data; free otherwise."""
    if not _current:
        yield
        return
    with _current[-1].repeated(rounds):
        yield


def is_meta(module: nn.Module) -> bool:
    """Whether some parameter or buffer has no data, so that the module cannot be run."""
    return any(tensor.is_meta for tensor in chain(module.parameters(), module.buffers()))


def meta_copy(module: nn.Module) -> nn.Module:
    """The same modules around parameters without data: no weight is copied, and the original is never touched."""
    memo: dict[int, Any] = {}
    for tensor in chain(module.parameters(), module.buffers()):
        hollow = tensor.detach().to(META)
        memo[id(tensor)] = nn.Parameter(hollow, tensor.requires_grad) if isinstance(tensor, nn.Parameter) else hollow
    return copy.deepcopy(module, memo)


@contextmanager
def building() -> Iterator[None]:
    """Networks made inside have no weights: no memory, no time for initial values, no coder tables.

    Numbers that are written down (torch.tensor, arange, linspace) stay real, for networks work out widths from them.
    """
    replacements = (
        (nn.Module, "_apply", _for_meta(_apply, nn.Module._apply)),
        *_replacements(MetaCall()),
        *_no_tables(),
        *((nn.init, name, _not_initialised(getattr(nn.init, name))) for name in _INITIALISERS),
    )
    with ExitStack() as stack:
        for owner, name, value in replacements:
            stack.enter_context(_replaced(owner, name, value))
        for context in (torch.no_grad(), _Functions(_constructors(written_down=False)), _operators()):
            stack.enter_context(context)
        yield


@contextmanager
def on_meta_device() -> Iterator[MetaCall]:
    """Let meta tensors be called: every new tensor is one, and CompressAI's coders and position loops are put aside."""
    meta_call = MetaCall()
    with ExitStack() as stack:
        if "compressai.entropy_models" in sys.modules:
            for owner, name, value in _replacements(meta_call):
                stack.enter_context(_replaced(owner, name, value))
        stack.enter_context(warnings.catch_warnings())
        warnings.filterwarnings("ignore", "Inference on GPU is not recommended")  # a device without data is no CPU
        for context in (torch.no_grad(), _Functions(_constructors(written_down=True)), _operators()):
            stack.enter_context(context)
        _current.append(meta_call)
        stack.callback(_current.remove, meta_call)
        yield meta_call


def _constructors(written_down: bool) -> frozenset[Any]:
    """The functions that make tensors from nothing; those that take numbers only if asked for."""
    numbers = () if written_down else (torch.tensor, torch.as_tensor, torch.arange, torch.linspace, torch.logspace)
    return frozenset(_device_constructors()) - frozenset(numbers)


class _Functions(TorchFunctionMode):
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


class _Operators(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Everything is on one device, the one without data, whatever a network asks for or brings along."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        shortcut = SHORTCUTS.get(func)
        if shortcut is not None and not kwargs and args[0].is_meta and (known := shortcut(args)) is not None:
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


def _operators() -> TorchDispatchMode:
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


def _replacements(meta_call: MetaCall) -> Iterator[tuple[Any, str, Any]]:
    from compressai import ans
    from compressai.entropy_models import EntropyBottleneck, EntropyModel
    from compressai.models.google import JointAutoregressiveHierarchicalPriors

    yield EntropyBottleneck, "forward", _bottleneck_forward
    yield EntropyBottleneck, "decompress", _bottleneck_decompress
    yield EntropyModel, "compress", _model_compress
    yield EntropyModel, "decompress", _model_decompress
    for name in ("_compress_ar", "_decompress_ar"):
        yield JointAutoregressiveHierarchicalPriors, name, _one_position(_own_loop(name), meta_call)
    coders: dict[type, type] = {
        ans.RansEncoder: _MetaEncoder,
        ans.BufferedRansEncoder: _MetaEncoder,
        ans.RansDecoder: _MetaDecoder,
    }
    for module in list(sys.modules.values()):  # networks import the coders by name, each into its own module
        for coder, pretended in coders.items():
            if isinstance(module, ModuleType) and vars(module).get(coder.__name__) is coder:
                yield module, coder.__name__, pretended


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


def _for_meta(pretended: Callable[..., Any], original: Callable[..., Any]) -> Callable[..., Any]:
    """The pretended method for networks without data, the original for all others."""

    def either(self: nn.Module, *args: Any, **kwargs: Any) -> Any:
        return (pretended if is_meta(self) else original)(self, *args, **kwargs)

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


def _bottleneck_forward(self: Any, x: Tensor, training: bool | None = None) -> tuple[Tensor, Tensor]:
    """EntropyBottleneck.forward with its permutation written in integers instead of tensors."""
    order = (1, 0, *range(2, x.dim()))
    values = x.permute(*order).contiguous()
    noisy = self.training if training is None else training
    outputs = self.quantize(
        values.reshape(values.size(0), 1, -1), "noise" if noisy else "dequantize", self._get_medians()
    )
    likelihood, _, _ = self._likelihood(outputs)
    if self.use_likelihood_bound:
        likelihood = self.likelihood_lower_bound(likelihood)
    shape = values.shape
    return (
        outputs.reshape(shape).permute(*order).contiguous(),
        likelihood.reshape(shape).permute(*order).contiguous(),
    )


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


def _one_position(loop: Callable[..., Any], meta_call: MetaCall) -> Callable[..., Any]:
    """A loop over latent positions that runs its body once and counts it for every position.

    One round is taken n times, and what happens without any round -n + 1 times, so that the work before the loop,
    which both include, counts once.
    """

    def run(self: Any, *args: Any) -> Any:
        *tensors, height, width, kernel_size, padding = args
        with meta_call.repeated(height * width):
            result = loop(self, *tensors, 1, 1, kernel_size, padding)
        with meta_call.repeated(1 - height * width):
            loop(self, *tensors, 0, 0, kernel_size, padding)
        return result

    return run


class _MetaEncoder:
    """CompressAI's rANS encoders: takes anything, writes nothing."""

    def encode_with_indexes(self, *args: Any) -> bytes:
        return b""

    def flush(self) -> bytes:
        return b""


class _MetaDecoder:
    """CompressAI's rANS decoder: every symbol is zero."""

    def set_stream(self, stream: bytes) -> None:
        pass

    def decode_stream(self, indexes: Sequence[int], *args: Any) -> list[int]:
        entropy_decoder_read()
        return [0] * len(indexes)

    def decode_with_indexes(self, stream: bytes, indexes: Sequence[int], *args: Any) -> list[int]:
        return self.decode_stream(indexes)
