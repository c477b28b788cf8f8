"""Judges what became of pictures and streams. Everything here follows from what `witness` reported."""

from __future__ import annotations

from collections.abc import Sequence

from lic_bench.doctor.agreement import Kind, agreement, kind_of, listed, some
from lic_bench.doctor.findings import Finding, doubtful, sound, told, wrong
from lic_bench.doctor.pictures import Made
from lic_bench.doctor.probes import Broken, Habits, Outcome, Read, Trip

ONLY_THE_STREAM = (
    "Put all that decode needs into the stream, and let it use nothing that encode left in the object, in its module "
    "or in a file."
)
HEADER_BYTES = 32
HEADER_SHARE = 0.02
"""By how much (or by what share of the stream) what lies around the strings may differ between two pictures: sizes and
lengths are written in more or fewer bytes. A judgement."""


def complaint(made: Made, outcome: Trip | Broken) -> str | None:
    """Why a picture did not come back whole, or None."""
    if isinstance(outcome, Broken):
        return outcome.sentence
    if outcome.decoded.shape == made.image.shape and outcome.decoded.dtype == made.image.dtype:
        return None
    return f"came back as {kind_of(outcome.decoded)} instead of {kind_of(made.image)}"


def sizes(made: Sequence[Made], outcomes: Sequence[Trip | Broken]) -> Finding:
    """Pictures of all sizes; every one that fails is named."""
    failing = _failing(made, outcomes)
    names = [each.name for each in made]
    if not failing:
        return sound("sizes", f"{listed(names)} come back whole.")
    if sum(map(len, failing.values())) == len(made):
        return wrong(
            "coding",
            f"no picture comes back whole ({_by_complaint(failing)}).",
            "encode takes uint8 of height x width x 3 and gives bytes; decode takes these bytes and nothing else, and "
            "gives uint8 of the same height x width x 3.",
        )
    whole = [name for name in names if not any(name in group for group in failing.values())]
    advice = (
        "Pad pictures inside encode to what the network needs, put the true height and width into the stream, and crop "
        "in decode."
    )
    if any(isinstance(outcome, Broken) and outcome.stopped for outcome in outcomes):
        advice = f"If it only takes long, raise --timeout or lower --large. {advice}"
    return wrong("sizes", f"{_by_complaint(failing)}. These come back whole: {listed(whole)}.", advice)


def plain(made: Sequence[Made], outcomes: Sequence[Trip | Broken]) -> Finding:
    """Pictures with next to nothing in them."""
    failing = _failing(made, outcomes)
    if not failing:
        return sound("plain pictures", f"{listed([each.name for each in made])} come back whole.")
    return wrong(
        "plain pictures",
        f"{_by_complaint(failing)}; another picture of that size does come back.",
        "Look for a division by a spread of zero, and for symbols outside the entropy coder's tables.",
    )


def callers_picture(trips: Sequence[Trip]) -> Finding:
    """The caller's array is the caller's."""
    changed = [trip.made.name for trip in trips if trip.changed]
    if not changed:
        return sound("caller's picture", "encoding leaves the array it is given as it was.")
    return wrong(
        "caller's picture",
        f"encoding writes into the array it is given ({listed(changed)}).",
        "Copy the picture before changing it; whoever compares with it afterwards compares with something else.",
    )


def repetition(first: Habits | Broken, elsewhere: bytes | Broken) -> Finding:
    """Two runs of one thing are equal: in one process, and in another with as many threads."""
    check, advice = (
        "repetition",
        "Draw no random numbers and read no clock; on an accelerator use what is deterministic.",
    )
    if isinstance(first, Broken):
        return wrong(check, f"coding one picture after another in one process fails ({first.sentence}).", advice)
    if first.stream != first.stream_again:
        sizes = f"{len(first.stream):,} and {len(first.stream_again):,} bytes"
        return wrong(check, f"encoding a picture twice gives two different streams ({sizes}).", advice)
    apart = agreement(first.decoded, first.decoded_again)
    if apart.kind is not Kind.EXACT:
        return wrong(check, f"decoding a stream twice gives two different pictures: {apart.sentence}.", advice)
    if isinstance(elsewhere, Broken):
        return wrong(check, f"encoding the same picture in another process fails ({elsewhere.sentence}).", advice)
    if elsewhere != first.stream:
        sizes = f"{len(first.stream):,} and {len(elsewhere):,} bytes"
        return wrong(check, f"another process makes another stream of the same picture ({sizes}).", advice)
    return sound(check, "encoded and decoded twice, in one process and in two, a picture gives the same bytes.")


