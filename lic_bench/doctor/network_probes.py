"""What is asked about the network of a learned codec: forward pass, batches, operators; runs in a fresh process."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from lic_bench.benchmark.metrics import psnr
from lic_bench.codec import HasParts
from lic_bench.complexity import mac_counter
from lic_bench.doctor.pictures import BASE_SIZE, TestPicture, noise, of_size
from lic_bench.learned_codec import LearnedCodec
from lic_bench.records import Call, Origin

COUNTED_AT = (256, 256)
"""Width and height at which operators are counted: one that is not counted is counted at no size."""

GAINS = (1, 16, 256, 4096)
"""Factors on the samples of pictures, for a network whose output is the same for all of them."""

SUMS_ORDER = 1 / 255
"""What adding the same numbers in another order may change at most, as a share: a judgement."""


@dataclass(frozen=True)
class CodedSummary:
    """One picture coded, beside the forward pass on it.

    `psnr_db` is that of the decoded picture, `forward_psnr_db` that of the forward pass, both against the original;
    `estimated_bits` are those of the likelihoods. `largest_difference` is that of any sample between decoded picture
    and forward pass, 0 to 255.
    """

    name: str
    pixels: int
    stream_bytes: int
    payload_bits: int
    estimated_bits: float
    psnr_db: float
    forward_psnr_db: float
    largest_difference: int


@dataclass(frozen=True)
class ForwardResult:
    """One call of the network: the reconstruction's shape, and the bits of the likelihoods."""

    shape: tuple[int, ...]
    bits: float


@dataclass(frozen=True)
class BatchDifference:
    """How far results for two pictures in one batch are from those of each alone.

    `samples` is the largest difference of any sample of x_hat, as a share of the range of x_hat's samples (an untrained
    network's are all much alike); `bits` is the largest difference of a picture's bits, as a share of them.
    """

    samples: float
    bits: float


@dataclass(frozen=True)
class OpSurvey:
    """The uncounted operators of each call, and why the network was run to be counted ("" where it was not)."""

    uncounted: Mapping[Call, Mapping[str, int]]
    fallback_reason: str


def code(picture: TestPicture, codec: LearnedCodec) -> CodedSummary:
    """Codes a picture and calls the network on it."""
    stream = codec.encode(picture.image)
    decoded = codec.decode(stream)
    forward_picture, bits = codec.forward(picture.image)
    width, height = picture.size
    return CodedSummary(
        name=picture.name,
        pixels=width * height,
        stream_bytes=len(stream),
        payload_bits=codec.payload_bits(stream),
        estimated_bits=bits,
        psnr_db=psnr(picture.image, decoded),
        forward_psnr_db=psnr(picture.image, forward_picture),
        largest_difference=int(np.abs(decoded.astype(np.int16) - forward_picture).max()),
    )


def forward(picture: TestPicture, codec: LearnedCodec) -> ForwardResult:
    """Calls the network on a picture."""
    forward_picture, bits = codec.forward(picture.image)
    return ForwardResult(forward_picture.shape, bits)


@torch.inference_mode()
def batch(codec: HasParts) -> BatchDifference:
    """Calls the network on two pictures in one batch, and on each alone.

    An untrained network may round all latents to zero and give the same for every picture, which shows nothing. The
    samples are then multiplied by the next of GAINS, until the two results differ.
    """
    size = codec.padded_size(*BASE_SIZE)
    device = next(codec.network.parameters()).device
    pair = [
        torch.tensor(picture.image, device=device).permute(2, 0, 1)[None] / 255
        for picture in (of_size(size), noise(size))
    ]
    for gain in GAINS:
        alone = [codec.network(gain * x) for x in pair]
        if _difference(*(out["x_hat"] for out in alone)) > SUMS_ORDER:
            break
    both = codec.network(gain * torch.cat(pair))
    samples = bits = 0.0
    for index, out in enumerate(alone):
        samples = max(samples, _difference(out["x_hat"], both["x_hat"][index : index + 1]))
        expected = _bits(out["likelihoods"], 0)
        bits = max(bits, _share(abs(_bits(both["likelihoods"], index) - expected), expected))
    return BatchDifference(samples, bits)


def operators(codec: HasParts) -> OpSurvey:
    """Counts every call of the network."""
    counts = [trace.summary() for trace in mac_counter.traces(codec, *COUNTED_AT)]
    reasons = [
        count.fallback_reason or "no reason was given" for count in counts if count.origin is not Origin.PREDICTED
    ]
    return OpSurvey({count.call: count.uncounted for count in counts}, next(iter(reasons), ""))


def _difference(expected: Tensor, other: Tensor) -> float:
    """The largest difference of two reconstructions, as a share of the range of the first; infinite for NaN."""
    difference = float((other - expected).abs().nan_to_num(math.inf).max())
    return _share(difference, float(expected.max() - expected.min()))


def _share(difference: float, whole: float) -> float:
    return difference / whole if whole > 0 else math.inf if difference else 0.0


def _bits(likelihoods: Mapping[str, Tensor], index: int) -> float:
    return sum(float(-torch.log2(likelihood[index].double()).sum()) for likelihood in likelihoods.values())
