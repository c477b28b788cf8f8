"""The Python API: `lic_bench.run(...)`, `lic_bench.load_codec(...)`; the commands are thin over these functions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lic_bench.analysis import curve_files
from lic_bench.analysis.curves import RDCurve
from lic_bench.assets import weights as checkpoints
from lic_bench.benchmark import run_folder, runner
from lic_bench.benchmark.options import RunOptions
from lic_bench.benchmark.runner import Observer
from lic_bench.check import baseline
from lic_bench.check import limits as limit_files
from lic_bench.check.compare import compare
from lic_bench.check.limits import LimitBook
from lic_bench.check.outcome import Outcome
from lic_bench.codec import Codec
from lic_bench.errors import RequestError, did_you_mean
from lic_bench.records import Failure, Row, RunHeader
from lic_bench.registry import codecs

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Run:
    """A run that was made: where it lies, its header and rows, and the page."""

    folder: Path
    header: RunHeader
    rows: tuple[Row, ...]
    page: Path

    @property
    def failures(self) -> tuple[Failure, ...]:
        """Rows of what failed and was not made good later."""
        return tuple(row for row in self.rows if isinstance(row, Failure))

    def to_pandas(self) -> pd.DataFrame:
        """One line per measured picture, with the derived rates beside the raw figures."""
        from lic_bench.report import tables

        return tables.per_picture(self.rows)


def run(options: RunOptions | None = None, *, observer: Observer | None = None, **changes: Any) -> Run:
    """What `lic-bench run` does: measure, keep, write the page.

    `changes` are fields of RunOptions, such as models="jpeg,webp", dataset="kodak", device="cuda". Raises RequestError
    for one that there is not, and for a request that makes no sense.
    """
    asked = _options(options or RunOptions(), changes)
    return report(runner.run(asked, observer).path, asked.anchor)


def report(folder: str | Path, anchor: str | None = None, curves: Sequence[RDCurve] = ()) -> Run:
    """Write the page and tables of a run folder beside its rows, with further published curves. Loads no codec."""
    from lic_bench.report import page

    folder = Path(folder)
    header, rows = run_folder.read(folder)
    kept = run_folder.latest(rows)
    return Run(folder, header, tuple(kept), page.write(kept, header, anchor, folder, curves))


def load_codec(name: str, point: str | None = None, weights: str | Path | None = None, device: str = "cpu") -> Codec:
    """A codec ready to `encode(image) -> bytes` and `decode(bytes) -> image` (uint8, height x width x 3).

    `point` is an operating point's label (the first where None). `weights` is None for an untrained network with a
    fixed seed, a checkpoint's path, or "auto": the package's, the cache's, or the published file, downloaded and
    proved. Raises RequestError for an unknown name or point, WeightsError for a checkpoint that does not fit.
    """
    card = codecs.get(name)
    chosen = card.points[0] if point is None else card.point(point)
    if weights == "auto":
        return card.load(chosen, checkpoints.obtain(card, chosen).path if card.learned else None, device)
    return card.load(chosen, None if weights is None else Path(weights), device)


def read_curves(path: str | Path) -> tuple[RDCurve, ...]:
    """The published curves of a file that `lic-bench import` wrote, to be compared by `lic_bench.bd_rate`.

    Raises RequestError for a file that is missing, damaged or of another kind.
    """
    return curve_files.read(Path(path))


def check_run(run: str | Path | Run, *, against: str | Path, limits: str | Path | LimitBook | None = None) -> Outcome:
    """What `lic-bench check` does: a run against a baseline.

    `run` and `against` are run folders, folders of runs (the newest finished one) or baseline files; `limits` a TOML
    file. Raises RequestError for what cannot be read, and for a baseline of quite another data set.
    """
    book = limits if isinstance(limits, LimitBook) or limits is None else limit_files.read(Path(limits))
    now = baseline.read(run.folder if isinstance(run, Run) else Path(run))
    return compare(now, baseline.read(Path(against)), book)


def _options(options: RunOptions, changes: dict[str, Any]) -> RunOptions:
    """Options with some fields changed; single paths, patterns and names are taken for sequences of one."""
    known = [field.name for field in fields(RunOptions)]
    for name in changes:
        if name not in known:
            raise RequestError(f"There is no option {name!r}. {did_you_mean(name, known)}".rstrip())
    for name in ("weights", "points", "metrics"):
        if isinstance(changes.get(name), str | Path):
            changes[name] = (changes[name],)
    for name in ("data", "output"):
        if changes.get(name) is not None:
            changes[name] = Path(changes[name])
    if "weights" in changes:
        changes["weights"] = tuple(Path(folder) for folder in changes["weights"])
    for name in ("points", "metrics"):
        if name in changes:
            changes[name] = tuple(changes[name])
    return replace(options, **changes)
