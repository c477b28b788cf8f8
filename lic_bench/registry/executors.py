"""Where jobs are done, by name: `processes` on this machine, or an engine that somebody else registered.

An executor is a callable `(jobs, workers, timeout_seconds) -> Iterator[Row]`. A job is names and numbers only; whoever
does it calls `lic_bench.benchmark.worker.measure(job, None)`, or `lic_bench.benchmark.executors.processes.rows` for its passes in fresh processes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeAlias

from lic_bench.errors import LicBenchError, RequestError, did_you_mean
from lic_bench.records import Failure, Job, Measurement, Row
from lic_bench.registry import entry_points

GROUP = "lic_bench.executors"
DEFAULT = "processes"

Executor: TypeAlias = Callable[[Sequence[Job], int, float | None], Iterable[Row]]


def names() -> tuple[str, ...]:
    """The executors that are registered."""
    return tuple(entry_points.registered(GROUP))


def find(name: str) -> Executor:
    """An executor by name, or as "module:NAME" or "file.py:NAME". RequestError for an unknown or a broken one."""
    if entry_points.is_reference(name):
        place = entry_points.absolute(name)
    elif name in names():
        place = entry_points.reference(entry_points.registered(GROUP)[name])
    else:
        hint = did_you_mean(name, names()) or f"Those registered are {', '.join(names())}."
        if name == DEFAULT:
            hint = "It is lic-bench's own: what is installed is older than the code; install lic-bench again."
        raise RequestError(f"There is no executor called {name!r}. {hint}")
    found: Any = entry_points.load(place, f"The executor {name}")
    if not callable(found):
        raise RequestError(f"The executor {name} is a {type(found).__name__}, which cannot be called with jobs.")
    executor: Executor = found
    return executor


def rows(name: str, jobs: Sequence[Job], workers: int, timeout_seconds: float | None) -> Iterator[Row]:
    """Rows of all jobs from an executor, and a failure for every picture that it gave no row for.

    Raises LicBenchError where the executor itself breaks; what it gave before is kept.
    """
    missing = {(job.codec, job.point, picture): job for job in jobs for picture in job.pictures}
    try:
        for row in find(name)(jobs, workers, timeout_seconds):
            if not isinstance(row, Measurement | Failure):
                raise TypeError(f"it gave a {type(row).__name__} instead of a row")
            _strike(missing, row)
            yield row
    except LicBenchError:
        raise
    except Exception as error:  # somebody else's engine may fail in any way
        raise LicBenchError(
            f"The executor {name} failed: {type(error).__name__}: {error}. What was measured is kept; the same command "
            "continues."
        ) from error
    for (codec, point, picture), job in missing.items():
        yield Failure(codec, point, job.dataset, picture, "executor", f"the executor {name} gave no row for it")


def _strike(missing: dict[tuple[str, str, str], Job], row: Row) -> None:
    """Take off what a row speaks of; a failure without a picture, or of the process, speaks of all its job has left."""
    if row.picture is not None and not (isinstance(row, Failure) and row.stage == "process"):
        missing.pop((row.codec, row.point, row.picture), None)
        return
    for key in [key for key in missing if key[:2] == (row.codec, row.point)]:
        del missing[key]
