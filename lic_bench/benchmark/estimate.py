"""The least time of a run: the networks' arithmetic at the rate that this machine was measured to reach.

Entropy coding, serial decoding, scoring and the start of processes come on top, and are not estimated.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lic_bench.complexity import codec_complexity
from lic_bench.complexity.roofline import Rates
from lic_bench.records import Call, Job, PictureRecord
from lic_bench.registry import codecs

COUNTED_AT = (256, 256)
"""Width x height of the picture that is counted. Work per pixel hardly depends on it; a small one takes less time."""


@dataclass(frozen=True)
class Estimate:
    """Arithmetic of all passes in MACs, and the least time it takes."""

    macs: int
    seconds: float


def at_least(jobs: Sequence[Job], pictures: Sequence[PictureRecord], rates: Rates) -> Estimate:
    """The least time of the learned codecs' jobs, one after another, on the device `rates` were measured on."""
    pixels = {picture.name: picture.width * picture.height for picture in pictures}
    total = 0
    for job in jobs:
        card = codecs.get(job.reference)
        if card.learned:
            counts = codec_complexity.of_point(card, card.point(job.point), [COUNTED_AT], [Call.ENCODE, Call.DECODE])
            per_pixel = 1000 * sum(count.kmac_per_pixel for count in counts)
            total += int(per_pixel * passed_pixels(job, pixels, per_pixel / rates.convolution_macs_per_second))
    return Estimate(total, total / rates.convolution_macs_per_second)


def passed_pixels(job: Job, pixels: dict[str, int], seconds_per_pixel: float) -> int:
    """Pixels that go through the codec in all passes: fresh process, coding, and the timed ones that fit the budget."""
    fresh = pixels[job.pictures[0]] if job.settings.memory else 0
    coded = sum(pixels[name] for name in job.pictures)
    fitting = int(job.settings.timing_budget_seconds / seconds_per_pixel)
    timed = min(job.settings.timing_repeats * coded, max(fitting, pixels[job.pictures[0]]))
    return fresh + coded + timed
