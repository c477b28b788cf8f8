"""One job in, one row per picture out.

fresh process  encode, then decode, each in a process of its own: peak memory, and whether the bitstream alone decodes
count          MACs of forward, encode and decode, on the meta device
code           encode and decode once: the bitstream and the picture (and a CPU's warm-up)
score          bits, PSNR, MS-SSIM and further metrics of that picture
time           encode and decode again, with nothing attached but a clock, and the calibration workload after each
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from lic_bench.assets.pictures import Picture, read
from lic_bench.benchmark import memory, passes, row
from lic_bench.benchmark.context import ALONE, Conditions, JobContext, load, pictures
from lic_bench.benchmark.timing import Budget
from lic_bench.codec import Image
from lic_bench.errors import PictureError, RequestError
from lic_bench.learned_codec import torch_threads
from lic_bench.records import Call, FailureKind, Job, MacCount, MemoryUse, Row


def measure(job: Job, conditions: Conditions = ALONE) -> Iterator[Row]:
    """A row for every picture of a job, as soon as it is measured. What breaks becomes a Failure; the rest goes on."""
    with torch_threads(job.settings.threads):
        try:
            wanted = pictures(job)
        except RequestError as error:
            yield row.failure(job, None, FailureKind.LOOKUP, error)
            return
        try:
            context = load(job, conditions)
        except Exception as error:  # a codec may break in any way; it must be a row and not a crash
            yield row.failure(job, None, FailureKind.LOAD, error)
            return
        yield from _rows(context, wanted)


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


def _rows(context: JobContext, wanted: Sequence[Picture]) -> Iterator[Row]:
    job, settings = context.job, context.job.settings
    shapes: dict[Picture, tuple[int, int]] = {}
    for picture in wanted:
        try:
            record = read(picture)[1]
            shapes[picture] = record.width, record.height
        except PictureError as error:
            yield row.failure(job, picture.name, FailureKind.READ, error)
    left = Counter(shapes.values())
    budget = Budget(settings.timing_budget_seconds, settings.timing_repeats)
    counts: dict[tuple[int, int], tuple[MacCount, ...]] = {}
    for picture, shape in shapes.items():
        try:
            image, record = read(picture)
            if settings.macs and shape not in counts:
                counts[shape] = passes.count(context.codec, *shape)
            macs = counts.get(shape, ())
            scaling = passes.count_larger(context.codec, macs) if settings.macs and picture == wanted[0] else ()
            coded = passes.encode_and_decode(context, image)
            scores = passes.score(context, image, coded)
            repeats = budget.passes(shape, coded.seconds, left[shape])
            timings = passes.time_codec(context, image, coded.stream, budget, repeats)
            yield row.measurement(context, row.PassResults(record, coded, scores, timings, macs, scaling))
            yield from row.metric_failures(job, picture.name, scores)
        except Exception as error:  # a codec may break in any way; this picture failed, the next may not
            yield row.failure(job, picture.name, FailureKind.MEASURE, error)
        finally:
            left[shape] -= 1  # a picture that fails leaves its share of the budget to the next
