"""Where imported and exported files go. Nothing is overwritten unless asked, and never what was read."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from lic_bench.assets.files import atomic_write
from lic_bench.errors import RequestError


def file_path(output: str | None, name: str) -> Path:
    """The file that `output` stands for: `name` inside it where it is a folder or ends with a slash.

    Without `output` it is `name` in the current folder.
    """
    if output is None:
        return Path(name)
    is_folder = output.endswith(("/", os.sep)) or Path(output).is_dir()
    return Path(output, name) if is_folder else Path(output)


def write(texts: Mapping[Path, str], overwrite: bool = False, sources: Sequence[Path] = ()) -> None:
    """Write files, all of them or none where one is refused.

    RequestError for a file that is there already (unless `overwrite`), that is one of `sources`, or that cannot be
    written.
    """
    for path in texts:
        if path.exists() and any(path.samefile(source) for source in sources):
            raise RequestError(f"{path} is what is imported; --output names another file.")
        if path.exists() and not overwrite:
            raise RequestError(f"{path} is there already; --overwrite replaces it, --output names another place.")
    for path, text in texts.items():
        try:
            atomic_write(path, text)
        except OSError as error:
            raise RequestError(f"{path} cannot be written: {error.strerror}.") from error
