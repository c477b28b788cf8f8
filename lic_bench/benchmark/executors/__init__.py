"""Where jobs run: rows of an executor, checked for completeness."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lic_bench.errors import LicBenchError
from lic_bench.records import Failure, FailureKind, Job, Measurement, Row
from lic_bench.registry import executors


def rows(name: str, jobs: Sequence[Job], workers: int, timeout_seconds: float | None) -> Iterator[Row]:
    """Rows of all jobs from an executor, and a failure for every picture that it gave no row for.

    Raises LicBenchError where the executor itself breaks; what it gave before is kept.
    """
    missing = {(job.codec, job.point, picture): job for job in jobs for picture in job.pictures}
    try:
        for row in executors.get(name)(jobs, workers, timeout_seconds):
            if not isinstance(row, Measurement | Failure):
                raise TypeError(f"it gave a {type(row).__name__} instead of a row")
            _strike(missing, row)
            yield row
    except LicBenchError:
        raise
    except Exception as error:  # a user-supplied executor may fail in any way
        raise LicBenchError(
            f"The executor {name} failed: {type(error).__name__}: {error}. What was measured is kept; the same command "
            "continues."
        ) from error
    for (codec, point, picture), job in missing.items():
        reason = f"the executor {name} gave no row for it"
        yield Failure(codec, point, job.dataset, picture, FailureKind.EXECUTOR, reason)


def _strike(missing: dict[tuple[str, str, str], Job], row: Row) -> None:
    """Take off what a row is about; a failure of a whole job or of its process is about all the job has left."""
    if row.picture is not None and not (isinstance(row, Failure) and row.kind is FailureKind.PROCESS):
        missing.pop((row.codec, row.point, row.picture), None)
        return
    for key in [key for key in missing if key[:2] == (row.codec, row.point)]:
        del missing[key]
