"""Counting without running against fvcore, which runs the network: time and peak memory on the same networks.

Run with `pytest benchmarks -s` (or `tox run -e benchmarks`). Each counter works in a fresh
process on a loaded network, the two in turn; the table's time is ours in this process, the ratios are fvcore / ours.
"""

from __future__ import annotations

import json
import subprocess
import sys
from statistics import median
from typing import Any

import pytest

from lic_bench.complexity import codec_complexity, mac_counter
from lic_bench.records import Call
from lic_bench.registry import codecs

MODELS = ("bmshj2018-factorized", "bmshj2018-hyperprior", "mbt2018")
# Rounds in turn: a network at 3840x2160 takes fvcore a minute.
SIZES = {(768, 512): 3, (3840, 2160): 1}

CHILD = """
import json, sys, time
import torch
from lic_bench import auditors, catalogue, cost, macs, memory
from lic_bench.records import Call
name, width, height, counter = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
torch.set_num_threads(1)
card = catalogue.get(name)
codec = cost.loaded(card, card.points[0])
def ours():
    return macs.count(codec, width, height, Call.FORWARD).macs
def fvcore():
    padded = codec.padded_size(width, height)
    with torch.no_grad():
        return auditors.fvcore(codec.network, (torch.rand(1, 3, *padded[::-1]),)).macs
work = {"ours": ours, "fvcore": fvcore}[counter]
def timed():
    start = time.perf_counter()
    return work(), time.perf_counter() - start
(count, seconds), use = memory.metered(Call.FORWARD, timed, "cpu")
print(json.dumps({"macs": count, "seconds": seconds, "bytes": use and use.host_above_loaded_bytes}))
"""


def child(name: str, size: tuple[int, int], counter: str) -> dict[str, Any]:
    arguments = [sys.executable, "-c", CHILD, name, *map(str, size), counter]
    done = subprocess.run(arguments, capture_output=True, text=True, check=True)
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


@pytest.mark.parametrize("size", SIZES, ids=lambda size: "x".join(map(str, size)))
@pytest.mark.parametrize("name", MODELS)
def test_counting_against_fvcore(benchmark: Any, name: str, size: tuple[int, int]) -> None:
    rounds = [(child(name, size, "ours"), child(name, size, "fvcore")) for _ in range(SIZES[size])]
    assert all(ours["macs"] == fvcore["macs"] for ours, fvcore in rounds)
    time_ratio = median(fvcore["seconds"] / ours["seconds"] for ours, fvcore in rounds)
    known = [(ours["bytes"], fvcore["bytes"]) for ours, fvcore in rounds if ours["bytes"] and fvcore["bytes"]]
    memory_ratio = median(fvcore / ours for ours, fvcore in known) if known else None
    benchmark.extra_info.update({"time_ratio": time_ratio, "memory_ratio": memory_ratio, "rounds": rounds})
    ours, fvcore = rounds[0]
    print(f"\n{name} {size[0]}x{size[1]}: time {fvcore['seconds']:.2f} s / {ours['seconds']:.2f} s = {time_ratio:.1f}")
    if known:
        mebibytes = [number / 2**20 for number in known[0][::-1]]
        print(f"memory {mebibytes[0]:.0f} MiB / {mebibytes[1]:.1f} MiB = {memory_ratio:.0f}")
    card = codecs.get(name)
    codec = codec_complexity.loaded(card, card.points[0])
    benchmark.pedantic(mac_counter.count, args=(codec, *size, Call.FORWARD), rounds=5, warmup_rounds=1)
