"""User-supplied metrics and executors, sound and broken. Imports nothing heavy."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from lic_bench.codec import Image
from lic_bench.records import Job, Row


def mean_error(original: Image, decoded: Image) -> float:
    return float(np.abs(original.astype(float) - decoded).mean())


mean_error.title = "mean error"  # type: ignore[attr-defined]
mean_error.unit = "of 255"  # type: ignore[attr-defined]
mean_error.higher_is_better = False  # type: ignore[attr-defined]


def in_words(original: Image, decoded: Image) -> str:
    return "very good"


def deadly(original: Image, decoded: Image) -> float:
    os._exit(9)


def reference(name: str) -> str:
    return f"{Path(__file__).resolve()}:{name}"


def losing(jobs: Sequence[Job], workers: int, timeout_seconds: float | None) -> Iterator[Row]:
    """An executor that gives only the first row of every job."""
    from lic_bench.benchmark.worker import measure

    for job in jobs:
        yield next(measure(job))


def stumbling(jobs: Sequence[Job], workers: int, timeout_seconds: float | None) -> Iterator[Row]:
    """An executor that breaks after its first row."""
    from lic_bench.benchmark.worker import measure

    yield next(measure(jobs[0]))
    raise OSError("the cluster is gone")
