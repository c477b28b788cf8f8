"""What files that nobody published a hash of turned out to be when they first came: another one later is noticed.

The lock is one JSON file beside the files it speaks of: {"<file>": {"sha256": ..., "origin": ..., "day": ...}}.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from lic_bench.errors import WeightsError

NAME = "lock.json"


@dataclass(frozen=True)
class Seen:
    """What was seen of one file: all 64 digits of its sha256, where it came from, and the day (UTC)."""

    sha256: str
    origin: str
    day: str


def seen(folder: Path, file: str) -> Seen | None:
    """What the lock in a folder says of a file, or None. WeightsError for a lock that cannot be read."""
    return _read(folder).get(file)


def remember(folder: Path, file: str, sha256: str, origin: str) -> Seen:
    """Write what a file is into the folder's lock; replaces what it said of the file before."""
    entry = Seen(sha256, origin, datetime.now(UTC).date().isoformat())
    entries = _read(folder) | {file: entry}
    text = json.dumps({name: asdict(each) for name, each in sorted(entries.items())}, indent=1)
    draft = folder / f".{NAME}.{os.getpid()}.part"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        draft.write_text(text + "\n", encoding="utf-8")
        draft.replace(folder / NAME)
    except OSError as error:
        raise WeightsError(f"{folder / NAME} cannot be written: {error.strerror or error}.") from error
    finally:
        draft.unlink(missing_ok=True)
    return entry


def _read(folder: Path) -> dict[str, Seen]:
    path = folder / NAME
    try:
        return {file: Seen(**entry) for file, entry in json.loads(path.read_text(encoding="utf-8")).items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise WeightsError(
            f"{path} cannot be read ({error}); it says which checkpoints came first. Restore it, or delete it to have "
            "them recorded anew."
        ) from error
