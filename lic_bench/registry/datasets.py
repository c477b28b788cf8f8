"""Data sets that others registered: each leads to the path of a description (TOML) or of a folder of pictures."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from lic_bench.errors import DatasetError, RequestError
from lic_bench.registry import entry_points

GROUP = "lic_bench.datasets"

_known: dict[str, Path | RequestError] = {}  # a broken one is tried once


def place(name: str) -> Path:
    """Where a data set lies that somebody else registered: its folder, or its description. Imports their module.

    An entry point leads to a path, relative to the module's file, or to a function that returns one. Raises
    DatasetError for anything else.
    """
    if name not in _known:
        learn(name, _look_up(name))
    found = _known[name]
    if isinstance(found, RequestError):
        raise found
    return found


def learn(name: str, found: Path | RequestError) -> None:
    """Keep where somebody's data set lies, or why that cannot be said, so that it is not looked up again."""
    _known[name] = found


def _look_up(name: str) -> Path | RequestError:
    door = entry_points.registered(GROUP)[name]
    what = f"The data set {name!r} ({door.value})"
    try:
        found: Any = entry_points.load(entry_points.reference(door), what)
        found = found() if callable(found) and not isinstance(found, Path) else found
    except RequestError as error:
        return DatasetError(str(error))
    except Exception as error:  # somebody else's function may fail in any way, and must not stop the others
        return DatasetError(entry_points.ended(f"{what} cannot be looked up: {type(error).__name__}: {error}"))
    if not isinstance(found, str | Path):
        return DatasetError(f"{what} leads to a {type(found).__name__} and not to a path.")
    path = Path(str(sys.modules[door.module].__file__)).parent / Path(found).expanduser()
    return path if path.exists() else DatasetError(f"{what} leads to {path}, which is not there.")
