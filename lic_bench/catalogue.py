"""Which codecs there are: plug-ins by entry point, found by name, glob or "all". Imports cards, never networks."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from fnmatch import fnmatchcase
from functools import cache
from importlib.metadata import EntryPoint, entry_points

from lic_bench.codec import CodecCard
from lic_bench.errors import RequestError

GROUP = "lic_bench.codecs"


@cache
def _doors() -> dict[str, EntryPoint]:
    return {door.name: door for door in entry_points(group=GROUP)}


def names() -> tuple[str, ...]:
    """Every codec's name, in the order the plug-ins are registered."""
    return tuple(_doors())


@cache
def card(name: str) -> CodecCard:
    """The card of one codec; RequestError with "did you mean" for an unknown name."""
    if name not in _doors():
        raise RequestError(unknown("model", name, names()))
    try:
        found = _doors()[name].load()
    except Exception as error:  # a plug-in may fail in any way, and must be named rather than stop the others
        raise RequestError(f"The plug-in {name!r} ({_doors()[name].value}) cannot be imported: {error}.") from error
    if not isinstance(found, CodecCard):
        raise RequestError(f"The plug-in {name!r} ({_doors()[name].value}) is not a CodecCard but {type(found)}.")
    return found


def select(request: str | Sequence[str]) -> tuple[CodecCard, ...]:
    """Cards for "all", names and globs ("mbt*"), separated by commas or given as a sequence, each once.

    Raises RequestError for a name that is not there and a glob that matches nothing.
    """
    wanted = request.split(",") if isinstance(request, str) else list(request)
    chosen: dict[str, None] = {}
    for pattern in (item.strip() for item in wanted):
        if pattern == "all":
            chosen |= dict.fromkeys(names())
        elif any(mark in pattern for mark in "*?["):
            matching = [name for name in names() if fnmatchcase(name, pattern)]
            if not matching:
                raise RequestError(f"No model matches {pattern!r}. `lic-bench models` lists what there is.")
            chosen |= dict.fromkeys(matching)
        elif pattern:
            chosen[card(pattern).name] = None
    if not chosen:
        raise RequestError("No model was asked for. `lic-bench models` lists what there is.")
    return tuple(card(name) for name in chosen)


def unknown(kind: str, name: str, known: Sequence[str]) -> str:
    """A sentence about a name that is not there, with the nearest that are."""
    close = get_close_matches(name, known, n=3, cutoff=0.5)
    hint = f"Did you mean {' or '.join(close)}?" if close else f"`lic-bench {kind}s` lists what there is."
    return f"There is no {kind} called {name!r}. {hint}"
