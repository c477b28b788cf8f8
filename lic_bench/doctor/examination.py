"""The order in which a codec is examined. Everything it does, it does in fresh processes, which may die or be stopped.

First the checkpoint and what was loaded, then pictures there and back, then their streams elsewhere, then the network.
"""

from __future__ import annotations

import tempfile
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch

from lic_bench.assets import datasets
from lic_bench.benchmark.executors.processes import context
from lic_bench.codec import CodecCard, OperatingPoint
from lic_bench.doctor import checkpoint, network, pictures, probes, streams
from lic_bench.doctor.checkpoint import Kind, Look
from lic_bench.doctor.findings import Finding, Verdict, told, wrong
from lic_bench.doctor.pictures import Made, Size
from lic_bench.doctor.probes import Broken, Patient, Question, Read, Trip
from lic_bench.errors import WeightsError
from lic_bench.registry import codecs
from lic_bench.registry.isolation import ProcessDied, Processes, ProcessStopped

SAMPLES = "sample"
TIMEOUT_SECONDS = 600.0

_STREAM_CHECKS = ("caller's picture", "repetition", "stream alone", "threads", "encoding threads", "device", "payload")
_CODING_CHECKS = ("reconstruction", "rate")


@dataclass(frozen=True)
class Surgery:
    """A patient, the processes in which it is asked, and the other device it is to be tried on (None: look for one)."""

    patient: Patient
    processes: Processes
    other_device: str | None = None

    def ask(self, *questions: Question, patient: Patient | None = None, room: Path | None = None) -> list[Any]:
        """The answer to each question; `Broken` where there is none.

        When a process ends early, the question it was at is Broken and the rest are asked in another. One that was
        stopped for its time ends the asking: whatever hangs once would hang again.
        """
        answers: list[Any] = []
        while len(answers) < len(questions):
            at = ""
            try:
                left = questions[len(answers) :]
                for answer in self.processes.run(probes.ask, patient or self.patient, left, room):
                    if isinstance(answer, str):
                        at = f"{answer}: "
                    else:
                        answers.append(answer)
            except ProcessStopped as error:
                answers.append(Broken(f"{at}{error}", stopped=True))
                unasked = Broken("not examined, since something before it never ended")
                answers += [unasked] * (len(questions) - len(answers))
            except ProcessDied as error:
                answers.append(Broken(f"{at}{error}"))
        return answers


def examine(
    card: CodecCard,
    point: OperatingPoint,
    weights: Path | None = None,
    device: str = "cpu",
    *,
    sizes: Sequence[Size] = pictures.SIZES,
    large: Size | None = pictures.LARGE,
    threads: int | None = None,
    other_device: str | None = None,
    timeout_seconds: float | None = TIMEOUT_SECONDS,
) -> Iterator[Finding]:
    """Findings about one operating point, with a checkpoint or untrained; stops at the first that nothing can follow.

    `sizes` are the widths and heights tried after `pictures.USUAL`, with `large` as the last; `threads` is how many
    are used (default: as torch has it); `other_device` is where streams are decoded as well (default: CUDA or the CPU,
    where both are here). One step on one picture may take `timeout_seconds`.
    """
    if weights is not None:
        try:
            yield from checkpoint.file(point, weights)
        except WeightsError as error:
            advice = "Give the file that training saved, or download it again."
            yield wrong("layout", str(error), advice)
            return
    patient = Patient(card.reference, point.label, weights, device, threads or torch.get_num_threads())
    processes = Processes(context((card,)), timeout_seconds)
    try:
        surgery = Surgery(patient, processes, other_device)
        (seen,) = surgery.ask(partial(checkpoint.look, patient))
        if isinstance(seen, Broken):
            yield _not_loaded(seen, weights)
            return
        if seen.kind is not Kind.PLAIN:
            yield checkpoint.fit(card, point, weights, seen)
            yield checkpoint.numbers(seen)
            if seen.not_finite:
                return
        codes = False
        if seen.kind is Kind.ESTIMATOR:
            yield told("codec", f"{card.title} estimates a rate and codes nothing, so there are no streams to examine.")
        else:
            codes = yield from _streams(surgery, sizes, large)
        yield from _network(surgery, seen, codes)
    finally:
        processes.stop()


def _not_loaded(seen: Broken, weights: Path | None) -> Finding:
    if weights is None:
        return wrong("loading", f"{seen.sentence}", "The loader must build the codec without a checkpoint as well.")
    advice = "Give the checkpoint of this very network and operating point; `lic-bench models` says which there are."
    return wrong("fit", seen.sentence, advice)


def _streams(surgery: Surgery, sizes: Sequence[Size], large: Size | None) -> Generator[Finding, None, bool]:
    """Pictures there and back, and what their streams are worth elsewhere. Returns whether any came back whole."""
    made = [pictures.of_size(size) for size in (pictures.USUAL, *sizes, *(() if large is None else (large,)))]
    outcomes = surgery.ask(*(partial(probes.there_and_back, each) for each in made))
    sized = streams.sizes(made, outcomes)
    yield sized
    whole = _whole(made, outcomes)
    if not whole:
        for check in ("plain pictures", *_STREAM_CHECKS):
            yield told(check, "not examined: no picture comes back whole.")
        return False
    if any(trip.made.size == pictures.USUAL for trip in whole):
        plain = pictures.plain()
        seen = surgery.ask(*(partial(probes.there_and_back, each) for each in plain))
        yield streams.plain(plain, seen)
        whole += _whole(plain, seen)
    else:
        width, height = pictures.USUAL
        yield told("plain pictures", f"not examined: pictures of {width}x{height} do not come back whole.")
    yield streams.callers_picture(whole)
    yield from _elsewhere(surgery, [trip for trip in whole if trip.made.size != large] or whole)
    yield streams.payload(whole)
    return True


