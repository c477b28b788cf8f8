"""Cards for user-supplied codecs: classes, functions without arguments, or objects (see `codec_shapes`).

What the rate and distortion of such a codec are worth is never guessed. A network in CompressAI's shape without
weights is untrained, unless it says that it loads its own ("trained": True). A pair of encode and decode is
"not learned", unless it shows a network (`network`, `parts`) or says "trained".
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

from lic_bench.codec import CodecCard, OperatingPoint, Weights
from lic_bench.errors import RequestError
from lic_bench.registry.codec_shapes import (
    codec_class,
    is_codec,
    is_compressai_network,
    is_factory,
    require_arguments,
    shows_network,
)
from lic_bench.registry.metadata import Metadata, kind_of, metadata_of

ONLY_POINT = "1"
"""The label of the operating point of a codec that names none."""


def card(found: object, reference: str, name: str = "") -> CodecCard:
    """The card of what stands at a reference; a CodecCard is its own. `name` is that of the entry point, if any.

    Raises RequestError for what is no codec, and for metadata that make no sense.
    """
    if isinstance(found, CodecCard):
        return found
    metadata = metadata_of(found)
    kind = codec_class(found, metadata.first_keywords)
    network = is_compressai_network(kind)
    if not network and not is_codec(kind):
        raise RequestError(
            f"it is not a CodecCard but {kind_of(found)} that gives no codec: it needs forward, compress and "
            "decompress of a torch.nn.Module, or encode(image) -> bytes and decode(bytes) -> image"
        )
    learned = network or metadata.trained is not None or bool(metadata.weights) or shows_network(kind)
    name = name or metadata.name or kebab_case(reference.rpartition(":")[2])
    return CodecCard(
        name=name,
        title=metadata.title or name,
        family="user-supplied",
        paper=metadata.paper or "none given",
        year=metadata.year,
        licence=metadata.licence,
        learned=learned,
        points=tuple(_points(found, metadata, name, learned, _module_folder(reference))),
        loader="lic_bench.registry.adapted_codec:load",
        trained=metadata.trained is True,
    )


def kebab_case(name: str) -> str:
    """A name for the command line: "MyCodec" and "my_codec" are "my-codec"."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "-", name)
    return re.sub(r"[^a-z0-9.]+", "-", words.lower()).strip("-")


def _points(found: Any, metadata: Metadata, name: str, learned: bool, folder: Path) -> list[OperatingPoint]:
    """The operating points, each with the keywords its constructor takes and the file of its weights."""
    settings = metadata.points or {label: {} for label in metadata.weights} or {ONLY_POINT: {}}
    stray = [label for label in metadata.weights if label not in settings]
    if stray:
        raise RequestError(
            f'"weights" names {stray[0]!r}, which is no operating point; those are {", ".join(settings)}'
        )
    points = []
    for label, keywords in settings.items():
        if is_factory(found):
            require_arguments(found, keywords)
        elif keywords:
            raise RequestError(f"it is an object, made already, and takes no keywords at point {label!r}")
        points.append(
            OperatingPoint(
                label=str(label),
                trained_for=metadata.trained_for if learned else None,
                weights=_weights(name, label, metadata, folder),
                network=", ".join(f"{key}={value}" for key, value in keywords.items()) or name,
                settings=dict(keywords),
            )
        )
    return points


def _weights(name: str, label: str, metadata: Metadata, folder: Path) -> Weights | None:
    """The checkpoint that the codec itself names for a point, relative to the folder of its module."""
    if label not in metadata.weights:
        return None
    return Weights(file=f"{name}/{label}.pth.tar", urls=((folder / metadata.weights[label]).resolve().as_uri(),))


def _module_folder(reference: str) -> Path:
    """The folder of the module that a reference names."""
    place = reference.rpartition(":")[0]
    return Path(place if place.endswith(".py") else str(sys.modules[place].__file__)).parent
