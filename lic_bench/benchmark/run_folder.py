"""Run folders: `run.json` (the header) and `measurements.jsonl` (a row per picture). Only this file knows the format.

The header is written first, each row is on the disk before the next is measured, and a row that a crash cut in half
is removed when the folder is opened again, so that the same command continues.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from lic_bench.assets.files import atomic_write
from lic_bench.errors import RunFolderError
from lic_bench.records import FORMAT, Failure, FailureKind, Measurement, Row, RunHeader, Settings, Status

HEADER = "run.json"
ROWS = "measurements.jsonl"


class FormatError(ValueError):
    """A header of another format; `number` is None where it has none, `finished` whether its run was finished."""

    def __init__(self, number: object, finished: bool) -> None:
        super().__init__(f"the run has format {number}; this version reads format {FORMAT}")
        self.number = number
        self.finished = finished


class RunFolder:
    """A run being written. Append rows, then `finish`."""

    def __init__(self, path: Path, header: RunHeader) -> None:
        self.path = path
        self.header = header

    def append(self, row: Row) -> None:
        """Put one row on the disk; RunFolderError when it is full or read-only (what was written stays)."""
        with _writing(self.path), (self.path / ROWS).open("a", encoding="utf-8") as file:
            file.write(as_json(row) + "\n")
            file.flush()
            os.fsync(file.fileno())

    def finish(self) -> None:
        """Note in the header that every job was done."""
        self.header = replace(self.header, finished=now())
        _write_header(self.path, self.header)

    def add_time(self, seconds: float) -> None:
        """Add wall time spent on measuring to the header."""
        self.header = replace(self.header, measuring_seconds=self.header.measuring_seconds + seconds)
        _write_header(self.path, self.header)

    def rows(self) -> list[Row]:
        """Everything appended so far."""
        return read(self.path)[1]


@dataclass(frozen=True)
class Unfinished:
    """Unfinished runs, newest first, and why others cannot be read (a sentence for each)."""

    runs: tuple[tuple[Path, RunHeader], ...]
    unreadable: tuple[str, ...]


def as_json(record: Row | RunHeader) -> str:
    """A record as one line of JSON."""
    return _adapters()[type(record)].dump_json(record).decode()


def plain(settings: Settings) -> dict[str, Any]:
    """Settings as JSON's types."""
    values: dict[str, Any] = _adapters()[Settings].dump_python(settings, mode="json")
    return values


def row_from_json(line: str) -> Row:
    """A row back from its line; ValueError for anything else."""
    kind = Failure if _object(line).get("status") == Status.FAILED else Measurement
    row: Row = _adapters()[kind].validate_json(line)
    return row


def header_from_json(text: str) -> RunHeader:
    """A header back from its JSON; FormatError for another format, ValueError for anything else."""
    found = _object(text)
    if found.get("format") != FORMAT:
        raise FormatError(found.get("format"), found.get("finished") is not None)
    header: RunHeader = _adapters()[RunHeader].validate_json(text)
    return header


def create(root: Path, header: RunHeader) -> RunFolder:
    """A new run folder `<root>/<time>-<commit>` with its header written. RunFolderError where that cannot be."""
    stem = f"{header.started.replace(':', '').replace('-', '')[:15]}-{header.commit or 'v' + header.lic_bench}"
    with _writing(root):
        path = _new_folder(root, stem)
    _write_header(path, header)
    with _writing(path):
        (path / ROWS).touch()
    return RunFolder(path, header)


def open_again(path: Path) -> RunFolder:
    """An existing run folder for appending; a last line that was cut in half is removed."""
    header, _ = read(path)
    with _writing(path), (path / ROWS).open("r+b") as file:
        content = file.read()
        whole = content.rfind(b"\n") + 1
        if whole != len(content):
            file.truncate(whole)
    return RunFolder(path, header)


