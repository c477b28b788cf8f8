"""What all passes of a job share: the codec ready to run, and the pictures."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from lic_bench.assets import requirements
from lic_bench.assets.pictures import Picture
from lic_bench.benchmark import environment, targets
from lic_bench.benchmark.conditions import ALONE, Conditions
from lic_bench.benchmark.module_calls import ModuleCalls, parts_of
from lic_bench.codec import Codec, CodecCard, HasParts
from lic_bench.errors import DatasetError
from lic_bench.records import Job, Training
from lic_bench.registry import datasets


@dataclass(frozen=True)
class JobContext:
    """A job with its card and codec, resolved once per process. `device` is "cpu" or a CUDA device.

    `calls` keeps what the codec's network gave while a picture was coded.
    """

    job: Job
    card: CodecCard
    codec: Codec
    device: str
    conditions: Conditions
    calls: ModuleCalls

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
    calls = ModuleCalls(parts_of(codec.network) if isinstance(codec, HasParts) else ())
    return JobContext(job, card, codec, device, conditions, calls)


def pictures(job: Job) -> tuple[Picture, ...]:
    """The job's pictures, looked up where the job runs. DatasetError where one is not there."""
    found = datasets.find(job.dataset, Path(job.data) if job.data else None, download=False)
    by_name = {picture.name: picture for picture in found.pictures}
    missing = [name for name in job.pictures if name not in by_name]
    if missing:
        raise DatasetError(f"The data set {job.dataset} has no picture {missing[0]}.")
    return tuple(by_name[name] for name in job.pictures)
