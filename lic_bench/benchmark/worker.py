"""One job in, one row per picture out. Each pass looks at one thing, and none runs inside another's clock.

fresh process  encode, then decode, each in a process of its own: peak memory, and whether the stream alone decodes
count          MACs of forward, encode and decode, on the meta device
code           encode and decode once: the bitstream and the picture (and a CPU's warm-up)
score          bits, PSNR, MS-SSIM and further metrics of that picture
time           encode and decode again, with nothing attached but a clock, and the calibration workload after each

The row is built once, from the results of all passes.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch

from lic_bench.assets.datasets import Picture, read
from lic_bench.benchmark import environment, memory, metrics
from lic_bench.benchmark.timing import (
    ACCELERATOR_WARM_UPS,
    Budget,
    Sample,
    calibration_workload,
    looks_disturbed,
    timed,
)
from lic_bench.caveats import Caveat
from lic_bench.codec import Codec, CodecCard, EstimatesRate, HasParts, Image, SplitsRate, Weights
from lic_bench.complexity import mac_counter
from lic_bench.errors import LicBenchError
from lic_bench.learned_codec import torch_threads
from lic_bench.records import (
    Agreement,
    AgreementKind,
    Call,
    Failure,
    FailureKind,
    Job,
    MacCount,
    Measurement,
    MemoryUse,
    Origin,
    PictureRecord,
    Row,
    Training,
)
from lic_bench.registry import codecs, datasets
from lic_bench.registry.metrics import name as metric_name

RATE_GAP = 0.01
"""Estimated and coded rate may differ by this share before it is a finding."""

LARGER_SIZES = ((1920, 1080), (3840, 2160))
"""Sizes (width x height) at which networks are counted as well, to show how work and memory grow."""


@dataclass(frozen=True)
class FreshProcess:
    """What fresh processes made of one picture: one its stream, another the picture of that; and their memory."""

    picture: str
    stream: bytes
    decoded: Image
    memory: tuple[MemoryUse, ...]


@dataclass(frozen=True)
class Conditions:
    """Under what conditions a job is measured.

    `fresh` holds the results of the fresh-process pass, None where it was not made. `shared_machine` says that other
    jobs run at the same time. `skip_metrics` leaves further metrics out, because one of them ended the process before.
    """

    fresh: FreshProcess | None = None
    shared_machine: bool = False
    skip_metrics: bool = False


def measure(job: Job, conditions: Conditions = Conditions()) -> Iterator[Row]:
    """Every picture of a job, a row as soon as it is measured. What breaks becomes a Failure and the rest goes on."""
    with torch_threads(job.settings.threads):
        try:
            context = _load(job)
        except Exception as error:  # a codec may break in any way; it must be a row and not a crash
            yield failure(job, None, FailureKind.LOAD, error)
            return
        yield from _rows(context, conditions)


def encode_alone(job: Job, name: str) -> tuple[bytes, MemoryUse | None]:
    """The memory pass of encoding; to be called in a fresh process."""
    with torch_threads(job.settings.threads):
        context = _load(job)
        image, _ = next(read(picture) for picture in _pictures(job) if picture.name == name)
        return memory.metered(Call.ENCODE, lambda: context.codec.encode(image), context.device)


def decode_alone(job: Job, stream: bytes) -> tuple[Image, MemoryUse | None]:
    """The memory pass of decoding, from nothing but the stream; to be called in a fresh process."""
    with torch_threads(job.settings.threads):
        context = _load(job)
        return memory.metered(Call.DECODE, lambda: context.codec.decode(stream), context.device)


def failure(job: Job, picture: str | None, kind: FailureKind, error: BaseException) -> Failure:
    """An error as a row, with the reason in a sentence."""
    reason = str(error).strip() or "no message"
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        reason = f"out of memory on {job.settings.device}: {reason.splitlines()[0]}"
    elif not isinstance(error, LicBenchError):
        reason = f"{type(error).__name__}: {reason}"
    return Failure(job.codec, job.point, job.dataset, picture, kind, reason)


@dataclass(frozen=True)
class _Context:
    """What all passes of a job share, resolved once per process."""

    job: Job
    card: CodecCard
    codec: Codec
    device: str

    @property
    def trained(self) -> bool:
        """Whether rate and distortion mean anything."""
        return self.job.training is not Training.UNTRAINED


@dataclass(frozen=True)
class _Coded:
    """A picture coded and decoded once, and about how long that took: to share out the budget, never a sample."""

    stream: bytes
    decoded: Image
    seconds: float


@dataclass(frozen=True)
class _Scores:
    """What follows from a picture, its stream and its reconstruction; nothing of an untrained network's quality."""

    payload_bits: int
    estimated_bits: float | None = None
    psnr_db: float | None = None
    ms_ssim: float | None = None
    channel_mse: tuple[tuple[float, ...], ...] = ()
    further: Mapping[str, float | None] = field(default_factory=dict)
    failed: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Times:
    """The samples of the timing pass: encode, decode, and the calibration workload after each pair."""

    encode: tuple[Sample, ...]
    decode: tuple[Sample, ...]
    calibration: tuple[Sample, ...]

    @property
    def disturbed(self) -> bool:
        """Whether the calls waited for their processor."""
        every = (*self.encode, *self.decode)
        return looks_disturbed(sum(s.wall_seconds for s in every), sum(s.cpu_seconds for s in every))


