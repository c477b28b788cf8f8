"""The work of a run's networks, counted before it begins; made in a process of its own, which imports torch."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from lic_bench.benchmark.estimate import NetworkWork
from lic_bench.records import Call, Job

SMALL, LARGE = (256, 256), (512, 512)
"""Work per pixel hardly depends on the size; how serial steps grow is seen between these two."""


def of_jobs(jobs: Sequence[Job], device: str, threads: int) -> tuple[Mapping[tuple[str, str], NetworkWork], float]:
    """The work of every job whose codec shows a network that can be counted, and this machine's MACs per second.

    A network is counted once for all points that share it. What cannot be counted is left out.
    """
    from lic_bench.complexity import codec_complexity, roofline
    from lic_bench.registry import codecs

    known: dict[tuple[str, str], NetworkWork | None] = {}
    found: dict[tuple[str, str], NetworkWork] = {}
    for job in jobs:
        card = codecs.get(job.reference)
        if not card.learned:
            continue
        point = card.point(job.point)
        network = (job.reference, point.network)
        if network not in known:
            try:
                calls = [Call.ENCODE, Call.DECODE]
                encode, decode, _, larger = (
                    counted.count for counted in codec_complexity.of_point(card, point, [SMALL, LARGE], calls)
                )
            except Exception:  # a network may fail in any way here; its rows say how it does in the run
                known[network] = None
            else:
                known[network] = _work(encode.macs, decode.macs, decode.serial_steps, larger.serial_steps)
        work = known[network]
        if work is not None:
            found[job.codec, job.point] = work
    rates = roofline.measure_rates(device, threads, seconds=0.1)
    return found, rates.convolution_macs_per_second


def _work(encode: int, decode: int, steps: int | None, steps_larger: int | None) -> NetworkWork:
    pixels, more = SMALL[0] * SMALL[1], LARGE[0] * LARGE[1]
    growth = math.log(steps_larger / steps) / math.log(more / pixels) if steps and steps_larger else 0.0
    return NetworkWork(encode / pixels, decode / pixels, steps or 0, pixels, growth)
