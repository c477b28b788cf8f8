"""Adapters: cards for user-supplied codecs, which are classes, functions without arguments, or objects.

Two shapes are taken. CompressAI's: a `torch.nn.Module` whose call gives "x_hat" and "likelihoods", whose
`compress(x)` gives "strings" and "shape", which `decompress(strings, shape)` takes. Or `encode(image) -> bytes` and
`decode(bytes) -> image`, pictures as uint8, height x width x 3. An optional attribute `lic_bench`, a mapping with the
keys in KEYS, says what cannot be seen.

What such a codec's rate and distortion are worth is never guessed. A network in CompressAI's shape without weights is
drawn with the fixed seed and untrained, unless it says that it loads its own ("trained": True). A pair of encode and
decode is "not learned", unless it shows a network (`network`, `parts`) or says "trained".
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, get_type_hints

from lic_bench.codec import CodecCard, OperatingPoint, Weights
from lic_bench.errors import RequestError, did_you_mean

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
"""The keys of the mapping `lic_bench`, and what each says."""

ONLY = "1"
"""The label of the one operating point of a codec that names none."""


def card(found: object, reference: str, name: str = "") -> CodecCard:
    """The card of whatever stands at a reference; a card is its own. `name` is that of the entry point, if any.

    Raises RequestError for what is no codec, and for a mapping `lic_bench` that makes no sense.
    """
    if isinstance(found, CodecCard):
        return found
    described = description_of(found)
    makes = _made_by(found, described)
    network = is_network(makes)
    if not network and not has(makes, "encode", "decode"):
        raise RequestError(
            f"it is not a CodecCard but {a(found)} that gives no codec: it needs forward, compress and decompress of "
            "a torch.nn.Module, or encode(image) -> bytes and decode(bytes) -> image"
        )
    learned = network or "trained" in described or "weights" in described or _shows_a_network(makes)
    name = name or str(described.get("name") or tidy(reference.rpartition(":")[2]))
    return CodecCard(
        name=name,
        title=str(described.get("title") or name),
        family="user-supplied",
        paper=str(described.get("paper") or "none given"),
        year=described.get("year", 0),
        licence=described.get("licence"),
        learned=learned,
        points=tuple(_points(found, described, name, learned, _folder(reference))),
        loader="lic_bench.registry.adapted_codec:load",
        trained=described.get("trained") is True,
    )


def tidy(name: str) -> str:
    """A name for the command line: "MyCodec" and "my_codec" are "my-codec"."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "-", name)
    return re.sub(r"[^a-z0-9.]+", "-", words.lower()).strip("-")


def _points(found: Any, described: Mapping[str, Any], name: str, learned: bool, folder: Path) -> list[OperatingPoint]:
    """The operating points, each with the keywords its constructor takes and the file of its weights."""
    files: Mapping[str, str] = described.get("weights", {})
    settings: Mapping[str, Mapping[str, Any]] = described.get("points") or {label: {} for label in files} or {ONLY: {}}
    trained_for = described.get("trained_for", "unknown") if learned else None
    made = []
    for label, keywords in settings.items():
        if is_maker(found):
            _require_arguments(found, keywords)
        elif keywords:
            raise RequestError(f"it is an object, made already, and takes no keywords at point {label!r}")
        network = ", ".join(f"{key}={value}" for key, value in keywords.items()) or name
        made.append(
            OperatingPoint(str(label), trained_for, None, _own(name, label, files, folder), network, dict(keywords))
        )
    stray = [label for label in files if label not in settings]
    if stray:
        raise RequestError(
            f'"weights" names {stray[0]!r}, which is no operating point; those are {", ".join(settings)}'
        )
    return made


def _own(name: str, label: str, files: Mapping[str, str], folder: Path) -> Weights | None:
    """Where the codec's own checkpoint of a point lies: beside the file of its module."""
    if label not in files:
        return None
    return Weights(file=f"{name}/{label}.pth.tar", urls=((folder / files[label]).resolve().as_uri(),))


