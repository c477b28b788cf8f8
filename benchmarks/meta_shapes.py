"""What the table of result shapes buys: seconds to count the zoo with it and without, in turn.

    python benchmarks/meta_shapes.py [ROUNDS]

Prints the median ratio (without / with) per network; each network is built once, on the meta device.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from statistics import median

from lic_bench.complexity import codec_complexity, mac_counter, meta_device
from lic_bench.registry import codecs

MODELS = ("bmshj2018-hyperprior", "cheng2020-attn", "elic", "tcm-large", "flic", "mlicpp")


def main(rounds: int) -> None:
    table = meta_device.RESULT_SHAPES
    for name in MODELS:
        card = codecs.get(name)
        codec = codec_complexity.built(card, card.points[0])
        seconds: dict[bool, list[float]] = {True: [], False: []}
        for _ in range(rounds):
            for with_table in (True, False):
                shapes: Mapping[object, object] = table if with_table else {}
                meta_device.RESULT_SHAPES = shapes  # type: ignore[assignment]
                start = time.perf_counter()
                mac_counter.traces(codec, 768, 512)
                seconds[with_table].append(time.perf_counter() - start)
        meta_device.RESULT_SHAPES = table
        ratio = median(b / a for a, b in zip(seconds[True], seconds[False], strict=True))
        print(f"{name}: {median(seconds[True]):.2f} s with the table, {ratio:.2f} times as long without")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
