"""Finds and proves the checkpoint of an operating point. Finding looks at names only; obtaining reads and downloads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import unquote, urlsplit

from lic_bench.assets import lock_file
from lic_bench.assets.download import Progress, cache_folder, download, readable, sha256_of
from lic_bench.codec import CodecCard, OperatingPoint, Weights
from lic_bench.errors import WeightsError

FOLDER = "weights"
"""The folder of checkpoints below the cache."""

SUFFIXES = (".pth.tar", ".safetensors", ".pth", ".pt")
"""The file names that are taken for checkpoints in a user's folder, most wanted first."""


class Place(StrEnum):
    """Where a checkpoint was found."""

    GIVEN = "given"  # in a folder of the user's
    PACKAGE = "package"  # among the files of an installed package
    CACHE = "cache"


class Lack(StrEnum):
    """Why there is no checkpoint."""

    NOT_LEARNED = "not_learned"  # a classical codec has none
    LOADS_ITS_OWN = "loads_its_own"  # the network loads its weights by itself
    DOWNLOADABLE = "downloadable"
    NEEDS_GDOWN = "needs_gdown"  # on Google Drive, and the package gdown is not installed
    BY_HAND = "by_hand"  # on a page that only a person can read
    NOT_THERE = "not_there"  # the codec names a file that does not exist
    NOT_IN_PACKAGE = "not_in_package"  # the file is missing from the installed package
    NONE_PUBLISHED = "none_published"

    @property
    def is_broken(self) -> bool:
        """Whether a file is missing that the codec itself says is there."""
        return self in (Lack.NOT_THERE, Lack.NOT_IN_PACKAGE)


@dataclass(frozen=True)
class Found:
    """A checkpoint that is there. `sha256` is None until the file was read (`obtain`)."""

    path: Path
    place: Place
    sha256: str | None = None


@dataclass(frozen=True)
class Missing:
    """A checkpoint that is not there, and why.

    `file` is its name below a folder of weights and `path` where it was looked for last. `address` is the page where a
    person gets it, else the first address that the card names, "" where there is none.
    """

    lack: Lack
    codec: str
    point: str
    file: str
    path: Path
    address: str = ""


def find(
    card: CodecCard, point: OperatingPoint, folders: Sequence[Path] = (), cache: Path | None = None
) -> Found | Missing:
    """The place of an operating point's checkpoint, or why there is none. Nothing is read, hashed or downloaded.

    Looks in `folders` (the user's, as "<model>/<point>.pth.tar" or ".safetensors"; an entry that is a file stands for
    whatever point is asked), then among the files of the package, then in the cache (default: `cache_folder()`).
    """
    cache = cache_folder() if cache is None else cache
    if card.learned:
        for folder in folders:
            for path in _names_in(folder.expanduser(), card, point):
                if path.is_file():
                    return Found(path, Place.GIVEN)
        if point.weights is not None:
            packaged = _packaged(point.weights)
            if packaged is not None and packaged.is_file():
                return Found(packaged, Place.PACKAGE)
            cached = _cached(point.weights, cache)
            if cached.is_file():
                return Found(cached, Place.CACHE)
    return _missing(card, point, cache)


def obtain(
    card: CodecCard,
    point: OperatingPoint,
    folders: Sequence[Path] = (),
    cache: Path | None = None,
    allow_download: bool = True,
    progress: Progress | None = None,
) -> Found:
    """The checkpoint of an operating point with its sha256, downloaded into the cache where need be.

    Outside the user's own folders a file must be the one that the card names or, where nobody published a sha256, the
    one that came first (see `lock_file`). Raises WeightsError when it is not, or when there is none and it may not or
    cannot be downloaded; FetchError when downloading fails.
    """
    cache = cache_folder() if cache is None else cache
    found = find(card, point, folders, cache)
    if isinstance(found, Found):
        return _proved(found, card, point, cache)
    if found.lack is Lack.DOWNLOADABLE and allow_download and point.weights is not None:
        return _downloaded(point.weights, cache, progress)
    raise WeightsError(f"There are no weights for {card.name} {point.label}; {text(found)}.")


def state(found: Found | Missing) -> str:
    """A word or two for a table: "present", "downloadable", "by hand", ..."""
    return "present" if isinstance(found, Found) else _STATES[found.lack]


def text(found: Found | Missing) -> str:
    """Where a checkpoint is, or what can be done about a missing one: a sentence without its full stop."""
    if isinstance(found, Found):
        return f"{state(found)}: {found.path} ({_PLACES[found.place]})"
    explanation = _EXPLANATIONS[found.lack].format(missing=found)
    return f"{state(found)}: {explanation}"


_PLACES = {Place.GIVEN: "the folder of weights given", Place.PACKAGE: "the installed package", Place.CACHE: "the cache"}

_STATES = {
    Lack.NOT_LEARNED: "not needed",
    Lack.LOADS_ITS_OWN: "not needed",
    Lack.DOWNLOADABLE: "downloadable",
    Lack.NEEDS_GDOWN: "by hand",
    Lack.BY_HAND: "by hand",
    Lack.NOT_THERE: "missing",
    Lack.NOT_IN_PACKAGE: "missing",
    Lack.NONE_PUBLISHED: "none published",
}

_GET_BY_HAND = (
    "get it from {missing.address} and put the file at {missing.path}, or as {missing.file} in a folder given with "
    "--weights"
)

