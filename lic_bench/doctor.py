"""Is a codec sound, and is a checkpoint the one it should be? Told finding by finding, the decisive ones first."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from lic_bench.errors import LicBenchError, WeightsError

if TYPE_CHECKING:
    from torch import nn

    from lic_bench.codec import Codec, CodecCard, Image, Point
    from lic_bench.learned import LearnedCodec

SAMPLES = "sample"
POOR_DB = 20.0
"""Mean PSNR on the sample pictures below which a checkpoint looks wrong: a judgement. The lowest published point
is 23.8 dB (`zoo/published/rd_points.csv`); weights in a wrong layout give about 10."""

RATE_GAP = 0.01
"""Estimated and coded rate may differ by this share."""

ODD_SIZES = ((1, 1), (17, 33))


class Verdict(StrEnum):
    """What a finding means."""

    SOUND = "sound"
    DOUBTFUL = "doubtful"
    WRONG = "WRONG"
    TOLD = "told"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at, what it means, and what was seen, in a sentence."""

    check: str
    verdict: Verdict
    sentence: str


@dataclass(frozen=True)
class Coded:
    """What one picture showed: PSNR of the decoded picture, bits in all, of the strings, and as the network promised.

    `apart` is the largest difference of any sample between decoded picture and forward pass, of 255.
    """

    name: str
    stream: bytes
    decoded: Image
    psnr_db: float
    forward_psnr_db: float
    pixels: int
    payload_bits: int
    estimated_bits: float
    apart: int


def examine(card: CodecCard, point: Point, weights: Path | None = None, device: str = "cpu") -> Iterator[Finding]:
    """Findings about one operating point, with a checkpoint or untrained; stops at the first that nothing can follow.

    Raises DatasetError when the sample pictures are not there.
    """
    from lic_bench.learned import LearnedCodec

    if weights is not None:
        try:
            yield from _file(point, weights)
        except WeightsError as error:
            yield Finding("layout", Verdict.WRONG, str(error))
            return
    try:
        codec = card.load(point, weights, device)
    except LicBenchError as error:
        yield Finding("fit", Verdict.WRONG, str(error))
        return
    if not isinstance(codec, LearnedCodec):
        yield Finding("network", Verdict.TOLD, f"{card.name} shows no network; only its streams are examined.")
        yield from _odd_sizes(codec)
        return
    yield from _width(card, point, weights, codec)
    seen = [_code(codec, name, image) for name, image in _samples()]
    yield _forward_against_coded(seen)
    yield _estimated_against_coded(seen, trained=weights is not None)
    if weights is not None:
        yield _first_figure(seen)
    else:
        yield Finding("figures", Verdict.TOLD, "untrained: rate and distortion mean nothing and are not shown.")
    yield from _odd_sizes(codec)
    yield _other_thread_count(codec, seen[0])
    yield _fresh_process(card, point, weights, device, seen[0])


def _file(point: Point, weights: Path) -> Iterator[Finding]:
    """The file itself: its sha256, and how its tensors are laid out."""
    from lic_bench.fetch import sha256_of
    from lic_bench.zoo.checkpoints import describe

    layout = describe(weights)
    digest = sha256_of(weights)
    published = point.weights.sha256 if point.weights is not None else None
    whose = "nobody published one to compare it with"
    if published is not None:
        whose = "" if digest.startswith(published.lower()) else "not "
        whose += f"the published file ({published})"
    yield Finding("file", Verdict.TOLD, f"{weights.stat().st_size:,} bytes, sha256 {digest}; {whose}.")
    yield Finding("layout", Verdict.TOLD, f"{layout}.")


