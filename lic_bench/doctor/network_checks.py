"""Checks of the network behind a learned codec: reconstruction, rate, first figures, batches, operators."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

from lic_bench.benchmark.row import RATE_GAP
from lic_bench.doctor.findings import Check, Finding, Value, error, info, passed, warning
from lic_bench.doctor.network_probes import (
    COUNTED_AT,
    SUMS_ORDER,
    BatchDifference,
    CodedSummary,
    ForwardResult,
    OpSurvey,
)
from lic_bench.doctor.pictures import TestPicture
from lic_bench.doctor.probes import ProbeFailure

POOR_DB = 20.0
"""Mean PSNR on the sample pictures below which a checkpoint looks wrong: a judgement. The lowest published point
is 23.8 dB (`zoo/published/rd_points.csv`); weights in a wrong layout give about 10."""

RAW_BPP = 24
"""Bits per pixel of a picture that is not compressed."""

ERROR_RATE_GAP = 0.1
"""The share between estimated and coded rate that no rounding of the coder's tables explains: a judgement."""

UNTRAINED_RATE_GAP = 0.5
"""Random weights make symbols that no table has; what they cost says little about the coder. The zoo stays below
20 %."""

QUALITY_LOSS_DB = 0.1
"""How much PSNR a decoded picture may lose against the forward pass before it is an error: a judgement."""


def reconstruction(coded: Sequence[CodedSummary]) -> Finding:
    """Whether decoded pictures equal the forward pass."""
    check = Check.RECONSTRUCTION
    worst = max(coded, key=lambda summary: summary.largest_difference)
    largest = worst.largest_difference
    if largest <= 1:
        how = "equal the forward pass in every sample" if largest == 0 else "differ from the forward pass by 1 of 255"
        return passed(check, f"decoded pictures {how}.", largest_difference=largest)
    lost = worst.forward_psnr_db - worst.psnr_db
    sentence = f"{worst.name} decoded differs from the forward pass by up to {largest} of 255 ({lost:+.2f} dB lost)."
    advice = (
        "Make encoder and decoder compute the same, and round code in the forward pass (in evaluation mode) as "
        "compress does."
    )
    judge = error if abs(lost) > QUALITY_LOSS_DB else warning
    return judge(check, sentence, advice, picture=worst.name, largest_difference=largest, lost_db=lost)


def rate(coded: Sequence[CodedSummary], trained: bool) -> Finding:
    """Whether the strings take as many bits as the likelihoods estimate."""
    check = Check.RATE
    payload = sum(summary.payload_bits for summary in coded)
    estimated = sum(summary.estimated_bits for summary in coded)
    gap = payload / estimated - 1 if estimated else math.inf
    sentence = f"strings take {gap:+.2%} beside what the likelihoods promise ({payload:,} and {estimated:,.0f} bits)."
    values: dict[str, Value] = {"payload_bits": payload, "estimated_bits": estimated}
    if abs(gap) <= RATE_GAP:
        return passed(check, sentence, **values)
    if not trained and abs(gap) <= UNTRAINED_RATE_GAP:
        return info(check, f"{sentence} Untrained: symbols outside the coder's tables are expected.", "", **values)
    if not trained:
        return warning(
            check,
            f"{sentence} That is more than random weights do to any network known here.",
            "Compare what is coded with what has a likelihood, and examine it with --weights once it is trained.",
            **values,
        )
    if abs(gap) <= ERROR_RATE_GAP:
        return warning(
            check,
            f"{sentence} More than 1 %.",
            "Compute the coder's tables anew from the weights: update(force=True).",
            **values,
        )
    if gap > 0:
        return error(
            check,
            f"{sentence} The likelihoods under-report the rate.",
            "Let likelihoods cover every symbol that is coded, and compute the coder's tables from the same weights; "
            "quote coded bits, never these estimates.",
            **values,
        )
    return error(
        check,
        f"{sentence} The strings hold less than the symbols should take.",
        "Look for symbols that have a likelihood and are not coded, and for likelihoods that are too low.",
        **values,
    )


