"""The lock file: the sha256 of each checkpoint for which nobody published one, as it was when the file first came.

One JSON file beside the checkpoints: {"<file>": {"sha256": ..., "origin": ..., "day": ...}}.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from lic_bench.assets.files import atomic_write
from lic_bench.errors import WeightsError

NAME = "lock.json"
BY_HAND = "put there by hand"
"""The origin of a file that was not downloaded."""


@dataclass(frozen=True)
class LockEntry:
    """One file when it first came: its sha256 (64 digits), where it came from, and the day (UTC, ISO 8601)."""

    sha256: str
    origin: str
    day: str


def entry(folder: Path, file: str) -> LockEntry | None:
    """The entry of a file in the folder's lock file, or None. WeightsError for a lock file that cannot be read."""
    return _read(folder).get(file)


def record(folder: Path, file: str, sha256: str, origin: str) -> LockEntry:
    """Write a file's entry into the folder's lock file, in place of an earlier one; returns it. Raises WeightsError."""
    new = LockEntry(sha256, origin, datetime.now(UTC).date().isoformat())
    entries = _read(folder) | {file: new}
    text = json.dumps({name: asdict(each) for name, each in sorted(entries.items())}, indent=1)
    try:
        atomic_write(folder / NAME, text + "\n")
    except OSError as error:
        raise WeightsError(f"{folder / NAME} cannot be written: {error.strerror or error}.") from error
    return new


def _read(folder: Path) -> dict[str, LockEntry]:
    """Every entry by file; nothing where there is no lock file."""
    path = folder / NAME
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return {file: LockEntry(**fields) for file, fields in content.items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise WeightsError(
            f"{path} cannot be read ({error}); it holds the sha256 of checkpoints when they first came. Restore it, or "
            "delete it to have them recorded anew."
        ) from error
