"""Runs for tests of the check: made of records, or really measured with the changed networks; and their checks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from lic_bench.zoo.demo import FACTORIZED

from helpers import changed_codecs
from helpers.made_records import measurement
from lic_bench.assets import datasets, weights
from lic_bench.assets.pictures import read
from lic_bench.benchmark import environment, run_folder, worker
from lic_bench.check.baseline import StoredRun
from lic_bench.check.compare import compare
from lic_bench.check.limits import Limits, LimitSet
from lic_bench.check.outcome import Change, Outcome
from lic_bench.records import (
    Call,
    Job,
    MacCount,
    Measurement,
    PictureRecord,
    Row,
    RunHeader,
    Settings,
    Status,
    Training,
)

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


PICTURES = ("a", "b", "c", "d")


def rows(**changes: Any) -> list[Measurement]:
    """One operating point of the codec "net" on four pictures."""
    return [measurement("net", "1", name, **changes) for name in PICTURES]


def counted_rows(**changes: Any) -> list[Measurement]:
    """One operating point on two pictures, its MACs counted."""
    macs = MacCount(Call.DECODE, 768, 512, 3000, {"g_s": 3000}, by_layer={"g_s.0": 2000, "g_s.1": 1000})
    return [measurement("net", "1", name, **{"macs": (macs,)} | changes) for name in ("a", "b")]


def write_run(root: Path, *rows: Row, started: str = "", finished: bool = True) -> Path:
    """A run folder of these rows below a folder of runs."""
    pictures = tuple(PictureRecord(name, 768, 512, "00" * 32) for name in ("a", "b"))
    header = replace(HEADER, started=started or HEADER.started, finished=None, pictures=pictures)
    folder = run_folder.create(root, header)
    for row in rows:
        folder.append(row)
    if finished:
        folder.finish()
    return folder.path


def run(rows: Iterable[Row], name: str = "runs/now", **header: object) -> StoredRun:
    """A finished run of these rows; its pictures are those of the rows."""
    rows = tuple(rows)
    seen = {
        row.picture: PictureRecord(row.picture, row.width, row.height, row.picture_sha256)
        for row in rows
        if row.status is not Status.FAILED
    }
    return StoredRun(name, replace(HEADER, **{"pictures": tuple(seen.values())} | header), rows)  # type: ignore[arg-type]


def measured(folder: Path, change: str, points: Iterable[str] = ("2",), settings: Settings | None = None) -> StoredRun:
    """A run of the demonstration network with one change, really measured on a folder's pictures in this process."""
    settings = settings or Settings(device="cpu", timing_repeats=2, timing_budget_seconds=10)
    found = datasets.find(str(folder), None)
    records = tuple(read(picture)[1] for picture in found.pictures)
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
    return StoredRun(f"runs/{change}", header, tuple(rows))


def checked(now: Iterable[Row], before: Iterable[Row] | None = None, **limits: Any) -> Outcome:
    """Rows checked against others, by default those of `rows()`, with some limits changed."""
    limit_set = LimitSet(Limits(**limits)) if limits else None
    return compare(run(now), run(rows() if before is None else before, "baseline"), limit_set)


def only(outcome: Outcome, quantity: str) -> Change:
    """The one comparison of a quantity, by its name."""
    (change,) = (each for each in outcome.comparisons if each.quantity.name == quantity)
    return change
