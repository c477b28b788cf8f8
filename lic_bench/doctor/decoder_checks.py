"""Checks of decoding: twice, from the bitstream alone, with other threads, on another device."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from lic_bench.doctor.comparison import PictureComparison, compare
from lic_bench.doctor.findings import Check, Finding, Value, error, info, passed, warning
from lic_bench.doctor.probes import Cause, Decoded, FreshDecoding, ProbeFailure, RepeatedCoding, RoundTrip
from lic_bench.doctor.wording import listed, plural, shortened

ONLY_THE_STREAM = (
    "Put all that decode needs into the stream, and let it use nothing that encode left in the object, in its module "
    "or in a file."
)


class Dependency(StrEnum):
    """What of the encoder's state a decoder uses."""

    LAST_PICTURE = "last_picture"  # it returns the picture that was encoded last
    SAME_SIZE = "same_size"  # something that encoding another picture of the same size changes
    OTHER_SIZE = "other_size"  # something that encoding a picture of another size changes


@dataclass(frozen=True)
class EncoderDependency:
    """A decoder that uses the encoder's state: what of it, and how the picture differs from the one expected."""

    kind: Dependency
    comparison: PictureComparison


def repetition(first: RepeatedCoding | ProbeFailure, elsewhere: bytes | ProbeFailure) -> Finding:
    """Whether coding is repeatable: in one process, and in another with as many threads."""
    check = Check.REPETITION
    advice = "Draw no random numbers and read no clock; on an accelerator use what is deterministic."
    if isinstance(first, ProbeFailure):
        return error(check, f"coding one picture after another in one process fails ({first.text}).", advice)
    if first.stream != first.stream_again:
        sentence = f"encoding a picture twice gives two different streams ({_sizes(first.stream, first.stream_again)})."
        return error(check, sentence, advice, stream_bytes=len(first.stream), again_bytes=len(first.stream_again))
    again = compare(first.decoded, first.decoded_again)
    if not again.is_exact:
        sentence = f"decoding a stream twice gives two different pictures: {again.text}."
        return error(check, sentence, advice, agreement=again.agreement.kind, largest_difference=again.largest)
    if isinstance(elsewhere, ProbeFailure):
        return error(check, f"encoding the same picture in another process fails ({elsewhere.text}).", advice)
    if elsewhere != first.stream:
        sentence = f"another process makes another stream of the same picture ({_sizes(first.stream, elsewhere)})."
        return error(check, sentence, advice, stream_bytes=len(first.stream), again_bytes=len(elsewhere))
    return passed(check, "encoded and decoded twice, in one process and in two, a picture gives the same bytes.")


def stream_alone(
    first: RepeatedCoding | ProbeFailure, trips: Sequence[RoundTrip], fresh: Sequence[FreshDecoding | ProbeFailure]
) -> Finding:
    """Whether the bitstream is all that the decoder needs, and if not, what else it seems to use."""
    check = Check.STREAM_ALONE
    if isinstance(first, ProbeFailure):
        return info(check, f"not examined: one process cannot code one picture after another ({first.text}).")
    repeatable = compare(first.decoded, first.decoded_again).is_exact
    if repeatable and (dependency := encoder_dependency(first)):
        return error(
            check,
            f"{_dependency_text(dependency)}.",
            ONLY_THE_STREAM,
            dependency=dependency.kind,
            agreement=dependency.comparison.agreement.kind,
        )
    compared = {
        trip.picture.name: compare(trip.decoded, answer)
        for trip, answer in zip(trips, decoded_pictures(fresh), strict=True)
    }
    differing = {name: comparison for name, comparison in compared.items() if not comparison.is_exact}
    lost = [name for name, comparison in differing.items() if comparison.fault is not None]
    largest = max((comparison.largest for comparison in differing.values()), default=0)
    where = "in a fresh process, in an empty folder, given the bytes alone,"
    if lost or (repeatable and largest > 1):
        worst = lost[0] if lost else max(differing, key=lambda name: differing[name].largest)
        wrote = f" Encoding wrote {shortened(first.files_written)}." if first.files_written else ""
        return error(
            check,
            f"the decoder needs something of the encoder that is not in the stream: {where} this happens to {worst}: "
            f"{differing[worst].text} ({len(differing)} of {len(trips)} streams differ).{wrote}",
            ONLY_THE_STREAM,
            differing=list(differing),
            agreement=differing[worst].agreement.kind,
            largest_difference=largest,
            files=first.files_written,
        )
    read = {file for answer in fresh if isinstance(answer, FreshDecoding) for file in answer.files_read}
    if files := sorted(read & set(first.files_written)):
        sentence = f"decoding reads what encoding wrote beside the stream: {shortened(files)}."
        return error(check, sentence, ONLY_THE_STREAM, files=files)
    if differing and not repeatable:
        return info(check, f"cannot be judged: decoding is not repeatable, and {where} pictures differ as well.")
    if differing:
        return warning(
            check,
            f"{where} {listed(list(differing))} differ by 1 of 255 from what the encoder's process decodes.",
            "Find what differs between processes: a random seed, a cache, a choice of kernel by timing.",
            differing=list(differing),
            largest_difference=largest,
        )
    sentence = f"{where} {_all_streams(len(trips))} decode to the same pictures, whatever was encoded before."
    return passed(check, sentence, streams=len(trips))


