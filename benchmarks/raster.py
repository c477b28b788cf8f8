"""How long networks with a serial context take to decode with CompressAI's loop and with ours, on one thread.

    python benchmarks/raster.py [--size 768x512] [--passes 3] [NAME:POINT ...]

The two take turns, so that a busy machine shows in both; printed are medians of CPU seconds and their ratios. Synthesis
is the same in both, and no loop can make a decoder faster than synthesis alone: the output says what ratio that would
be. Wanted: a third of the time, and a fifth for 768x512. Weights are random, with scales up to 30, so that the entropy
coder is handed about as many tables as by a trained network: times hold, rates do not.
"""

from __future__ import annotations

import argparse
import statistics
import time
from typing import Any

import numpy as np
import torch

from lic_bench.codec import Image
from lic_bench.registry import codecs

DEFAULT = ("mbt2018:1", "mbt2018:5", "cheng2020-anchor:1", "cheng2020-anchor:4", "cheng2020-attn:1", "cheng2020-attn:4")


class Synthesis:
    """The CPU seconds that a network's synthesis took when it was called last."""

    def __init__(self, network: Any) -> None:
        self.seconds = 0.0
        network.g_s.register_forward_pre_hook(self._begin)
        network.g_s.register_forward_hook(self._end)

    def _begin(self, *_: Any) -> None:
        self._begun = time.process_time()

    def _end(self, *_: Any) -> None:
        self.seconds = time.process_time() - self._begun


def picture(width: int, height: int) -> Image:
    """Waves and noise."""
    rows, columns = np.mgrid[0:height, 0:width]
    waves = [128 + 90 * np.sin(rows / (9 + c)) * np.cos(columns / (7 - c)) for c in range(3)]
    noise = np.random.default_rng(0).normal(0, 6, (height, width, 3))
    return (np.stack(waves, axis=-1) + noise).clip(0, 255).astype(np.uint8)


@torch.no_grad()
def with_wide_scales(codec: Any) -> Any:
    """The codec with scales from 0.1 to 30 over the channels."""
    bias = codec.network.entropy_parameters[-1].bias
    bias[: len(bias) // 2] += torch.logspace(-1, 1.5, len(bias) // 2)
    return codec


def report(name: str, label: str, image: Image, passes: int) -> None:
    """Time one network with both loops and print what came out."""
    cards = codecs.get(name), codecs.get(f"{name}@fast")
    library, ours = (with_wide_scales(card.load(card.point(label))) for card in cards)
    begun = time.process_time()
    stream = library.encode(image)
    theirs_encode = time.process_time() - begun
    begun = time.process_time()
    same_stream = ours.encode(image) == stream
    our_encode = time.process_time() - begun
    synthesis = [Synthesis(codec.network) for codec in (library, ours)]
    whole: list[list[float]] = [[], []]
    rest: list[list[float]] = [[], []]
    decoded: list[Image] = [image, image]
    for _ in range(passes):
        for at, codec in enumerate((library, ours)):
            begun = time.process_time()
            decoded[at] = codec.decode(stream)
            whole[at].append(time.process_time() - begun)
            rest[at].append(whole[at][-1] - synthesis[at].seconds)
    (theirs, mine), (their_rest, my_rest) = ([statistics.median(times) for times in both] for both in (whole, rest))
    same = "equal" if same_stream and np.array_equal(*decoded) else "NOT EQUAL"
    print(
        f"{name}:{label}: decode {theirs:.2f} s and {mine:.2f} s, ratio {theirs / mine:.1f}; without synthesis "
        f"{their_rest:.2f} s and {my_rest:.2f} s, ratio {their_rest / my_rest:.1f}; a loop that takes no time would "
        f"have a ratio of {theirs / (mine - my_rest):.1f}; encode {theirs_encode:.2f} s and {our_encode:.2f} s; "
        f"streams and pictures {same}",
        flush=True,
    )


def main() -> None:
    """Read the command line and time each network."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", default=DEFAULT, metavar="NAME:POINT")
    parser.add_argument("--passes", type=int, default=3)
    parser.add_argument("--size", default="768x512")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    width, height = map(int, arguments.size.split("x"))
    for asked in arguments.names:
        name, _, label = asked.partition(":")
        report(name, label or "1", picture(width, height), arguments.passes)


if __name__ == "__main__":
    main()
