"""Rows kept by what they were made of, so that the same figure is not measured twice.

The key of a row is a hash of the codec and its weights, the picture, the settings, this package's source, the versions
of the packages that figures depend on, and the machine. Codecs and metrics of other people's files are measured
always: nobody can say which files they consist of. Rows lie in the folder for downloads, under `results`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache, cached_property
from pathlib import Path

import lic_bench
from lic_bench.assets.download import cache_folder
from lic_bench.assets.files import atomic_write
from lic_bench.benchmark import run_folder
from lic_bench.benchmark.environment import lasting_facts
from lic_bench.records import Job, Measurement, PictureRecord, RunHeader


@dataclass(frozen=True)
class ResultCache:
    """The rows kept for runs under one header's conditions. `shared_machine` says that jobs run side by side."""

    header: RunHeader
    shared_machine: bool

    def split(self, jobs: Iterable[Job]) -> tuple[list[Measurement], tuple[Job, ...]]:
        """The rows that are kept for some jobs, and the jobs with the pictures that have to be measured."""
        kept: list[Measurement] = []
        left: list[Job] = []
        for job in jobs:
            rows = {name: self._row(job, name) for name in job.pictures}
            kept += [row for row in rows.values() if row is not None]
            missing = tuple(name for name, row in rows.items() if row is None)
            if missing:
                left.append(replace(job, pictures=missing))
        return kept, tuple(left)

    def keep(self, row: Measurement, run: str) -> None:
        """Keep a row that was measured in the run of this name. OSError where it cannot be written.

        One that an external program made is not kept: programs change without a version that all of them tell.
        """
        if row.coding is not None and row.coding.program is not None:
            return
        job = self._jobs.get((row.codec, row.point))
        if job is not None and (path := self._path(job, row.picture)) is not None:
            atomic_write(path, run_folder.as_json(replace(row, from_cache=run)) + "\n")

    def _row(self, job: Job, picture: str) -> Measurement | None:
        path = self._path(job, picture)
        if path is None or not path.exists():
            return None
        try:
            row = run_folder.row_from_json(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):  # damaged or of another version: measured again, and kept anew
            return None
        return replace(row, dataset=job.dataset, picture=picture) if isinstance(row, Measurement) else None

    def _path(self, job: Job, picture: str) -> Path | None:
        """Where a row is kept; None for one that is not."""
        whole = self._jobs.get((job.codec, job.point))
        if whole is None or whole.source_sha256 or any(":" in metric for metric in whole.settings.metrics):
            return None
        record = self._pictures[picture]
        sharing = [self._pictures[name] for name in whole.pictures]
        made_of = {
            "conditions": self._conditions,
            "codec": (whole.codec, whole.reference, whole.point, whole.training, whole.weights_sha256),
            "picture": (record.width, record.height, record.sha256, record.treatment),
            "settings": run_folder.plain(whole.settings),
            # The first picture of a job has what is taken once; pictures of one shape share the time for timing.
            "first": picture == whole.pictures[0],
            "sharing": sum((other.width, other.height) == (record.width, record.height) for other in sharing),
        }
        key = hashlib.sha256(json.dumps(made_of, sort_keys=True).encode()).hexdigest()
        return cache_folder() / "results" / key[:2] / f"{key}.json"

    @cached_property
    def _conditions(self) -> Mapping[str, object]:
        return {
            "source": source_sha256(),
            "packages": dict(self.header.packages),
            "machine": lasting_facts(self.header.machine),
            "shared_machine": self.shared_machine,
        }

    @cached_property
    def _jobs(self) -> Mapping[tuple[str, str], Job]:
        return {(job.codec, job.point): job for job in self.header.jobs}

    @cached_property
    def _pictures(self) -> Mapping[str, PictureRecord]:
        return {picture.name: picture for picture in self.header.pictures}


@cache
def source_sha256() -> str:
    """A hash of all files of this package and its zoo."""
    return hash_of_files(dict.fromkeys(Path(place) for place in (*lic_bench.__path__[:1], *_zoo())))


def hash_of_files(folders: Iterable[Path]) -> str:
    """A hash of the names and contents of all files in some folders, code, tables and weights alike."""
    digest = hashlib.sha256()
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                digest.update(f"{path.relative_to(folder)}\0".encode() + path.read_bytes())
    return digest.hexdigest()


def _zoo() -> Iterator[str]:
    from importlib.util import find_spec

    spec = find_spec("lic_bench.zoo")
    yield from (spec.submodule_search_locations or ()) if spec is not None else ()
