"""How long a run takes: predicted from the networks' work before it begins, corrected by what was seen since.

A codec's call takes its multiply-accumulates at the rate that this machine reaches, and on top a time for each serial
step of a decoder and for each pixel. Every pass of a job is made of such calls. Once rows of a codec are there, the
ratio of what they took to what was predicted corrects the rows it has left, and that of all codecs seen corrects those
that have none yet.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from statistics import fmean

from lic_bench.benchmark.timing import Budget
from lic_bench.records import Job, Measurement, Pass, PictureRecord, Row, Training

SHARE_OF_PEAK = 0.7
"""Of a plain convolution's rate, what whole networks reach."""
SECONDS_PER_STEP = 1.2e-3
SECONDS_PER_PIXEL = 1.5e-7
"""Entropy coding of one direction, and the moving of symbols."""
CLASSICAL_SECONDS_PER_PIXEL = 3e-7
"""Of a codec without a network, both directions; they differ a hundredfold, and the first row corrects it."""
SCORING_SECONDS_PER_PIXEL = 5e-7
READING_SECONDS_PER_PIXEL = 8e-8
CALIBRATION_SECONDS = 0.01
"""Of the calibration workload that follows each timed pass."""
LOADING_SECONDS = 0.3
COUNTING_SECONDS = 0.5
ESTIMATE_SHARE = 0.1
"""Of encoding and decoding, what the estimate of the rate takes once their parts are kept."""


@dataclass(frozen=True)
class NetworkWork:
    """The work of one network per pixel, and the serial steps of its decoder at some number of pixels.

    Steps grow with the power `growth` of the number of pixels: 0 for slices, 1/2 for diagonals, 1 for positions.
    """

    encode_macs_per_pixel: float
    decode_macs_per_pixel: float
    steps: int = 0
    steps_at_pixels: int = 1
    growth: float = 0.0

    def seconds(self, pixels: int, macs_per_second: float) -> float:
        """Encoding and decoding a picture once."""
        macs = (self.encode_macs_per_pixel + self.decode_macs_per_pixel) * pixels
        steps = self.steps * math.pow(pixels / self.steps_at_pixels, self.growth)
        return macs / (SHARE_OF_PEAK * macs_per_second) + steps * SECONDS_PER_STEP + 2 * pixels * SECONDS_PER_PIXEL


Work = Mapping[tuple[str, str], NetworkWork]
"""By codec and point; a codec without a network is not among them."""


@dataclass
class Ratio:
    """What some calls took over what they were predicted to take; 1 before any."""

    taken_seconds: float = 0.0
    predicted_seconds: float = 0.0

    def add(self, taken: float, predicted: float) -> None:
        """Another call."""
        self.taken_seconds += taken
        self.predicted_seconds += predicted

    @property
    def value(self) -> float:
        """The ratio of the sums."""
        return self.taken_seconds / self.predicted_seconds if self.predicted_seconds else 1.0


def passes(
    job: Job, pictures: Mapping[str, PictureRecord], coding_seconds: Mapping[str, float], is_learned: bool
) -> dict[str, dict[Pass, float]]:
    """Seconds of every pass of a job, by picture; `coding_seconds` is one encoding and decoding of each picture."""
    settings = job.settings
    budget = Budget(settings.timing_budget_seconds, settings.timing_repeats)
    shapes = {name: (pictures[name].width, pictures[name].height) for name in job.pictures}
    left = list(shapes.values())
    found: dict[str, dict[Pass, float]] = {}
    for name, shape in shapes.items():
        pixels, coding = shape[0] * shape[1], coding_seconds[name]
        repeats = budget.passes(shape, coding, left.count(shape))
        budget.spend(shape, repeats * coding)
        left.remove(shape)
        scored = job.training is not Training.UNTRAINED
        found[name] = {
            Pass.READ: pixels * READING_SECONDS_PER_PIXEL,
            Pass.CODE: coding,
            Pass.ESTIMATE: coding * ESTIMATE_SHARE if scored and is_learned else 0.0,
            Pass.SCORE: pixels * SCORING_SECONDS_PER_PIXEL if scored else 0.0,
            Pass.TIME: repeats * (coding + CALIBRATION_SECONDS),
        }
    first = found[job.pictures[0]]
    load = LOADING_SECONDS if is_learned else 0.1
    first[Pass.LOAD] = load
    if settings.macs and is_learned:
        first[Pass.COUNT] = COUNTING_SECONDS
    if settings.memory:
        first[Pass.FRESH_PROCESS] = 2 * load + coding_seconds[job.pictures[0]]
    return found


