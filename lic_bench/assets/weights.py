"""Where an operating point's checkpoint is, or how it can be had. Deciding is apart from reading and fetching."""

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
"""Where checkpoints are below the cache."""

SUFFIXES = (".pth.tar", ".safetensors", ".pth", ".pt")


class Place(StrEnum):
    """Where a checkpoint was found."""

    GIVEN = "the folder of weights given"
    PACKAGE = "the installed package"
    CACHE = "the cache"


class Lack(StrEnum):
    """Why there is no checkpoint."""

    DOWNLOADABLE = "downloadable"
    BY_HAND = "by hand"
    NONE_PUBLISHED = "none published"
    NOT_THERE = "missing"
    NOT_NEEDED = "not needed"


@dataclass(frozen=True)
class Found:
    """A checkpoint that is there. `sha256` is None until the file was read (`obtain`)."""

    path: Path
    place: Place
    sha256: str | None = None

    @property
    def sentence(self) -> str:
        """The state in words."""
        return f"present: {self.path} ({self.place})"


@dataclass(frozen=True)
class Missing:
    """A checkpoint that is not there, why, and in `sentence` what can be done about it."""

    lack: Lack
    sentence: str


def find(
    card: CodecCard, point: OperatingPoint, folders: Sequence[Path] = (), cache: Path | None = None
) -> Found | Missing:
    """Where the checkpoint of one operating point is. Looks at names only: nothing is read, hashed or fetched.

    First in `folders` (the user's, as "<model>/<point>.pth.tar" or ".safetensors"; an entry that is a file stands for
    whatever point is asked), then among the files of the package, then in the cache (default: `cache_folder()`).
    """
    if not card.learned:
        return Missing(Lack.NOT_NEEDED, "not needed: a classical codec has no weights")
    cache = cache_folder() if cache is None else cache
    for folder in folders:
        for path in _names_in(folder.expanduser(), card, point):
            if path.is_file():
                return Found(path, Place.GIVEN)
    if point.weights is not None:
        shipped = _shipped(point.weights)
        if shipped is not None and shipped.is_file():
            return Found(shipped, Place.PACKAGE)
        kept = _kept(point.weights, cache)
        if kept.is_file():
            return Found(kept, Place.CACHE)
    return _missing(card, point, cache)


def obtain(
    card: CodecCard,
    point: OperatingPoint,
    folders: Sequence[Path] = (),
    cache: Path | None = None,
    allow_download: bool = True,
    progress: Progress | None = None,
) -> Found:
    """The checkpoint of one operating point with its sha256, downloaded into the cache where need be.

    Outside the user's own folders a file must be the one that the card names or, where nobody published a sha256, the
    one that came first (see `lock`). Raises WeightsError when it is not, or when there is none and it may not or
    cannot be fetched by a program; FetchError when fetching fails.
    """
    cache = cache_folder() if cache is None else cache
    found = find(card, point, folders, cache)
    if isinstance(found, Found):
        return _proved(found, card, point, cache)
    if found.lack is Lack.DOWNLOADABLE and allow_download and point.weights is not None:
        return _downloaded(point.weights, cache, progress)
    raise WeightsError(f"There are no weights for {card.name} {point.label}; {found.sentence}.")


def _downloaded(weights: Weights, cache: Path, progress: Progress | None) -> Found:
    """Fetch a checkpoint into the cache: the published file, else the one that came before, else whatever comes."""
    path = _kept(weights, cache)
    if weights.sha256 is not None:
        return Found(path, Place.CACHE, download(_web(weights), path, weights.sha256, progress=progress))
    before = lock_file.seen(cache / FOLDER, weights.file)
    proof = f"that came on {before.day}" if before is not None else ""
    known = before.sha256 if before is not None else None
    digest = download(_web(weights), path, known, progress=progress, proof=proof)
    if before is None:
        lock_file.remember(cache / FOLDER, weights.file, digest, " ".join(_web(weights)))
    return Found(path, Place.CACHE, digest)


def _proved(found: Found, card: CodecCard, point: OperatingPoint, cache: Path) -> Found:
    try:
        digest = sha256_of(found.path)
    except OSError as error:
        raise WeightsError(f"{found.path} cannot be read: {error.strerror or error}.") from error
    expected = point.weights.sha256 if point.weights is not None else None
    if found.place is not Place.GIVEN and expected is not None and not digest.startswith(expected.lower()):
        raise WeightsError(
            f"{found.path} is not the checkpoint of {card.name} {point.label}: its sha256 is "
            f"{digest[: len(expected)]}, not {expected}. Delete it to have it fetched again."
        )
    if found.place is Place.CACHE and expected is None and point.weights is not None:
        _require_the_first(found.path, digest, point.weights.file, cache / FOLDER)
    return replace(found, sha256=digest)


def _require_the_first(path: Path, digest: str, file: str, folder: Path) -> None:
    """A file of the cache without a published sha256 must be the one that was there first, put there by hand or not."""
    before = lock_file.seen(folder, file)
    if before is None:
        lock_file.remember(folder, file, digest, "put there by hand")
    elif before.sha256 != digest:
        raise WeightsError(
            f"{path} is not the file that was there on {before.day}: its sha256 is {digest[:8]}..., not "
            f"{before.sha256[:8]}.... If you replaced it on purpose, take {file} out of {folder / lock_file.NAME}."
        )


def _names_in(folder: Path, card: CodecCard, point: OperatingPoint) -> list[Path]:
    """What the user may have called the file."""
    if folder.is_file():
        return [folder]
    usual = [folder / card.name / f"{point.label}{suffix}" for suffix in SUFFIXES]
    return usual if point.weights is None else [folder / point.weights.file, *usual]


def _shipped(weights: Weights) -> Path | None:
    """The file that an address like "package:lic_bench.zoo.demo/1.safetensors" or "file:///..." names."""
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


def _kept(weights: Weights, cache: Path) -> Path:
    return cache / FOLDER / weights.file


def _missing(card: CodecCard, point: OperatingPoint, cache: Path) -> Missing:
    weights = point.weights
    if card.trained:
        return Missing(Lack.NOT_NEEDED, "not needed: it loads its own")
    if weights is not None and _web(weights):
        return Missing(Lack.DOWNLOADABLE, f"downloadable: `lic-bench fetch models {card.name}` puts it in the cache")
    by_hand = () if weights is None else tuple(url for url in weights.urls if not readable(url))
    if weights is not None and (weights.page is not None or by_hand):
        why = "install lic-bench[drive] to have it fetched, or" if by_hand else "no program can read where it lies;"
        return Missing(
            Lack.BY_HAND,
            f"by hand: {why} get it from {weights.page or by_hand[0]} and put the file at {_kept(weights, cache)}, "
            f"or as {weights.file} in a folder given with --weights",
        )
    shipped = None if weights is None else _shipped(weights)
    if shipped is not None and not shipped.is_file() and weights is not None and weights.urls[0].startswith("file:"):
        return Missing(Lack.NOT_THERE, f"missing: the codec names {shipped}, which is not there")
    if weights is not None and weights.urls:
        return Missing(Lack.NONE_PUBLISHED, f"missing from the installed package ({weights.urls[0]}); install it again")
    return Missing(
        Lack.NONE_PUBLISHED,
        f"none published: weights of your own go to {card.name}/{point.label}.pth.tar in a folder given with --weights",
    )