def threads(
    made_with: int, other: int, trips: Sequence[RoundTrip], here: Sequence[Decoded], there: Sequence[Decoded]
) -> Finding:
    """Decoding with `other` threads (`there`) against decoding with as many as the encoder used (`here`)."""
    return _decoding_elsewhere(
        Check.THREADS,
        f"with {plural(other, 'thread')} instead of {made_with}",
        trips,
        here,
        there,
        "Probabilities must not depend on the order of sums: put the number of threads into the stream and decode with "
        "it, or compute what the entropy coder uses in integers.",
    )


def encoding_threads(first: RepeatedCoding, other: int, stream: bytes | ProbeFailure) -> Finding:
    """Whether the bitstream depends on the number of threads it is made with, which is an INFO."""
    check, which = Check.ENCODING_THREADS, f"with {plural(other, 'thread')}"
    if isinstance(stream, ProbeFailure):
        return error(check, f"{which} encoding fails ({stream.text}).", "Let encode run with any number of threads.")
    if stream == first.stream:
        return passed(check, f"{which} encoding gives the same stream.")
    return info(
        check,
        f"{which} encoding gives another stream ({len(stream):,} bytes, before {len(first.stream):,}).",
        stream_bytes=len(first.stream),
        again_bytes=len(stream),
    )


def device(
    here: str, there: str, trips: Sequence[RoundTrip], decoded_here: Sequence[Decoded], decoded_there: Sequence[Decoded]
) -> Finding:
    """Decoding on another device against decoding on the encoder's."""
    refusals = [each for each in decoded_there if isinstance(each, ProbeFailure) and each.cause is Cause.REFUSED]
    if refusals and len(refusals) == len(decoded_there):
        sentence = f"{there} refuses what was made on {here}, as it says: {refusals[0].text}"
        return info(Check.DEVICE, sentence, f"Decode on {here}.", refused=len(refusals))
    return _decoding_elsewhere(
        Check.DEVICE,
        f"on {there} instead of {here}",
        trips,
        decoded_here,
        decoded_there,
        "Probabilities must not depend on the device: refuse streams that were made on another, or compute what the "
        "entropy coder uses in integers.",
    )


def decoded_pictures(fresh: Sequence[FreshDecoding | ProbeFailure]) -> list[Decoded]:
    """The pictures of fresh decodings, and the failures among them."""
    return [answer.decoded if isinstance(answer, FreshDecoding) else answer for answer in fresh]


def encoder_dependency(coding: RepeatedCoding) -> EncoderDependency | None:
    """What a decoder uses that its own process's encoder left, or None when it uses nothing."""
    same = compare(coding.decoded, coding.after_same_size)
    if not same.is_exact:
        last = coding.other_decoded
        is_last = not isinstance(last, ProbeFailure) and compare(last, coding.after_same_size).is_exact
        return EncoderDependency(Dependency.LAST_PICTURE if is_last else Dependency.SAME_SIZE, same)
    if coding.after_other_size is None:
        return None
    other = compare(coding.decoded, coding.after_other_size)
    return None if other.is_exact else EncoderDependency(Dependency.OTHER_SIZE, other)


def _dependency_text(found: EncoderDependency) -> str:
    after_same_size = "after another picture of the same size was encoded, a stream made before"
    if found.kind is Dependency.LAST_PICTURE:
        return f"the decoder gives back the picture that was encoded last: {after_same_size} decodes to that one"
    if found.kind is Dependency.SAME_SIZE:
        return f"the decoder uses what the encoder left: {after_same_size} is another picture: {found.comparison.text}"
    return (
        "the picture's size is not in the stream: after a picture of another size was encoded, a stream made before is "
        f"another picture: {found.comparison.text}"
    )


def _decoding_elsewhere(
    check: Check,
    where: str,
    trips: Sequence[RoundTrip],
    here: Sequence[Decoded],
    there: Sequence[Decoded],
    advice: str,
) -> Finding:
    """Decoding under another condition against decoding under the encoder's, each in a fresh process."""
    compared = [
        (trip.picture.name, compare(known, other))
        for trip, known, other in zip(trips, here, there, strict=True)
        if not isinstance(known, ProbeFailure)
    ]
    lost = [(name, comparison) for name, comparison in compared if comparison.fault is not None]
    if lost:
        name, worst = lost[0]
        sentence = f"broken: {where} {name} is lost: {worst.text} ({len(lost)} of {len(compared)})."
        return error(check, sentence, advice, agreement=worst.agreement.kind, failing=[name for name, _ in lost])
    name, worst = max(compared, key=lambda pair: pair[1].largest)
    values: dict[str, Value] = {"agreement": worst.agreement.kind, "largest_difference": worst.largest}
    if worst.is_exact:
        return passed(check, f"exact: {where} {_all_streams(len(compared))} decode to the same pictures.", **values)
    if worst.largest == 1:
        sentence = f"drift: {where} pictures differ by 1 of 255 ({name}): near a rounding."
        return warning(check, sentence, advice, **values)
    sentence = f"drift: {where} {name} is another picture, by up to {worst.largest} of 255."
    return error(check, sentence, advice, **values)


def _sizes(stream: bytes, other: bytes) -> str:
    return f"{len(stream):,} and {len(other):,} bytes"


def _all_streams(count: int) -> str:
    return "the stream" if count == 1 else f"all {count} streams"
