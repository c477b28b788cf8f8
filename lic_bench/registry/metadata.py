"""The attribute `lic_bench` of a user-supplied codec: a mapping that says what its code does not show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lic_bench.errors import RequestError, did_you_mean

ATTRIBUTE = "lic_bench"

KEYS = {
    "name": "what the codec is called, where no entry point names it",
    "title": "a title in words",
    "licence": "the licence of its code and weights",
    "paper": "where it is described",
    "year": "the year of that",
    "points": "operating points: label -> keywords of the constructor",
    "weights": "label -> checkpoint, relative to the module's file",
    "trained": "True where it loads trained weights of its own, False where it must not be taken for trained",
    "trained_for": '"mse" or "ms-ssim"',
    "multiple": "what the sides of the network's input must be multiples of",
}
"""The keys of the mapping, and what each says."""


@dataclass(frozen=True)
class Metadata:
    """The mapping `lic_bench`, checked; the fields are its keys. `trained` is None where it says nothing of it."""

    name: str = ""
    title: str = ""
    licence: str | None = None
    paper: str = ""
    year: int = 0
    points: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    weights: Mapping[str, str] = field(default_factory=dict)
    trained: bool | None = None
    trained_for: str = "unknown"
    multiple: int | None = None

    @property
    def first_keywords(self) -> Mapping[str, Any]:
        """The keywords of the constructor at the first operating point."""
        return next(iter(self.points.values()), {})


def metadata_of(found: object) -> Metadata:
    """The metadata of a class, function or object; empty where it has none. RequestError for what makes no sense."""
    mapping = getattr(found, ATTRIBUTE, {})
    if not isinstance(mapping, Mapping):
        raise RequestError(f"its `{ATTRIBUTE}` is {kind_of(mapping)} and not a mapping")
    for key, value in mapping.items():
        if key not in KEYS:
            hint = did_you_mean(str(key), list(KEYS)) or f"It takes {', '.join(KEYS)}."
            raise RequestError(f"its `{ATTRIBUTE}` has a key {key!r}. {hint}")
        if not _fits(key, value):
            raise RequestError(f"its `{ATTRIBUTE}` says {key!r}: {value!r}; that is {KEYS[key]}")
    return Metadata(**mapping)


def kind_of(thing: object) -> str:
    """The kind of a thing with its article: "a class", "an int"."""
    kind = "class" if isinstance(thing, type) else type(thing).__name__
    return f"{'an' if kind[:1] in 'aeiouAEIOU' else 'a'} {kind}"


def _fits(key: str, value: object) -> bool:
    """Whether a value is of the kind its key takes."""
    if key in ("points", "weights"):
        inside = Mapping if key == "points" else str
        return isinstance(value, Mapping) and bool(value) and all(isinstance(v, inside) for v in value.values())
    if key in ("year", "multiple"):
        return isinstance(value, int) and value > 0
    if key == "trained_for":
        return value in ("mse", "ms-ssim")
    return isinstance(value, bool) if key == "trained" else isinstance(value, str)