@dataclass
class TimeLeft:
    """The wall time that a run still takes; call `row` with each row.

    `coding` holds what encoding and decoding took and was predicted to take, by codec, and `others` the same of every
    other pass, of all codecs together.
    """

    jobs: Sequence[Job]
    pictures: Sequence[PictureRecord]
    workers: int
    work: Work = field(default_factory=dict)
    macs_per_second: float = 1.0
    coding: dict[str, Ratio] = field(default_factory=lambda: defaultdict(Ratio))
    others: dict[Pass, Ratio] = field(default_factory=lambda: defaultdict(Ratio))
    done: set[tuple[str, str, str]] = field(default_factory=set)

    def row(self, row: Row) -> None:
        """Take a row off what is left, and learn from what it took."""
        job = next((job for job in self.jobs if (job.codec, job.point) == (row.codec, row.point)), None)
        if job is None:
            return
        if not isinstance(row, Measurement):
            self.done |= {(row.codec, row.point, name) for name in job.pictures if row.picture in (None, name)}
            return
        self.done.add((row.codec, row.point, row.picture))
        if Pass.CODE in row.pass_seconds:
            self.coding[row.codec].add(row.pass_seconds[Pass.CODE], self._coding(job, row.picture))
        predicted = self._passes(job)[row.picture]
        for which, seconds in row.pass_seconds.items():
            if which is not Pass.CODE:
                self.others[which].add(seconds, predicted.get(which, 0.0))

    def by_pass(self) -> dict[Pass, float]:
        """Seconds of each pass that are left, as one worker takes them."""
        total: dict[Pass, float] = defaultdict(float)
        for job in self.jobs:
            left = [name for name in job.pictures if (job.codec, job.point, name) not in self.done]
            whole = self._passes(job) if left else {}
            for name in left:
                for which, seconds in whole[name].items():
                    total[which] += seconds if which is Pass.CODE else seconds * self.others[which].value
        return dict(total)

    def seconds(self) -> float:
        """Wall time left in all; several workers share it."""
        return sum(self.by_pass().values()) / min(self.workers, max(len(self.jobs), 1))

    def _passes(self, job: Job) -> dict[str, dict[Pass, float]]:
        """The passes of a job, corrected by what its codec, or else others, took to code."""
        ratio = self._ratio(job)
        coding = {name: ratio * self._coding(job, name) for name in job.pictures}
        return passes(job, self._records, coding, self._is_learned(job))

    def _coding(self, job: Job, picture: str) -> float:
        """Encoding and decoding a picture, as predicted."""
        pixels = self._records[picture].width * self._records[picture].height
        if not self._is_learned(job):
            return CLASSICAL_SECONDS_PER_PIXEL * pixels
        return self.work[job.codec, job.point].seconds(pixels, self.macs_per_second)

    def _ratio(self, job: Job) -> float:
        """What coding took over what was predicted: of this codec, or the geometric mean over codecs of its kind."""
        if job.codec in self.coding:
            return self.coding[job.codec].value
        learned = {codec for codec, _ in self.work}
        seen = [r.value for codec, r in self.coding.items() if (codec in learned) == self._is_learned(job) and r.value]
        return math.exp(fmean(map(math.log, seen))) if seen else 1.0

    def _is_learned(self, job: Job) -> bool:
        return (job.codec, job.point) in self.work

    @cached_property
    def _records(self) -> Mapping[str, PictureRecord]:
        return {picture.name: picture for picture in self.pictures}