def _width(card: CodecCard, point: Point, weights: Path | None, codec: LearnedCodec) -> Iterator[Finding]:
    """How large the network is, and where it differs from the card's."""
    count = _parameters(codec.network)
    if weights is None:
        yield Finding("width", Verdict.TOLD, f"{count:,} parameters ({point.network}), untrained.")
        return
    usual = card.load(point, None, str(codec.device))
    theirs = {name: tuple(tensor.shape) for name, tensor in usual.network.named_parameters()}  # type: ignore[attr-defined]
    ours = {name: tuple(tensor.shape) for name, tensor in codec.network.named_parameters()}
    if ours == theirs:
        widths = f"the widths of {card.name} {point.label} ({point.network})"
        yield Finding("fit", Verdict.SOUND, f"every tensor fits; {count:,} parameters, {widths}.")
        return
    differing = [name for name in ours if ours[name] != theirs.get(name)]
    name = next((name for name in differing if name.endswith("weight")), differing[0])
    yield Finding(
        "fit",
        Verdict.DOUBTFUL,
        f"every tensor fits, at widths of the checkpoint's own: {count:,} parameters instead of "
        f"{_parameters(usual.network):,}; {name} is {_by(ours[name])} instead of {_by(theirs.get(name, ()))}.",  # type: ignore[attr-defined]
    )


def _samples() -> Iterator[tuple[str, Image]]:
    from lic_bench import datasets

    for picture in datasets.find(SAMPLES, None, download=False).pictures:
        yield picture.name, datasets.read(picture)[0]


def _code(codec: LearnedCodec, name: str, image: Image) -> Coded:
    import numpy as np

    from lic_bench.metrics import psnr

    stream = codec.encode(image)
    decoded = codec.decode(stream)
    promised, bits = codec.forward(image)
    return Coded(
        name=name,
        stream=stream,
        decoded=decoded,
        psnr_db=psnr(image, decoded),
        forward_psnr_db=psnr(image, promised),
        pixels=image.shape[0] * image.shape[1],
        payload_bits=codec.payload_bits(stream),
        estimated_bits=bits,
        apart=int(np.abs(decoded.astype(np.int16) - promised).max()),
    )


def _forward_against_coded(seen: list[Coded]) -> Finding:
    worst = max(seen, key=lambda coded: coded.apart)
    if worst.apart == 0:
        return Finding("reconstruction", Verdict.SOUND, "decoded pictures equal the forward pass in every sample.")
    if worst.apart == 1:
        return Finding("reconstruction", Verdict.SOUND, "decoded pictures differ from the forward pass by 1 of 255.")
    lost = worst.forward_psnr_db - worst.psnr_db
    return Finding(
        "reconstruction",
        Verdict.WRONG if abs(lost) > 0.1 else Verdict.DOUBTFUL,
        f"{worst.name} decoded differs from the forward pass by up to {worst.apart} of 255 ({lost:+.2f} dB lost): "
        "encoder and decoder do not compute the same, or code is rounded otherwise than in the forward pass.",
    )


def _estimated_against_coded(seen: list[Coded], trained: bool) -> Finding:
    coded = sum(each.payload_bits for each in seen)
    estimated = sum(each.estimated_bits for each in seen)
    gap = coded / estimated - 1 if estimated else math.inf
    sentence = f"strings take {gap:+.2%} beside what the likelihoods promise ({coded:,} and {estimated:,.0f} bits)."
    if abs(gap) <= RATE_GAP:
        return Finding("rate", Verdict.SOUND, sentence)
    if not trained:  # random weights make symbols that no table has; what they cost says nothing about the coder
        return Finding("rate", Verdict.TOLD, f"{sentence} Untrained: symbols outside the coder's tables are expected.")
    return Finding("rate", Verdict.DOUBTFUL, f"{sentence} More than 1 %: are the coder's tables those of the weights?")


