"""The registry of codecs: cards by name, glob or reference. Imports cards, never networks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from lic_bench.codec import CodecCard
from lic_bench.errors import RequestError
from lic_bench.registry import adapters, entry_points
from lic_bench.registry.base import Entry, Registry


@dataclass(frozen=True)
class Selection:
    """The cards asked for; `broken` has the reason, a sentence, by the name or reference of what cannot be used."""

    cards: tuple[CodecCard, ...]
    broken: Mapping[str, str]


def _card(found: object, entry: Entry) -> CodecCard:
    """The card at a reference, or the adapter's for a user-supplied codec, with its reference filled in."""
    card = adapters.card(found, entry.reference, entry.name)
    if entry.name and card.name != entry.name:
        raise RequestError(f"it calls itself {card.name!r}; a card has the name of its entry point")
    if not entry.name and card.name in CODECS.names():
        raise RequestError(f"it calls itself {card.name!r}, which is taken; rename it")
    ours = entry.reference.startswith(entry_points.OURS)
    return replace(card, reference=entry.key, source_sha256="" if ours else entry_points.source_sha256(entry.reference))


CODECS: Registry[CodecCard] = Registry("model", "lic_bench.codecs", _card)


def names() -> tuple[str, ...]:
    """The names of all registered codecs, alphabetical."""
    return CODECS.names()


def get(reference: str) -> CodecCard:
    """The card of a name, or of "package.module:NAME" or "path/to/file.py:NAME".

    Raises RequestError with "did you mean" for an unknown name, and for anything that gives no codec.
    """
    return CODECS.get(reference)


def select(request: str | Sequence[str]) -> tuple[CodecCard, ...]:
    """The cards of "all", names, globs ("mbt*") and references ("file.py:NAME"), each once, in the order asked for.

    `request` is separated by commas or a sequence. Raises RequestError for an unknown name, a glob that matches
    nothing, and whatever is broken among them.
    """
    chosen = selection(request)
    if chosen.broken:
        raise RequestError(" ".join(chosen.broken.values()))
    return chosen.cards


def selection(request: str | Sequence[str]) -> Selection:
    """The cards as `select` gives them, and what is broken. RequestError where no card is left."""
    chosen: dict[str, CodecCard] = {}
    broken: dict[str, str] = {}
    for pattern in _patterns(request):
        cards = []
        for key in _matching(pattern):
            try:
                cards.append(get(key))
            except RequestError as error:
                broken[key] = str(error)
        for card in cards if len(cards) < 2 else sorted(cards, key=_display_order):
            if chosen.setdefault(card.name, card) != card:
                raise RequestError(f"Two models are called {card.name!r}; rename the one of {pattern}.")
        if pattern == "all":
            broken |= CODECS.clashes()
    if not chosen:
        reasons = " ".join(broken.values())
        raise RequestError(reasons or "No model was asked for. `lic-bench models` lists what there is.")
    return Selection(tuple(chosen.values()), broken)


def keys(request: str | Sequence[str]) -> tuple[str, ...]:
    """The names and absolute references that a request stands for, each once. RequestError for unknown names."""
    return tuple(dict.fromkeys(key for pattern in _patterns(request) for key in _matching(pattern)))


def _patterns(request: str | Sequence[str]) -> list[str]:
    wanted = request.split(",") if isinstance(request, str) else request
    return [item.strip() for item in wanted if item.strip()]


def _matching(pattern: str) -> tuple[str, ...]:
    """The registry's keys that a pattern matches."""
    if pattern == "all":
        return names()
    if any(mark in pattern for mark in "*?[") and not entry_points.is_reference(pattern):
        matching = tuple(name for name in names() if fnmatchcase(name, pattern))
        if not matching:
            raise RequestError(f"No model matches {pattern!r}. `lic-bench models` lists what there is.")
        return matching
    return (CODECS.entry(pattern).key,)


def _display_order(card: CodecCard) -> tuple[bool, bool, int, str]:
    """Classical codecs first, then learned ones, by year; demonstrations last."""
    return card.demonstration, card.learned, card.year, card.name
