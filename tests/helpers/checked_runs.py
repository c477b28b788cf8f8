"""Runs for tests of the check: made of records, or really measured with the changed networks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from lic_bench.zoo.demo import FACTORIZED

from helpers import changed_codecs
from lic_bench.assets import datasets, weights
from lic_bench.benchmark import environment, worker
from lic_bench.check.baseline import Kept
from lic_bench.records import Job, PictureRecord, Row, RunHeader, Settings, Training

HEADER = RunHeader(
    started="2026-11-20T12:00:00Z",
    command=("lic-bench", "run"),
    lic_bench="0.1.0",
    commit="0123456789",
    dirty=False,
    machine={"processor": "one", "cores": 2, "memory_bytes": 2**33, "system": "Linux-6.8.0-31-x", "python": "3.11.7"},
    packages={"lic-bench": "0.1.0", "torch": "2.14.1", "scipy": "1.17"},
    settings=Settings(),
    dataset="set",
    pictures=(),
    jobs=(),
    finished="2026-11-20T12:10:00Z",
)


def run(rows: Iterable[Row], name: str = "runs/now", **header: object) -> Kept:
    """A finished run of these rows; its pictures are those of the rows."""
    rows = tuple(rows)
    seen = {
        row.picture: PictureRecord(row.picture, row.width, row.height, row.picture_sha256)
        for row in rows
        if row.status != "failed"
    }
    return Kept(name, replace(HEADER, **{"pictures": tuple(seen.values())} | header), rows)  # type: ignore[arg-type]


def measured(folder: Path, change: str, points: Iterable[str] = ("2",), settings: Settings | None = None) -> Kept:
    """A run of the demonstration network with one change, really measured on a folder's pictures in this process."""
    settings = settings or Settings(timing_repeats=2, timing_budget_seconds=10)
    found = datasets.find(str(folder), None)
    records = tuple(datasets.read(picture)[1] for picture in found.pictures)
    rows: list[Row] = []
    for point in points:
        file = weights.obtain(FACTORIZED, FACTORIZED.point(point))
        job = Job(
            codec=changed_codecs.NAME,
            point=point,
            training=Training.TRAINED,
            dataset=found.name,
            pictures=tuple(record.name for record in records),
            data=str(folder),
            weights=str(file.path),
            weights_sha256=file.sha256,
            reference=f"helpers.changed_codecs:{change.upper()}",
            settings=settings,
        )
        rows += worker.measure(job)
    facts = environment.describe("cpu", settings.threads)
    header = replace(HEADER, machine=facts, packages=environment.packages(), settings=settings, pictures=records)
    return Kept(f"runs/{change}", header, tuple(rows))