def read(path: Path) -> tuple[RunHeader, list[Row]]:
    """Header and rows of a run folder. A cut last line is left out; RunFolderError for anything else unreadable."""
    try:
        header_text = (path / HEADER).read_text(encoding="utf-8")
        content = (path / ROWS).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise RunFolderError(f"{path} is not a run folder: it has no {HEADER} with {ROWS} beside it.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise RunFolderError(f"The run in {path} cannot be read: {error}.") from error
    return _header(path, header_text), list(_rows(path, content))


def unfinished(root: Path) -> Unfinished:
    """The unfinished runs directly below a folder."""
    runs: list[tuple[Path, RunHeader]] = []
    unreadable: list[str] = []
    for path in sorted(root.glob(f"*/{HEADER}"), reverse=True):
        try:
            header = _header(path.parent, path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            unreadable.append(f"The run in {path.parent} cannot be read: {error}.")
        except RunFolderError as error:
            if not (isinstance(error.__cause__, FormatError) and error.__cause__.finished):
                unreadable.append(str(error))
        else:
            if header.finished is None:
                runs.append((path.parent, header))
    return Unfinished(tuple(runs), tuple(unreadable))


def latest(rows: Iterable[Row]) -> list[Row]:
    """Rows without failures that a later try made good, and each failure once (its last).

    A metric's failure stands beside the row that was measured without it.
    """
    measured = {(row.codec, row.point, row.picture) for row in rows if isinstance(row, Measurement)}
    points = {(codec, point) for codec, point, _ in measured}
    kept: dict[tuple[str | None, ...], Row] = {}
    for row in rows:
        key = (row.codec, row.point, row.picture)
        if isinstance(row, Failure) and row.kind is FailureKind.METRIC:
            kept[(*key, *row.metrics)] = row
            continue
        if isinstance(row, Failure) and (key in measured or (row.picture is None and key[:2] in points)):
            continue
        kept[(*key, row.status)] = row
    return list(kept.values())


def now() -> str:
    """The time in UTC, ISO 8601, to the second."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@cache
def _adapters() -> dict[type, TypeAdapter[Any]]:
    return {kind: TypeAdapter(kind) for kind in (Measurement, Failure, RunHeader, Settings)}


def _object(text: str) -> dict[str, Any]:
    """A JSON object; ValueError for anything else."""
    found = json.loads(text)
    if not isinstance(found, dict):
        raise ValueError(f"it holds a {type(found).__name__} and no object")
    return found


def _header(path: Path, text: str) -> RunHeader:
    try:
        return header_from_json(text)
    except FormatError as error:
        raise RunFolderError(
            f"The run in {path} has format {error.number}; this version reads format {FORMAT}."
        ) from error
    except ValueError as error:
        raise RunFolderError(f"{path / HEADER} is damaged: {_problem(error)}.") from error


def _rows(path: Path, content: str) -> Iterator[Row]:
    lines = content.split("\n")
    for number, line in enumerate(lines[:-1], start=1):  # what follows the last newline was cut by a crash
        try:
            yield row_from_json(line)
        except ValueError as error:
            raise RunFolderError(f"Line {number} of {path / ROWS} is damaged: {_problem(error)}.") from error


def _problem(error: ValueError) -> str:
    """The first thing that is wrong with a record."""
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    return str(error).splitlines()[0].rstrip(".")


def _new_folder(root: Path, stem: str) -> Path:
    """A folder made new; `stem` gets a number where the name is taken."""
    path, number = root / stem, 1
    while True:
        try:
            path.mkdir(parents=True)
            return path
        except FileExistsError:
            number += 1
            path = root / f"{stem}-{number}"


def _write_header(path: Path, header: RunHeader) -> None:
    with _writing(path):
        atomic_write(path / HEADER, as_json(header) + "\n")


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    """Turn errors of the disk into a RunFolderError."""
    try:
        yield
    except OSError as error:
        raise RunFolderError(
            f"The run in {path} cannot be written: {error.strerror}. What was measured before stays there; "
            "make room or choose another place with --output, then give the same command again."
        ) from error
