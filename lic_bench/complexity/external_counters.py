"""Other people's counters on the same call, and why they differ from ours, operator by operator.

fvcore, ptflops (both back ends) and torch's FlopCounterMode run the network; what they count they give by operators of
their own naming. All figures are multiply-accumulates by their own rules: torch's FLOP are halved. fvcore and ptflops
are called as their manuals say, torch's counter as evaluation calls a network, without gradients.
"""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import torch
from torch import nn

from lic_bench.codec import HasParts
from lic_bench.complexity import op_formulas
from lic_bench.complexity.mac_counter import Trace, as_published, trace
from lic_bench.errors import RequestError


@dataclass(frozen=True)
class ExternalCount:
    """What another counter says of one forward call: by its own operators, and those it says it does not know."""

    auditor: str
    by_operator: Mapping[str, int]
    unsupported: Mapping[str, int] = field(default_factory=dict)

    @property
    def macs(self) -> int:
        """The counter's total."""
        return sum(self.by_operator.values())


@dataclass(frozen=True)
class Difference:
    """A part of the difference between another counter and ours: theirs less ours, and the reason."""

    auditor: str
    kind: str
    macs: int
    reason: str


@dataclass(frozen=True)
class Comparison:
    """One network under another counter and ours, over the pixels of the picture, and why the two differ."""

    network: str
    pixels: int
    ours: int
    theirs: ExternalCount
    differences: tuple[Difference, ...]


def fvcore(module: nn.Module, inputs: Sequence[Any]) -> ExternalCount:
    """fvcore's FlopCountAnalysis; one of its flops is one multiply-accumulate. The network is traced and run."""
    from fvcore.nn import FlopCountAnalysis

    logging.getLogger("fvcore").setLevel(logging.ERROR)
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
            raise RequestError(f"There is no auditor {name!r}; there are {', '.join(EXTERNAL_COUNTERS)}.")
    return tuple(counter for name in asked for counter in EXTERNAL_COUNTERS[name])


def compare(
    name: str, codec: HasParts, width: int, height: int, counters: Sequence[ExternalCounter]
) -> Iterator[Comparison]:
    """One codec's forward call under other counters, which run it on noise, and under ours."""
    ours = trace(codec, width, height)
    total = sum(piece.macs for piece in ours.op_records)
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

_REASONS = {
    ("fvcore", "convolutions"): "other rules for these convolutions",
    ("fvcore", "products"): "does not know {unsupported}",
    ("fvcore", "other work"): "counts {names} as multiply-accumulates",
    ("ptflops aten", "convolutions"): "adds one operation per output for every bias",
    ("ptflops aten", "products"): "adds biases; knows mm, addmm, bmm and no other product, nor fused attention",
    ("ptflops pytorch", "convolutions"): "sees modules of torch's own classes only: no raw weights (GDN), no "
    "subclasses (masked convolutions); adds biases",
    ("ptflops pytorch", "products"): "sees modules and a few functions only: not @, einsum or raw weights",
    ("ptflops pytorch", "other work"): "counts {names} as multiply-accumulates",
    ("torch", "convolutions"): "other rules for these convolutions",
    ("torch", "products"): "counts 0 for fused attention, mv and recurrent layers",
}


def differences(ours: Trace, theirs: ExternalCount) -> tuple[Difference, ...]:
    """Why another counter differs; the parts add up to theirs less ours exactly. None where the two agree."""
    mine: Counter[str] = Counter()
    for piece in ours.op_records:
        mine["convolutions" if piece.operator in _CONVOLUTIONS else "products"] += piece.macs
    other: Counter[str] = Counter()
    names: dict[str, None] = {}
    for name, number in theirs.by_operator.items():
        product = "products" if name in _THEIR_PRODUCTS else "other work"
        kind = "convolutions" if name in _THEIR_CONVOLUTIONS else product
        other[kind] += number
        if kind == "other work" and number:
            names[name] = None
    words = {
        "names": ", ".join(names),
        "unsupported": ", ".join(n for n in theirs.unsupported if "attention" in n or "matmul" in n or "mv" in n)
        or "some products",
    }
    return tuple(
        Difference(
            theirs.auditor,
            kind,
            other[kind] - mine[kind],
            _REASONS.get((theirs.auditor, kind), "counted by other rules").format(**words),
        )
        for kind in ("convolutions", "products", "other work")
        if other[kind] != mine[kind]
    )


@contextlib.contextmanager
def _quietly() -> Any:
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        yield
