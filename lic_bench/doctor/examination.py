"""The order of the checks: checkpoint and weights, round trips, decoding elsewhere, network.

The codec runs in fresh processes only, so that nothing it does ends the examination.
"""

from __future__ import annotations

import tempfile
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch

from lic_bench.assets import datasets
from lic_bench.assets.pictures import read
from lic_bench.benchmark.executors.processes import process_context
from lic_bench.codec import CodecCard, OperatingPoint
from lic_bench.doctor import (
    checkpoint_checks,
    decoder_checks,
    network_checks,
    network_probes,
    pictures,
    probes,
    round_trip_checks,
    weights_probe,
)
from lic_bench.doctor.context import ExaminationContext
from lic_bench.doctor.findings import Check, Finding, Level, error, info
from lic_bench.doctor.pictures import Size, TestPicture
from lic_bench.doctor.probes import CodecUnderTest, FreshDecoding, Probe, ProbeFailure, RoundTrip
from lic_bench.doctor.weights_probe import NetworkKind, WeightsState
from lic_bench.errors import WeightsError
from lic_bench.registry.isolation import Processes

SAMPLES = "sample"
"""The data set whose pictures are coded with a trained codec."""

TIMEOUT_SECONDS = 600.0
"""How long one step on one picture may take by default."""

_STREAM_CHECKS = (
    Check.PLAIN_PICTURES,
    Check.CALLERS_PICTURE,
    Check.REPETITION,
    Check.STREAM_ALONE,
    Check.THREADS,
    Check.ENCODING_THREADS,
    Check.DEVICE,
    Check.PAYLOAD,
)
_REPEATABLE_CHECKS = (Check.THREADS, Check.ENCODING_THREADS, Check.DEVICE)
_CODING_CHECKS = (Check.RECONSTRUCTION, Check.RATE)


def examine(
    card: CodecCard,
    point: OperatingPoint,
    weights: Path | None = None,
    device: str = "cpu",
    *,
    sizes: Sequence[Size] = pictures.SIZES,
    large: Size | None = pictures.LARGE_SIZE,
    threads: int | None = None,
    other_device: str | None = None,
    timeout_seconds: float | None = TIMEOUT_SECONDS,
) -> Iterator[Finding]:
    """Yields the findings about one operating point, with a checkpoint or untrained.

    Ends at the first finding after which no check can be made. `sizes` are the widths and heights tried after
    `pictures.BASE_SIZE`, with `large` as the last; `threads` is torch's number of threads (default: as it is);
    `other_device` is where bitstreams are decoded as well (default: CUDA or the CPU, where both are here). One step on
    one picture may take `timeout_seconds`.
    """
    if weights is not None:
        try:
            yield from checkpoint_checks.file(point, weights)
        except WeightsError as failure:
            yield error(Check.LAYOUT, str(failure), "Give the file that training saved, or download it again.")
            return
    subject = CodecUnderTest(card.reference, point.label, weights, device, threads or torch.get_num_threads())
    processes = Processes(process_context((card,)), timeout_seconds)
    try:
        yield from _examine(ExaminationContext(card, subject, processes, other_device), point, sizes, large)
    finally:
        processes.stop()


def _examine(
    context: ExaminationContext, point: OperatingPoint, sizes: Sequence[Size], large: Size | None
) -> Iterator[Finding]:
    """All checks that run the codec."""
    card, weights = context.card, context.subject.weights
    (report,) = context.run(partial(weights_probe.inspect, context.subject))
    if isinstance(report, ProbeFailure):
        yield checkpoint_checks.loading(report, weights)
        return
    if report.kind is not NetworkKind.NONE:
        yield checkpoint_checks.fit(card, point, weights, report)
        yield checkpoint_checks.numbers(report)
        if report.state is WeightsState.NOT_FINITE:
            return
    codes = False
    if report.kind is NetworkKind.ESTIMATOR:
        sentence = f"{card.title} estimates a rate and codes nothing, so there are no streams to examine."
        yield info(Check.CODEC, sentence)
    else:
        codes = yield from _coding(context, sizes, large)
    yield from _network(context, report.kind, codes)


def _coding(context: ExaminationContext, sizes: Sequence[Size], large: Size | None) -> Generator[Finding, None, bool]:
    """Round trips, and decoding elsewhere. Returns whether any picture came back with its size and type."""
    tried = [pictures.of_size(size) for size in (pictures.BASE_SIZE, *sizes, *(() if large is None else (large,)))]
    trips = _round_trips(context, tried)
    yield round_trip_checks.sizes(tried, trips)
    complete = round_trip_checks.complete(trips)
    if not complete:
        yield from _not_examined(_STREAM_CHECKS, "no picture comes back whole")
        return False
    if any(trip.picture.size == pictures.BASE_SIZE for trip in complete):
        plain = pictures.plain_pictures()
        plain_trips = _round_trips(context, plain)
        yield round_trip_checks.plain_pictures(plain, plain_trips)
        complete += round_trip_checks.complete(plain_trips)
    else:
        width, height = pictures.BASE_SIZE
        yield from _not_examined([Check.PLAIN_PICTURES], f"pictures of {width}x{height} do not come back whole")
    yield round_trip_checks.callers_picture(complete)
    yield from _decoding(context, [trip for trip in complete if trip.picture.size != large] or complete)
    yield round_trip_checks.payload(complete)
    return True


