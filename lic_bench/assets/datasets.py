"""Which pictures a run is about: finds a data set, proves every file, and reads pictures as 8-bit RGB.

A data set is a TOML file (names, sizes, sha256), ours in `datasets/`, or any folder of pictures. Whatever is done to
make a picture 8-bit RGB is said in its record; what cannot be made so is refused by name.
"""

from __future__ import annotations

import hashlib
import io
import os
import tomllib
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from importlib.resources import files
from importlib.resources.abc import Traversable
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lic_bench.errors import DatasetError, FetchError, PictureError
from lic_bench.records import PictureRecord

if TYPE_CHECKING:
    from PIL import Image as pillow

    from lic_bench.codec import Image

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff")
LARGEST_PIXELS = 180_000_000
"""Above this a file is taken for a decompression bomb (Pillow's own limit for an error)."""


@dataclass(frozen=True)
class Picture:
    """Where one picture lies. `crop` is left, top, width, height; `sha256` None where nothing is known to prove."""

    name: str
    path: Path
    sha256: str | None = None
    crop: tuple[int, int, int, int] | None = None


@dataclass(frozen=True)
class Dataset:
    """Pictures found and ready to be read, in their order. `left_out` names files of a folder that are no pictures."""

    name: str
    title: str
    licence: str | None
    source: str
    pictures: tuple[Picture, ...]
    left_out: tuple[str, ...] = ()


def names() -> tuple[str, ...]:
    """The data sets described in this package."""
    return tuple(sorted(_descriptions()))


def description(name: str) -> dict[str, Any]:
    """What is written about a data set of this package: title, licence, source, pictures. KeyError for another."""
    return tomllib.loads(_descriptions()[name].read_text(encoding="utf-8"))


def find(name: str, data: Path | None = None, download: bool = True) -> Dataset:
    """A data set by name, by the path of its description (TOML), or a folder of pictures by path.

    Looks in `data`, $LIC_BENCH_DATA, beside the description and in the cache, then downloads into the cache if
    allowed. Raises DatasetError that says where it looked and how to get the pictures.
    """
    if name in _descriptions():
        told = description(name)
        return _packaged(name, told) if "package" in told else _proved(name, told, data, download)
    return at(Path(name).expanduser(), data, download)


def at(path: Path, data: Path | None = None, download: bool = True) -> Dataset:
    """The pictures of a folder, or the data set of a description (TOML) at a path."""
    if path.is_dir():
        return from_folder(path)
    path = path.resolve()
    try:
        told = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DatasetError(f"{path} is no description of a data set: {error}.") from error
    _require_described(path, told)
    if "package" in told:
        return _packaged(str(path), told)
    return replace(_proved(path.stem, told, data, download, (path.parent, path.parent / path.stem)), name=str(path))


def _require_described(path: Path, told: dict[str, Any]) -> None:
    """What every description must say; "" stands for a licence that was looked for and not found."""
    lacking = [key for key in ("title", "licence", "source") if not isinstance(told.get(key), str)]
    entries = told.get("picture")
    if not isinstance(entries, list) or not entries:
        lacking.append("[[picture]]")
    else:
        needed = ("name", "file", "sha256")
        wrong = (f"{key} of picture {at}" for at, entry in enumerate(entries, 1) for key in needed if key not in entry)
        lacking += list(wrong)[:1]
    if lacking:
        raise DatasetError(f"{path} is no description of a data set: it lacks {', '.join(lacking)}.")


def from_folder(folder: Path) -> Dataset:
    """Every PNG, JPEG, WebP and TIFF directly in a folder, by name. DatasetError where there is none."""
    inside = sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))
    pictures = tuple(Picture(path.name, path) for path in inside if path.suffix.lower() in SUFFIXES)
    if not pictures:
        raise DatasetError(f"There is no picture ({', '.join(SUFFIXES)}) in {folder}.")
    others = tuple(path.name for path in inside if path.suffix.lower() not in SUFFIXES)
    return Dataset(str(folder), f"folder {folder.name}", None, str(folder), pictures, others)


