"""External counters (fvcore, ptflops, torch) on the same call, and where they differ from ours, op by op.

fvcore, ptflops (both back ends) and torch's FlopCounterMode execute the network; what they count they give by ops of
their own naming. All figures are MACs by their own rules: torch's FLOP are halved. fvcore and ptflops are called as
their manuals say, torch's counter as evaluation calls a network, without gradients.
"""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeAlias

import torch
from torch import nn

from lic_bench.codec import CodecCard, HasParts
from lic_bench.complexity import codec_complexity, op_formulas
from lic_bench.complexity.mac_counter import Trace, as_published, trace
from lic_bench.errors import RequestError


@dataclass(frozen=True)
class ExternalCount:
    """What another counter counts in one forward call, by its own ops, and the ops it says it does not know."""

    counter: str
    by_operator: Mapping[str, int]
    unsupported: Mapping[str, int] = field(default_factory=dict)

    @property
    def macs(self) -> int:
        """The counter's total."""
        return sum(self.by_operator.values())


class OpKind(StrEnum):
    """What ops are compared by."""

    CONVOLUTIONS = "convolutions"
    PRODUCTS = "products"
    NON_MAC = "other work"


@dataclass(frozen=True)
class Difference:
    """How far another counter is from ours in one kind of op: theirs less ours.

    `names` are the counter's own ops of this kind, `missed` the products that it says it does not know.
    """

    counter: str
    kind: OpKind
    macs: int
    names: tuple[str, ...] = ()
    missed: tuple[str, ...] = ()


@dataclass(frozen=True)
class Comparison:
    """One network under another counter and ours, over the pixels of the picture, and where the two differ."""

    network: str
    pixels: int
    ours: int
    theirs: ExternalCount
    differences: tuple[Difference, ...]


def fvcore(module: nn.Module, inputs: Sequence[Any]) -> ExternalCount:
    """fvcore's FlopCountAnalysis; one of its flops is one multiply-accumulate. The network is traced and run."""
    from fvcore.nn import FlopCountAnalysis

    analysis = FlopCountAnalysis(module, tuple(inputs))
    analysis.unsupported_ops_warnings(False).uncalled_modules_warnings(False).tracer_warnings("none")
    with _quietly():
        counts = {str(name): int(number) for name, number in analysis.by_operator().items()}
        return ExternalCount("fvcore", counts, dict(analysis.unsupported_ops()))


def ptflops_aten(module: nn.Module, inputs: Sequence[Any]) -> ExternalCount:
    """ptflops with its dispatch back end."""
    from ptflops.aten_engine import FlopCounterMode

    counter = FlopCounterMode(module, output_params={"print_params": {"file": io.StringIO()}, "serialize_params": {}})
    hooks = [(child._forward_pre_hooks, child._forward_hooks) for child in module.children()]
    try:
        with _quietly():
            counter.__enter__()  # its own __enter__ returns nothing
            try:
                module(*inputs)
            finally:
                counter.__exit__(None, None, None)
    finally:
        for before, after in hooks:  # the counter leaves its two hooks behind
            before.popitem()
            after.popitem()
    counts = counter.flop_counts["Global"]
    return ExternalCount("ptflops aten", {str(name).rpartition(".")[2]: int(number) for name, number in counts.items()})


def ptflops_pytorch(module: nn.Module, inputs: Sequence[Any]) -> ExternalCount:
    """ptflops with hooks on modules and patched functions; its counts by the modules' classes."""
    from ptflops import pytorch_engine as engine

    functions: list[int] = []
    tensors: list[int] = []
    with _quietly():
        counted = engine.add_flops_counting_methods(module)
        counted.start_flops_count(ost=io.StringIO(), verbose=False, ignore_list=[])
        engine.patch_functional(functions)
        engine.patch_tensor_ops(tensors)
        try:
            module(*inputs)
            counts: Counter[str] = Counter()
            for inner in module.modules():
                if engine.is_supported_instance(inner):
                    counts[type(inner).__name__] += int(vars(inner)["__flops__"])
        finally:
            counted.stop_flops_count()
            engine.unpatch_functional()
            engine.unpatch_tensor_ops()
    counts["functions"] += int(sum(functions))
    counts["tensor operators"] += int(sum(tensors))
    return ExternalCount("ptflops pytorch", {name: number for name, number in counts.items() if number})


