"""What codecs need beyond a plain install: Python packages and external programs. Looked up, never installed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from lic_bench.codec import CodecCard, Requirement
from lic_bench.errors import RequestError

VTM_FOLDER = "LIC_BENCH_VTM_BIN"
"""The environment variable that names the folder of VTM's programs."""


def missing(card: CodecCard) -> tuple[str, ...]:
    """How to get what a codec needs and this machine lacks, each a command or a sentence's part; imports nothing."""
    return tuple(requirement.install for requirement in card.requirements if not _is_here(requirement))


def require(card: CodecCard) -> None:
    """Raises RequestError where something that a codec needs is missing."""
    if lacks := missing(card):
        raise RequestError(f"{card.name} is missing: {'; '.join(lacks)}.")


def program(requirement: Requirement) -> Path | None:
    """The first of a requirement's programs that is in its own folder or on PATH, None where there is none."""
    own = os.environ.get(requirement.folder_variable) if requirement.folder_variable else None
    for path in filter(None, (own, os.environ.get("PATH"))):
        for name in requirement.programs:
            if found := shutil.which(name, path=path):
                return Path(found).absolute()
    return None


@contextmanager
def vtm_folder(folder: str | None) -> Iterator[None]:
    """Have VTM's programs looked for in a folder inside the block; None changes nothing."""
    before = os.environ.get(VTM_FOLDER)
    if folder is None:
        yield
        return
    os.environ[VTM_FOLDER] = folder
    try:
        yield
    finally:
        if before is None:
            del os.environ[VTM_FOLDER]
        else:
            os.environ[VTM_FOLDER] = before


def _is_here(requirement: Requirement) -> bool:
    return find_spec(requirement.module) is not None if requirement.module else program(requirement) is not None
