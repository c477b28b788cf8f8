"""What a check compares: a run folder, the newest finished of a folder of runs, or a baseline file.

A baseline file is one JSON object with the header and every row of a run, a row per line so that a version control
system shows what an update changed. It loses nothing; MAC counts, equal in most rows, are written once.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lic_bench.assets.files import atomic_write
from lic_bench.benchmark import run_folder
from lic_bench.check.outcome import CheckNote, CheckNoteKind
from lic_bench.errors import LicBenchError, RequestError, RunFolderError
from lic_bench.records import Failure, Measurement, Row, RunHeader

FORMAT = 2
"""The number of the baseline file's format; files of any other number are refused."""

KIND = "lic-bench baseline"
_MAC_COUNTS = ("macs", "scaling")


@dataclass(frozen=True)
class StoredRun:
    """A run as it is on the disk: where it was read, its header and rows. `notes` say which run was taken."""

    name: str
    header: RunHeader
    rows: tuple[Row, ...]
    notes: tuple[CheckNote, ...] = ()

    @property
    def measured(self) -> tuple[Measurement, ...]:
        """The rows with figures."""
        return tuple(row for row in self.rows if isinstance(row, Measurement))

    @property
    def failures(self) -> tuple[Failure, ...]:
        """The rows of what broke."""
        return tuple(row for row in self.rows if isinstance(row, Failure))


def read(place: Path) -> StoredRun:
    """A run folder, the newest finished run below a folder, or a baseline file; RequestError where it is none."""
    if place.is_file():
        return _from_file(place)
    if (place / run_folder.HEADER).is_file():
        return read_run(place)
    if not place.exists():
        raise RequestError(
            f"There is no run and no baseline at {place}. `lic-bench run` makes a run, "
            "`lic-bench baseline RUN -o FILE` a baseline of it."
        )
    finished, unfinished = _runs_below(place)
    if not finished:
        more = f"; {unfinished[-1]} was never finished, continue it with the same command" if unfinished else ""
        raise RequestError(f"{place} is no run folder and there is no finished run below it{more}.")
    newest = finished[-1]
    notes = [CheckNote(CheckNoteKind.NEWEST_FINISHED, newest.name, str(place))]
    newer = [path.name for path in unfinished if path.name > newest.name]
    notes += [CheckNote(CheckNoteKind.NEWER_UNFINISHED, newer[-1], str(place))] if newer else []
    return replace(read_run(newest), notes=tuple(notes))


def read_run(folder: Path) -> StoredRun:
    """The run of one run folder, without failures that a later try made good. RunFolderError where it is none."""
    header, rows = run_folder.read(folder)
    return StoredRun(str(folder), header, tuple(run_folder.latest(rows)))


def require_complete(run: StoredRun) -> None:
    """LicBenchError for a run that must not become a baseline: unfinished, with failures, or empty."""
    if run.header.finished is None:
        problem = "was not finished; the command that made it continues it"
    elif run.failures:
        first = run.failures[0]
        problem = f"has {len(run.failures)} failures, first {first.codec} {first.point}: {first.reason}"
    elif not run.measured:
        problem = "measured nothing"
    else:
        return
    raise LicBenchError(f"The run {run.name} {problem.rstrip('.')}. No baseline was written.")


def require_place(path: Path) -> None:
    """RequestError for a place where no baseline file can be: a run folder holds raw rows, which are never replaced."""
    if path.is_dir():
        raise RequestError(
            f"{path} is a folder; --update writes a baseline file. `lic-bench baseline {path} -o FILE` makes one to "
            "check against from now on."
        )


def write(run: StoredRun, path: Path) -> None:
    """Write a baseline file; nothing half-written is left. RunFolderError where that cannot be."""
    try:
        atomic_write(path, to_json(run))
    except OSError as error:
        raise RunFolderError(f"The baseline {path} cannot be written: {error.strerror}.") from error


def to_json(run: StoredRun) -> str:
    """A run as the text of a baseline file."""
    counts: dict[str, int] = {}
    rows = [json.loads(run_folder.as_json(row)) for row in run.rows]
    for row in rows:
        for field in _MAC_COUNTS:
            if field in row:
                row[field] = [counts.setdefault(_line(count), len(counts)) for count in row[field]]
    lines = [_line(row) for row in rows]
    header = json.dumps(json.loads(run_folder.as_json(run.header)), indent=1, ensure_ascii=False)
    digest = _digest(json.loads(header), [json.loads(count) for count in counts], rows)
    return (
        f'{{"kind": {json.dumps(KIND)},\n"format": {FORMAT},\n"sha256": "{digest}",\n"header": {header},\n'
        f'"counts": [\n{_joined(list(counts))}],\n"rows": [\n{_joined(lines)}]}}\n'
    )


def _from_file(path: Path) -> StoredRun:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(content, dict) or content.get("kind") != KIND:
            raise RequestError(f"{path} is no baseline; `lic-bench baseline RUN -o FILE` makes one.")
        if content.get("format") != FORMAT:
            raise RequestError(
                f"The baseline {path} has format {content.get('format')}; this version reads format {FORMAT}. Make it "
                "again with `lic-bench baseline RUN -o FILE`."
            )
        if content["sha256"] != _digest(content["header"], content["counts"], content["rows"]):
            raise RequestError(
                f"The baseline {path} was changed after it was made (its sha256 differs). Make it again with "
                "`lic-bench baseline RUN -o FILE`, or get it back from version control."
            )
        for row in content["rows"]:
            row.update({field: [content["counts"][at] for at in row[field]] for field in _MAC_COUNTS if field in row})
        header = run_folder.header_from_json(_line(content["header"]))
        rows = tuple(run_folder.row_from_json(_line(row)) for row in content["rows"])
    except OSError as error:
        raise RequestError(f"The baseline {path} cannot be read: {error.strerror}.") from error
    except (ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
        reason = str(error).splitlines()[0].rstrip(".")
        raise RequestError(f"The baseline {path} is damaged: {reason}.") from error
    return StoredRun(str(path), header, rows)


def _runs_below(place: Path) -> tuple[list[Path], list[Path]]:
    """Finished and unfinished run folders directly below, oldest first; what cannot be read is neither."""
    finished: list[tuple[str, Path]] = []
    unfinished: list[tuple[str, Path]] = []
    for path in sorted(place.glob(f"*/{run_folder.HEADER}")):
        try:
            header = run_folder.header_from_json(path.read_text(encoding="utf-8"))
        except (ValueError, OSError):
            continue  # another format or a damaged folder is no candidate; naming it by hand says what is wrong
        (unfinished if header.finished is None else finished).append((header.started, path.parent))
    return [path for _, path in sorted(finished)], [path for _, path in sorted(unfinished)]


def _digest(header: Any, counts: Sequence[Any], rows: Sequence[Any]) -> str:
    content = json.dumps([header, counts, rows], sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(content.encode()).hexdigest()


def _line(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _joined(lines: Sequence[str]) -> str:
    return ",\n".join(lines) + "\n" if lines else ""
