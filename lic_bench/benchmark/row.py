"""Rows of a run: a Measurement from the results of all passes, or a Failure from an error."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import torch

from lic_bench.benchmark import metrics, targets
from lic_bench.benchmark.conditions import FreshProcess
from lic_bench.benchmark.context import JobContext
from lic_bench.benchmark.passes import CodedPicture, Scores, Timings
from lic_bench.caveats import Caveat
from lic_bench.codec import Codec, HasParts
from lic_bench.errors import LicBenchError
from lic_bench.records import (
    Agreement,
    AgreementKind,
    Coding,
    Failure,
    FailureKind,
    Job,
    MacCount,
    Measurement,
    Pass,
    PictureRecord,
    Training,
)

RATE_GAP = 0.01
"""Estimated and coded rate may differ by this share before it is a finding."""


@dataclass(frozen=True)
class PassResults:
    """What the passes gave for one picture; `scaling` are MACs at larger sizes, for the first picture of a job."""

    picture: PictureRecord
    coded: CodedPicture
    scores: Scores
    timings: Timings
    macs: tuple[MacCount, ...] = ()
    scaling: tuple[MacCount, ...] = ()
    seconds: Mapping[Pass, float] = field(default_factory=dict)


def measurement(context: JobContext, results: PassResults) -> Measurement:
    """The row of one picture."""
    job, picture, coded = context.job, results.picture, results.coded
    scores, timings = results.scores, results.timings
    fresh = context.conditions.fresh
    if fresh is not None and fresh.picture != picture.name:
        fresh = None
    agreement = None if fresh is None else _agreement(coded, fresh)
    in_process = not _is_external(coded.coding)  # processor time and memory of other processes are not seen
    return Measurement(
        codec=job.codec,
        point=job.point,
        training=job.training,
        dataset=job.dataset,
        picture=picture.name,
        picture_sha256=picture.sha256,
        width=picture.width,
        height=picture.height,
        stream_bytes=len(coded.stream),
        payload_bits=scores.payload_bits,
        estimated_bits=scores.estimated_bits,
        psnr_db=scores.psnr_db,
        ms_ssim=scores.ms_ssim,
        encode_seconds=tuple(sample.wall_seconds for sample in timings.encode),
        decode_seconds=tuple(sample.wall_seconds for sample in timings.decode),
        encode_cpu_seconds=tuple(sample.cpu_seconds for sample in timings.encode if in_process),
        decode_cpu_seconds=tuple(sample.cpu_seconds for sample in timings.decode if in_process),
        calibration_seconds=tuple(sample.wall_seconds for sample in timings.calibration),
        calibration_cpu_seconds=tuple(sample.cpu_seconds for sample in timings.calibration),
        device=context.device,
        threads=job.settings.threads,
        parameters=parameters(context.codec),
        weights_sha256=job.weights_sha256,
        decoded_sha256=hashlib.sha256(coded.decoded.tobytes()).hexdigest(),
        channel_mse=scores.channel_mse,
        fresh_process=agreement,
        macs=results.macs,
        scaling=results.scaling,
        memory=fresh.memory if fresh is not None and in_process else (),
        scores=scores.further,
        coding=coded.coding,
        caveats=tuple(_caveats(context, results, fresh, agreement)),
        pass_seconds=results.seconds if fresh is None else {Pass.FRESH_PROCESS: fresh.seconds, **results.seconds},
    )


def failure(job: Job, picture: str | None, kind: FailureKind, error: BaseException) -> Failure:
    """An error as a row, with the reason in a sentence."""
    reason = str(error).strip() or "no message"
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        reason = f"out of memory on {job.settings.device}: {reason.splitlines()[0]}"
    elif not isinstance(error, LicBenchError):
        reason = f"{type(error).__name__}: {reason}"
    return Failure(job.codec, job.point, job.dataset, picture, kind, reason)


def metric_failures(job: Job, picture: str, scores: Scores) -> Iterator[Failure]:
    """A row for each metric that failed on a picture."""
    for metric, reason in scores.failed.items():
        yield Failure(job.codec, job.point, job.dataset, picture, FailureKind.METRIC, reason, metrics=(metric,))


def _agreement(coded: CodedPicture, fresh: FreshProcess) -> Agreement:
    """How the picture and bitstream of fresh processes compare with those of this one."""
    found = metrics.agreement(coded.decoded, fresh.decoded)
    return Agreement(AgreementKind.OTHER_STREAM) if found.is_exact and fresh.stream != coded.stream else found


def _caveats(
    context: JobContext,
    results: PassResults,
    fresh: FreshProcess | None,
    agreement: Agreement | None,
) -> Iterator[Caveat]:
    scores, timings = results.scores, results.timings
    yield from _caveats_of_quality(context, scores)
    if _is_off_target(context, results):
        yield Caveat.OFF_TARGET
    if _is_external(results.coded.coding):
        yield Caveat.EXTERNAL_PROGRAM
    if any(count.is_lower_bound for count in results.macs):
        yield Caveat.UNCOUNTED_OPS
    if agreement is not None and not agreement.is_exact:
        yield Caveat.DRIFT
    if len(timings.encode) < 3:
        yield Caveat.FEW_TIMINGS if timings.encode else Caveat.NOT_TIMED
    if context.device == "cpu" and timings.disturbed and not _is_external(results.coded.coding):
        yield Caveat.BUSY_MACHINE
    if context.conditions.shared_machine:
        yield Caveat.SHARED_MACHINE
    if fresh is not None and not fresh.memory:
        yield Caveat.MEMORY_UNKNOWN
    if scores.failed or (context.conditions.skip_metrics and scores.further):
        yield Caveat.NO_SCORE


def _caveats_of_quality(context: JobContext, scores: Scores) -> Iterator[Caveat]:
    if not context.trained:
        yield Caveat.UNTRAINED
    elif scores.ms_ssim is None:
        yield Caveat.NO_MS_SSIM
    if context.card.demonstration:
        yield Caveat.DEMONSTRATION
    elif context.job.training is Training.TRAINED and not _is_published_file(context):
        yield Caveat.OWN_WEIGHTS
    if scores.psnr_db is not None and math.isinf(scores.psnr_db):
        yield Caveat.LOSSLESS
    estimated, payload = scores.estimated_bits, scores.payload_bits
    if estimated is not None and abs(estimated - payload) > RATE_GAP * payload:
        yield Caveat.RATE_GAP


def _is_external(coding: Coding | None) -> bool:
    """Whether an external program made the bitstream."""
    return coding is not None and coding.program is not None


def _is_off_target(context: JobContext, results: PassResults) -> bool:
    """Whether a searched quality misses its target by more than the tolerance."""
    target = targets.of_label(context.job.point) if targets.is_searched(context.card) else None
    if target is None:
        return False
    pixels = results.picture.width * results.picture.height
    bpp, psnr = 8 * len(results.coded.stream) / pixels, results.scores.psnr_db
    reached = bpp if target.kind is targets.TargetKind.BPP else psnr
    return reached is not None and not target.is_met(reached)


def _is_published_file(context: JobContext) -> bool:
    """Whether the checkpoint's sha256 begins with the digits that the publisher gives."""
    weights, sha256 = context.card.point(context.job.point).weights, context.job.weights_sha256
    published = None if weights is None else weights.sha256
    return published is not None and sha256 is not None and sha256.startswith(published.lower())


def parameters(codec: Codec) -> int | None:
    """The number of the network's parameters, None for a codec that shows no network."""
    return sum(p.numel() for p in codec.network.parameters()) if isinstance(codec, HasParts) else None
