"""Looks at the network behind a learned codec (in another process), and judges what was seen."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from lic_bench.benchmark.metrics import psnr
from lic_bench.codec import HasParts
from lic_bench.complexity import mac_counter
from lic_bench.doctor.findings import Finding, doubtful, sound, told, wrong
from lic_bench.doctor.pictures import USUAL, Made, noise, of_size
from lic_bench.doctor.probes import Broken
from lic_bench.learned_codec import LearnedCodec
from lic_bench.records import Call, Origin

COUNTED_AT = (256, 256)
"""An operator that is not seen is not seen at any size."""

POOR_DB = 20.0
"""Mean PSNR on the sample pictures below which a checkpoint looks wrong: a judgement. The lowest published point
is 23.8 dB (`zoo/published/rd_points.csv`); weights in a wrong layout give about 10."""

RAW_BPP = 24

RATE_GAP = 0.01
"""Estimated and coded rate may differ by this share."""

WRONG_RATE_GAP = 0.1
"""What no rounding of the coder's tables explains: a judgement."""


UNTRAINED_RATE_GAP = 0.5
"""Random weights make symbols that no table has; what they cost says little about the coder. The zoo stays below
20 %."""

GAINS = (1, 16, 256, 4096)
"""What pictures are multiplied by for a network that gives the same for all of them."""

SUMS_ORDER = 1 / 255
"""What adding the same numbers in another order may change at most, as a share: a judgement."""


@dataclass(frozen=True)
class Coded:
    """What one picture showed: PSNR of the decoded picture, bits in all, of the strings, and as the network promised.

    `apart` is the largest difference of any sample between decoded picture and forward pass, of 255.
    """

    name: str
    pixels: int
    stream_bytes: int
    payload_bits: int
    estimated_bits: float
    psnr_db: float
    forward_psnr_db: float
    apart: int


@dataclass(frozen=True)
class Promised:
    """What one call of the network gave: the reconstruction's shape, and bits."""

    shape: tuple[int, ...]
    bits: float


@dataclass(frozen=True)
class Batch:
    """How far two pictures come back from one call apart from what they come back as alone.

    `apart` is the largest difference of any sample of x_hat, as a share of the range of x_hat's samples (an untrained
    network's are all much alike); `bits_apart` is the largest difference of a picture's bits, as a share of them.
    """

    apart: float
    bits_apart: float


@dataclass(frozen=True)
class Counted:
    """Operators that went by uncounted, by call, and why the network was run to be counted ("" where it was not)."""

    uncounted: Mapping[Call, Mapping[str, int]]
    reason: str


def code(made: Made, codec: LearnedCodec) -> Coded:
    """Code a picture, and have the network called on it."""
    stream = codec.encode(made.image)
    decoded = codec.decode(stream)
    promised, bits = codec.forward(made.image)
    width, height = made.size
    return Coded(
        name=made.name,
        pixels=width * height,
        stream_bytes=len(stream),
        payload_bits=codec.payload_bits(stream),
        estimated_bits=bits,
        psnr_db=psnr(made.image, decoded),
        forward_psnr_db=psnr(made.image, promised),
        apart=int(np.abs(decoded.astype(np.int16) - promised).max()),
    )


def forward(made: Made, codec: LearnedCodec) -> Promised:
    """Have the network called on a picture."""
    promised, bits = codec.forward(made.image)
    return Promised(promised.shape, bits)


@torch.inference_mode()
def batch(codec: HasParts) -> Batch:
    """Call the network on two pictures at once, and on each alone.

    An untrained network may round all latents to zero and give the same for every picture, which shows nothing; it is
    given louder ones, which no picture is, until it tells the two apart.
    """
    size = codec.padded_size(*USUAL)
    device = next(codec.network.parameters()).device
    pair = [
        torch.tensor(made.image, device=device).permute(2, 0, 1)[None] / 255 for made in (of_size(size), noise(size))
    ]
    for gain in GAINS:
        alone = [codec.network(gain * x) for x in pair]
        if _apart(*(out["x_hat"] for out in alone)) > SUMS_ORDER:
            break
    both = codec.network(gain * torch.cat(pair))
    apart = bits_apart = 0.0
    for index, out in enumerate(alone):
        apart = max(apart, _apart(out["x_hat"], both["x_hat"][index : index + 1]))
        bits = _bits(out["likelihoods"], 0)
        bits_apart = max(bits_apart, _share(abs(_bits(both["likelihoods"], index) - bits), bits))
    return Batch(apart, bits_apart)


def operators(codec: HasParts) -> Counted:
    """Count every call of the network."""
    counts = [trace.summary() for trace in mac_counter.traces(codec, *COUNTED_AT)]
    reasons = [
        count.fallback_reason or "no reason was given" for count in counts if count.origin is not Origin.PREDICTED
    ]
    return Counted({count.call: count.uncounted for count in counts}, next(iter(reasons), ""))


def reconstruction(seen: Sequence[Coded]) -> Finding:
    """Decoded pictures beside what the forward pass gives."""
    check = "reconstruction"
    worst = max(seen, key=lambda coded: coded.apart)
    if worst.apart <= 1:
        how = (
            "equal the forward pass in every sample" if worst.apart == 0 else "differ from the forward pass by 1 of 255"
        )
        return sound(check, f"decoded pictures {how}.")
    lost = worst.forward_psnr_db - worst.psnr_db
    sentence = (
        f"{worst.name} decoded differs from the forward pass by up to {worst.apart} of 255 ({lost:+.2f} dB lost)."
    )
    advice = (
        "Make encoder and decoder compute the same, and round code in the forward pass (in evaluation mode) as "
        "compress does."
    )
    return wrong(check, sentence, advice) if abs(lost) > 0.1 else doubtful(check, sentence, advice)