def read(picture: Picture) -> tuple[Image, PictureRecord]:
    """One picture as uint8, height x width x 3, and what was done to make it so.

    Raises PictureError naming the file when it is empty, damaged, animated, too large, of a kind that has no single
    8-bit RGB reading (CMYK, floating point), or not the file its sha256 promises.
    """
    import numpy as np

    try:
        content = picture.path.read_bytes()
    except OSError as error:
        raise PictureError(f"{picture.path.name} cannot be read: {error.strerror}.") from error
    digest = hashlib.sha256(content).hexdigest()
    if picture.sha256 not in (None, digest):
        raise PictureError(f"{picture.path} is not the picture it should be: its sha256 is {digest}.")
    if not content:
        raise PictureError(f"{picture.path.name} is empty (0 bytes).")
    opened, treatment = _rgb(content, picture.path.name)
    if picture.crop is not None:
        left, top, width, height = picture.crop
        opened = opened.crop((left, top, left + width, top + height))
        treatment.append(f"cut to {width}x{height} at {left},{top}")
    image = np.asarray(opened, dtype=np.uint8)
    record = PictureRecord(picture.name, image.shape[1], image.shape[0], digest, "; ".join(treatment))
    return image, record


def _rgb(content: bytes, name: str) -> tuple[pillow.Image, list[str]]:
    """A file's bytes as a Pillow picture of mode RGB, with the list of what was done."""
    from PIL import Image as pillow
    from PIL import UnidentifiedImageError

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", pillow.DecompressionBombWarning)  # the limit below is stricter and named
        try:
            opened = pillow.open(io.BytesIO(content))
            width, height = opened.size
            if width * height > LARGEST_PIXELS:
                raise PictureError(f"{name} is {width}x{height}: more than {LARGEST_PIXELS:,} pixels are not measured.")
            frames = getattr(opened, "n_frames", 1)
            if frames > 1:
                raise PictureError(f"{name} has {frames} frames; an animation is not one picture.")
            sixteen_bit = ";16" in "".join(str(tile[3]) for tile in opened.tile) or opened.mode.startswith("I;16")
            opened.load()
        except PictureError:
            raise
        except pillow.DecompressionBombError as error:
            raise PictureError(f"{name} is too large to be measured: {error}") from error
        except UnidentifiedImageError as error:
            raise PictureError(f"{name} is not a picture that can be read, or its beginning is damaged.") from error
        except (OSError, SyntaxError, ValueError, IndexError) as error:
            raise PictureError(f"{name} is damaged or cut short: {error}.") from error
    return _eight_bit_rgb(opened, sixteen_bit, name)


def _eight_bit_rgb(opened: pillow.Image, sixteen_bit: bool, name: str) -> tuple[pillow.Image, list[str]]:
    from PIL import Image as pillow

    treatment = []
    if opened.info.get("icc_profile"):
        treatment.append("colour profile not applied")
    if sixteen_bit:
        treatment.append("16-bit samples reduced to their upper 8 bits")
        if opened.mode.startswith("I"):
            opened = _upper(opened)
    if opened.mode in ("P", "PA"):
        transparent = "transparency" in opened.info or opened.mode == "PA"
        opened = opened.convert("RGBA" if transparent else "RGB")
        treatment.append("palette expanded")
    if opened.mode in ("1", "L", "LA"):
        treatment.append("grey repeated in three channels")
    if opened.mode in ("LA", "La", "RGBA", "RGBa") or "transparency" in opened.info:
        opened = opened.convert("RGBA")
        white = pillow.new("RGBA", opened.size, "white")
        opened = pillow.alpha_composite(white, opened)
        treatment.append("alpha laid over white")
    if opened.mode not in ("1", "L", "RGB", "RGBA"):
        raise PictureError(f"{name} is of mode {opened.mode}, which has no single 8-bit RGB reading; convert it first.")
    return opened.convert("RGB"), treatment


