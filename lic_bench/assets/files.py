"""Files and folders written whole or not at all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def draft_beside(target: Path) -> Iterator[Path]:
    """A path beside `target` to write a file to; it takes the target's place when the block ends without an error.

    The parent folder is made where need be, the content is on the disk before it is moved, and nothing is left behind
    after an error. Raises OSError where the file cannot be written.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = _draft(target)
    try:
        yield draft
        with draft.open("rb") as file:
            os.fsync(file.fileno())
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)


@contextmanager
def draft_folder_beside(target: Path) -> Iterator[Path]:
    """An empty folder beside `target` to fill; it becomes `target` when the block ends without an error.

    Nothing is left behind after an error. Raises OSError where it cannot be made, or where `target` has content.
    """
    draft = _draft(target)
    shutil.rmtree(draft, ignore_errors=True)  # left by a process that was killed
    draft.mkdir(parents=True)
    try:
        yield draft
        draft.rename(target)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def atomic_write(target: Path, content: str | bytes) -> None:
    """Write text (UTF-8) or bytes to a file so that a reader meets the old content or the new. Raises OSError.

    A device or pipe such as /dev/stdout is written to, not replaced.
    """
    data = content.encode() if isinstance(content, str) else content
    if target.exists() and not target.is_file():
        target.write_bytes(data)
        return
    with draft_beside(target) as draft:
        draft.write_bytes(data)


def _draft(target: Path) -> Path:
    """A hidden name beside the target, another one in every process."""
    return target.with_name(f".{target.name}.{os.getpid()}.part")
