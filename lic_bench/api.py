"""The Python API: `lic_bench.run(...)`, `lic_bench.load_codec(...)`; the commands are thin over these functions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lic_bench.analysis import anchor as anchors
from lic_bench.analysis import curve_files, curves, default_curves
from lic_bench.analysis.curves import RDCurve
from lic_bench.assets import weights as checkpoints
from lic_bench.assets.requirements import vtm_folder
from lic_bench.benchmark import run_folder
from lic_bench.benchmark.options import RunOptions, changed
from lic_bench.check import baseline
from lic_bench.check import limits as limit_files
from lic_bench.check.compare import compare
from lic_bench.check.limits import LimitSet
from lic_bench.check.outcome import Outcome
from lic_bench.codec import Codec
from lic_bench.records import Failure, Measurement, Row, RunHeader

if TYPE_CHECKING:
    import pandas as pd

    from lic_bench.benchmark.runner import Observer


DEFAULTS = RunOptions()


@dataclass(frozen=True)
class Run:
    """A run: its folder, header and rows, and the page of its report."""

    folder: Path
    header: RunHeader
    rows: tuple[Row, ...]
    page: Path

    @property
    def failures(self) -> tuple[Failure, ...]:
        """Rows of what failed and did not succeed later."""
        return tuple(row for row in self.rows if isinstance(row, Failure))

    def to_pandas(self) -> pd.DataFrame:
        """A table with one line per measured picture: the raw figures and the rates derived from them."""
        from lic_bench.report import tables

        return tables.per_picture(self.rows)


def run(models: str | Sequence[str] = DEFAULTS.models, dataset: str = DEFAULTS.dataset, **options: Any) -> Run:
    """Measures codecs on pictures, keeps every row and writes the page, as `lic-bench run` does.

    `options` are further fields of RunOptions, such as pictures=4 or device="cuda". Raises RequestError for an unknown
    field, and for a request that makes no sense.
    """
    return run_with_options(changed(RunOptions(models=models, dataset=dataset), options))


def run_with_options(options: RunOptions, observer: Observer | None = None) -> Run:
    """As `run`, with all options in one value; an observer learns how the run goes on."""
    from lic_bench.benchmark import runner

    with vtm_folder(options.vtm_bin):
        folder = runner.run(options, observer)
    return write_report(folder.path, options.anchor)


def write_report(folder: str | Path, anchor: str | None = None, curves: Sequence[RDCurve] = ()) -> Run:
    """Writes the page and tables of a run folder beside its rows, with further published curves.

    The run folder is all that is read: no codec is imported and none needs to be installed. Raises RunFolderError for
    a folder that is no run, RequestError for an anchor that does not exist.
    """
    from lic_bench.report import page

    folder = Path(folder)
    header, rows = run_folder.read(folder)
    kept = run_folder.latest(rows)
    return Run(folder, header, tuple(kept), page.write(kept, header, anchor, folder, curves))


def load_codec(name: str, point: str | None = None, weights: str | Path | None = None, device: str = "cpu") -> Codec:
    """A codec ready to `encode(image) -> bytes` and `decode(bytes) -> image` (uint8, height x width x 3).

    `point` is an operating point's label (the first where None). `weights` is None for an untrained network with a
    fixed seed, a checkpoint's path, or "auto": that of the package, of the cache, or the published file, downloaded
    and checked by its sha256. Raises RequestError for an unknown name or point, WeightsError for a checkpoint that does
    not fit.
    """
    from lic_bench.registry import codecs

    card = codecs.get(name)
    chosen = card.points[0] if point is None else card.point(point)
    if weights == "auto":
        return card.load(chosen, checkpoints.obtain(card, chosen).path if card.learned else None, device)
    return card.load(chosen, None if weights is None else Path(weights), device)


def read_curves(path: str | Path) -> tuple[RDCurve, ...]:
    """The published curves of a file that `lic-bench import` wrote, which `lic_bench.bd_rate` compares.

    Raises RequestError for a file that is missing, damaged or of another kind.
    """
    return curve_files.read(Path(path))


def find_curves(names: Sequence[str], dataset: str | None = None) -> tuple[tuple[RDCurve, ...], ...]:
    """The curves that each name stands for: a run folder's, a file's, or published ones.

    A file holds curves or another tool's results. Published are NAME (the default source), NAME/SOURCE, globs of
    names, and "all" (every default), on `dataset`, else on that of the runs and files, else on kodak. Raises
    RequestError for a name that is none of these, and for files that do not say which pictures they are about.
    """
    taken = {name: _curves_at(Path(name), dataset) for name in names if Path(name).exists()}
    places = {curve.dataset for some in taken.values() for curve in some}
    place = dataset or (places.pop() if len(places) == 1 else anchors.PUBLISHED_DATASET)
    return tuple(taken[name] if name in taken else default_curves.published_called(name, place) for name in names)


def _curves_at(path: Path, dataset: str | None) -> tuple[RDCurve, ...]:
    """The curves of a run folder or of a file."""
    if path.is_dir():
        header, rows = run_folder.read(path)
        measured = [row for row in run_folder.latest(rows) if isinstance(row, Measurement)]
        found = curves.measured(measured, path.name, cards=header.cards)
        # the run's name tells curves of one codec from two runs apart
        return tuple(replace(curve, source=replace(curve.source, source_id=path.name)) for curve in found)
    if curve_files.is_one(path):
        return curve_files.read(path)
    from lic_bench.interchange import importing

    options = importing.ImportOptions(dataset)
    return importing.as_curves(importing.read([path], options), options)


def check_run(run: str | Path | Run, *, against: str | Path, limits: str | Path | LimitSet | None = None) -> Outcome:
    """The outcome of a run against a baseline, as `lic-bench check` has it.

    `run` and `against` are run folders, folders of runs (the newest finished one) or baseline files; `limits` a TOML
    file. Raises RequestError for what cannot be read, and for a baseline of another data set.
    """
    limit_set = limits if isinstance(limits, LimitSet) or limits is None else limit_files.read(Path(limits))
    now = baseline.read(run.folder if isinstance(run, Run) else Path(run))
    return compare(now, baseline.read(Path(against)), limit_set)