def _upper(opened: pillow.Image) -> pillow.Image:
    """A 16-bit grey picture's upper 8 bits, which is also what Pillow keeps of 16-bit colour."""
    import numpy as np
    from PIL import Image as pillow

    return pillow.fromarray((np.asarray(opened).astype(np.uint32) >> 8).astype(np.uint8))


def _descriptions() -> dict[str, Traversable]:
    """The TOML files by name: beside the package in a checkout, else inside the installed package."""
    checkout = Path(__file__).resolve().parents[2]
    inside = checkout / "datasets" if (checkout / "pyproject.toml").exists() else files("lic_bench._data.datasets")
    return {file.name.removesuffix(".toml"): file for file in inside.iterdir() if file.name.endswith(".toml")}


def _packaged(name: str, told: dict[str, Any]) -> Dataset:
    """A data set whose pictures lie inside an installed package."""
    spec = find_spec(told["package"])
    if spec is None or spec.origin is None:
        raise DatasetError(f"The data set {name} lies inside the package {told['package']}, which is not installed.")
    folder = Path(spec.origin).parent / told["folder"]
    return _dataset(name, told, lambda entry: folder / entry["file"])


def _proved(name: str, told: dict[str, Any], data: Path | None, download: bool, beside: Sequence[Path] = ()) -> Dataset:
    """A data set whose every file is there with the right sha256, from the first place that has them all."""
    from lic_bench.assets.download import cache_folder

    cache = cache_folder() / "datasets" / name
    places = [*beside, *_places(name, data, cache)]
    looked = []
    for place in places:
        wrong = _problem(place, told["picture"])
        if wrong is None:
            return _dataset(name, told, lambda entry, place=place: place / entry["file"])  # type: ignore[misc]
        looked.append(f"{place}: {wrong}")
    if download and "url" in told:
        try:
            _download(told, cache)
        except FetchError as error:
            looked.append(f"download: {error}")
        else:
            return _dataset(name, told, lambda entry: cache / entry["file"])
    raise DatasetError(
        f"The data set {name} was not found. Looked at:\n  "
        + "\n  ".join(looked)
        + f"\nGet its {len(told['picture'])} files from {told['source']} and say where they are with --data DIR or "
        "LIC_BENCH_DATA=DIR."
    )


def _places(name: str, data: Path | None, cache: Path) -> list[Path]:
    """Folders that may hold the files, most wanted first: DIR/name and DIR itself, then the cache."""
    roots = [data] if data is not None else []
    if os.environ.get("LIC_BENCH_DATA"):
        roots.append(Path(os.environ["LIC_BENCH_DATA"]))
    return [place for root in roots for place in (root.expanduser() / name, root.expanduser())] + [cache]


def _problem(place: Path, entries: Sequence[dict[str, Any]]) -> str | None:
    """Why a folder is not this data set, or None when every file is there and right."""
    missing = [entry["file"] for entry in entries if not (place / entry["file"]).is_file()]
    if missing:
        none = len(missing) == len(entries)
        return "none of the files" if none else f"{len(missing)} of {len(entries)} files missing, first {missing[0]}"
    for entry in entries:
        if hashlib.sha256((place / entry["file"]).read_bytes()).hexdigest() != entry["sha256"]:
            return f"{entry['file']} is not the original (its sha256 differs)"
    return None


def _download(told: dict[str, Any], cache: Path) -> None:
    from lic_bench.assets.download import download, sha256_of

    for entry in told["picture"]:
        target = cache / entry["file"]
        if not target.is_file() or sha256_of(target) != entry["sha256"]:
            download((told["url"].format(file=entry["file"]),), target, entry["sha256"])


def _dataset(name: str, told: dict[str, Any], where: Callable[[dict[str, Any]], Path]) -> Dataset:
    pictures = tuple(
        Picture(entry["name"], where(entry), entry["sha256"], tuple(entry["crop"]) if "crop" in entry else None)
        for entry in told["picture"]
    )
    return Dataset(name, told["title"], told["licence"], told["source"], pictures)
