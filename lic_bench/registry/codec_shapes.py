"""The shapes that a user-supplied codec can have, recognised by its methods. Nothing here imports torch.

CompressAI's: a `torch.nn.Module` whose call gives "x_hat" and "likelihoods", whose `compress(x)` gives "strings" and
"shape", which `decompress(strings, shape)` takes. Or `encode(image) -> bytes` and `decode(bytes) -> image`, pictures
as uint8, height x width x 3.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Mapping
from typing import Any, get_type_hints

from lic_bench.errors import RequestError
from lic_bench.registry.metadata import kind_of


def has_methods(kind: type, *methods: str) -> bool:
    """Whether a class has all these methods."""
    return all(callable(getattr(kind, method, None)) for method in methods)


def is_codec(kind: type) -> bool:
    """Whether a class codes pictures by `encode` and `decode`."""
    return has_methods(kind, "encode", "decode")


def is_compressai_network(kind: type) -> bool:
    """Whether a class is a network in CompressAI's shape. Where torch is not imported there is none."""
    return _is_module(kind) and has_methods(kind, "forward", "compress", "decompress")


def shows_network(kind: type) -> bool:
    """Whether a class says that it has a network: it is a torch module, has `parts`, or names `network`."""
    named = hasattr(kind, "network") or any("network" in getattr(base, "__annotations__", {}) for base in kind.__mro__)
    return named or has_methods(kind, "parts") or _is_module(kind)


def is_factory(found: object) -> bool:
    """Whether calling this makes a codec: a class or a function. Objects that can be called, as networks, are none."""
    return isinstance(found, type) or (inspect.isroutine(found) and callable(found))


def codec_class(found: Any, keywords: Mapping[str, Any]) -> type:
    """The class of the codec that a class, function or object gives.

    A function that does not annotate what it returns is called once with `keywords`.
    """
    if isinstance(found, type):
        return found
    if not is_factory(found):
        return type(found)
    annotated = _annotated_class(found)
    if annotated is not None:
        return annotated
    require_arguments(found, keywords)
    return type(_without_weights(found, keywords))


def require_arguments(found: Callable[..., Any], keywords: Mapping[str, Any]) -> None:
    """RequestError where a class or function cannot be called with these keywords alone."""
    try:
        inspect.signature(found).bind(**keywords)
    except TypeError as error:
        raise RequestError(
            f"it is not a CodecCard but {kind_of(found)} that cannot be called with ({', '.join(keywords)}): {error}; "
            'give them as lic_bench = {"points": {"1": {"keyword": value}}}'
        ) from None
    except ValueError:  # written in C, it does not say its arguments; calling it will
        return


def _is_module(kind: type) -> bool:
    torch = sys.modules.get("torch")
    return torch is not None and issubclass(kind, torch.nn.Module)


def _annotated_class(found: Callable[..., Any]) -> type | None:
    """The class that a function says it returns, where that is a codec."""
    try:
        returned = get_type_hints(found).get("return")
    except Exception:  # an annotation that cannot be evaluated says nothing
        return None
    return returned if isinstance(returned, type) and (is_compressai_network(returned) or is_codec(returned)) else None


def _without_weights(found: Callable[..., Any], keywords: Mapping[str, Any]) -> object:
    """What a function makes, on the meta device if it can: only its class is of interest."""
    torch = sys.modules.get("torch")
    if torch is None:
        return found(**keywords)
    try:
        with torch.device("meta"):
            return found(**keywords)
    except Exception:  # loading weights needs real tensors; then it is made as for running
        return found(**keywords)
