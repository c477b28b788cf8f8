"""The passes of a measurement. Each looks at one thing, and none runs inside another's clock."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace

import numpy as np

from lic_bench.benchmark import metrics
from lic_bench.benchmark.context import JobContext
from lic_bench.benchmark.tabulated_priors import tabulated_priors
from lic_bench.benchmark.timing import (
    ACCELERATOR_WARM_UPS,
    Budget,
    Sample,
    calibration_workload,
    looks_disturbed,
    timed,
)
from lic_bench.codec import Codec, EstimatesRate, HasParts, Image, RecordsCoding, SplitsRate
from lic_bench.complexity import mac_counter
from lic_bench.errors import LicBenchError
from lic_bench.records import Coding, MacCount, Origin
from lic_bench.registry.metrics import name as metric_name

LARGER_SIZES = ((1920, 1080), (3840, 2160))
"""Sizes (width x height) at which networks are counted as well, to show how work and memory grow."""


@dataclass(frozen=True)
class CodedPicture:
    """A picture encoded and decoded once. `seconds` is for sharing out the time budget and never a sample.

    `coding` says how the bitstream was made, None where the operating point says it all.
    """

    stream: bytes
    decoded: Image
    seconds: float
    coding: Coding | None = None


@dataclass(frozen=True)
class Scores:
    """Rate and distortion of one picture; only `payload_bits` for an untrained network.

    `further` are the scores of further metrics by name, `failed` says by name why those failed that are None for that.
    """

    payload_bits: int
    estimated_bits: float | None = None
    psnr_db: float | None = None
    ms_ssim: float | None = None
    channel_mse: tuple[tuple[float, ...], ...] = ()
    further: Mapping[str, float | None] = field(default_factory=dict)
    failed: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Timings:
    """The samples of the timing pass; `calibration` is the calibration workload, timed after each pair."""

    encode: tuple[Sample, ...] = ()
    decode: tuple[Sample, ...] = ()
    calibration: tuple[Sample, ...] = ()

    @property
    def disturbed(self) -> bool:
        """Whether the codec's calls waited for their processor."""
        samples = (*self.encode, *self.decode)
        return looks_disturbed(sum(s.wall_seconds for s in samples), sum(s.cpu_seconds for s in samples))


def count(codec: Codec, width: int, height: int) -> tuple[MacCount, ...]:
    """MACs of the three calls of a learned codec at one size; nothing for a codec that shows no network."""
    if not isinstance(codec, HasParts):
        return ()
    return tuple(trace.summary() for trace in mac_counter.traces(codec, width, height))


def count_larger(codec: Codec, counts: tuple[MacCount, ...]) -> tuple[MacCount, ...]:
    """Totals at LARGER_SIZES; nothing for a network that has to be run to be counted, which no large picture allows."""
    if not isinstance(codec, HasParts) or any(known.origin is not Origin.PREDICTED for known in counts):
        return ()
    found = (trace.summary() for size in LARGER_SIZES for trace in mac_counter.traces(codec, *size))
    return tuple(replace(larger, by_part={}, by_layer={}, by_operator={}, non_mac_ops={}) for larger in found)


def encode_and_decode(context: JobContext, image: Image) -> CodedPicture:
    """The picture encoded and decoded once, which warms up a CPU. LicBenchError for what is no bitstream or picture."""
    results: list[tuple[bytes, Image]] = []

    def once() -> None:
        stream = context.codec.encode(image)
        if not isinstance(stream, bytes):
            raise LicBenchError(f"encode returned {type(stream).__name__}; a bitstream is bytes")
        results.append((stream, context.codec.decode(stream)))

    with context.calls.keeping():
        sample = timed(once, context.device)
    [(stream, decoded)] = results
    if decoded.shape != image.shape or decoded.dtype != np.uint8:
        raise LicBenchError(
            f"decode returned {decoded.shape} of {decoded.dtype} for a picture of {image.shape} of uint8; "
            "a decoder must give back the size that was encoded, 8 bit"
        )
    coding = context.codec.coding(stream) if isinstance(context.codec, RecordsCoding) else None
    return CodedPicture(stream, decoded, sample.wall_seconds, coding)


def estimated_bits(context: JobContext, image: Image) -> float | None:
    """The rate that the likelihoods of the picture just coded give; None for untrained networks and where none is.

    What the network's parts gave while they coded the picture is not computed again.
    """
    with ExitStack() as stack:
        stack.enter_context(context.calls.reusing())
        if isinstance(context.codec, HasParts):
            stack.enter_context(tabulated_priors(context.codec.network))
        if context.trained and isinstance(context.codec, EstimatesRate):
            return context.codec.estimated_bits(image)
    return None


def score(context: JobContext, image: Image, coded: CodedPicture, estimated_bits: float | None) -> Scores:
    """Rate and distortion of a coded picture. The codec computes nothing here, so it may run beside its next calls."""
    codec, stream, decoded = context.codec, coded.stream, coded.decoded
    payload_bits = codec.payload_bits(stream) if isinstance(codec, SplitsRate) else 8 * len(stream)
    if not context.trained:
        return Scores(payload_bits)
    keys = context.job.settings.metrics
    further, failed = (
        (dict.fromkeys(map(metric_name, keys)), {})
        if context.conditions.skip_metrics
        else metrics.scores(keys, image, decoded)
    )
    errors = metrics.channel_mse(image, decoded)
    return Scores(
        payload_bits,
        estimated_bits,
        metrics.psnr_of(metrics.mean_error(errors)),
        metrics.ms_ssim(image, decoded),
        errors,
        further,
        failed,
    )


def time_codec(context: JobContext, image: Image, stream: bytes, budget: Budget, repeats: int) -> Timings:
    """Encode and decode `repeats` times with nothing attached but a clock; the time is taken from the budget."""
    if not repeats:
        return Timings()
    codec, device = context.codec, context.device
    shape = (image.shape[1], image.shape[0])
    if device != "cpu" and shape not in budget.spent:
        for _ in range(ACCELERATOR_WARM_UPS):
            codec.decode(codec.encode(image))
    encode, decode, calibration = [], [], []
    workload = calibration_workload(device)
    for _ in range(repeats):
        encode.append(timed(lambda: codec.encode(image), device))
        decode.append(timed(lambda: codec.decode(stream), device))
        calibration.append(timed(workload, device))
        budget.spend(shape, encode[-1].wall_seconds + decode[-1].wall_seconds)
    return Timings(tuple(encode), tuple(decode), tuple(calibration))
