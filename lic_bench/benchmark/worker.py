"""What a fresh process is asked to do. Heavy packages are imported there and not by whoever asks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lic_bench.benchmark.conditions import ALONE, Conditions
from lic_bench.benchmark.estimate import Work
from lic_bench.codec import Image
from lic_bench.records import Job, MemoryUse, Row


def measure(job: Job, conditions: Conditions = ALONE) -> Iterator[Row]:
    """A row for every picture of a job, as soon as it is measured. What breaks becomes a Failure; the rest goes on."""
    from lic_bench.benchmark import job_rows

    yield from job_rows.measure(job, conditions)


def encode_alone(job: Job, name: str) -> tuple[bytes, MemoryUse | None]:
    """The bitstream of one picture, and the peak memory of encoding."""
    from lic_bench.benchmark import job_rows

    return job_rows.encode_alone(job, name)


def decode_alone(job: Job, stream: bytes) -> tuple[Image, MemoryUse | None]:
    """The picture of a bitstream, and the peak memory of decoding."""
    from lic_bench.benchmark import job_rows

    return job_rows.decode_alone(job, stream)


def network_work(jobs: Sequence[Job], device: str, threads: int) -> tuple[Work, float]:
    """The work of the jobs' networks by codec and point, and the device's MACs per second."""
    from lic_bench.benchmark import network_work

    return network_work.of_jobs(jobs, device, threads)
