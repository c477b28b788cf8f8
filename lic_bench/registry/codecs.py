"""Which codecs there are: plug-ins by entry point, found by name, glob or "all". Imports cards, never networks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from lic_bench.codec import CodecCard
from lic_bench.errors import RequestError, unknown
from lic_bench.registry import adapters, entry_points

GROUP = "lic_bench.codecs"

_found: dict[str, CodecCard | RequestError] = {}  # by door; a broken plug-in is tried once


@dataclass(frozen=True)
class Selection:
    """The cards asked for, and what is broken among them: name -> the reason, in a sentence."""

    cards: tuple[CodecCard, ...]
    broken: Mapping[str, str]


def names() -> tuple[str, ...]:
    """Every codec's name, alphabetical: installers do not keep the order of entry points."""
    return tuple(entry_points.registered(GROUP))


def card(reference: str) -> CodecCard:
    """The card behind a name, or behind "package.module:NAME" or "path/to/file.py:NAME".

    A codec brought without a card gets one (see `brought`). Raises RequestError with "did you mean" for an unknown
    name, and for anything that gives no codec.
    """
    place = _door(reference)
    if place not in _found:
        learn(place, look_up(place))
    found = _found[place]
    if isinstance(found, RequestError):
        raise found
    return found


def door(card: CodecCard) -> str:
    """How another process finds this card: its name, or the reference it was brought by."""
    brought = (place for place, found in _found.items() if entry_points.is_reference(place) and found == card)
    return next(brought, card.name)


def select(request: str | Sequence[str]) -> tuple[CodecCard, ...]:
    """Cards for "all", names, globs ("mbt*") and references ("file.py:NAME"), each once, in the order asked for.

    `request` is separated by commas or a sequence. Raises RequestError for a name that is not there, a glob that
    matches nothing, and whatever is broken among them.
    """
    chosen = selection(request)
    if chosen.broken:
        raise RequestError(" ".join(chosen.broken.values()))
    return chosen.cards


def selection(request: str | Sequence[str]) -> Selection:
    """As `select`, with what is broken beside what is sound. RequestError where nothing sound is left."""
    chosen: dict[str, CodecCard] = {}
    broken: dict[str, str] = {}
    for pattern in _patterns(request):
        cards = []
        for place in _matching(pattern):
            try:
                cards.append(card(place))
            except RequestError as error:
                broken[place] = str(error)
        for found in cards if len(cards) < 2 else sorted(cards, key=_display):
            if chosen.setdefault(found.name, found) != found:
                raise RequestError(f"Two models are called {found.name!r}; rename the one brought by {pattern}.")
        if pattern == "all":
            broken |= entry_points.clashes(GROUP)
    if not chosen:
        reasons = " ".join(broken.values())
        raise RequestError(reasons or "No model was asked for. `lic-bench models` lists what there is.")
    return Selection(tuple(chosen.values()), broken)


def others(request: str | Sequence[str]) -> tuple[str, ...]:
    """Of what is asked for, the doors of other people's codecs that were not looked up yet."""
    asked = dict.fromkeys(place for pattern in _patterns(request) for place in _matching(pattern))
    return tuple(place for place in asked if place not in _found and not _is_ours(place))


def learn(place: str, found: CodecCard | RequestError) -> None:
    """Keep what stands behind a door, or why nothing does, so that it is not looked up again."""
    if (
        isinstance(found, CodecCard)
        and entry_points.is_reference(place)
        and found.name in entry_points.registered(GROUP)
    ):
        found = RequestError(f"The model {place} calls itself {found.name!r}, which is taken; rename it.")
    _found[place] = found


def look_up(place: str) -> CodecCard | RequestError:
    """The card behind a door, or why there is none. Imports the module."""
    if entry_points.is_reference(place):
        what, reference, name = f"The model {place}", place, ""
    else:
        reference, name = entry_points.reference(entry_points.registered(GROUP)[place]), place
        what = f"The plug-in {place!r} ({reference})"
    try:
        thing = entry_points.load(reference, what)
    except RequestError as error:
        return error
    try:
        found = adapters.card(thing, reference, name)
    except RequestError as error:
        return RequestError(entry_points.ended(f"{what} cannot be used: {error}"))
    except (Exception, SystemExit) as error:  # a function that makes a codec may fail in any way, and stops nobody
        return RequestError(entry_points.ended(f"{what} cannot be used: {type(error).__name__}: {error}"))
    if name and found.name != name:
        return RequestError(f"{what} calls itself {found.name!r}; a card has the name of its entry point.")
    return found if reference.startswith(entry_points.OURS) else replace(found, code=entry_points.code(reference))


def _patterns(request: str | Sequence[str]) -> list[str]:
    wanted = request.split(",") if isinstance(request, str) else request
    return [item.strip() for item in wanted if item.strip()]


def _matching(pattern: str) -> tuple[str, ...]:
    """The doors that a pattern names."""
    if pattern == "all":
        return names()
    if any(mark in pattern for mark in "*?[") and not entry_points.is_reference(pattern):
        matching = tuple(name for name in names() if fnmatchcase(name, pattern))
        if not matching:
            raise RequestError(f"No model matches {pattern!r}. `lic-bench models` lists what there is.")
        return matching
    return (_door(pattern),)


def _display(card: CodecCard) -> tuple[bool, bool, int, str]:
    """Classical codecs first, then learned ones, by year; demonstrations last. Installers sort entry points by name."""
    return card.demonstration, card.learned, card.year, card.name


def _door(reference: str) -> str:
    """A door that may lead to a codec: a registered name, or a reference that holds anywhere."""
    if entry_points.is_reference(reference):
        return entry_points.absolute(reference)
    if reference not in names():
        raise RequestError(unknown("model", reference, names()))
    return reference


def _is_ours(place: str) -> bool:
    """Whether a card is this package's own, which needs no precautions."""
    return not entry_points.is_reference(place) and entry_points.registered(GROUP)[place].value.startswith(
        entry_points.OURS
    )
