"""The roofline: MACs per second that codecs reach, as a share of this machine's peak throughput.

The peaks are measured, not read off a data sheet: one large matrix product and one convolution of the kind codecs are
made of, both in float32 by torch on the threads the codec had. Equal MACs take unequal time for two reasons shown here:
a low rate, and a decoder that waits for its entropy decoder many times (serial steps).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch.nn import functional as F

from lic_bench.learned_codec import torch_threads
from lic_bench.records import Call, Measurement

_SIDE = 1024
_CHANNELS, _HEIGHT, _WIDTH = 192, 128, 192


@dataclass(frozen=True)
class Rates:
    """What this machine reached, in multiply-accumulates per second, on a number of threads of a device."""

    matmul_macs_per_second: float
    convolution_macs_per_second: float
    device: str
    threads: int


@dataclass(frozen=True)
class Achieved:
    """One call of one codec, over the pictures of a run: work, time, and the rate they come to.

    `seconds` is the sum over pictures of the median wall time; `predicted_bytes` and `measured_bytes` are the peak
    memory of activations as predicted and of the process above the loaded codec, None where either is missing.
    """

    codec: str
    point: str
    call: Call
    macs: int
    seconds: float
    device: str
    threads: int
    serial_steps: int | None
    predicted_bytes: int | None
    measured_bytes: int | None

    @property
    def macs_per_second(self) -> float:
        """The rate reached, entropy coding and everything else included."""
        return self.macs / self.seconds

    def share(self, rates: Rates) -> tuple[float, float]:
        """The rate reached as a share of the matrix product's and of the convolution's."""
        return (
            self.macs_per_second / rates.matmul_macs_per_second,
            self.macs_per_second / rates.convolution_macs_per_second,
        )


def measure_rates(device: str = "cpu", threads: int = 1, seconds: float = 1.0) -> Rates:
    """The peak throughput of this machine: the best round of both kinds of work, about this long each."""
    with torch_threads(threads):
        left, right = (torch.rand(_SIDE, _SIDE, device=device) for _ in range(2))
        picture = torch.rand(1, _CHANNELS, _HEIGHT, _WIDTH, device=device)
        kernel = torch.rand(_CHANNELS, _CHANNELS, 3, 3, device=device)
        matmul = _best(lambda: left @ right, device, seconds)
        convolution = _best(lambda: F.conv2d(picture, kernel, padding=1), device, seconds)
    return Rates(_SIDE**3 / matmul, 9 * _CHANNELS**2 * _HEIGHT * _WIDTH / convolution, device, threads)


def achieved(rows: Sequence[Measurement]) -> tuple[Achieved, ...]:
    """Encoding and decoding of every operating point that was counted and timed, in the order of the rows."""
    points = dict.fromkeys((row.codec, row.point) for row in rows)
    found = (
        _achieved([row for row in rows if (row.codec, row.point) == point], call)
        for point in points
        for call in (Call.ENCODE, Call.DECODE)
    )
    return tuple(item for item in found if item is not None)


def _achieved(rows: Sequence[Measurement], call: Call) -> Achieved | None:
    """One operating point; pictures without a count or a time are left out of both sums."""
    macs, seconds = 0, 0.0
    steps: list[int | None] = []
    predicted: list[int] = []
    measured: list[int] = []
    for row in rows:
        count = next((count for count in row.macs if count.call is call), None)
        taken = sorted(row.encode_seconds if call is Call.ENCODE else row.decode_seconds)
        if count is None or not taken:
            continue
        macs, seconds = macs + count.executed_macs, seconds + taken[len(taken) // 2]
        steps.append(count.serial_steps)
        predicted += [] if count.activation_bytes is None else [count.activation_bytes]
        measured += [
            use.host_above_loaded_bytes if use.device_above_loaded_bytes is None else use.device_above_loaded_bytes
            for use in row.memory
            if use.call is call
        ]
    if not seconds:
        return None
    known = [step for step in steps if step is not None]
    return Achieved(
        rows[0].codec, rows[0].point, call, macs, seconds, rows[0].device, rows[0].threads,
        max(known) if len(known) == len(steps) else None, max(predicted, default=None), max(measured, default=None),
    )  # fmt: skip


def _best(work: Callable[[], object], device: str, seconds: float) -> float:
    """The shortest of several rounds, in seconds, after one that does not count."""

    def wait() -> None:
        if device.startswith("cuda"):
            torch.cuda.synchronize(device)

    work()
    wait()
    rounds: list[float] = []
    until = time.perf_counter() + seconds
    while time.perf_counter() < until or not rounds:
        start = time.perf_counter()
        work()
        wait()
        rounds.append(time.perf_counter() - start)
    return min(rounds)
