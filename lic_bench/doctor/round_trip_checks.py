"""Checks of pictures encoded and decoded in one process: sizes, contents, the caller's array, the payload."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from lic_bench.doctor.comparison import WrongFormat, wrong_format
from lic_bench.doctor.findings import Check, Finding, error, info, passed
from lic_bench.doctor.pictures import TestPicture
from lic_bench.doctor.probes import Cause, ProbeFailure, RoundTrip
from lic_bench.doctor.wording import listed

HEADER_BYTES = 32
HEADER_SHARE = 0.02
"""By how much (or by what share of the bitstream) what lies around the strings may differ between two pictures: sizes
and lengths are written in more or fewer bytes. A judgement."""

Fault: TypeAlias = ProbeFailure | WrongFormat
"""Why a picture did not come back with its size and type."""


def complete(trips: Sequence[RoundTrip | ProbeFailure]) -> list[RoundTrip]:
    """The round trips whose picture came back with its size and type, whatever its samples."""
    return [trip for trip in trips if isinstance(trip, RoundTrip) and _fault(trip) is None]


def sizes(pictures: Sequence[TestPicture], trips: Sequence[RoundTrip | ProbeFailure]) -> Finding:
    """Whether pictures of all sizes come back; each that does not is named."""
    faults = _faults(pictures, trips)
    names = [picture.name for picture in pictures]
    failing = [name for group in faults.values() for name in group]
    if not faults:
        return passed(Check.SIZES, f"{listed(names)} come back whole.", pictures=names)
    if len(failing) == len(pictures):
        return error(
            Check.CODING,
            f"no picture comes back whole ({_text(faults)}).",
            "encode takes uint8 of height x width x 3 and gives bytes; decode takes these bytes and nothing else, and "
            "gives uint8 of the same height x width x 3.",
            failing=failing,
        )
    advice = (
        "Pad pictures inside encode to what the network needs, put the true height and width into the stream, and crop "
        "in decode."
    )
    if any(isinstance(fault, ProbeFailure) and fault.cause is Cause.TIMED_OUT for fault in faults):
        advice = f"If it only takes long, raise --timeout or lower --large. {advice}"
    whole = [name for name in names if name not in failing]
    return error(
        Check.SIZES,
        f"{_text(faults)}. These come back whole: {listed(whole)}.",
        advice,
        failing=failing,
        pictures=whole,
    )


def plain_pictures(pictures: Sequence[TestPicture], trips: Sequence[RoundTrip | ProbeFailure]) -> Finding:
    """Whether pictures of unusual content come back."""
    faults = _faults(pictures, trips)
    names = [picture.name for picture in pictures]
    if not faults:
        return passed(Check.PLAIN_PICTURES, f"{listed(names)} come back whole.", pictures=names)
    return error(
        Check.PLAIN_PICTURES,
        f"{_text(faults)}; another picture of that size does come back.",
        "Look for a division by a spread of zero, and for symbols outside the entropy coder's tables.",
        failing=[name for group in faults.values() for name in group],
    )


def callers_picture(trips: Sequence[RoundTrip]) -> Finding:
    """Whether encode leaves the caller's array unchanged."""
    changed = [trip.picture.name for trip in trips if trip.input_changed]
    if not changed:
        return passed(Check.CALLERS_PICTURE, "encoding leaves the array it is given as it was.")
    return error(
        Check.CALLERS_PICTURE,
        f"encoding writes into the array it is given ({listed(changed)}).",
        "Copy the picture before changing it; whoever compares with it afterwards compares with something else.",
        changed=changed,
    )


def payload(trips: Sequence[RoundTrip]) -> Finding:
    """Whether the reported payload covers the whole rate.

    What lies around the strings (sizes, lengths) hardly depends on the picture. If it grows with the picture or with
    its content, part of the rate is left out.
    """
    check = Check.PAYLOAD
    advice = "payload_bits counts every bit that the entropy coder made: all of the stream but sizes and lengths."
    if any(trip.payload_bits is None for trip in trips):
        return info(check, "it does not separate the strings from the header (payload_bits); all bytes count as rate.")
    headers = {trip.picture.name: len(trip.stream) - (trip.payload_bits or 0) / 8 for trip in trips}
    if over := [name for name, header in headers.items() if header < 0]:
        sentence = f"payload_bits says more than the whole stream holds ({listed(over)})."
        return error(check, sentence, advice, failing=over)
    if len(trips) < 2:
        return info(check, "not compared: too few pictures come back whole.")
    least, most = sorted(trips, key=lambda trip: headers[trip.picture.name])[:: len(trips) - 1]
    low, high = headers[least.picture.name], headers[most.picture.name]
    around = (
        f"around the strings there are {low:,.0f} bytes for {least.picture.name} and {high:,.0f} for "
        f"{most.picture.name}"
    )
    if high - low > HEADER_BYTES + HEADER_SHARE * len(most.stream):
        sentence = f"payload_bits leaves out part of the rate: {around}."
        return error(check, sentence, advice, least_header_bytes=low, most_header_bytes=high)
    sentence = f"{around}: sizes and lengths, and nothing of the picture."
    return passed(check, sentence, least_header_bytes=low, most_header_bytes=high)


def _fault(trip: RoundTrip | ProbeFailure) -> Fault | None:
    return trip if isinstance(trip, ProbeFailure) else wrong_format(trip.picture.image, trip.decoded)


def _faults(pictures: Sequence[TestPicture], trips: Sequence[RoundTrip | ProbeFailure]) -> dict[Fault, list[str]]:
    """The names of the pictures that did not come back, by the fault."""
    faults: dict[Fault, list[str]] = {}
    for picture, trip in zip(pictures, trips, strict=True):
        if (fault := _fault(trip)) is not None:
            faults.setdefault(fault, []).append(picture.name)
    return faults


def _text(faults: dict[Fault, list[str]]) -> str:
    """Each fault with the pictures it concerns."""
    return "; ".join(
        f"{listed(names)}: {fault.text if isinstance(fault, ProbeFailure) else f'came back as {fault.text}'}"
        for fault, names in faults.items()
    )
