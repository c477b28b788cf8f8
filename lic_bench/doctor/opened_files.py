"""The files that Python opens during a block, for reading and for writing."""

from __future__ import annotations

import os
import sys
from typing import Any, ClassVar


class OpenedFiles:
    """Records the files that are opened while it is entered, by absolute path; compiled modules are left out."""

    _active: ClassVar[list[OpenedFiles]] = []
    _hooked: ClassVar[bool] = False

    def __init__(self) -> None:
        self.read: set[str] = set()
        self.written: set[str] = set()

    def __enter__(self) -> OpenedFiles:
        if not OpenedFiles._hooked:  # an audit hook cannot be removed, so there is one, which rests outside of blocks
            sys.addaudithook(OpenedFiles._record)
            OpenedFiles._hooked = True
        OpenedFiles._active.append(self)
        return self

    def __exit__(self, *_: object) -> None:
        OpenedFiles._active.remove(self)

    @staticmethod
    def _record(event: str, arguments: tuple[Any, ...]) -> None:
        """Python's audit hook: `open` has path, mode and flags; `os.rename` has source and target."""
        if not OpenedFiles._active or event not in ("open", "os.rename"):
            return
        path = arguments[0] if event == "open" else arguments[1]
        if isinstance(path, int) or "__pycache__" in str(path):
            return
        writing = event == "os.rename" or arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
        for files in OpenedFiles._active:
            (files.written if writing else files.read).add(os.path.abspath(os.fsdecode(path)))