def _elsewhere(surgery: Surgery, trips: Sequence[Trip]) -> Iterator[Finding]:
    """The streams of small pictures in fresh processes: alone, with another number of threads, on another device."""
    patient = surgery.patient
    first = next((trip for trip in trips if trip.made.size == pictures.USUAL), trips[-1]).made
    others = [trip.made.image for trip in trips if trip.made.size != first.size]
    same_size = pictures.noise(first.size).image
    asked = partial(probes.habits, first.image, same_size, others[-1] if others else None)
    (habits,) = surgery.ask(asked)
    decode = [partial(probes.read, trip.stream) for trip in trips]
    encode = partial(probes.encode, first.image)
    with tempfile.TemporaryDirectory() as room:
        *reads, again = surgery.ask(*decode, encode, room=Path(room))
    yield streams.repetition(habits, again)
    alone = streams.stream_alone(habits, trips, reads)
    yield alone
    if alone.verdict in (Verdict.WRONG, Verdict.TOLD) or isinstance(habits, Broken):
        for check in ("threads", "encoding threads", "device"):
            yield told(check, "not examined: it does not decode from the stream alone, again and again the same.")
        return
    other = 1 if patient.threads > 1 else 2
    *seen, again = surgery.ask(*decode, encode, patient=replace(patient, threads=other))
    yield streams.threads(patient.threads, other, trips, _decoded(reads), _decoded(seen))
    yield streams.encoding_threads(habits, other, again)
    yield _other_device(surgery, trips, reads, decode)


def _other_device(
    surgery: Surgery, trips: Sequence[Trip], reads: Sequence[Read | Broken], decode: Sequence[Question]
) -> Finding:
    here, there = surgery.patient.device, surgery.other_device
    if there is None and not codecs.get(surgery.patient.reference).learned:
        return told("device", "not examined: a codec that is not learned runs on the CPU.")
    if there is None and not torch.cuda.is_available():
        return told("device", "not examined: no other device here.", "Run the doctor once where there is a GPU.")
    there = there or ("cuda" if here == "cpu" else "cpu")
    seen = surgery.ask(*decode, patient=replace(surgery.patient, device=there))
    return streams.device(here, there, trips, _decoded(reads), _decoded(seen))


def _network(surgery: Surgery, seen: Look, codes: bool) -> Iterator[Finding]:
    """What can be seen of a network: coding beside the forward pass, rates, batches, operators."""
    if seen.kind is Kind.PLAIN:
        yield told("network", "shows no network, so rates, forward pass, batches and operators cannot be examined.")
        return
    trained = surgery.patient.weights is not None or codecs.get(surgery.patient.reference).trained
    if seen.kind is Kind.ESTIMATOR:
        made = pictures.of_size(pictures.USUAL)
        (called,) = surgery.ask(partial(network.forward, made))
        yield network.one_call(made, called)
    elif seen.kind is Kind.LEARNED and codes:
        yield from _coding(surgery, trained)
    else:
        why = "no picture comes back whole" if seen.kind is Kind.LEARNED else "no forward pass of CompressAI's shape"
        for check in _CODING_CHECKS:
            yield told(check, f"not examined: {why}.")
    batch, counted = surgery.ask(network.batch, network.operators)
    yield network.independence(batch)
    yield network.uncounted(counted)
    if not trained:
        yield told(
            "figures",
            "untrained: rate and distortion mean nothing and are not shown, and latents that hold little try the coder "
            "little.",
            "Examine it with --weights as well, once it is trained.",
        )


def _coding(surgery: Surgery, trained: bool) -> Iterator[Finding]:
    """Coded against promised: on the sample pictures where there is something to see, else on two made ones."""
    made = list(_samples()) if trained else [pictures.of_size((128, 128)), pictures.noise((128, 128))]
    answers = surgery.ask(*(partial(network.code, each) for each in made))
    broken = [(each.name, answer) for each, answer in zip(made, answers, strict=True) if isinstance(answer, Broken)]
    if broken:
        name, answer = broken[0]
        yield wrong("reconstruction", f"{name}: {answer.sentence}.", "Let forward run on every picture that is coded.")
        yield told("rate", "not examined: see reconstruction.")
        return
    yield network.reconstruction(answers)
    yield network.rate(answers, trained)
    if trained:
        yield network.first_figure(answers)


def _samples() -> Iterator[Made]:
    for picture in datasets.find(SAMPLES, None, download=False).pictures:
        yield Made(picture.name, datasets.read(picture)[0])


def _whole(made: Sequence[Made], outcomes: Sequence[Trip | Broken]) -> list[Trip]:
    pairs = zip(made, outcomes, strict=True)
    return [trip for each, trip in pairs if isinstance(trip, Trip) and streams.complaint(each, trip) is None]


def _decoded(reads: Sequence[Read | Broken]) -> list[Any]:
    return [seen.decoded if isinstance(seen, Read) else seen for seen in reads]