def torch_flops(module: nn.Module, inputs: Sequence[Any]) -> ExternalCount:
    """torch's FlopCounterMode, halved: two of its flops are one multiply-accumulate."""
    from torch.utils.flop_counter import FlopCounterMode

    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        module(*inputs)
    counts = counter.get_flop_counts().get("Global", {})
    return ExternalCount("torch", {str(name).rpartition(".")[2]: int(number) // 2 for name, number in counts.items()})


ExternalCounter: TypeAlias = Callable[[nn.Module, Sequence[Any]], ExternalCount]
EXTERNAL_COUNTERS: Mapping[str, tuple[ExternalCounter, ...]] = {
    "fvcore": (fvcore,),
    "ptflops": (ptflops_aten, ptflops_pytorch),
    "torch": (torch_flops,),
}


def named(names: str) -> tuple[ExternalCounter, ...]:
    """The counters of a list such as "fvcore,ptflops"; RequestError for a name that is not one."""
    asked = [name.strip() for name in names.split(",") if name.strip()]
    for name in asked:
        if name not in EXTERNAL_COUNTERS:
            raise RequestError(f"There is no external counter {name!r}; there are {', '.join(EXTERNAL_COUNTERS)}.")
    return tuple(counter for name in asked for counter in EXTERNAL_COUNTERS[name])


def compare(
    name: str, codec: HasParts, width: int, height: int, counters: Sequence[ExternalCounter]
) -> Iterator[Comparison]:
    """One codec's forward call under other counters, which run it on noise, and under ours."""
    ours = trace(codec, width, height)
    total = sum(record.macs for record in ours.op_records)
    like = next(codec.network.parameters())
    picture = torch.rand(1, 3, ours.padded_height, ours.padded_width, dtype=like.dtype, device=like.device)
    for counter in counters:
        with as_published(codec.network):
            theirs = counter(codec.network, (picture,))
        yield Comparison(name, width * height, total, theirs, differences(ours, theirs))


_CONVOLUTIONS = {op_formulas.CONVOLUTION, op_formulas.TRANSPOSED, op_formulas.DEFORMABLE}
_THEIR_CONVOLUTIONS = {"conv", "convolution", "_convolution", "Conv1d", "Conv2d", "Conv3d", "ConvTranspose1d",
                       "ConvTranspose2d", "ConvTranspose3d"}  # fmt: skip
_THEIR_PRODUCTS = {"linear", "addmm", "mm", "bmm", "baddbmm", "matmul", "einsum", "Linear", "MultiheadAttention",
                   "tensor operators", "LSTM", "GRU", "RNN", "addbmm",
                   "_scaled_dot_product_flash_attention", "_scaled_dot_product_efficient_attention"}  # fmt: skip


def of_card(card: CodecCard, width: int, height: int, counters: Sequence[ExternalCounter]) -> Iterator[Comparison]:
    """Every network of a codec, untrained, under each counter; nothing for a codec that is not learned."""
    for point in codec_complexity.networks(card):
        name = card.name if point.network in ("", card.name) else f"{card.name} {point.network}"
        yield from compare(name, codec_complexity.loaded(card, point), width, height, counters)


def differences(ours: Trace, theirs: ExternalCount) -> tuple[Difference, ...]:
    """Where another counter differs; the parts add up to theirs less ours exactly. None where the two agree."""
    mine: Counter[OpKind] = Counter()
    for record in ours.op_records:
        mine[OpKind.CONVOLUTIONS if record.operator in _CONVOLUTIONS else OpKind.PRODUCTS] += record.macs
    other: Counter[OpKind] = Counter()
    names: dict[OpKind, list[str]] = {kind: [] for kind in OpKind}
    for name, number in theirs.by_operator.items():
        kind = _kind(name)
        other[kind] += number
        names[kind] += [name] if number else []
    return tuple(
        Difference(theirs.counter, kind, other[kind] - mine[kind], tuple(names[kind]), missed_products(theirs))
        for kind in OpKind
        if other[kind] != mine[kind]
    )


def _kind(name: str) -> OpKind:
    if name in _THEIR_CONVOLUTIONS:
        return OpKind.CONVOLUTIONS
    return OpKind.PRODUCTS if name in _THEIR_PRODUCTS else OpKind.NON_MAC


def missed_products(theirs: ExternalCount) -> tuple[str, ...]:
    """The ops with MACs among those that a counter says it does not know; the others are element-wise and the like."""
    return tuple(name for name in theirs.unsupported if any(part in name for part in ("attention", "matmul", "mv")))


_REASONS = {
    ("fvcore", OpKind.CONVOLUTIONS): "other rules for these convolutions",
    ("fvcore", OpKind.PRODUCTS): "does not know {missed}",
    ("fvcore", OpKind.NON_MAC): "counts {names} as multiply-accumulates",
    ("ptflops aten", OpKind.CONVOLUTIONS): "adds one operation per output for every bias",
    ("ptflops aten", OpKind.PRODUCTS): "adds biases; knows mm, addmm, bmm and no other product, nor fused attention",
    ("ptflops pytorch", OpKind.CONVOLUTIONS): "sees modules of torch's own classes only: no raw weights (GDN), no "
    "subclasses (masked convolutions); adds biases",
    ("ptflops pytorch", OpKind.PRODUCTS): "sees modules and a few functions only: not @, einsum or raw weights",
    ("ptflops pytorch", OpKind.NON_MAC): "counts {names} as multiply-accumulates",
    ("torch", OpKind.CONVOLUTIONS): "other rules for these convolutions",
    ("torch", OpKind.PRODUCTS): "counts 0 for fused attention, mv and recurrent layers",
}


def reason(difference: Difference) -> str:
    """Why a counter differs in one kind of op, as shown to people."""
    text = _REASONS.get((difference.counter, difference.kind), "counted by other rules")
    return text.format(names=", ".join(difference.names), missed=", ".join(difference.missed) or "some products")


@contextlib.contextmanager
def _quietly() -> Iterator[None]:
    """Keep what the counters print, warn and log from the user."""
    logger = logging.getLogger("fvcore")
    before = logger.level
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        logger.setLevel(logging.ERROR)
        try:
            yield
        finally:
            logger.setLevel(before)