def first_figure(coded: Sequence[CodedSummary]) -> Finding:
    """Whether rate and quality on a few pictures are plausible; they are no benchmark."""
    check = Check.FIRST_FIGURE
    psnr_db = statistics.mean(summary.psnr_db for summary in coded)
    bpp = sum(8 * summary.stream_bytes for summary in coded) / sum(summary.pixels for summary in coded)
    names = ", ".join(summary.name for summary in coded)
    sentence = f"{psnr_db:.2f} dB at {bpp:.3f} bpp, the mean of the sample pictures ({names})"
    values: dict[str, Value] = {"psnr_db": psnr_db, "bpp": bpp}
    if psnr_db < POOR_DB:
        return error(
            check,
            f"{sentence}. This looks wrong: published points lie above {POOR_DB:g} dB.",
            "Was training finished, and is the checkpoint of this very network? Were channels or layers renamed?",
            **values,
        )
    if bpp > RAW_BPP:
        return error(
            check,
            f"{sentence}. This looks wrong: the raw picture takes {RAW_BPP} bpp.",
            "Is the checkpoint of this very network, and were the coder's tables computed from it?",
            **values,
        )
    return passed(check, f"{sentence}; a look, not a benchmark.", **values)


def forward(picture: TestPicture, result: ForwardResult | ProbeFailure) -> Finding:
    """Whether one call of a network gives a picture and bits."""
    check = Check.FORWARD
    advice = 'Return {"x_hat": 1 x 3 x H x W, "likelihoods": {...}}, each likelihood above 0 and at most 1.'
    if isinstance(result, ProbeFailure):
        return error(check, f"one call on {picture.name} fails ({result.text}).", advice)
    if result.shape != picture.image.shape or not math.isfinite(result.bits) or result.bits < 0:
        sentence = f"one call on {picture.name} gives {result.shape} and {result.bits:g} bits."
        return error(check, sentence, advice)
    sentence = f"one call on {picture.name} gives a picture of that size and {result.bits:,.0f} bits."
    return passed(check, sentence, bits=result.bits)


def batch(difference: BatchDifference | ProbeFailure) -> Finding:
    """Whether a picture's result is independent of the others in its batch."""
    check = Check.BATCH
    advice = "Normalise, pool and sort within a picture only, and call eval() on layers like BatchNorm."
    if isinstance(difference, ProbeFailure):
        return warning(check, f"a call on two pictures at once fails ({difference.text}).", advice)
    samples, bits = difference.samples, difference.bits
    if samples == 0 and bits == 0:
        return passed(check, "exact: two pictures at once give what each gives alone.", samples=samples, bits=bits)
    how = f"by up to {samples:.1g} of the range of samples and {bits:.1g} of a picture's bits"
    if samples < SUMS_ORDER and bits < SUMS_ORDER:
        limit = "the order of sums, below 1/255"
        sentence = f"drift: two pictures at once differ {how} from each alone ({limit})."
        return passed(check, sentence, samples=samples, bits=bits)
    sentence = f"broken: two pictures at once differ {how} from each alone."
    return error(check, sentence, advice, samples=samples, bits=bits)


def operators(survey: OpSurvey | ProbeFailure) -> Finding:
    """Whether every operator of every call is counted."""
    check = Check.OPERATORS
    width, height = COUNTED_AT
    if isinstance(survey, ProbeFailure):
        return warning(
            check,
            f"its work cannot be counted at {width}x{height} ({survey.text}).",
            "Let forward, compress and decompress run on a picture of that size; the complexity columns need it.",
        )
    names = sorted({f"{name} ({call.value})" for call, found in survey.uncounted.items() for name in found})
    if names:
        return warning(
            check,
            f"uncounted operators: {', '.join(names)}. MACs are lower bounds.",
            "Write these operations with torch's own operators, or quote its MACs as lower bounds.",
            uncounted=names,
        )
    how = f" It had to be run to be counted: {survey.fallback_reason}" if survey.fallback_reason else ""
    calls = ", ".join(call.value for call in survey.uncounted)
    return passed(check, f"every operator of {calls} is counted or free.{how}")
