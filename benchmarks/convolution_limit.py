"""How far networks are from this machine's convolution limit, on one thread.

    python benchmarks/convolution_limit.py [--passes 3] [--size 768x512] [NAME ...]

The limit of a call is the time that a plain 3x3 convolution (192 channels) takes for the multiply-accumulates which the
call executes. Encode and decode are timed in CPU seconds, each between two runs of that convolution and of a matrix
product, so that a busy or a slower machine shows in all of them. A 1x1 convolution is a matrix product and cannot
exceed its rate, whatever a 3x3 kernel reaches by Winograd's algorithm; so the network's own convolutions and linear
layers are timed as well, each alone on a map of its size and layout. Printed for each call: median seconds; the ratio
to the limit, of the whole call and of the network's parts alone, without the entropy coder and what moves its symbols;
the ratio of the parts to the network's own layers; the share of the matrix product's rate that the parts reach; and
both rates. Parts and layers are timed in passes of their own.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch
from torch import nn

from lic_bench.codec import HasParts
from lic_bench.complexity.mac_counter import count
from lic_bench.records import Call
from lic_bench.registry import codecs

NAMES = ("loc-lic", "mlicpp", "mlicpp-2023", "tcm-small", "flic", "gllmm-128", "hpcm-base", "dcae", "cca", "wacnn")

_CONVOLUTION = nn.Conv2d(192, 192, 3, padding=1)
_MAP = torch.randn(1, 192, 128, 192)
_CONVOLUTION_GMAC = 192 * 192 * 9 * 128 * 192 / 1e9
_MATRIX = torch.randn(1024, 1024)
_MATRIX_GMAC = 1024**3 / 1e9


def seconds(call: Callable[[], object]) -> float:
    """CPU seconds of one call."""
    start = time.process_time()
    call()
    return time.process_time() - start


def machine_rates() -> tuple[float, float]:
    """GMAC per CPU second of a plain convolution and of a matrix product, now."""
    convolution = statistics.median(seconds(lambda: _CONVOLUTION(_MAP)) for _ in range(3))
    product = statistics.median(seconds(lambda: _MATRIX @ _MATRIX) for _ in range(5))
    return _CONVOLUTION_GMAC / convolution, _MATRIX_GMAC / product


@contextmanager
def by_part(network: nn.Module) -> Iterator[dict[str, float]]:
    """CPU seconds in each part while the context is open."""
    spent: dict[str, float] = defaultdict(float)
    started: list[float] = []

    def leave(name: str) -> None:
        spent[name] += time.process_time() - started.pop()

    hooks = []
    for name, part in network.named_children():
        for module in (m for m in (part if isinstance(part, nn.ModuleList) else [part]) if m is not None):
            hooks.append(module.register_forward_pre_hook(lambda *_: started.append(time.process_time())))
            hooks.append(module.register_forward_hook(lambda *_, name=name: leave(name)))
    try:
        yield spent
    finally:
        for hook in hooks:
            hook.remove()


LayerCall = tuple[nn.Module, tuple[int, ...], tuple[int, ...]]
"""A layer, and the shape and strides of its input."""


@contextmanager
def layer_calls(network: nn.Module) -> Iterator[list[LayerCall]]:
    """Every call of a convolution or linear layer while the context is open."""
    calls: list[LayerCall] = []

    def called(layer: nn.Module, given: tuple[torch.Tensor, ...]) -> None:
        calls.append((layer, tuple(given[0].shape), given[0].stride()))

    layers = [m for m in network.modules() if isinstance(m, nn.Conv2d | nn.ConvTranspose2d | nn.Linear)]
    hooks = [layer.register_forward_pre_hook(called) for layer in layers]
    try:
        yield calls
    finally:
        for hook in hooks:
            hook.remove()


def layers_alone(calls: Sequence[LayerCall]) -> float:
    """CPU seconds of these calls, one layer at a time; each different one is timed after a first run."""
    known: dict[LayerCall, float] = {}
    for call in calls:
        if call not in known:
            layer, shape, stride = call
            x = torch.empty_strided(shape, stride).normal_()
            layer(x)
            known[call] = min(seconds(lambda layer=layer, x=x: layer(x)) for _ in range(2))  # type: ignore[misc]
    return sum(known[call] for call in calls)


def report(name: str, width: int, height: int, passes: int) -> None:
    """Time one codec and print what came out."""
    card = codecs.get(name)
    codec = card.load(card.points[0])
    assert isinstance(codec, HasParts)
    image = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    stream = codec.encode(image)
    runs: dict[Call, Callable[[], object]] = {
        Call.ENCODE: lambda: codec.encode(image),
        Call.DECODE: lambda: codec.decode(stream),
    }
    for call, run in runs.items():
        run()
        gmac = count(codec, width, height, call).executed_macs / 1e9
        taken, ratios = [], []
        for _ in range(passes):
            before = machine_rates()
            taken.append(seconds(run))
            convolution, product = ((a + b) / 2 for a, b in zip(before, machine_rates(), strict=True))
            ratios.append(taken[-1] * convolution / gmac)
        with by_part(codec.network) as spent:
            whole = seconds(run)
        with layer_calls(codec.network) as calls:
            run()
        share = sum(spent.values()) / whole  # of the call, in the network's parts
        own = sum(spent.values()) / layers_alone(calls)
        whole_ratio = statistics.median(ratios)
        print(
            f"{name:14}{call:8}{statistics.median(taken):8.2f} s{gmac:9.1f} GMAC{whole_ratio:8.2f}"
            f"{whole_ratio * share:8.2f}{own:8.2f}{convolution / (whole_ratio * share) / product:8.0%}"
            f"   {convolution:.0f} and {product:.0f} GMAC/s",
            flush=True,
        )


def main() -> None:
    """Read the command line and time each codec."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", default=list(NAMES), metavar="NAME")
    parser.add_argument("--passes", type=int, default=3)
    parser.add_argument("--size", default="768x512")
    given = parser.parse_intermixed_args()
    torch.set_num_threads(1)
    width, height = map(int, given.size.split("x"))
    headings = f"{'codec':14}{'call':8}{'time':>10}{'work':>14}{'whole':>8}{'parts':>8}{'layers':>8}{'of mm':>8}"
    print(f"{headings}   convolution, product")
    with torch.inference_mode():
        for name in given.names:
            report(name, width, height, given.passes)


if __name__ == "__main__":
    main()