def _first_figure(seen: list[Coded]) -> Finding:
    """A look at rate and quality: good enough to see that something is wrong, and for nothing else."""
    decibel = statistics.mean(each.psnr_db for each in seen)
    rate = sum(8 * len(each.stream) for each in seen) / sum(each.pixels for each in seen)
    names = ", ".join(each.name for each in seen)
    sentence = f"{decibel:.2f} dB at {rate:.3f} bpp, the mean of the sample pictures ({names})"
    if decibel < POOR_DB:
        return Finding(
            "first figure",
            Verdict.WRONG,
            f"{sentence}. This looks wrong: published points lie above {POOR_DB:g} dB. Was training finished, and is "
            "the checkpoint of this very network?",
        )
    if rate > 24:
        return Finding("first figure", Verdict.WRONG, f"{sentence}. This looks wrong: the raw picture takes 24 bpp.")
    return Finding("first figure", Verdict.SOUND, f"{sentence}; a look, not a benchmark.")


def _odd_sizes(codec: Codec) -> Iterator[Finding]:
    """Pictures that need padding."""
    import numpy as np

    for width, height in ODD_SIZES:
        rows, columns = np.mgrid[0:height, 0:width]
        image = np.stack([(5 * rows + (channel + 2) * columns) % 256 for channel in range(3)], -1).astype(np.uint8)
        try:
            decoded = codec.decode(codec.encode(image))
        except Exception as error:  # a codec may break in any way; that is the finding
            yield Finding("odd sizes", Verdict.WRONG, f"{width}x{height}: {type(error).__name__}: {error}")
            return
        if decoded.shape != image.shape or decoded.dtype != np.uint8:
            yield Finding("odd sizes", Verdict.WRONG, f"{width}x{height} came back as {decoded.shape} {decoded.dtype}.")
            return
    yield Finding("odd sizes", Verdict.SOUND, f"{' and '.join(f'{w}x{h}' for w, h in ODD_SIZES)} come back whole.")


def _other_thread_count(codec: LearnedCodec, coded: Coded) -> Finding:
    import numpy as np
    import torch

    before = torch.get_num_threads()
    other = 1 if before > 1 else 2
    torch.set_num_threads(other)
    try:
        again = codec.decode(coded.stream)
    except Exception as error:  # as above
        return Finding("threads", Verdict.WRONG, f"a stream made with {before} fails with {other}: {error}")
    finally:
        torch.set_num_threads(before)
    apart = int(np.abs(again.astype(np.int16) - coded.decoded).max())
    made = f"a stream made with {before}"
    if apart == 0:
        return Finding("threads", Verdict.SOUND, f"{made} decodes the same where {other} are set.")
    if apart == 1:
        told = f"{made} decodes to a picture that differs by 1 of 255 with {other}: some sample was near a rounding."
        return Finding("threads", Verdict.DOUBTFUL, told)
    return Finding("threads", Verdict.WRONG, f"{made} decodes to another picture with {other} (up to {apart} of 255).")


def _fresh_process(card: CodecCard, point: Point, weights: Path | None, device: str, coded: Coded) -> Finding:
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor

    import numpy as np
    import torch

    from lic_bench import catalogue

    arguments = (catalogue.door(card), point.label, weights, device, torch.get_num_threads(), coded.stream)
    try:
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
            again = pool.submit(decode_alone, *arguments).result()
    except Exception as error:  # as above
        return Finding("fresh process", Verdict.WRONG, f"decoding the stream alone failed: {error}")
    if np.array_equal(again, coded.decoded):
        return Finding("fresh process", Verdict.SOUND, "another process decodes the stream alone to the same picture.")
    return Finding("fresh process", Verdict.WRONG, "another process decodes the stream to another picture.")


def decode_alone(door: str, label: str, weights: Path | None, device: str, threads: int, stream: bytes) -> Image:
    """A stream decoded with nothing but the codec's name; to be called in a fresh process."""
    import warnings

    warnings.filterwarnings("ignore", "`torch.jit.script` is deprecated")  # said by torch's dependents on import
    import torch

    from lic_bench import catalogue

    torch.set_num_threads(threads)
    card = catalogue.card(door)
    return card.load(card.point(label), weights, device).decode(stream)


def _parameters(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def _by(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape)) or "not there"
