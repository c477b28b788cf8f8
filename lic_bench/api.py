"""The short Python API, as `lic_bench.codec(...)`, `lic_bench.run(...)`: the commands are thin over the same rooms."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from lic_bench.analysis import curve_files
from lic_bench.analysis.curves import RDCurve
from lic_bench.assets import weights as checkpoints
from lic_bench.benchmark import runner
from lic_bench.check import baseline
from lic_bench.check import limits as limitations
from lic_bench.check.compare import compare
from lic_bench.check.limits import LimitBook
from lic_bench.check.outcome import Outcome
from lic_bench.codec import Codec
from lic_bench.complexity.codec_complexity import complexity
from lic_bench.records import Settings
from lic_bench.registry import codecs

__all__ = ["check", "codec", "complexity", "read_curves", "run"]


def codec(name: str, point: str | None = None, weights: str | Path | None = None, device: str = "cpu") -> Codec:
    """A codec ready to `encode(image) -> bytes` and `decode(bytes) -> image` (uint8, height x width x 3).

    `point` is an operating point's label (the first where None). `weights` is None for an untrained network with a
    fixed seed, a checkpoint's path, or "auto": the package's, the cache's, or the published file, downloaded and
    proved. Raises RequestError for an unknown name or point, WeightsError for a checkpoint that does not fit.
    """
    card = codecs.card(name)
    chosen = card.points[0] if point is None else card.point(point)
    if weights == "auto":
        return card.load(chosen, checkpoints.obtain(card, chosen).path if card.learned else None, device)
    return card.load(chosen, None if weights is None else Path(weights), device)


def run(
    models: str | Sequence[str] = "all",
    dataset: str = "sample",
    *,
    points: Sequence[str] = (),
    pictures: int | None = None,
    data: str | Path | None = None,
    weights: str | Path | Sequence[str | Path] = (),
    anchor: str | None = None,
    output: str | Path = "runs",
    device: str = "cpu",
    settings: Settings | None = None,
    download: bool = True,
    workers: int = 1,
    timeout_seconds: float | None = None,
    metrics: Sequence[str] = (),
    executor: str = "processes",
) -> runner.Run:
    """What `lic-bench run` does: measure, keep, write the page. `.to_pandas()` gives a line per picture.

    `metrics` and `executor` are names or references, as --metric and --executor take. `settings` holds threads, timing
    and memory switches and wins over `device`.
    """
    folders = (weights,) if isinstance(weights, str | Path) else tuple(weights)
    return runner.run(
        runner.Request(
            models=models,
            dataset=dataset,
            data=None if data is None else Path(data),
            weights=tuple(Path(folder) for folder in folders),
            points=tuple(points),
            pictures=pictures,
            anchor=anchor,
            output=Path(output),
            download=download,
            workers=workers,
            timeout_seconds=timeout_seconds,
            metrics=tuple(metrics),
            executor=executor,
            settings=settings or Settings(device=device),
        )
    )


def read_curves(path: str | Path) -> tuple[RDCurve, ...]:
    """The published curves of a file that `lic-bench import` wrote, to be compared by `lic_bench.bd_rate`.

    Raises RequestError for a file that is missing, damaged or of another kind.
    """
    return curve_files.read(Path(path))


def check(
    run: str | Path | runner.Run, *, against: str | Path, limits: str | Path | LimitBook | None = None
) -> Outcome:
    """What `lic-bench check` does: a run against a baseline. `.failed`, `.changes`, `.as_markdown()`, `.as_junit()`.

    `run` and `against` are run folders, folders of runs (the newest finished one) or baseline files; `limits` a TOML
    file. Raises RequestError for what cannot be read, and for a baseline of quite another data set.
    """
    book = limits if isinstance(limits, LimitBook) or limits is None else limitations.read(Path(limits))
    now = baseline.read(run.folder if isinstance(run, runner.Run) else Path(run))
    return compare(now, baseline.read(Path(against)), book)