def stream_alone(first: Habits | Broken, trips: Sequence[Trip], reads: Sequence[Read | Broken]) -> Finding:
    """Whether the stream is all that the decoder needs, and if not, what else it seems to use."""
    check = "stream alone"
    if isinstance(first, Broken):
        return told(check, f"not examined: one process cannot code one picture after another ({first.sentence}).")
    repeatable = agreement(first.decoded, first.decoded_again).kind is Kind.EXACT
    if repeatable and (reason := _leans_on_the_encoder(first)):
        return wrong(check, f"{reason}.", ONLY_THE_STREAM)
    apart = {trip.made.name: agreement(trip.decoded, _picture(seen)) for trip, seen in zip(trips, reads, strict=True)}
    differing = {name: found for name, found in apart.items() if found.kind is not Kind.EXACT}
    broken = [name for name, found in differing.items() if found.kind is Kind.BROKEN]
    where = "in a fresh process, in an empty folder, given the bytes alone,"
    if broken or (repeatable and any(found.largest > 1 for found in differing.values())):
        worst = broken[0] if broken else max(differing, key=lambda name: differing[name].largest)
        wrote = f" Encoding wrote {some(first.wrote)}." if first.wrote else ""
        return wrong(
            check,
            f"the decoder needs something of the encoder that is not in the stream: {where} this happens to {worst}: "
            f"{differing[worst].sentence} ({len(differing)} of {len(trips)} streams differ).{wrote}",
            ONLY_THE_STREAM,
        )
    if aside := sorted({file for seen in reads if isinstance(seen, Read) for file in seen.files} & set(first.wrote)):
        return wrong(check, f"decoding reads what encoding wrote beside the stream: {some(aside)}.", ONLY_THE_STREAM)
    if differing and not repeatable:
        return told(check, f"cannot be judged: decoding is not repeatable, and {where} pictures differ as well.")
    if differing:
        return doubtful(
            check,
            f"{where} {listed(list(differing))} differ by 1 of 255 from what the encoder's process decodes.",
            "Find what differs between processes: a random seed, a cache, a choice of kernel by timing.",
        )
    return sound(check, f"{where} {_streams(len(trips))} decode to the same pictures, whatever was encoded before.")


def threads(
    made_with: int, other: int, trips: Sequence[Trip], reads: Sequence[Outcome], again: Sequence[Outcome]
) -> Finding:
    """Decoding with another number of threads, beside decoding with the number that the streams were made with."""
    return _elsewhere(
        "threads",
        f"with {_threads(other)} instead of {made_with}",
        trips,
        reads,
        again,
        "Probabilities must not depend on the order of sums: put the number of threads into the stream and decode with "
        "it, or compute what the entropy coder uses in integers.",
    )


def encoding_threads(first: Habits, other: int, stream: bytes | Broken) -> Finding:
    """Whether the stream depends on the number of threads it is made with: to know, not to judge."""
    check, which = "encoding threads", f"with {_threads(other)}"
    if isinstance(stream, Broken):
        return wrong(
            check, f"{which} encoding fails ({stream.sentence}).", "Let encode run with any number of threads."
        )
    if stream == first.stream:
        return sound(check, f"{which} encoding gives the same stream.")
    return told(check, f"{which} encoding gives another stream ({len(stream):,} bytes, before {len(first.stream):,}).")


def device(here: str, there: str, trips: Sequence[Trip], reads: Sequence[Outcome], again: Sequence[Outcome]) -> Finding:
    """Decoding on another device, beside decoding on the one that the streams were made on."""
    refusals = [seen.sentence for seen in again if isinstance(seen, Broken) and seen.refused]
    if refusals and len(refusals) == len(again):
        return told(
            "device", f"{there} refuses what was made on {here}, as it says: {refusals[0]}", f"Decode on {here}."
        )
    return _elsewhere(
        "device",
        f"on {there} instead of {here}",
        trips,
        reads,
        again,
        "Probabilities must not depend on the device: refuse streams that were made on another, or compute what the "
        "entropy coder uses in integers.",
    )


