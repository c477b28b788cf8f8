"""How long LoC-LIC and MLIC++ take on one thread, beside what the machine can do at that moment.

    python benchmarks/mlic.py [--passes 3] [--size 768x512] [NAME ...]

Encode and decode are timed in CPU seconds, each between two runs of a plain convolution and a matrix product, so that
a busy or a slower machine shows in all of them. Printed for each call: median seconds; the ratio to the time that a
plain convolution would take for the multiply-accumulates that are made (and the ratio not to be exceeded); the share
of the matrix product's rate that is reached; and the seconds in each part, what is left being entropy coding and the
moving of symbols. Parts are timed in a pass of their own.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import nn

from lic_bench.complexity.mac_counter import count
from lic_bench.registry import codecs

# Seconds not to be exceeded at 768x512 on a machine whose plain convolution runs at QUIET GMAC/s.
LIMITS = {"loc-lic": (1.9, 2.1), "mlicpp": (5.2, 6.6), "mlicpp-2023": (6.5, 8.0)}
QUIET = 56.0

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


def report(name: str, width: int, height: int, passes: int) -> None:
    """Time one codec and print what came out."""
    card = codecs.get(name)
    codec = card.load(card.points[0])
    image = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    stream = codec.encode(image)
    for place, (call, run) in enumerate({"encode": lambda: codec.encode(image),
                                         "decode": lambda: codec.decode(stream)}.items()):  # fmt: skip
        run()
        counted = count(codec, width, height, call)  # type: ignore[arg-type]
        gmac = counted.executed_macs / 1e9
        taken, ratios, shares = [], [], []
        for _ in range(passes):
            before = machine_rates()
            taken.append(seconds(run))
            convolution, product = ((a + b) / 2 for a, b in zip(before, machine_rates(), strict=True))
            ratios.append(taken[-1] * convolution / gmac)
            shares.append(gmac / taken[-1] / product)
        limit = LIMITS[name][place] * QUIET / gmac
        with by_part(codec.network) as spent:  # type: ignore[attr-defined]
            whole = seconds(run)
        print(f"{name} {call}: {statistics.median(taken):.2f} s, {statistics.median(ratios):.2f} x plain convolution "
              f"(at most {limit:.2f}), {statistics.median(shares):.0%} of the matrix product's rate "
              f"({convolution:.1f} and {product:.1f} GMAC/s here)")  # fmt: skip
        print(f"    {counted.kmac_per_pixel:.1f} kMAC/pixel {counted.note}")
        rest = whole - sum(spent.values())
        print("    " + ", ".join(f"{part} {s:.2f}" for part, s in [*spent.items(), ("everything else", rest)]) + " s")


def main() -> None:
    """Read the command line and time each codec."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", default=list(LIMITS), metavar="NAME")
    parser.add_argument("--passes", type=int, default=3)
    parser.add_argument("--size", default="768x512")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    width, height = map(int, arguments.size.split("x"))
    with torch.inference_mode():
        for name in arguments.names:
            report(name, width, height, arguments.passes)


if __name__ == "__main__":
    main()
