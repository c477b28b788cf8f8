"""The registry of data sets: each entry point leads to a folder of pictures, or to a description (TOML)."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

from lic_bench.assets import datasets
from lic_bench.assets.datasets import Dataset
from lic_bench.errors import DatasetError, RequestError, unknown
from lic_bench.registry.base import Entry, Registry


def _path(found: object, entry: Entry) -> Path:
    """The path that an entry point names, relative to its module's file, or that its function returns."""
    found = found() if callable(found) and not isinstance(found, Path) else found
    if not isinstance(found, str | Path):
        raise RequestError(f"it leads to a {type(found).__name__} and not to a path")
    module = sys.modules[entry.reference.rpartition(":")[0]]
    path = Path(str(module.__file__)).parent / Path(found).expanduser()
    if not path.exists():
        raise RequestError(f"it leads to {path}, which is not there")
    return path


DATASETS: Registry[Path] = Registry("dataset", "lic_bench.datasets", _path)


def names() -> tuple[str, ...]:
    """The names of all data sets: described in this package, or registered by others."""
    return tuple(sorted({*datasets.names(), *registered()}))


def registered() -> tuple[str, ...]:
    """The names of the data sets that other packages registered and this package does not describe."""
    return tuple(name for name in DATASETS.names() if name not in datasets.names())


def clashes() -> dict[str, str]:
    """Data sets that others registered under a name that is taken, each with a sentence that says by whom."""
    ours = [DATASETS.entry(name) for name in DATASETS.names() if name in datasets.names()]
    reasons = {f"{one.name} ({one.reference})": f"The data set {one.name!r} is one of lic-bench's own." for one in ours}
    return reasons | DATASETS.clashes()


def find(name: str, data: Path | None = None, download: bool = True) -> Dataset:
    """The data set of a name, of a description (TOML) by path, or of a folder of pictures by path.

    `data` and `download` are those of `assets.datasets.find`. Raises DatasetError for an unknown name, a broken
    plug-in, and pictures that are not there.
    """
    if name in registered():
        try:
            path = DATASETS.get(name)
        except RequestError as error:
            raise DatasetError(str(error)) from None
        return replace(datasets.at(path, data, download), name=name)
    path = Path(name).expanduser()
    if name not in datasets.names() and not path.is_dir() and not (path.suffix == ".toml" and path.is_file()):
        advice = f"A path to a folder of pictures or to a description (TOML) works too; {path} is none."
        raise DatasetError(f"{unknown('dataset', name, names())} {advice}")
    return datasets.find(name, data, download)