def _load(job: Job) -> _Context:
    """The job's codec, ready to run."""
    card = codecs.get(job.reference)
    device = environment.resolve_device(job.settings.device)
    return _Context(
        job, card, card.load(card.point(job.point), Path(job.weights) if job.weights else None, device), device
    )


def _pictures(job: Job) -> Iterator[Picture]:
    """The job's pictures, looked up again where the job runs."""
    found = datasets.find(job.dataset, Path(job.data) if job.data else None, download=False)
    by_name = {picture.name: picture for picture in found.pictures}
    return (by_name[name] for name in job.pictures)


def _rows(context: _Context, conditions: Conditions) -> Iterator[Row]:
    job = context.job
    pictures = list(_pictures(job))
    shapes = {picture.name: _shape(read(picture)[1]) for picture in pictures}
    left = Counter(shapes.values())
    budget = Budget(job.settings.timing_budget_seconds, job.settings.timing_repeats)
    counts: dict[tuple[int, int], tuple[MacCount, ...]] = {}
    for picture in pictures:
        shape = shapes[picture.name]
        try:
            image, record = read(picture)
            if job.settings.macs and shape not in counts:
                counts[shape] = count(context.codec, *shape)
            known = counts.get(shape, ())
            coded = _code(context, image)
            larger = count_larger(context.codec, known) if job.settings.macs and picture is pictures[0] else ()
            times = _time(context, image, coded.stream, budget, budget.passes(shape, coded.seconds, left[shape]))
            scores = _score(context, image, coded, conditions)
            yield _row(context, conditions, record, coded, scores, times, (known, larger))
            for metric, reason in scores.failed.items():
                yield Failure(
                    job.codec, job.point, job.dataset, record.name, FailureKind.METRIC, reason, metrics=(metric,)
                )
        except Exception as error:  # a codec may break in any way; this picture failed, the next may not
            yield failure(job, picture.name, FailureKind.MEASURE, error)
        finally:
            left[shape] -= 1  # a picture that fails leaves its share of the budget to the next


def count(codec: Codec, width: int, height: int) -> tuple[MacCount, ...]:
    """MACs of the three calls of a learned codec at one size; nothing for a codec that shows no network."""
    if not isinstance(codec, HasParts):
        return ()
    return tuple(trace.summary() for trace in mac_counter.traces(codec, width, height))


