"""Files written whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def draft_beside(target: Path) -> Iterator[Path]:
    """A path beside `target` to write to; it takes the target's place when the block ends without an error.

    The folder is made where need be, the content is on the disk before it is moved, and nothing is left behind after
    an error. Raises OSError where the file cannot be written.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        yield draft
        with draft.open("rb") as file:
            os.fsync(file.fileno())
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)


def atomic_write(target: Path, content: str | bytes) -> None:
    """Write text (UTF-8) or bytes to a file so that a reader meets the old content or the new. Raises OSError."""
    with draft_beside(target) as draft:
        draft.write_bytes(content.encode() if isinstance(content, str) else content)