def _round_trips(context: ExaminationContext, tried: Sequence[TestPicture]) -> list[RoundTrip | ProbeFailure]:
    return context.run(*(partial(probes.round_trip, picture) for picture in tried))


def _decoding(context: ExaminationContext, trips: Sequence[RoundTrip]) -> Iterator[Finding]:
    """Decoding of the small pictures' bitstreams: repeated, alone, with other threads, on another device."""
    subject = context.subject
    first = next((trip for trip in trips if trip.picture.size == pictures.BASE_SIZE), trips[-1]).picture
    other_sizes = [trip.picture.image for trip in trips if trip.picture.size != first.size]
    same_size = pictures.noise(first.size).image
    last_size = other_sizes[-1] if other_sizes else None
    (repeated,) = context.run(partial(probes.repeated_coding, first.image, same_size, last_size))
    decode = [partial(probes.fresh_decoding, trip.stream) for trip in trips]
    encode = partial(probes.encode, first.image)
    with tempfile.TemporaryDirectory() as folder:
        *fresh, stream = context.run(*decode, encode, folder=Path(folder))
    yield decoder_checks.repetition(repeated, stream)
    alone = decoder_checks.stream_alone(repeated, trips, fresh)
    yield alone
    if alone.level in (Level.ERROR, Level.INFO) or isinstance(repeated, ProbeFailure):
        reason = "it does not decode from the stream alone, again and again the same"
        yield from _not_examined(_REPEATABLE_CHECKS, reason)
        return
    here = decoder_checks.decoded_pictures(fresh)
    other = 1 if subject.threads > 1 else 2
    *fresh, stream = context.run(*decode, encode, subject=replace(subject, threads=other))
    yield decoder_checks.threads(subject.threads, other, trips, here, decoder_checks.decoded_pictures(fresh))
    yield decoder_checks.encoding_threads(repeated, other, stream)
    yield _other_device(context, trips, here, decode)


def _other_device(
    context: ExaminationContext,
    trips: Sequence[RoundTrip],
    decoded_here: Sequence[probes.Decoded],
    decode: Sequence[Probe],
) -> Finding:
    here, there = context.subject.device, context.other_device
    if there is None and not context.card.learned:
        return info(Check.DEVICE, "not examined: a codec that is not learned runs on the CPU.")
    if there is None and not torch.cuda.is_available():
        return info(Check.DEVICE, "not examined: no other device here.", "Run the doctor once where there is a GPU.")
    there = there or ("cuda" if here == "cpu" else "cpu")
    fresh: list[FreshDecoding | ProbeFailure] = context.run(*decode, subject=replace(context.subject, device=there))
    return decoder_checks.device(here, there, trips, decoded_here, decoder_checks.decoded_pictures(fresh))


def _network(context: ExaminationContext, kind: NetworkKind, codes: bool) -> Iterator[Finding]:
    """Reconstruction, rate, batches and operators of a network."""
    if kind is NetworkKind.NONE:
        sentence = "shows no network, so rates, forward pass, batches and operators cannot be examined."
        yield info(Check.NETWORK, sentence)
        return
    if kind is NetworkKind.ESTIMATOR:
        picture = pictures.of_size(pictures.BASE_SIZE)
        (result,) = context.run(partial(network_probes.forward, picture))
        yield network_checks.forward(picture, result)
    elif kind is NetworkKind.OTHER:
        yield from _not_examined(_CODING_CHECKS, "no forward pass of CompressAI's shape")
    elif codes:
        yield from _rate_and_quality(context)
    else:
        yield from _not_examined(_CODING_CHECKS, "no picture comes back whole")
    difference, survey = context.run(network_probes.batch, network_probes.operators)
    yield network_checks.batch(difference)
    yield network_checks.operators(survey)
    if not context.trained:
        yield info(
            Check.FIGURES,
            "untrained: rate and distortion mean nothing and are not shown, and latents that hold little try the coder "
            "little.",
            "Examine it with --weights as well, once it is trained.",
        )


def _rate_and_quality(context: ExaminationContext) -> Iterator[Finding]:
    """Coded pictures against the forward pass: the sample pictures for a trained codec, else two test pictures."""
    size = (128, 128)
    coded = list(_samples()) if context.trained else [pictures.of_size(size), pictures.noise(size)]
    answers = context.run(*(partial(network_probes.code, picture) for picture in coded))
    for picture, answer in zip(coded, answers, strict=True):
        if isinstance(answer, ProbeFailure):
            advice = "Let forward run on every picture that is coded."
            yield error(Check.RECONSTRUCTION, f"{picture.name}: {answer.text}.", advice)
            yield from _not_examined([Check.RATE], "see reconstruction")
            return
    yield network_checks.reconstruction(answers)
    yield network_checks.rate(answers, context.trained)
    if context.trained:
        yield network_checks.first_figure(answers)


def _samples() -> Iterator[TestPicture]:
    for picture in datasets.find(SAMPLES, None, download=False).pictures:
        yield TestPicture(picture.name, read(picture)[0])


def _not_examined(checks: Iterable[Check], reason: str) -> Iterator[Finding]:
    """An INFO for each check that cannot be made."""
    return (info(check, f"not examined: {reason}.") for check in checks)
