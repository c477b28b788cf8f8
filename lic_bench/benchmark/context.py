"""What all passes of a job share: the codec ready to run, and the conditions under which it is measured."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from lic_bench.assets import requirements
from lic_bench.assets.pictures import Picture
from lic_bench.benchmark import environment, targets
from lic_bench.codec import Codec, CodecCard, Image
from lic_bench.errors import DatasetError
from lic_bench.records import Job, MemoryUse, Training
from lic_bench.registry import datasets


@dataclass(frozen=True)
class FreshProcess:
    """One picture encoded in a fresh process and decoded in another, with the memory that both took."""

    picture: str
    stream: bytes
    decoded: Image
    memory: tuple[MemoryUse, ...]


@dataclass(frozen=True)
class Conditions:
    """Under what conditions a job is measured.

    `fresh` is the result of the fresh-process pass, None where it was not made. `shared_machine` says that other jobs
    run at the same time. `skip_metrics` leaves further metrics out, because one of them ended the process before.
    """

    fresh: FreshProcess | None = None
    shared_machine: bool = False
    skip_metrics: bool = False


ALONE = Conditions()
"""Nothing else is measured at the same time, and no fresh-process pass was made."""


@dataclass(frozen=True)
class JobContext:
    """A job with its card and codec, resolved once per process. `device` is "cpu" or a CUDA device."""

    job: Job
    card: CodecCard
    codec: Codec
    device: str
    conditions: Conditions

    @property
    def trained(self) -> bool:
        """Whether rate and distortion mean anything."""
        return self.job.training is not Training.UNTRAINED


def load(job: Job, conditions: Conditions = ALONE) -> JobContext:
    """The codec of a job, loaded. Raises whatever its loader raises."""
    card = targets.card_of(job.reference, job.point)
    device = environment.resolve_device(job.settings.device)
    weights = Path(job.weights) if job.weights else None
    with requirements.vtm_folder(job.settings.vtm_bin):
        codec = card.load(card.point(job.point), weights, device)
    return JobContext(job, card, codec, device, conditions)


def pictures(job: Job) -> tuple[Picture, ...]:
    """The job's pictures, looked up where the job runs. DatasetError where one is not there."""
    found = datasets.find(job.dataset, Path(job.data) if job.data else None, download=False)
    by_name = {picture.name: picture for picture in found.pictures}
    missing = [name for name in job.pictures if name not in by_name]
    if missing:
        raise DatasetError(f"The data set {job.dataset} has no picture {missing[0]}.")
    return tuple(by_name[name] for name in job.pictures)