def payload(trips: Sequence[Trip]) -> Finding:
    """What the codec says of its strings beside what its streams take.

    What lies around the strings (sizes, lengths) hardly depends on the picture. If it grows with the picture or with
    what is in it, part of the rate is not said.
    """
    check = "payload"
    advice = "payload_bits counts every bit that the entropy coder made: all of the stream but sizes and lengths."
    if any(trip.payload_bits is None for trip in trips):
        return told(check, "its streams are not told apart into header and strings; all bytes count as rate.")
    headers = {trip.made.name: len(trip.stream) - (trip.payload_bits or 0) / 8 for trip in trips}
    if over := [name for name, header in headers.items() if header < 0]:
        return wrong(check, f"payload_bits says more than the whole stream holds ({listed(over)}).", advice)
    if len(trips) < 2:
        return told(check, "not compared: too few pictures come back whole.")
    least, most = sorted(trips, key=lambda trip: headers[trip.made.name])[:: len(trips) - 1]
    low, high = headers[least.made.name], headers[most.made.name]
    around = f"around the strings there are {low:,.0f} bytes for {least.made.name} and {high:,.0f} for {most.made.name}"
    if high - low > HEADER_BYTES + HEADER_SHARE * len(most.stream):
        return wrong(check, f"payload_bits leaves out part of the rate: {around}.", advice)
    return sound(check, f"{around}: sizes and lengths, and nothing of the picture.")


def _leans_on_the_encoder(first: Habits) -> str:
    """What a decoder uses that its own process's encoder left, or "" when it uses nothing."""
    same = agreement(first.decoded, first.after_same_size)
    if same.kind is not Kind.EXACT:
        following = "after another picture of the same size was encoded, a stream made before"
        last = first.same_size
        if not isinstance(last, Broken) and agreement(last, first.after_same_size).kind is Kind.EXACT:
            return f"the decoder gives back the picture that was encoded last: {following} decodes to that one"
        return f"the decoder uses what the encoder left: {following} is another picture: {same.sentence}"
    if first.after_other_size is None:
        return ""
    other = agreement(first.decoded, first.after_other_size)
    if other.kind is Kind.EXACT:
        return ""
    following = "after a picture of another size was encoded, a stream made before is another picture"
    return f"the picture's size is not in the stream: {following}: {other.sentence}"


def _elsewhere(
    check: str, where: str, trips: Sequence[Trip], here: Sequence[Outcome], there: Sequence[Outcome], advice: str
) -> Finding:
    """Decoding under another condition, judged against decoding under the streams' own, each in a fresh process."""
    pairs = [
        (trip.made.name, agreement(known, seen))
        for trip, known, seen in zip(trips, here, there, strict=True)
        if not isinstance(known, Broken)
    ]
    broken = [(name, found.sentence) for name, found in pairs if found.kind is Kind.BROKEN]
    if broken:
        name, sentence = broken[0]
        return wrong(check, f"broken: {where} {name} is lost: {sentence} ({len(broken)} of {len(pairs)}).", advice)
    name, worst = max(pairs, key=lambda pair: pair[1].largest)
    if worst.kind is Kind.EXACT:
        return sound(check, f"exact: {where} {_streams(len(pairs))} decode to the same pictures.")
    if worst.largest == 1:
        return doubtful(check, f"drift: {where} pictures differ by 1 of 255 ({name}): near a rounding.", advice)
    return wrong(check, f"drift: {where} {name} is another picture, by up to {worst.largest} of 255.", advice)


def _picture(seen: Read | Broken) -> Outcome:
    return seen.decoded if isinstance(seen, Read) else seen


def _failing(made: Sequence[Made], outcomes: Sequence[Trip | Broken]) -> dict[str, list[str]]:
    """Names of pictures by what is wrong with them."""
    failing: dict[str, list[str]] = {}
    for each, outcome in zip(made, outcomes, strict=True):
        if (reason := complaint(each, outcome)) is not None:
            failing.setdefault(reason, []).append(each.name)
    return failing


def _by_complaint(failing: dict[str, list[str]]) -> str:
    return "; ".join(f"{listed(names)}: {reason}" for reason, names in failing.items())


def _threads(count: int) -> str:
    return f"{count} thread" if count == 1 else f"{count} threads"


def _streams(count: int) -> str:
    return "the stream" if count == 1 else f"all {count} streams"
