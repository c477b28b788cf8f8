"""One run from its options to a finished run folder: look up, plan, measure, keep. Each step is another module's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from lic_bench import __version__
from lic_bench.analysis import anchor
from lic_bench.assets import weights
from lic_bench.assets.datasets import Dataset, read
from lic_bench.benchmark import environment, executors, plan, run_folder
from lic_bench.benchmark.options import RunOptions
from lic_bench.benchmark.run_folder import RunFolder
from lic_bench.codec import CodecCard
from lic_bench.errors import FetchError, PictureError, RequestError
from lic_bench.records import (
    EVERY,
    CardSummary,
    Failure,
    FailureKind,
    Job,
    MetricRecord,
    PictureRecord,
    Row,
    RunHeader,
    Settings,
)
from lic_bench.registry import codecs, lookup, metrics
from lic_bench.registry.executors import EXECUTORS


@dataclass(frozen=True)
class Prepared:
    """Options with everything looked up: which codecs, which pictures, which weights, which jobs."""

    dataset: Dataset
    pictures: tuple[PictureRecord, ...]
    failures: tuple[Failure, ...]
    plan: plan.Plan
    cards: tuple[CodecCard, ...]
    settings: Settings
    metrics: tuple[MetricRecord, ...] = ()


class Observer(Protocol):
    """Learns how a run goes on, to show it."""

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


def run(options: RunOptions, observer: Observer | None = None) -> RunFolder:
    """Measure everything asked for, each row kept as it comes. The same options continue an interrupted run."""
    observer = observer or Silent()
    prepared = prepare(options, observer)
    folder = _folder(options, prepared, observer)
    jobs = plan.still_to_do(folder.header.jobs, folder.rows())
    observer.start(prepared.plan.rows, prepared.plan.rows - sum(len(job.pictures) for job in jobs))
    for failure in prepared.failures:
        folder.append(failure)
        observer.row(failure)
    for row in executors.rows(options.executor, jobs, options.workers, options.timeout_seconds):
        folder.append(row)
        observer.row(row)
    folder.finish()
    return folder


def prepare(options: RunOptions, observer: Observer) -> Prepared:
    """Look up codecs, pictures and weights, and plan. Nothing is measured. RequestError for what is not there."""
    EXECUTORS.get(options.executor)
    timeout = options.timeout_seconds
    records = lookup.metric_records(options.metrics, timeout)
    settings = replace(
        options.settings,
        device=environment.resolve_device(options.device),
        metrics=tuple(dict.fromkeys(map(metrics.key, options.metrics))),
    )
    chosen = lookup.selection(options.models, timeout)
    anchor.check(options.anchor, [card.name for card in chosen.cards], options.dataset)
    dataset = lookup.dataset(options.dataset, options.data, options.download, timeout)
    if dataset.left_out:
        observer.note(f"Left out of {dataset.source}, being no pictures: {', '.join(dataset.left_out)}.")
    pictures, unreadable = _readable(dataset, options.pictures)
    planned = plan.plan(
        chosen.cards,
        pictures,
        dataset.name,
        _checkpoints(chosen.cards, options, observer),
        settings,
        options.points,
        str(options.data.resolve()) if options.data else None,
    )
    for text in plan.texts(planned.notes):
        observer.note(text)
    broken = [
        Failure(name, EVERY, dataset.name, None, FailureKind.LOOKUP, reason) for name, reason in chosen.broken.items()
    ]
    return Prepared(dataset, pictures, (*broken, *unreadable), planned, chosen.cards, settings, records)


def _readable(dataset: Dataset, first: int | None) -> tuple[tuple[PictureRecord, ...], tuple[Failure, ...]]:
    """Records of the first pictures that can be read, and a failure for each that cannot."""
    records, unreadable = [], []
    for picture in dataset.pictures[:first]:
        try:
            records.append(read(picture)[1])
        except PictureError as error:
            unreadable.append(Failure(EVERY, EVERY, dataset.name, picture.name, FailureKind.READ, str(error)))
    if not records:
        raise RequestError("No picture can be measured. " + " ".join(failure.reason for failure in unreadable))
    return tuple(records), tuple(unreadable)


def _checkpoints(
    cards: Sequence[CodecCard], options: RunOptions, observer: Observer
) -> dict[tuple[str, str], plan.Checkpoint]:
    """The checkpoint of every operating point that has one, downloaded where that is wanted and possible."""
    _require_weights(cards, options)
    have: dict[tuple[str, str], plan.Checkpoint] = {}
    for card in (card for card in cards if card.learned):
        unreachable: list[FetchError] = []
        for point in plan.wanted(card, options.points):
            found = weights.find(card, point, options.weights)
            if isinstance(found, weights.Missing) and found.lack is weights.Lack.NOT_THERE:
                observer.note(f"{card.name} {point.label}: {found.sentence}.")
            if isinstance(found, weights.Missing) and not (
                found.lack is weights.Lack.DOWNLOADABLE and options.download
            ):
                continue
            try:
                file = weights.obtain(card, point, options.weights, allow_download=options.download)
            except FetchError as error:
                unreachable.append(error)
            else:
                have[card.name, point.label] = plan.Checkpoint(str(file.path.resolve()), file.sha256 or "")
        if unreachable:
            observer.note(f"{card.name}: {len(unreachable)} checkpoints could not be downloaded. {unreachable[0]}")
    return have


def _require_weights(cards: Sequence[CodecCard], options: RunOptions) -> None:
    """Folders of weights must be there; a single file can only stand for a single operating point."""
    for place in options.weights:
        if not place.expanduser().exists():
            raise RequestError(f"There is no folder of weights {place}.")
        points = [point for card in cards if card.learned for point in plan.wanted(card, options.points)]
        if place.expanduser().is_file() and len(points) != 1:
            raise RequestError(
                f"{place} is one checkpoint, but {len(points)} operating points are asked for; narrow --models and "
                "--points to the one it belongs to, or give a folder with MODEL/POINT.pth.tar."
            )


def _folder(options: RunOptions, prepared: Prepared, observer: Observer) -> RunFolder:
    """The unfinished run of the same options to be continued, or a new one."""
    header = _header(prepared)
    unfinished = [] if options.new else list(run_folder.latest_unfinished(options.output))
    for path, earlier in unfinished:
        if not header.dirty and _same(earlier, header):
            observer.note(f"Continuing the run in {path}.")
            return run_folder.open_again(path)
    for path, earlier in unfinished:
        if earlier.jobs == header.jobs:
            why = "the checkout has uncommitted changes" if header.dirty else "code, packages or machine changed"
            observer.note(f"The unfinished run in {path} is not continued, since {why}; a new run begins.")
    return run_folder.create(options.output, header)


def _header(prepared: Prepared) -> RunHeader:
    commit, dirty = environment.commit()
    planned = {job.codec for job in prepared.plan.jobs}
    return RunHeader(
        started=run_folder.now(),
        command=environment.command(),
        lic_bench=__version__,
        commit=commit,
        dirty=dirty,
        machine=environment.describe(prepared.settings.device, prepared.settings.threads),
        packages=environment.packages(),
        settings=prepared.settings,
        dataset=prepared.dataset.name,
        pictures=prepared.pictures,
        jobs=prepared.plan.jobs,
        cards=_summaries([card for card in prepared.cards if card.name in planned]),
        notes=prepared.plan.notes,
        metrics=prepared.metrics,
    )


def _summaries(cards: Sequence[CodecCard]) -> tuple[CardSummary, ...]:
    """What a report needs of the cards. Registered codecs have their place in the registry, others come after it."""
    registered = {name: place for place, name in enumerate(codecs.names())}
    others = [card.name for card in cards if card.name not in registered]
    places = registered | {name: len(registered) + place for place, name in enumerate(others)}
    return tuple(card.summary(places[card.name]) for card in cards)


def _same(earlier: RunHeader, now: RunHeader) -> bool:
    """Whether rows of both runs may stand together: same jobs, pictures, code, packages and machine."""
    changing = {"cpu_pressure_avg10_percent"}

    def comparable(header: RunHeader) -> tuple[tuple[Job, ...], object, object, object, object]:
        facts = {name: fact for name, fact in header.machine.items() if name not in changing}
        return header.jobs, header.pictures, (header.commit, header.lic_bench), dict(header.packages), facts

    return comparable(earlier) == comparable(now)
