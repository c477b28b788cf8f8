"""Where jobs run: the rows of an executor, with a failure for every picture that it gave no row for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lic_bench.errors import LicBenchError
from lic_bench.records import Failure, FailureKind, Job, Measurement, Row
from lic_bench.registry import executors


def rows(name: str, jobs: Sequence[Job], workers: int, timeout_seconds: float | None) -> Iterator[Row]:
    """Rows of all jobs from an executor, as they come.

    Raises LicBenchError where the executor itself breaks; what it gave before is kept.
    """
    missing = {(job.codec, job.point, picture): job for job in jobs for picture in job.pictures}
    try:
        for row in executors.get(name)(jobs, workers, timeout_seconds):
            if not isinstance(row, Measurement | Failure):
                raise TypeError(f"it gave a {type(row).__name__} instead of a row")
            for key in _covered(missing, row):
                missing.pop(key, None)
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


def _covered(missing: dict[tuple[str, str, str], Job], row: Row) -> list[tuple[str, str, str]]:
    """What a row accounts for: a failed job or process accounts for all pictures that the job has left."""
    if row.picture is not None and not (isinstance(row, Failure) and row.kind is FailureKind.PROCESS):
        return [(row.codec, row.point, row.picture)]
    return [key for key in missing if key[:2] == (row.codec, row.point)]
