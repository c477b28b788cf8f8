"""One run from request to finished page: plan, measure, keep, report. Each step is a function of another module."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from lic_bench import __version__
from lic_bench.assets import datasets, weights
from lic_bench.benchmark import environment, plan, run_folder
from lic_bench.codec import CodecCard
from lic_bench.errors import FetchError, PictureError, RequestError
from lic_bench.records import Failure, Job, MetricRecord, PictureRecord, Row, RunHeader, Settings
from lic_bench.registry import executors, lookup
from lic_bench.registry import metrics as scores

if TYPE_CHECKING:
    import pandas as pd

    from lic_bench.analysis.curves import RDCurve

EVERY = "*"
"""Stands for all codecs and points in the failure row of a picture that cannot be read."""


@dataclass(frozen=True)
class Request:
    """What the user asked for; see `lic-bench run --help` for each."""

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
    fresh: bool = False
    metrics: tuple[str, ...] = ()
    executor: str = executors.DEFAULT
    settings: Settings = field(default_factory=Settings)


@dataclass(frozen=True)
class Prepared:
    """A request with everything looked up: which pictures, which weights, which jobs."""

    dataset: datasets.Dataset
    pictures: tuple[PictureRecord, ...]
    broken: tuple[Failure, ...]
    plan: plan.Plan
    settings: Settings
    metrics: tuple[MetricRecord, ...] = ()


@dataclass(frozen=True)
class Run:
    """A run that was made: where it lies, its rows, and the page."""

    folder: Path
    header: RunHeader
    rows: tuple[Row, ...]
    page: Path

    @property
    def failures(self) -> tuple[Failure, ...]:
        """Rows of what broke and was not made good later."""
        return tuple(row for row in self.rows if isinstance(row, Failure))

    def to_pandas(self) -> pd.DataFrame:
        """One line per measured picture, with the derived rates beside the raw figures."""
        from lic_bench.report import tables

        return tables.per_picture(self.rows)


class Observer(Protocol):
    """Is told how a run goes on, to show it."""

    def note(self, text: str) -> None:
        """Something the user should know: what is left out, continued, or looked for."""
        ...

    def start(self, rows: int, done: int) -> None:
        """The run begins; `done` of the `rows` rows are there already."""
        ...

    def row(self, row: Row) -> None:
        """A row was measured and kept."""
        ...


class Silent:
    """An observer that shows nothing."""

    def note(self, text: str) -> None:
        """Ignored."""

    def start(self, rows: int, done: int) -> None:
        """Ignored."""

    def row(self, row: Row) -> None:
        """Ignored."""


def prepare(request: Request, observer: Observer) -> Prepared:
    """Look up codecs, pictures and weights, and plan. Nothing is measured."""
    from lic_bench.report import anchor

    executors.find(request.executor)
    metrics = lookup.metrics(request.metrics, request.timeout_seconds)
    settings = replace(request.settings, metrics=tuple(dict.fromkeys(map(scores.door, request.metrics))))
    chosen = lookup.selection(request.models, request.timeout_seconds)
    cards = chosen.cards
    anchor.check(request.anchor, [card.name for card in cards], request.dataset)
    dataset = lookup.dataset(request.dataset, request.data, request.download, request.timeout_seconds)
    if dataset.left_out:
        observer.note(f"Left out of {dataset.source}, being no pictures: {', '.join(dataset.left_out)}.")
    pictures, broken = _readable(dataset, request.pictures)
    planned = plan.plan(
        cards,
        pictures,
        dataset.name,
        _checkpoints(cards, request, observer),
        settings,
        request.points,
        str(request.data.resolve()) if request.data else None,
    )
    for text in planned.notes:
        observer.note(text)
    useless = (Failure(name, EVERY, dataset.name, None, "plug-in", why) for name, why in chosen.broken.items())
    return Prepared(dataset, pictures, (*useless, *broken), planned, settings, metrics)


def run(request: Request, observer: Observer | None = None) -> Run:
    """Measure everything asked for and write the page. The same request continues a run that was interrupted."""
    observer = observer or Silent()
    prepared = prepare(request, observer)
    folder = _folder(request, prepared, observer)
    todo = plan.still_to_do(folder.header.jobs, folder.rows())
    observer.start(prepared.plan.rows, prepared.plan.rows - sum(len(job.pictures) for job in todo))
    for failure in prepared.broken:
        folder.append(failure)
        observer.row(failure)
    for row in executors.rows(request.executor, todo, request.workers, request.timeout_seconds):
        folder.append(row)
        observer.row(row)
    folder.finish()
    return report(folder.path, request.anchor)


def report(folder: Path, anchor: str | None = None, given: Sequence[RDCurve] = ()) -> Run:
    """Write the page and tables of a run folder beside its rows, with published curves `given`. Loads no codec."""
    from lic_bench.report import page

    header, rows = run_folder.read(folder)
    kept = run_folder.latest(rows)
    written = page.write(kept, header, anchor, folder, given)
    return Run(folder, header, tuple(kept), written)


def _readable(dataset: datasets.Dataset, first: int | None) -> tuple[tuple[PictureRecord, ...], tuple[Failure, ...]]:
    """Records of the first pictures that can be read, and a failure for each that cannot."""
    records, broken = [], []
    for picture in dataset.pictures[:first]:
        try:
            records.append(datasets.read(picture)[1])
        except PictureError as error:
            broken.append(Failure(EVERY, EVERY, dataset.name, picture.name, "read", str(error)))
    if not records:
        raise RequestError("No picture can be measured. " + " ".join(failure.reason for failure in broken))
    return tuple(records), tuple(broken)


def _checkpoints(
    cards: Sequence[CodecCard], request: Request, observer: Observer
) -> dict[tuple[str, str], plan.Checkpoint]:
    """The checkpoint of every operating point that has one, downloaded where that is wanted and possible."""
    _require_weights(cards, request)
    have: dict[tuple[str, str], plan.Checkpoint] = {}
    for card in (card for card in cards if card.learned):
        unreachable: list[FetchError] = []
        for point in plan.wanted(card, request.points):
            found = weights.find(card, point, request.weights)
            if isinstance(found, weights.Missing) and found.lack is weights.Lack.NOT_THERE:
                observer.note(f"{card.name} {point.label}: {found.sentence}.")
            if isinstance(found, weights.Missing) and not (
                found.lack is weights.Lack.DOWNLOADABLE and request.download
            ):
                continue
            try:
                file = weights.obtain(card, point, request.weights, allow_download=request.download)
            except FetchError as error:
                unreachable.append(error)
            else:
                have[card.name, point.label] = plan.Checkpoint(str(file.path.resolve()), file.sha256 or "")
        if unreachable:
            observer.note(f"{card.name}: {len(unreachable)} checkpoints could not be downloaded. {unreachable[0]}")
    return have


def _require_weights(cards: Sequence[CodecCard], request: Request) -> None:
    """Folders of weights must be there; a single file can only stand for a single operating point."""
    for place in request.weights:
        if not place.expanduser().exists():
            raise RequestError(f"There is no folder of weights {place}.")
        points = [point for card in cards if card.learned for point in plan.wanted(card, request.points)]
        if place.expanduser().is_file() and len(points) != 1:
            raise RequestError(
                f"{place} is one checkpoint, but {len(points)} operating points are asked for; narrow --models and "
                "--points to the one it belongs to, or give a folder with MODEL/POINT.pth.tar."
            )


def _folder(request: Request, prepared: Prepared, observer: Observer) -> run_folder.RunFolder:
    """The unfinished run of the same request to be continued, or a new one."""
    header = _header(request, prepared)
    unfinished = [] if request.fresh else list(run_folder.latest_unfinished(request.output))
    for path, earlier in unfinished:
        if not header.dirty and _same(earlier, header):
            observer.note(f"Continuing the run in {path}.")
            return run_folder.open_again(path)
    for path, earlier in unfinished:
        if earlier.jobs == header.jobs:
            why = (
                "the checkout has uncommitted changes"
                if header.dirty
                else "code, packages, pictures or machine changed"
            )
            observer.note(f"The unfinished run in {path} is not continued, since {why}; a new run begins.")
    return run_folder.create(request.output, header)


def _header(request: Request, prepared: Prepared) -> RunHeader:
    commit, dirty = environment.commit()
    return RunHeader(
        started=run_folder.now(),
        command=environment.command(),
        lic_bench=__version__,
        commit=commit,
        dirty=dirty,
        machine=environment.describe(request.settings.device, request.settings.threads),
        packages=environment.packages(),
        settings=prepared.settings,
        dataset=prepared.dataset.name,
        pictures=prepared.pictures,
        jobs=prepared.plan.jobs,
        notes=prepared.plan.notes,
        metrics=prepared.metrics,
    )


def _same(earlier: RunHeader, now: RunHeader) -> bool:
    """Whether rows of both runs may stand together: same jobs, pictures, code and machine."""
    changing = {"cpu_pressure_avg10_percent"}

    def comparable(header: RunHeader) -> tuple[tuple[Job, ...], object, object, object, object]:
        facts = {name: fact for name, fact in header.machine.items() if name not in changing}
        return header.jobs, header.pictures, (header.commit, header.lic_bench), dict(header.packages), facts

    return comparable(replace(earlier, started=now.started)) == comparable(now)
