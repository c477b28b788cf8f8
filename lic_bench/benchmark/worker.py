"""One job in, one row per picture out. Each pass looks at one thing, and none runs inside another's clock.

alone     encode, then decode, each in a fresh process: peak memory, and whether the stream alone decodes there
count     MACs of forward, encode and decode, without running the network
score     encode and decode once: bytes, bits, PSNR, MS-SSIM (and a CPU's warm-up)
time      encode and decode again, with nothing attached but a clock; a yardstick, outside it, after each pass
metrics   those of others, on the decoded picture
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from lic_bench.assets import datasets
from lic_bench.benchmark import memory, metrics
from lic_bench.benchmark.timing import ACCELERATOR_WARM_UPS, Budget, looks_disturbed, timed, yardstick
from lic_bench.codec import Codec, CodecCard, EstimatesRate, HasParts, Image, SplitsRate, Weights
from lic_bench.complexity import mac_counter
from lic_bench.errors import LicBenchError
from lic_bench.records import (
    METRIC_STAGE,
    Call,
    Doubt,
    Failure,
    Job,
    MacCount,
    Measurement,
    MemoryUse,
    Origin,
    PictureRecord,
    Row,
    Training,
)
from lic_bench.registry import codecs, metrics

RATE_GAP = 0.01
"""Estimated and coded rate may differ by this share before it is a finding."""

LARGER = ((1920, 1080), (3840, 2160))
"""Sizes (width x height) at which networks are counted as well, to show how work and memory grow."""


@dataclass(frozen=True)
class Alone:
    """What fresh processes saw of one picture: the stream one made, the picture another decoded, their memory."""

    picture: str
    stream: bytes
    decoded: Image
    memory: tuple[MemoryUse, ...]


def load(job: Job) -> Codec:
    """The job's codec, ready to run with the job's number of threads."""
    torch.set_num_threads(job.settings.threads)
    card = codecs.card(job.door)
    return card.load(card.point(job.point), Path(job.weights) if job.weights else None, job.settings.device)


def pictures(job: Job) -> Iterator[datasets.Picture]:
    """The job's pictures, looked up again where the work is done."""
    found = datasets.find(job.dataset, Path(job.data) if job.data else None, download=False)
    by_name = {picture.name: picture for picture in found.pictures}
    return (by_name[name] for name in job.pictures)


def encode_alone(job: Job, name: str) -> tuple[bytes, MemoryUse | None]:
    """The memory pass of encoding; to be called in a fresh process."""
    codec = load(job)
    image, _ = next(datasets.read(picture) for picture in pictures(job) if picture.name == name)
    return memory.metered(Call.ENCODE, lambda: codec.encode(image), job.settings.device)


def decode_alone(job: Job, stream: bytes) -> tuple[Image, MemoryUse | None]:
    """The memory pass of decoding, from nothing but the stream; to be called in a fresh process."""
    codec = load(job)
    return memory.metered(Call.DECODE, lambda: codec.decode(stream), job.settings.device)


def measure(job: Job, alone: Alone | None) -> Iterator[Row]:
    """Every picture of a job, a row as soon as it is measured. What breaks becomes a Failure and the rest goes on."""
    try:
        codec = load(job)
    except Exception as error:  # a codec may break in any way; it must be a row and not a crash
        yield failure(job, None, "load", error)
        return
    todo = list(pictures(job))
    shapes = Counter(_shape(datasets.read(picture)[1]) for picture in todo)
    budget = Budget(job.settings.timing_budget_seconds, job.settings.timing_repeats)
    counts: dict[tuple[int, int], tuple[MacCount, ...]] = {}
    for picture in todo:
        try:
            image, record = datasets.read(picture)
            shape = _shape(record)
            if job.settings.macs and shape not in counts:
                counts[shape] = count(codec, *shape)
            coded, expected_seconds = _code(codec, image, job.settings.device)
            row = _score(job, codec, image, record, coded, counts.get(shape, ()), alone)
            passes = budget.passes(shape, expected_seconds, shapes[shape])
            if job.settings.macs and picture is todo[0]:
                row = replace(row, scaling=count_larger(codec, row.macs))
            yield from _scored(job, image, coded, _time(job, codec, image, coded.stream, row, budget, passes))
            shapes[shape] -= 1
        except Exception as error:  # as above: this picture failed, the next may not
            yield failure(job, picture.name, "measure", error)