def _folder(reference: str) -> Path:
    """The folder of the module a reference names."""
    place = reference.rpartition(":")[0]
    return Path(place if place.endswith(".py") else str(sys.modules[place].__file__)).parent


def description_of(found: object) -> Mapping[str, Any]:
    """The mapping `lic_bench` of a class, function or object, checked; empty where there is none."""
    described = getattr(found, "lic_bench", {})
    if not isinstance(described, Mapping):
        raise RequestError(f"its `lic_bench` is {a(described)} and not a mapping")
    for key, value in described.items():
        if key not in KEYS:
            hint = did_you_mean(str(key), list(KEYS)) or f"It takes {', '.join(KEYS)}."
            raise RequestError(f"its `lic_bench` has a key {key!r}. {hint}")
        if not _fits(key, value):
            raise RequestError(f"its `lic_bench` says {key!r}: {value!r}; that is {KEYS[key]}")
    return described


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


def _made_by(found: Any, described: Mapping[str, Any]) -> type:
    """The class of the codec that will be made. A function that does not say so is asked once, without weights."""
    if isinstance(found, type):
        return found
    if not is_maker(found):
        return type(found)
    says = _annotation(found)
    if says is not None:
        return says
    keywords: Mapping[str, Any] = next(iter(described.get("points", {}).values()), {})
    _require_arguments(found, keywords)
    return type(_instance(found, keywords))


def _instance(found: Callable[..., Any], keywords: Mapping[str, Any]) -> object:
    """What a function makes, on the meta device if it can: only its class is of interest."""
    torch = sys.modules.get("torch")
    if torch is None:
        return found(**keywords)
    try:
        with torch.device("meta"):
            return found(**keywords)
    except Exception:  # loading weights needs real tensors; then it is made as for running
        return found(**keywords)


def _annotation(found: Callable[..., Any]) -> type | None:
    """The class that a function says it returns, where it is more than a base of everything."""
    try:
        says = get_type_hints(found).get("return")
    except Exception:  # an annotation that cannot be read says nothing
        return None
    return says if isinstance(says, type) and (is_network(says) or has(says, "encode", "decode")) else None


def _require_arguments(found: Callable[..., Any], keywords: Mapping[str, Any]) -> None:
    """A constructor must do with the keywords of an operating point."""
    try:
        inspect.signature(found).bind(**keywords)
    except TypeError as error:
        raise RequestError(
            f"it is not a CodecCard but {a(found)} that cannot be called with ({', '.join(keywords)}): {error}; give "
            'them as lic_bench = {"points": {"1": {"keyword": value}}}'
        ) from None
    except ValueError:  # written in C, it does not tell its arguments; calling it will
        return


def is_maker(found: object) -> bool:
    """Whether a codec comes of calling this: a class, or a function (networks can be called too, and are none)."""
    return isinstance(found, type) or (inspect.isroutine(found) and callable(found))


def is_network(kind: type) -> bool:
    """Whether a class is in CompressAI's shape. What has not imported torch cannot be."""
    torch = sys.modules.get("torch")
    return torch is not None and issubclass(kind, torch.nn.Module) and has(kind, "forward", "compress", "decompress")


def _shows_a_network(kind: type) -> bool:
    """Whether a class says that there is a network: it is one, has `parts`, or names `network`."""
    torch = sys.modules.get("torch")
    named = hasattr(kind, "network") or any("network" in getattr(base, "__annotations__", {}) for base in kind.__mro__)
    return named or has(kind, "parts") or (torch is not None and issubclass(kind, torch.nn.Module))


def has(kind: type, *methods: str) -> bool:
    """Whether a class has all these methods."""
    return all(callable(getattr(kind, method, None)) for method in methods)


def a(thing: object) -> str:
    """What a thing is, in words."""
    kind = "class" if isinstance(thing, type) else type(thing).__name__
    return f"{'an' if kind[:1] in 'aeiouAEIOU' else 'a'} {kind}"
