"""What a check compares: a run folder, the newest finished of a folder of runs, or a baseline file.

A baseline file is one JSON object with the header and every row of a run, a row per line so that a version control
system shows what an update changed. It loses nothing; counts of work, equal in most rows, are written once.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lic_bench.benchmark import run_folder
from lic_bench.errors import LicBenchError, RequestError, RunFolderError
from lic_bench.records import Failure, Measurement, Row, RunHeader

FORMAT = 1
KIND = "lic-bench baseline"
_COUNTED = ("macs", "scaling")


@dataclass(frozen=True)
class Kept:
    """A run as it was kept: where it was read, its header and rows. `notes` say what a reader must know of it."""

    name: str
    header: RunHeader
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()

    @property
    def measured(self) -> tuple[Measurement, ...]:
        """The rows with figures."""
        return tuple(row for row in self.rows if isinstance(row, Measurement))

    @property
    def failures(self) -> tuple[Failure, ...]:
        """The rows of what broke."""
        return tuple(row for row in self.rows if isinstance(row, Failure))


def read(place: Path) -> Kept:
    """A run folder, the newest finished run below a folder, or a baseline file; RequestError where it is none."""
    if place.is_file():
        return _from_file(place)
    if (place / run_folder.HEADER).is_file():
        return kept(place)
    if not place.exists():
        raise RequestError(
            f"There is no run and no baseline at {place}. `lic-bench run` makes a run, "
            "`lic-bench baseline RUN -o FILE` a baseline of it."
        )
    finished, unfinished = _runs_below(place)
    if not finished:
        more = f"; {unfinished[-1]} was never finished, continue it with the same command" if unfinished else ""
        raise RequestError(f"{place} is no run folder and there is no finished run below it{more}.")
    chosen = kept(finished[-1])
    newer = [path.name for path in unfinished if path.name > finished[-1].name]
    notes = [f"The newest finished run below {place} is {finished[-1].name}."]
    notes += [f"A newer run is not finished and was passed over: {newer[-1]}."] if newer else []
    return Kept(chosen.name, chosen.header, chosen.rows, (*notes, *chosen.notes))


def kept(folder: Path) -> Kept:
    """The run of one folder."""
    header, rows = run_folder.read(folder)
    return Kept(str(folder), header, tuple(run_folder.latest(rows)))


def require_sound(run: Kept) -> None:
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


def write(run: Kept, path: Path) -> None:
    """Write a baseline file; nothing half-written is left. RunFolderError where that cannot be."""
    draft = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft.write_text(to_json(run), encoding="utf-8")
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise RunFolderError(f"The baseline {path} cannot be written: {error.strerror}.") from error


def to_json(run: Kept) -> str:
    """A run as the text of a baseline file."""
    counts: dict[str, int] = {}
    rows = [json.loads(run_folder.as_json(row)) for row in run.rows]
    for row in rows:
        for field in _COUNTED:
            if field in row:
                row[field] = [counts.setdefault(_line(count), len(counts)) for count in row[field]]
    lines = [_line(row) for row in rows]
    header = json.dumps(json.loads(run_folder.as_json(run.header)), indent=1, ensure_ascii=False)
    digest = _digest(json.loads(header), [json.loads(count) for count in counts], rows)
    return (
        f'{{"kind": {json.dumps(KIND)},\n"format": {FORMAT},\n"sha256": "{digest}",\n"header": {header},\n'
        f'"counts": [\n{_joined(list(counts))}],\n"rows": [\n{_joined(lines)}]}}\n'
    )


def _from_file(path: Path) -> Kept:
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(told, dict) or told.get("kind") != KIND:
            raise RequestError(f"{path} is no baseline; `lic-bench baseline RUN -o FILE` makes one.")
        if told.get("format") != FORMAT:
            raise RequestError(
                f"The baseline {path} has format {told.get('format')}; this version reads format {FORMAT}."
            )
        if told["sha256"] != _digest(told["header"], told["counts"], told["rows"]):
            raise RequestError(
                f"The baseline {path} was changed after it was made (its sha256 differs). Make it again with "
                "`lic-bench baseline RUN -o FILE`, or get it back from version control."
            )
        for row in told["rows"]:
            row.update({field: [told["counts"][at] for at in row[field]] for field in _COUNTED if field in row})
        header = run_folder.header_from_json(_line(told["header"]))
        rows = tuple(run_folder.row_from_json(_line(row)) for row in told["rows"])
    except OSError as error:
        raise RequestError(f"The baseline {path} cannot be read: {error.strerror}.") from error
    except (ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
        said = str(error).splitlines()[0].rstrip(".")
        raise RequestError(f"The baseline {path} is damaged: {said}.") from error
    return Kept(str(path), header, rows)


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
