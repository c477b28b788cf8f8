"""What a run is asked for: one type with one set of defaults for the command line, the Python API and jobs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

from lic_bench.records import Settings


@dataclass(frozen=True)
class RunOptions(Settings):
    """Everything a run is asked for; how measurements are taken comes from Settings and travels with each job.

    `models` are names, globs, "all" or references, separated by commas or a sequence. `dataset` is a name, a folder or
    a description (TOML), looked for in `data`, $LIC_BENCH_DATA and the cache. `weights` are folders with
    MODEL/POINT.pth.tar, or one checkpoint. `points` are labels or globs, none for all; `pictures` takes the first few
    pictures. `download` allows fetching. `timeout_seconds` bounds one pass on one picture. `new` starts a new run
    instead of continuing an interrupted one.
    """

    models: str | Sequence[str] = "all"
    dataset: str = "sample"
    data: Path | None = None
    weights: tuple[Path, ...] = ()
    points: tuple[str, ...] = ()
    pictures: int | None = None
    anchor: str | None = None
    output: Path = Path("runs")
    download: bool = True
    workers: int = 1
    timeout_seconds: float | None = None
    new: bool = False
    executor: str = "processes"

    @property
    def settings(self) -> Settings:
        """The part that travels with each job."""
        return Settings(**{field.name: getattr(self, field.name) for field in fields(Settings)})
