"""Calling a network without running it: fake tensors have shapes and no data, so entropy coders are put aside.

Inside `pretending()` a network in CompressAI's shape can be called on fake tensors, `compress` and `decompress`
included: nothing is coded, decoded symbols are zeros, and a loop over latent positions runs once and says how often it
would have run. The replacements are process-wide while they last, may be nested, and are undone on any error.
"""

from __future__ import annotations

import copy
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from itertools import chain
from typing import Any

import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensor, FakeTensorMode


@dataclass
class Pretence:
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


_current: list[Pretence] = []


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


def fake_mode_of(module: nn.Module) -> FakeTensorMode | None:
    """The mode a module was built in when its parameters are fake, or None for one with real parameters."""
    for tensor in chain(module.parameters(), module.buffers()):
        if isinstance(tensor, FakeTensor):
            return tensor.fake_mode
    return None


def twin(module: nn.Module, mode: FakeTensorMode) -> nn.Module:
    """The same modules around fake parameters: no weight is copied, and the original is never touched."""
    if fake_mode_of(module) is mode:
        return module
    memo = {id(tensor): mode.from_tensor(tensor) for tensor in chain(module.parameters(), module.buffers())}
    return copy.deepcopy(module, memo)


@contextmanager
def building() -> Iterator[FakeTensorMode]:
    """Networks made inside have fake parameters: no memory, no time for initial values, no coder tables."""
    mode = FakeTensorMode(allow_non_fake_inputs=True)
    moving = _replaced(nn.Module, "_apply", _or_fake(nn.Module._apply, _apply))
    with pretending(compressai=True), moving, torch.no_grad(), mode:
        yield mode


@contextmanager
def pretending(compressai: bool = False) -> Iterator[Pretence]:
    """Put CompressAI's entropy coders and position loops aside, if anybody imported them (or `compressai` is True)."""
    pretence = Pretence()
    with ExitStack() as stack:
        stack.enter_context(_replaced(FakeTensor, "tolist", _tolist))
        if compressai or "compressai.entropy_models" in sys.modules:
            for owner, name, value in _replacements(pretence):
                stack.enter_context(_replaced(owner, name, value))
        _current.append(pretence)
        stack.callback(_current.remove, pretence)
        yield pretence


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
    """The values of a fake tensor as nested lists, of which only the shape is known."""

    def nested(shape: Sequence[int]) -> Any:
        return [nested(shape[1:])] * shape[0] if shape else _Unknown()

    return nested(tensor.shape)


def _replacements(pretence: Pretence) -> Iterator[tuple[Any, str, Any]]:
    from compressai import ans
    from compressai.entropy_models import EntropyBottleneck, EntropyModel, GaussianConditional
    from compressai.models.google import JointAutoregressiveHierarchicalPriors

    yield EntropyBottleneck, "forward", _bottleneck_forward
    yield EntropyBottleneck, "decompress", _bottleneck_decompress
    yield EntropyBottleneck, "update", _or_fake(EntropyBottleneck.update, _no_update)
    yield GaussianConditional, "update_scale_table", _or_fake(GaussianConditional.update_scale_table, _scale_table)
    yield EntropyModel, "compress", _model_compress
    yield EntropyModel, "decompress", _model_decompress
    for name in ("_compress_ar", "_decompress_ar"):
        yield JointAutoregressiveHierarchicalPriors, name, _one_position(_own_loop(name), pretence)
    coders = {
        ans.RansEncoder: _PretendedEncoder,
        ans.BufferedRansEncoder: _PretendedEncoder,
        ans.RansDecoder: _PretendedDecoder,
    }
    for module in list(sys.modules.values()):  # networks import the coders by name, each into its own module
        for name, value in list(vars(module).items()) if _is_network_code(module) else ():
            if isinstance(value, type) and value in coders:
                yield module, name, coders[value]


def _is_network_code(module: object) -> bool:
    name = getattr(module, "__name__", "")
    return isinstance(module, type(sys)) and name.partition(".")[0] not in ("torch", "numpy", "scipy", "pandas")


@cache
def _own_loop(name: str) -> Callable[..., Any]:
    """CompressAI's own loop, kept at first use, before anything was replaced."""
    from compressai.models.google import JointAutoregressiveHierarchicalPriors

    loop: Callable[..., Any] = getattr(JointAutoregressiveHierarchicalPriors, name)
    return loop


def _or_fake(original: Callable[..., Any], pretended: Callable[..., Any]) -> Callable[..., Any]:
    """The original for real networks, the pretended one for networks without data."""

    def either(self: nn.Module, *args: Any, **kwargs: Any) -> Any:
        return (pretended if fake_mode_of(self) else original)(self, *args, **kwargs)

    return either


def _apply(self: nn.Module, function: Callable[[Tensor], Tensor], recurse: bool = True) -> nn.Module:
    """Module.to and the like without torch's exchange of tensors in place, which fake ones refuse."""
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


def _one_position(loop: Callable[..., Any], pretence: Pretence) -> Callable[..., Any]:
    """A loop over latent positions that runs its body once and counts it for every position.

    One round is taken n times, and what happens without any round -n + 1 times, so that the work before the loop,
    which both include, counts once.
    """

    def run(self: Any, *args: Any) -> Any:
        *tensors, height, width, kernel_size, padding = args
        with pretence.repeated(height * width):
            result = loop(self, *tensors, 1, 1, kernel_size, padding)
        with pretence.repeated(1 - height * width):
            loop(self, *tensors, 0, 0, kernel_size, padding)
        return result

    return run


class _PretendedEncoder:
    """CompressAI's rANS encoders: takes anything, writes nothing."""

    def encode_with_indexes(self, *args: Any) -> bytes:
        return b""

    def flush(self) -> bytes:
        return b""


class _PretendedDecoder:
    """CompressAI's rANS decoder: every symbol is zero."""

    def set_stream(self, stream: bytes) -> None:
        pass

    def decode_stream(self, indexes: Sequence[int], *args: Any) -> list[int]:
        entropy_decoder_read()
        return [0] * len(indexes)

    def decode_with_indexes(self, stream: bytes, indexes: Sequence[int], *args: Any) -> list[int]:
        return self.decode_stream(indexes)