def count_larger(codec: Codec, counts: tuple[MacCount, ...]) -> tuple[MacCount, ...]:
    """Totals at larger sizes; nothing for a network that has to be run to be counted, which no large picture allows."""
    if not isinstance(codec, HasParts) or any(known.origin is not Origin.PREDICTED for known in counts):
        return ()
    found = (trace.summary() for size in LARGER_SIZES for trace in mac_counter.traces(codec, *size))
    return tuple(replace(larger, by_part={}, by_layer={}, by_operator={}, non_mac_ops={}) for larger in found)


def _code(context: _Context, image: Image) -> _Coded:
    """The picture encoded and decoded once."""
    codec = context.codec
    coded: list[tuple[bytes, Image]] = []

    def once() -> None:
        stream = codec.encode(image)
        _require_bytes(stream)
        coded.append((stream, codec.decode(stream)))

    sample = timed(once, context.device)
    [(stream, decoded)] = coded
    _require_picture(decoded, image)
    return _Coded(stream, decoded, sample.wall_seconds)


def _score(context: _Context, image: Image, coded: _Coded, conditions: Conditions) -> _Scores:
    codec, stream, decoded = context.codec, coded.stream, coded.decoded
    payload = codec.payload_bits(stream) if isinstance(codec, SplitsRate) else 8 * len(stream)
    if not context.trained:
        return _Scores(payload)
    keys = context.job.settings.metrics
    further: Mapping[str, float | None] = dict.fromkeys(map(metric_name, keys))
    failed: Mapping[str, str] = {}
    if not conditions.skip_metrics:
        further, failed = metrics.scores(keys, image, decoded)
    return _Scores(
        payload,
        codec.estimated_bits(image) if isinstance(codec, EstimatesRate) else None,
        metrics.psnr(image, decoded),
        metrics.ms_ssim(image, decoded),
        metrics.channel_mse(image, decoded),
        further,
        failed,
    )


def _time(context: _Context, image: Image, stream: bytes, budget: Budget, passes: int) -> _Times:
    """The timing pass of one picture. On a CPU the coding pass was the warm-up."""
    codec, device = context.codec, context.device
    shape = (image.shape[1], image.shape[0])
    if device != "cpu" and shape not in budget.spent:
        for _ in range(ACCELERATOR_WARM_UPS):
            codec.decode(codec.encode(image))
    encode, decode, calibration = [], [], []
    workload = calibration_workload(device)
    for _ in range(passes):
        encode.append(timed(lambda: codec.encode(image), device))
        decode.append(timed(lambda: codec.decode(stream), device))
        calibration.append(timed(workload, device))
        budget.spend(shape, encode[-1].wall_seconds + decode[-1].wall_seconds)
    return _Times(tuple(encode), tuple(decode), tuple(calibration))