def count(codec: Codec, width: int, height: int) -> tuple[MacCount, ...]:
    """MACs of the three calls of a learned codec at one size; nothing for a codec that shows no network."""
    if not isinstance(codec, HasParts):
        return ()
    return tuple(trace.summary() for trace in mac_counter.traces(codec, width, height))


def count_larger(codec: Codec, counts: tuple[MacCount, ...]) -> tuple[MacCount, ...]:
    """Totals at larger sizes; nothing for a network that has to be run to be counted, which no large picture allows."""
    if not isinstance(codec, HasParts) or any(known.origin is not Origin.PREDICTED for known in counts):
        return ()
    found = (trace.summary() for size in LARGER for trace in mac_counter.traces(codec, *size))
    return tuple(replace(larger, by_part={}, by_layer={}, by_operator={}, other_work={}) for larger in found)


def failure(job: Job, picture: str | None, stage: str, error: BaseException) -> Failure:
    """An error as a row, in a sentence."""
    said = str(error).strip() or "no message"
    out_of_memory = isinstance(error, MemoryError | torch.OutOfMemoryError)
    if out_of_memory:
        said = f"out of memory on {job.settings.device}: {said.splitlines()[0]}"
    elif not isinstance(error, LicBenchError):
        said = f"{type(error).__name__}: {said}"
    return Failure(job.codec, job.point, job.dataset, picture, stage, said)


@dataclass(frozen=True)
class Coded:
    """A picture coded and decoded once."""

    stream: bytes
    decoded: Image


def _code(codec: Codec, image: Image, device: str) -> tuple[Coded, float]:
    """The scoring pass's work, and about how long it took: only to share out the time for timing, never a sample."""
    made: list[Coded] = []

    def once() -> None:
        stream = codec.encode(image)
        _require_bytes(stream)
        made.append(Coded(stream, codec.decode(stream)))

    sample = timed(once, device)
    _require_picture(made[0].decoded, image)
    return made[0], sample.wall_seconds


def _score(
    job: Job,
    codec: Codec,
    image: Image,
    record: PictureRecord,
    coded: Coded,
    counts: tuple[MacCount, ...],
    alone: Alone | None,
) -> Measurement:
    """Everything that follows from the picture, its stream and its reconstruction."""
    stream, decoded = coded.stream, coded.decoded
    trained = job.training is not Training.UNTRAINED
    payload = codec.payload_bits(stream) if isinstance(codec, SplitsRate) else 8 * len(stream)
    estimated = codec.estimated_bits(image) if trained and isinstance(codec, EstimatesRate) else None
    psnr = metrics.psnr(image, decoded) if trained else None
    seen = alone if alone is not None and alone.picture == record.name else None
    row = Measurement(
        codec=job.codec,
        point=job.point,
        training=job.training,
        dataset=job.dataset,
        picture=record.name,
        picture_sha256=record.sha256,
        width=record.width,
        height=record.height,
        stream_bytes=len(stream),
        payload_bits=payload,
        estimated_bits=estimated,
        psnr_db=psnr,
        ms_ssim=metrics.ms_ssim(image, decoded) if trained else None,
        encode_seconds=(),
        decode_seconds=(),
        device=job.settings.device,
        threads=job.settings.threads,
        parameters=_parameters(codec),
        weights_sha256=job.weights_sha256,
        decoded_sha256=hashlib.sha256(decoded.tobytes()).hexdigest(),
        channel_mse=metrics.channel_mse(image, decoded) if trained else (),
        fresh_process=None if seen is None else agreement(stream, decoded, seen),
        macs=counts,
        memory=() if seen is None else seen.memory,
    )
    return replace(row, doubts=_doubts(row, codecs.card(job.door)))


