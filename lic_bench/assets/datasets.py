"""Finds data sets and proves their files.

A data set is a folder of pictures, or a description: a TOML file with the names and sha256 of its pictures. The
package's own descriptions are in `datasets/`.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.resources.abc import Traversable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from lic_bench.assets import resources
from lic_bench.assets.download import cache_folder, sha256_of
from lic_bench.assets.download import download as download_file
from lic_bench.assets.pictures import SUFFIXES, Picture
from lic_bench.errors import DatasetError, FetchError

DATA_VARIABLE = "LIC_BENCH_DATA"
"""The environment variable that names the folder with data sets."""


@dataclass(frozen=True)
class DescribedPicture:
    """One picture of a description: `size` is width, height where it is given; `crop` as in Picture."""

    name: str
    file: str
    sha256: str
    size: tuple[int, int] | None = None
    crop: tuple[int, int, int, int] | None = None


@dataclass(frozen=True)
class Description:
    """The content of a description. `licence` is "" where one was looked for and not found.

    `url` is the address of a file, with "{file}" in it. `package` and `folder` say where the files lie inside an
    installed package. At most one of `url` and `package` is given.
    """

    title: str
    licence: str
    source: str
    pictures: tuple[DescribedPicture, ...]
    url: str | None = None
    package: str | None = None
    folder: str = ""


@dataclass(frozen=True)
class Dataset:
    """Pictures that can be read, in order. `left_out` names the files of a folder that are no pictures."""

    name: str
    title: str
    licence: str | None
    source: str
    pictures: tuple[Picture, ...]
    left_out: tuple[str, ...] = ()


def names() -> tuple[str, ...]:
    """The names of the data sets described in this package, alphabetical."""
    return tuple(sorted(_descriptions()))


def description(name: str) -> Description:
    """The description of a data set of this package. KeyError for another name."""
    file = _descriptions()[name]
    return _parse(file.read_text(encoding="utf-8"), file.name)


def find(name: str, data: Path | None = None, download: bool = True) -> Dataset:
    """The data set of a name, of a description (TOML) by path, or of a folder of pictures by path.

    Looks in `data`, $LIC_BENCH_DATA, beside the description and in the cache, then downloads into the cache if
    allowed. Raises DatasetError that says where it looked and how to get the pictures.
    """
    if name in _descriptions():
        return _described(name, description(name), data, download)
    return at(Path(name).expanduser(), data, download)


def at(path: Path, data: Path | None = None, download: bool = True) -> Dataset:
    """The data set of a folder of pictures or of a description (TOML) at a path. DatasetError where it is neither."""
    if path.is_dir():
        return from_folder(path)
    path = path.resolve()
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise DatasetError(f"{path} is no description of a data set: {error}.") from error
    beside = (path.parent, path.parent / path.stem)
    return replace(_described(path.stem, _parse(text, str(path)), data, download, beside), name=str(path))


def from_folder(folder: Path) -> Dataset:
    """The data set of every PNG, JPEG, WebP and TIFF directly in a folder, by name. DatasetError where it has none."""
    inside = sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))
    found = tuple(Picture(path.name, path) for path in inside if path.suffix.lower() in SUFFIXES)
    if not found:
        raise DatasetError(f"There is no picture ({', '.join(SUFFIXES)}) in {folder}.")
    others = tuple(path.name for path in inside if path.suffix.lower() not in SUFFIXES)
    return Dataset(str(folder), f"folder {folder.name}", None, str(folder), found, others)


def _descriptions() -> dict[str, Traversable]:
    """The package's description files by name."""
    inside = resources.folder("datasets").iterdir()
    return {file.name.removesuffix(".toml"): file for file in inside if file.name.endswith(".toml")}


def _parse(text: str, origin: str) -> Description:
    """The description in a TOML text. DatasetError names `origin` and what is missing."""
    try:
        content = tomllib.loads(text)
    except ValueError as error:
        raise DatasetError(f"{origin} is no description of a data set: {error}.") from error
    missing = _missing_keys(content)
    if missing:
        raise DatasetError(f"{origin} is no description of a data set: it lacks {', '.join(missing)}.")
    return Description(
        title=content["title"],
        licence=content["licence"],
        source=content["source"],
        pictures=tuple(map(_picture, content["picture"])),
        url=content.get("url"),
        package=content.get("package"),
        folder=content.get("folder", ""),
    )