def _row(
    context: _Context,
    conditions: Conditions,
    record: PictureRecord,
    coded: _Coded,
    scores: _Scores,
    times: _Times,
    counts: tuple[tuple[MacCount, ...], tuple[MacCount, ...]],
) -> Measurement:
    """The row of one picture, from the results of its passes; `counts` at its own size and at larger ones."""
    job = context.job
    fresh = conditions.fresh if conditions.fresh is not None and conditions.fresh.picture == record.name else None
    agreed = None if fresh is None else _agreement(coded, fresh)
    return Measurement(
        codec=job.codec,
        point=job.point,
        training=job.training,
        dataset=job.dataset,
        picture=record.name,
        picture_sha256=record.sha256,
        width=record.width,
        height=record.height,
        stream_bytes=len(coded.stream),
        payload_bits=scores.payload_bits,
        estimated_bits=scores.estimated_bits,
        psnr_db=scores.psnr_db,
        ms_ssim=scores.ms_ssim,
        encode_seconds=tuple(sample.wall_seconds for sample in times.encode),
        decode_seconds=tuple(sample.wall_seconds for sample in times.decode),
        encode_cpu_seconds=tuple(sample.cpu_seconds for sample in times.encode),
        decode_cpu_seconds=tuple(sample.cpu_seconds for sample in times.decode),
        calibration_seconds=tuple(sample.wall_seconds for sample in times.calibration),
        calibration_cpu_seconds=tuple(sample.cpu_seconds for sample in times.calibration),
        device=context.device,
        threads=job.settings.threads,
        parameters=_parameters(context.codec),
        weights_sha256=job.weights_sha256,
        decoded_sha256=hashlib.sha256(coded.decoded.tobytes()).hexdigest(),
        channel_mse=scores.channel_mse,
        fresh_process=agreed,
        macs=counts[0],
        scaling=counts[1],
        memory=() if fresh is None else fresh.memory,
        scores=scores.further,
        caveats=(
            *_caveats_of_quality(context, scores),
            *([Caveat.UNCOUNTED_OPS] if any(known.is_lower_bound for known in counts[0]) else []),
            *([Caveat.DRIFT] if agreed is not None and not agreed.is_exact else []),
            *_caveats_of_times(context, conditions, times),
            *([Caveat.MEMORY_UNKNOWN] if fresh is not None and not fresh.memory else []),
            *([Caveat.NO_SCORE] if scores.failed or (conditions.skip_metrics and scores.further) else []),
        ),
    )


def _agreement(coded: _Coded, fresh: FreshProcess) -> Agreement:
    """What fresh processes made of the picture, beside what this one made."""
    agreed = metrics.agreement(coded.decoded, fresh.decoded)
    return Agreement(AgreementKind.OTHER_STREAM) if agreed.is_exact and fresh.stream != coded.stream else agreed


def _caveats_of_quality(context: _Context, scores: _Scores) -> Iterator[Caveat]:
    if not context.trained:
        yield Caveat.UNTRAINED
    elif scores.ms_ssim is None:
        yield Caveat.NO_MS_SSIM
    point = context.card.point(context.job.point)
    if context.card.demonstration:
        yield Caveat.DEMONSTRATION
    elif context.job.training is Training.TRAINED and not _vouched(point.weights, context.job.weights_sha256):
        yield Caveat.OWN_WEIGHTS
    if scores.psnr_db is not None and np.isinf(scores.psnr_db):
        yield Caveat.LOSSLESS
    estimated, payload = scores.estimated_bits, scores.payload_bits
    if estimated is not None and abs(estimated - payload) > RATE_GAP * payload:
        yield Caveat.RATE_GAP


def _caveats_of_times(context: _Context, conditions: Conditions, times: _Times) -> Iterator[Caveat]:
    if len(times.encode) < 3:
        yield Caveat.FEW_TIMINGS if times.encode else Caveat.NOT_TIMED
    if context.device == "cpu" and times.disturbed:
        yield Caveat.BUSY_MACHINE
    if conditions.shared_machine:
        yield Caveat.SHARED_MACHINE


def _vouched(weights: Weights | None, sha256: str | None) -> bool:
    """Whether the publisher's hash says that this is the file meant."""
    published = None if weights is None else weights.sha256
    return published is not None and sha256 is not None and sha256.startswith(published.lower())


def _require_bytes(stream: object) -> None:
    if not isinstance(stream, bytes):
        raise LicBenchError(f"encode returned {type(stream).__name__}; a stream is bytes")


def _require_picture(decoded: Image, image: Image) -> None:
    if decoded.shape != image.shape or decoded.dtype != np.uint8:
        raise LicBenchError(
            f"decode returned {decoded.shape} of {decoded.dtype} for a picture of {image.shape} of uint8; "
            "a decoder must give back the size that was encoded, 8 bit"
        )


def _parameters(codec: Codec) -> int | None:
    """Trainable numbers of the network, or None for a codec that shows none."""
    return sum(p.numel() for p in codec.network.parameters()) if isinstance(codec, HasParts) else None


def _shape(record: PictureRecord) -> tuple[int, int]:
    return record.width, record.height
