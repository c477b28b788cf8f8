"""Which codecs there are: plug-ins by entry point, found by name, glob or "all". Imports cards, never networks."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from fnmatch import fnmatchcase
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType

from lic_bench.codec import CodecCard
from lic_bench.errors import RequestError, unknown

GROUP = "lic_bench.codecs"

_references: dict[str, str] = {}  # codecs brought by reference: name -> reference


@cache
def _doors() -> dict[str, EntryPoint]:
    return {door.name: door for door in entry_points(group=GROUP)}


def names() -> tuple[str, ...]:
    """Every codec's name, alphabetical: installers do not keep the order of entry points."""
    return tuple(sorted(_doors()))


def card(reference: str) -> CodecCard:
    """The card behind a name, or behind "package.module:NAME" or "path/to/file.py:NAME".

    Raises RequestError with "did you mean" for an unknown name, and for anything that gives no card.
    """
    if ":" in reference:
        return _brought(_absolute(reference))
    if reference not in _doors():
        raise RequestError(unknown("model", reference, names()))
    return _registered(reference)


def door(card: CodecCard) -> str:
    """How another process finds this card: its name, or the reference it was brought by."""
    return _references.get(card.name, card.name)


def select(request: str | Sequence[str]) -> tuple[CodecCard, ...]:
    """Cards for "all", names, globs ("mbt*") and references ("file.py:NAME"), each once, in the order asked for.

    `request` is separated by commas or a sequence. Raises RequestError for a name that is not there and a glob that
    matches nothing.
    """
    wanted = request.split(",") if isinstance(request, str) else list(request)
    chosen: dict[str, CodecCard] = {}
    for pattern in (item.strip() for item in wanted):
        for found in _matching(pattern):
            if chosen.setdefault(found.name, found) != found:
                raise RequestError(f"Two models are called {found.name!r}; rename the one brought by {pattern}.")
    if not chosen:
        raise RequestError("No model was asked for. `lic-bench models` lists what there is.")
    return tuple(chosen.values())


def _matching(pattern: str) -> tuple[CodecCard, ...]:
    if pattern == "all":
        return tuple(sorted(map(card, names()), key=_display))
    if any(mark in pattern for mark in "*?[") and ":" not in pattern:
        matching = tuple(sorted((card(name) for name in names() if fnmatchcase(name, pattern)), key=_display))
        if not matching:
            raise RequestError(f"No model matches {pattern!r}. `lic-bench models` lists what there is.")
        return matching
    return (card(pattern),) if pattern else ()


def _display(card: CodecCard) -> tuple[bool, bool, int, str]:
    """Classical codecs first, then learned ones, by year; demonstrations last. Installers sort entry points by name."""
    return card.demonstration, card.learned, card.year, card.name


@cache
def _registered(name: str) -> CodecCard:
    try:
        found = _doors()[name].load()
    except Exception as error:  # a plug-in may fail in any way, and must be named rather than stop the others
        raise RequestError(f"The plug-in {name!r} ({_doors()[name].value}) cannot be imported: {error}.") from error
    return _require_card(found, f"The plug-in {name!r} ({_doors()[name].value})")


@cache
def _brought(reference: str) -> CodecCard:
    """A card by reference; the module is imported as any other, a file under its own name."""
    place, _, attribute = reference.rpartition(":")
    try:
        module = _module_of_file(Path(place)) if place.endswith(".py") else import_module(place)
        found = getattr(module, attribute)
    except Exception as error:  # as above: somebody else's file may fail in any way
        raise RequestError(f"The model {reference} cannot be imported: {type(error).__name__}: {error}.") from error
    brought = _require_card(found, f"The model {reference}")
    if brought.name in _doors():
        raise RequestError(f"The model {reference} calls itself {brought.name!r}, which is taken; rename it.")
    _references[brought.name] = reference
    return brought


def _module_of_file(path: Path) -> ModuleType:
    """Import a file under its stem, with its folder on the path, so that its loader can be found by name as well."""
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}")
    if str(path.parent) not in sys.path:
        sys.path.append(str(path.parent))
    return import_module(path.stem)


def _absolute(reference: str) -> str:
    """References to files hold wherever the work is done only when they are absolute."""
    place, _, attribute = reference.rpartition(":")
    return f"{Path(place).expanduser().resolve()}:{attribute}" if place.endswith(".py") else reference


def _require_card(found: object, what: str) -> CodecCard:
    if not isinstance(found, CodecCard):
        raise RequestError(f"{what} is not a CodecCard but a {type(found).__name__}.")
    return found
