"""Checkpoints fetched on request: what a program can read is downloaded and proved, for the rest it is said how."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from lic_bench.assets import lock_file, weights
from lic_bench.assets.download import Progress, cache_folder
from lic_bench.codec import CodecCard, OperatingPoint
from lic_bench.errors import FetchError, WeightsError


@dataclass(frozen=True)
class Fetched:
    """What became of one operating point's checkpoint, in a sentence; `failed` where it should be here and is not."""

    codec: str
    point: str
    sentence: str
    failed: bool = False


def fetch_all(
    wanted: Iterable[tuple[CodecCard, OperatingPoint]],
    cache: Path | None = None,
    watched: Callable[[str], Progress | None] = lambda _: None,
) -> Iterator[Fetched]:
    """Download the checkpoint of each operating point into the cache, where it is not yet and can be.

    `watched` gives the progress to report to for a file of this name. A checkpoint that fails does not stop the others.
    """
    cache = cache_folder() if cache is None else cache
    for card, point in wanted:
        before = weights.find(card, point, (), cache)
        if isinstance(before, weights.Missing) and before.lack is not weights.Lack.DOWNLOADABLE:
            yield Fetched(card.name, point.label, f"{before.sentence}.")
            continue
        try:
            found = weights.obtain(card, point, (), cache, progress=watched(f"{card.name} {point.label}"))
        except (FetchError, WeightsError) as error:
            yield Fetched(card.name, point.label, f"failed: {error}{_instead(error, point, cache)}", failed=True)
            continue
        how = "downloaded" if isinstance(before, weights.Missing) else "present"
        yield Fetched(card.name, point.label, f"{how}: {found.path}, {_proof(found, point, cache)}.")


def _instead(error: Exception, point: OperatingPoint, cache: Path) -> str:
    """What a person can do when a download fails."""
    if not isinstance(error, FetchError) or point.weights is None or point.weights.page is None:
        return ""
    path = cache / weights.FOLDER / point.weights.file
    return f" Or get it from {point.weights.page} and put the file at {path}."


def _proof(found: weights.Found, point: OperatingPoint, cache: Path) -> str:
    """What the file was compared with."""
    digest = found.sha256 or ""
    if found.place is weights.Place.GIVEN or point.weights is None:
        return f"sha256 {digest}"
    if point.weights.sha256 is not None:
        return f"sha256 {digest} as published"
    folder = cache / weights.FOLDER
    first = lock_file.seen(folder, point.weights.file)
    day = "" if first is None else f", first seen {first.day}"
    return f"sha256 {digest}; nobody published one, so it is kept in {folder / lock_file.NAME}{day}"