def _time(
    job: Job, codec: Codec, image: Image, stream: bytes, row: Measurement, budget: Budget, passes: int
) -> Measurement:
    """The timing pass of one picture. On a CPU the scoring pass was the warm-up."""
    device = job.settings.device
    shape = (row.width, row.height)
    if device != "cpu" and shape not in budget.spent:
        for _ in range(ACCELERATOR_WARM_UPS):
            codec.decode(codec.encode(image))
    encode, decode, beside = [], [], []
    fixed = yardstick(device)
    for _ in range(passes):
        encode.append(timed(lambda: codec.encode(image), device))
        decode.append(timed(lambda: codec.decode(stream), device))
        beside.append(timed(fixed, device))
        budget.spend(shape, encode[-1].wall_seconds + decode[-1].wall_seconds)
    doubts = list(row.doubts)
    if len(encode) < 3:
        doubts.append(Doubt.FEW_TIMINGS if encode else Doubt.NOT_TIMED)
    wall, cpu = (sum(getattr(s, field) for s in encode + decode) for field in ("wall_seconds", "cpu_seconds"))
    if device == "cpu" and looks_disturbed(wall, cpu):
        doubts.append(Doubt.BUSY_MACHINE)
    return replace(
        row,
        encode_seconds=tuple(sample.wall_seconds for sample in encode),
        decode_seconds=tuple(sample.wall_seconds for sample in decode),
        encode_cpu_seconds=tuple(sample.cpu_seconds for sample in encode),
        decode_cpu_seconds=tuple(sample.cpu_seconds for sample in decode),
        yardstick_seconds=tuple(sample.wall_seconds for sample in beside),
        yardstick_cpu_seconds=tuple(sample.cpu_seconds for sample in beside),
        doubts=tuple(doubts),
    )


def _scored(job: Job, image: Image, coded: Coded, row: Measurement) -> Iterator[Row]:
    """The row with the scores of further metrics, taken last and outside every clock, and those that failed."""
    if row.training is Training.UNTRAINED or not job.settings.metrics:
        yield row
        return
    taken, wrong = metrics.take(job.settings.metrics, image, coded.decoded)
    yield replace(row, scores=taken, doubts=(*row.doubts, Doubt.NO_SCORE) if wrong else row.doubts)
    for name, reason in wrong.items():
        yield Failure(job.codec, job.point, job.dataset, row.picture, f"{METRIC_STAGE}{name}", reason)


def agreement(stream: bytes, decoded: Image, alone: Alone) -> str:
    """What a fresh process made of the picture, beside what this one made: "exact", or how they differ."""
    if not np.array_equal(alone.decoded, decoded):
        if alone.decoded.shape != decoded.shape:
            return "another size"
        worst = int(np.abs(alone.decoded.astype(np.int16) - decoded).max())
        return f"differs by up to {worst} of 255"
    return "exact" if alone.stream == stream else "same picture from another stream"


def _doubts(row: Measurement, card: CodecCard) -> tuple[Doubt, ...]:
    found = []
    if row.training is Training.UNTRAINED:
        found.append(Doubt.UNTRAINED)
    elif row.ms_ssim is None:
        found.append(Doubt.NO_MS_SSIM)
    if card.demonstration:
        found.append(Doubt.DEMONSTRATION)
    elif row.training is Training.TRAINED and not _vouched(card.point(row.point).weights, row.weights_sha256):
        found.append(Doubt.OWN_WEIGHTS)
    if row.is_lossless:
        found.append(Doubt.LOSSLESS)
    estimated, payload = row.estimated_bits, row.payload_bits
    if estimated is not None and payload is not None and abs(estimated - payload) > RATE_GAP * payload:
        found.append(Doubt.RATE_GAP)
    if any(count.is_lower_bound for count in row.macs):
        found.append(Doubt.UNSEEN_WORK)
    if row.fresh_process not in (None, "exact"):
        found.append(Doubt.DRIFT)
    return tuple(found)


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