_EXPLANATIONS = {
    Lack.NOT_LEARNED: "a classical codec has no weights",
    Lack.LOADS_ITS_OWN: "it loads its own",
    Lack.DOWNLOADABLE: "`lic-bench fetch models {missing.codec}` puts it in the cache",
    Lack.NEEDS_GDOWN: f"install lic-bench[drive] to have it downloaded, or {_GET_BY_HAND}",
    Lack.BY_HAND: f"no program can read where it lies; {_GET_BY_HAND}",
    Lack.NOT_THERE: "the codec names {missing.path}, which is not there",
    Lack.NOT_IN_PACKAGE: "it is not in the installed package ({missing.address}); install it again",
    Lack.NONE_PUBLISHED: "weights of your own go to {missing.file} in a folder given with --weights",
}


def _missing(card: CodecCard, point: OperatingPoint, cache: Path) -> Missing:
    """A checkpoint that is in none of the places where it could be."""
    weights = point.weights or Weights(f"{card.name}/{point.label}{SUFFIXES[0]}")
    lack = _lack(card, weights)
    named = _packaged(weights) if lack is Lack.NOT_THERE else None
    address = weights.page or next(iter(weights.urls), "")
    return Missing(lack, card.name, point.label, weights.file, named or _cached(weights, cache), address)


def _lack(card: CodecCard, weights: Weights) -> Lack:
    """Why there is no checkpoint, from what the card says of it."""
    if not card.learned:
        return Lack.NOT_LEARNED
    if card.trained:
        return Lack.LOADS_ITS_OWN
    if _web(weights):
        return Lack.DOWNLOADABLE
    if not all(map(readable, weights.urls)):
        return Lack.NEEDS_GDOWN
    if weights.page is not None:
        return Lack.BY_HAND
    if weights.urls:
        return Lack.NOT_THERE if weights.urls[0].startswith("file:") else Lack.NOT_IN_PACKAGE
    return Lack.NONE_PUBLISHED


def _downloaded(weights: Weights, cache: Path, progress: Progress | None) -> Found:
    """Download a checkpoint into the cache: the published file, else the one that came first, else whatever comes."""
    path, urls = _cached(weights, cache), _web(weights)
    if weights.sha256 is not None:
        return Found(path, Place.CACHE, download(urls, path, weights.sha256, progress=progress))
    first = lock_file.entry(cache / FOLDER, weights.file)
    if first is not None:
        whose = f"that came on {first.day}"
        return Found(path, Place.CACHE, download(urls, path, first.sha256, progress=progress, whose=whose))
    digest = download(urls, path, progress=progress)
    lock_file.record(cache / FOLDER, weights.file, digest, " ".join(urls))
    return Found(path, Place.CACHE, digest)


def _proved(found: Found, card: CodecCard, point: OperatingPoint, cache: Path) -> Found:
    """A checkpoint with its sha256. WeightsError where it is not the file that it should be."""
    try:
        digest = sha256_of(found.path)
    except OSError as error:
        raise WeightsError(f"{found.path} cannot be read: {error.strerror or error}.") from error
    expected = point.weights.sha256 if point.weights is not None else None
    if found.place is not Place.GIVEN and expected is not None and not digest.startswith(expected.lower()):
        raise WeightsError(
            f"{found.path} is not the checkpoint of {card.name} {point.label}: its sha256 is "
            f"{digest[: len(expected)]}, not {expected}. Delete it to have it downloaded again."
        )
    if found.place is Place.CACHE and expected is None and point.weights is not None:
        _require_first(found.path, digest, point.weights.file, cache / FOLDER)
    return replace(found, sha256=digest)


def _require_first(path: Path, digest: str, file: str, folder: Path) -> None:
    """WeightsError where a cached file without a published sha256 is not the one in the lock file."""
    first = lock_file.entry(folder, file)
    if first is None:
        lock_file.record(folder, file, digest, lock_file.BY_HAND)
    elif first.sha256 != digest:
        raise WeightsError(
            f"{path} is not the file that was there on {first.day}: its sha256 is {digest[:8]}..., not "
            f"{first.sha256[:8]}.... If you replaced it on purpose, take {file} out of {folder / lock_file.NAME}."
        )


def _names_in(folder: Path, card: CodecCard, point: OperatingPoint) -> list[Path]:
    """The paths at which a user may have put the file, most wanted first."""
    if folder.is_file():
        return [folder]
    usual = [folder / card.name / f"{point.label}{suffix}" for suffix in SUFFIXES]
    return usual if point.weights is None else [folder / point.weights.file, *usual]


def _packaged(weights: Weights) -> Path | None:
    """The file that an address like "package:lic_bench.zoo.demo/1.safetensors" or "file:///..." names, if any."""
    for url in weights.urls:
        scheme, _, rest = url.partition(":")
        if scheme == "file":
            return Path(unquote(urlsplit(url).path))
        if scheme == "package":
            package, _, name = rest.partition("/")
            spec = find_spec(package)
            return Path(spec.origin).parent / name if spec is not None and spec.origin is not None else None
    return None


def _web(weights: Weights) -> tuple[str, ...]:
    """The addresses that a program can read here."""
    return tuple(url for url in weights.urls if not url.startswith(("package:", "file:")) and readable(url))


def _cached(weights: Weights, cache: Path) -> Path:
    """Where the file is in the cache, or would be."""
    return cache / FOLDER / weights.file