def rate(seen: Sequence[Coded], trained: bool) -> Finding:
    """Bits of the strings beside what the likelihoods promise."""
    coded = sum(each.payload_bits for each in seen)
    estimated = sum(each.estimated_bits for each in seen)
    gap = coded / estimated - 1 if estimated else math.inf
    sentence = f"strings take {gap:+.2%} beside what the likelihoods promise ({coded:,} and {estimated:,.0f} bits)."
    if abs(gap) <= RATE_GAP:
        return sound("rate", sentence)
    if not trained and abs(gap) <= UNTRAINED_RATE_GAP:
        return told("rate", f"{sentence} Untrained: symbols outside the coder's tables are expected.")
    if not trained:
        return doubtful(
            "rate",
            f"{sentence} That is more than random weights do to any network known here.",
            "Compare what is coded with what has a likelihood, and examine it with --weights once it is trained.",
        )
    if abs(gap) <= WRONG_RATE_GAP:
        return doubtful(
            "rate",
            f"{sentence} More than 1 %.",
            "Compute the coder's tables anew from the weights: update(force=True).",
        )
    if gap > 0:
        return wrong(
            "rate",
            f"{sentence} The likelihoods under-report the rate.",
            "Let likelihoods cover every symbol that is coded, and compute the coder's tables from the same weights; "
            "quote coded bits, never these estimates.",
        )
    return wrong(
        "rate",
        f"{sentence} The strings hold less than the symbols should take.",
        "Look for symbols that have a likelihood and are not coded, and for likelihoods that are too low.",
    )


def first_figure(seen: Sequence[Coded]) -> Finding:
    """A look at rate and quality: good enough to see that something is wrong, and for nothing else."""
    check = "first figure"
    decibel = statistics.mean(each.psnr_db for each in seen)
    bpp = sum(8 * each.stream_bytes for each in seen) / sum(each.pixels for each in seen)
    names = ", ".join(each.name for each in seen)
    sentence = f"{decibel:.2f} dB at {bpp:.3f} bpp, the mean of the sample pictures ({names})"
    if decibel < POOR_DB:
        return wrong(
            check,
            f"{sentence}. This looks wrong: published points lie above {POOR_DB:g} dB.",
            "Was training finished, and is the checkpoint of this very network? Were channels or layers renamed?",
        )
    if bpp > RAW_BPP:
        return wrong(
            check,
            f"{sentence}. This looks wrong: the raw picture takes {RAW_BPP} bpp.",
            "Is the checkpoint of this very network, and were the coder's tables computed from it?",
        )
    return sound(check, f"{sentence}; a look, not a benchmark.")


def one_call(made: Made, seen: Promised | Broken) -> Finding:
    """What a network that cannot code gives when it is called."""
    check, advice = (
        "forward",
        'Return {"x_hat": 1 x 3 x H x W, "likelihoods": {...}}, each likelihood above 0 and at most 1.',
    )
    if isinstance(seen, Broken):
        return wrong(check, f"one call on {made.name} fails ({seen.sentence}).", advice)
    if seen.shape != made.image.shape or not math.isfinite(seen.bits) or seen.bits < 0:
        return wrong(check, f"one call on {made.name} gives {seen.shape} and {seen.bits:g} bits.", advice)
    return sound(check, f"one call on {made.name} gives a picture of that size and {seen.bits:,.0f} bits.")


def independence(seen: Batch | Broken) -> Finding:
    """Whether a picture's result depends on the others of its batch."""
    check, advice = "batch", "Normalise, pool and sort within a picture only, and call eval() on layers like BatchNorm."
    if isinstance(seen, Broken):
        return doubtful(check, f"a call on two pictures at once fails ({seen.sentence}).", advice)
    if seen.apart == 0 and seen.bits_apart == 0:
        return sound(check, "exact: two pictures at once give what each gives alone.")
    how = f"by up to {seen.apart:.1g} of the range of samples and {seen.bits_apart:.1g} of a picture's bits"
    if seen.apart < SUMS_ORDER and seen.bits_apart < SUMS_ORDER:
        limit = "the order of sums, below 1/255"
        return sound(check, f"drift: two pictures at once differ {how} from each alone ({limit}).")
    return wrong(check, f"broken: two pictures at once differ {how} from each alone.", advice)


def uncounted(seen: Counted | Broken) -> Finding:
    """Whether everything a call does can be counted."""
    check = "operators"
    width, height = COUNTED_AT
    if isinstance(seen, Broken):
        return doubtful(
            check,
            f"its work cannot be counted at {width}x{height} ({seen.sentence}).",
            "Let forward, compress and decompress run on a picture of that size; the complexity columns need it.",
        )
    names = sorted({f"{name} ({call.value})" for call, found in seen.uncounted.items() for name in found})
    if names:
        return doubtful(
            check,
            f"work that nobody counts: {', '.join(names)}. MACs are lower bounds.",
            "Write these operations with torch's own operators, or quote its MACs as lower bounds.",
        )
    how = f" It had to be run to be counted: {seen.reason}" if seen.reason else ""
    return sound(
        check, f"every operator of {', '.join(call.value for call in seen.uncounted)} is counted or free.{how}"
    )


def _apart(known: Tensor, other: Tensor) -> float:
    """The largest difference of two reconstructions, as a share of the range of the first; infinite for NaN."""
    difference = float((other - known).abs().nan_to_num(math.inf).max())
    return _share(difference, float(known.max() - known.min()))


def _share(difference: float, whole: float) -> float:
    return difference / whole if whole > 0 else math.inf if difference else 0.0


def _bits(likelihoods: Mapping[str, Tensor], index: int) -> float:
    return sum(float(-torch.log2(likelihood[index].double()).sum()) for likelihood in likelihoods.values())
