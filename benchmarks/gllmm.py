"""How long GLLMM takes to decode on one thread along wavefronts and in raster order, and where the time goes.

    python benchmarks/gllmm.py [--size 768x512] [--passes 3] [NAME ...]

The authors' decoder goes position by position; 467.9 s are told of it for a Kodak picture, on a machine that is not
named. Wanted here along wavefronts, for 768x512: under 8 s with 128 channels and under 18 s with 256. The two orders
take turns, so that a busy machine shows in both. Weights are random: times hold, rates do not.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import wraps
from typing import Any

import numpy as np
import torch
from lic_bench.zoo.networks import gllmm, mixture

from lic_bench.registry import codecs

WANTED_SECONDS = {"gllmm-128": 8.0, "gllmm-256": 18.0}
ORDERS = {"wavefronts": False, "raster": True}
PARTS = {
    "parameter network": (gllmm._GroupParameters, "__call__"),
    "tables": (mixture._Alphabet, "rows"),
    "tables and coder": (mixture.MixtureReader, "read"),
    "synthesis": (gllmm.Synthesis, "forward"),
}


@contextmanager
def watched(owner: Any, method: str, spent: Counter[str], name: str) -> Iterator[None]:
    """Add up the CPU seconds in one method of a class."""
    original: Callable[..., Any] = getattr(owner, method)

    @wraps(original)
    def timed(*arguments: Any) -> Any:
        begun = time.process_time()
        try:
            return original(*arguments)
        finally:
            spent[name] += time.process_time() - begun  # type: ignore[assignment]

    setattr(owner, method, timed)
    try:
        yield
    finally:
        setattr(owner, method, original)


def seconds(call: Callable[[], object]) -> tuple[float, float]:
    """Wall and CPU seconds of one call."""
    wall, cpu = time.perf_counter(), time.process_time()
    call()
    return time.perf_counter() - wall, time.process_time() - cpu


def where(call: Callable[[], object]) -> dict[str, float]:
    """CPU seconds in each part of a decode."""
    spent: Counter[str] = Counter()
    with ExitStack() as stack:
        for name, (owner, method) in PARTS.items():
            stack.enter_context(watched(owner, method, spent, name))
        _, whole = seconds(call)
    found = {name: float(spent[name]) for name in ("parameter network", "tables", "synthesis")}
    found["coder"] = spent["tables and coder"] - spent["tables"]
    found["everything else"] = whole - sum(found.values())
    return found


def report(name: str, width: int, height: int, passes: int) -> None:
    """Time one codec in both orders and print what came out."""
    card = codecs.get(name)
    codec: Any = card.load(card.points[0])
    rows, columns = np.mgrid[0:height, 0:width]
    image = np.stack([128 + 90 * np.sin(rows / (9 + c)) * np.cos(columns / (7 - c)) for c in range(3)], axis=-1)
    image = (image + np.random.default_rng(0).normal(0, 6, image.shape)).clip(0, 255).astype(np.uint8)
    streams, pictures = {}, {}
    for order, raster in ORDERS.items():
        codec.network.in_raster_order = raster
        streams[order] = codec.encode(image)
        pictures[order] = codec.decode(streams[order])
    assert np.array_equal(*pictures.values()), "the two orders decode to different pictures"
    taken: dict[str, list[tuple[float, float]]] = {order: [] for order in ORDERS}
    for _ in range(passes):
        for order, raster in ORDERS.items():
            codec.network.in_raster_order = raster
            taken[order].append(seconds(lambda order=order: codec.decode(streams[order])))  # type: ignore[misc]
    latent = [side // 16 for side in codec.padded_size(width, height)]
    for order, raster in ORDERS.items():
        codec.network.in_raster_order = raster
        steps = len(codec.network._groups(latent[1], latent[0]))
        wall, cpu = (statistics.median(times) for times in zip(*taken[order], strict=True))
        parts = where(lambda order=order: codec.decode(streams[order]))  # type: ignore[misc]
        print(f"{name} {width}x{height} {order}: {steps} steps, {wall:.2f} s wall, {cpu:.2f} s CPU; "
              + ", ".join(f"{part} {s:.2f}" for part, s in parts.items()))  # fmt: skip
    ratio = statistics.median(raster[1] / wave[1] for wave, raster in zip(*taken.values(), strict=True))
    print(f"    raster takes {ratio:.2f} times as long as wavefronts")
    if name in WANTED_SECONDS and (width, height) == (768, 512):
        best = statistics.median(cpu for _, cpu in taken["wavefronts"])
        good = "as wanted" if best < WANTED_SECONDS[name] else "NOT as wanted"
        print(f"    {best:.2f} s along wavefronts, wanted under {WANTED_SECONDS[name]:g}: {good}; "
              f"{467.9 / best:.0f} times as fast as what is told of the authors' decoder")  # fmt: skip


def main() -> None:
    """Read the command line and time each codec."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", default=list(WANTED_SECONDS), metavar="NAME")
    parser.add_argument("--passes", type=int, default=3)
    parser.add_argument("--size", default="768x512")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    width, height = map(int, arguments.size.split("x"))
    for name in arguments.names:
        report(name, width, height, arguments.passes)


if __name__ == "__main__":
    main()