def _missing_keys(content: Mapping[str, Any]) -> list[str]:
    """What a description must say and does not; of the pictures the first that lacks something."""
    missing = [key for key in ("title", "licence", "source") if not isinstance(content.get(key), str)]
    entries = content.get("picture")
    if not isinstance(entries, list) or not entries:
        return [*missing, "[[picture]]"]
    needed = ("name", "file", "sha256")
    lacking = [f"{key} of picture {at}" for at, entry in enumerate(entries, 1) for key in needed if key not in entry]
    return missing + lacking[:1]


def _picture(entry: Mapping[str, Any]) -> DescribedPicture:
    size = (entry["width"], entry["height"]) if {"width", "height"} <= entry.keys() else None
    crop = tuple(entry["crop"]) if "crop" in entry else None
    return DescribedPicture(entry["name"], entry["file"], entry["sha256"], size, crop)


def _described(
    name: str, described: Description, data: Path | None, download: bool, beside: Sequence[Path] = ()
) -> Dataset:
    """The data set of a description, from the first place that has every file with the right sha256."""
    if described.package is not None:
        return _dataset(name, described, _package_folder(name, described.package) / described.folder)
    cache = cache_folder() / "datasets" / name
    tried = []
    for place in (*beside, *_places(name, data), cache):
        problem = _problem(place, described.pictures)
        if problem is None:
            return _dataset(name, described, place)
        tried.append(f"{place}: {problem}")
    if download and described.url is not None:
        try:
            _download(described.url, described.pictures, cache)
        except FetchError as error:
            tried.append(f"download: {error}")
        else:
            return _dataset(name, described, cache)
    raise DatasetError(
        f"The data set {name} was not found. Looked at:\n  "
        + "\n  ".join(tried)
        + f"\nGet its {len(described.pictures)} files from {described.source} and say where they are with --data DIR "
        f"or {DATA_VARIABLE}=DIR."
    )


def _package_folder(name: str, package: str) -> Path:
    """The folder of an installed package. DatasetError where it is not installed."""
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise DatasetError(f"The data set {name} lies inside the package {package}, which is not installed.")
    return Path(spec.origin).parent


def _places(name: str, data: Path | None) -> list[Path]:
    """Folders that may hold the files, most wanted first: DIR/name and DIR itself of each DIR the user named."""
    roots = [data] if data is not None else []
    if os.environ.get(DATA_VARIABLE):
        roots.append(Path(os.environ[DATA_VARIABLE]))
    return [place for root in roots for place in (root.expanduser() / name, root.expanduser())]


def _problem(place: Path, wanted: Sequence[DescribedPicture]) -> str | None:
    """Why a folder does not hold the data set, or None when every file is there and right."""
    missing = [picture.file for picture in wanted if not (place / picture.file).is_file()]
    if len(missing) == len(wanted):
        return "none of the files"
    if missing:
        return f"{len(missing)} of {len(wanted)} files missing, first {missing[0]}"
    for picture in wanted:
        if sha256_of(place / picture.file) != picture.sha256:
            return f"{picture.file} is not the original (its sha256 differs)"
    return None


def _download(url: str, wanted: Sequence[DescribedPicture], cache: Path) -> None:
    """Fetch the files that are not in the cache yet. FetchError for the first that cannot be had."""
    for picture in wanted:
        target = cache / picture.file
        if not target.is_file() or sha256_of(target) != picture.sha256:
            download_file((url.format(file=picture.file),), target, picture.sha256)


def _dataset(name: str, described: Description, folder: Path) -> Dataset:
    """The data set whose files lie in `folder`."""
    found = tuple(Picture(one.name, folder / one.file, one.sha256, one.crop) for one in described.pictures)
    return Dataset(name, described.title, described.licence, described.source, found)
