"""One job in, one row per picture out.

fresh process  encode, then decode, each in a process of its own: peak memory, and whether the bitstream alone decodes
count          MACs of forward, encode and decode, on the meta device
code           encode and decode once: the bitstream and the picture (and a CPU's warm-up)
estimate       the rate that the likelihoods give, from what the network's parts gave while they coded
score          bits, PSNR, MS-SSIM and further metrics of that picture, beside the coding of the next one
time           encode and decode again, with nothing attached but a clock, and the calibration workload after each
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

import torch

from lic_bench.assets.pictures import Picture, read, size
from lic_bench.benchmark import memory, passes, row
from lic_bench.benchmark.conditions import ALONE, Conditions
from lic_bench.benchmark.context import JobContext, load, pictures
from lic_bench.benchmark.passes import CodedPicture, Scores, Timings
from lic_bench.benchmark.timing import Budget, PassClock
from lic_bench.codec import Image
from lic_bench.errors import PictureError, RequestError
from lic_bench.learned_codec import torch_threads
from lic_bench.records import Call, Failure, FailureKind, Job, MacCount, MemoryUse, Pass, PictureRecord, Row


def measure(job: Job, conditions: Conditions = ALONE) -> Iterator[Row]:
    """A row for every picture of a job, as soon as it is measured. What breaks becomes a Failure; the rest goes on."""
    with torch_threads(job.settings.threads):
        try:
            wanted = pictures(job)
        except RequestError as error:
            yield row.failure(job, None, FailureKind.LOOKUP, error)
            return
        clock = PassClock()
        try:
            with clock.of(Pass.LOAD):
                context = load(job, conditions)
        except Exception as error:  # a codec may break in any way; it must be a row and not a crash
            yield row.failure(job, None, FailureKind.LOAD, error)
            return
        yield from _rows(context, wanted, clock)


def encode_alone(job: Job, name: str) -> tuple[bytes, MemoryUse | None]:
    """The bitstream of one picture, and the peak memory of encoding; to be called in a fresh process."""
    with torch_threads(job.settings.threads):
        context = load(job)
        image, _ = next(read(picture) for picture in pictures(job) if picture.name == name)
        return memory.metered(Call.ENCODE, lambda: context.codec.encode(image), context.device)


def decode_alone(job: Job, stream: bytes) -> tuple[Image, MemoryUse | None]:
    """The picture of a bitstream, and the peak memory of decoding; to be called in a fresh process."""
    with torch_threads(job.settings.threads):
        context = load(job)
        return memory.metered(Call.DECODE, lambda: context.codec.decode(stream), context.device)


@dataclass(frozen=True)
class _Coded:
    """A picture that is coded and timed; its scores may still be computed."""

    picture: Picture
    record: PictureRecord
    coded: CodedPicture
    scores: Future[Scores]
    timings: Timings
    macs: tuple[MacCount, ...]
    scaling: tuple[MacCount, ...]
    seconds: dict[Pass, float]


def _rows(context: JobContext, wanted: Sequence[Picture], clock: PassClock) -> Iterator[Row]:
    """Rows of the pictures in their order; one is scored while the next is coded, unless a clock runs."""
    job, settings = context.job, context.job.settings
    shapes: dict[Picture, tuple[int, int]] = {}
    for picture in wanted:
        try:
            shapes[picture] = size(picture)
        except PictureError as error:
            yield row.failure(job, picture.name, FailureKind.READ, error)
    left = Counter(shapes.values())
    budget = Budget(settings.timing_budget_seconds, settings.timing_repeats)
    counts: dict[tuple[int, int], tuple[MacCount, ...]] = {}
    known = context.conditions.counts
    if known is not None and known.parameters != row.parameters(context.codec):
        known = None
    unscored: _Coded | None = None
    with ThreadPoolExecutor(1, initializer=torch.set_num_threads, initargs=(torch.get_num_threads(),)) as scorer:
        for picture, shape in shapes.items():
            failed: Failure | None = None
            coded: _Coded | None = None
            try:
                with clock.of(Pass.READ):
                    image, record = read(picture)
                with clock.of(Pass.COUNT):
                    if settings.macs and shape not in counts:
                        counts[shape] = (known and known.at(*shape)) or passes.count(context.codec, *shape)
                    macs = counts.get(shape, ())
                    scaling: tuple[MacCount, ...] = ()
                    if settings.macs and picture == wanted[0]:
                        scaling = (known and known.scaling) or passes.count_larger(context.codec, macs)
                with clock.of(Pass.CODE):
                    once = passes.encode_and_decode(context, image)
                with clock.of(Pass.ESTIMATE):
                    bits = passes.estimated_bits(context, image)
                scores = scorer.submit(passes.score, context, image, once, bits)
                repeats = budget.passes(shape, once.seconds, left[shape])
                if repeats or context.conditions.one_by_one:
                    with clock.of(Pass.SCORE):
                        wait([scores] if unscored is None else [scores, unscored.scores])
                with clock.of(Pass.TIME):
                    timings = passes.time_codec(context, image, once.stream, budget, repeats)
                coded = _Coded(picture, record, once, scores, timings, macs, scaling, clock.taken())
            except PictureError as error:
                failed = row.failure(job, picture.name, FailureKind.READ, error)
            except Exception as error:  # a codec may break in any way; this picture failed, the next may not
                failed = row.failure(job, picture.name, FailureKind.MEASURE, error)
            left[shape] -= 1  # a picture that fails leaves its share of the budget to the next
            if unscored is not None:
                yield from _scored(context, unscored, clock)
            unscored = coded
            if failed is not None:
                yield failed
            elif unscored is not None and unscored.scores.done():
                yield from _scored(context, unscored, clock)
                unscored = None
        if unscored is not None:
            yield from _scored(context, unscored, clock)


def _scored(context: JobContext, coded: _Coded, clock: PassClock) -> Iterator[Row]:
    """The rows of a coded picture, once it is scored."""
    name = coded.picture.name
    try:
        with clock.of(Pass.SCORE):
            scores = coded.scores.result()
        waited = clock.seconds.pop(Pass.SCORE, 0.0)
        seconds = coded.seconds | {Pass.SCORE: coded.seconds.get(Pass.SCORE, 0.0) + waited}
        yield row.measurement(
            context,
            row.PassResults(coded.record, coded.coded, scores, coded.timings, coded.macs, coded.scaling, seconds),
        )
        yield from row.metric_failures(context.job, name, scores)
    except Exception as error:  # a metric of the suite's own failed on what the codec returned
        yield row.failure(context.job, name, FailureKind.MEASURE, error)
