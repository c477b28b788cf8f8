"""One run from its options to a finished run folder: look up, plan, measure, keep. Other modules do each step."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from lic_bench import __version__
from lic_bench.analysis import anchor
from lic_bench.assets import weights
from lic_bench.assets.datasets import Dataset
from lic_bench.assets.pictures import read
from lic_bench.benchmark import environment, executors, plan, run_folder, targets, worker
from lic_bench.benchmark.estimate import TimeLeft
from lic_bench.benchmark.executors import processes
from lic_bench.benchmark.options import RunOptions
from lic_bench.benchmark.plan import Checkpoint, Plan
from lic_bench.benchmark.result_cache import ResultCache
from lic_bench.benchmark.run_folder import RunFolder
from lic_bench.codec import CodecCard
from lic_bench.errors import FetchError, PictureError, RequestError
from lic_bench.records import (
    EVERY,
    CardSummary,
    Failure,
    FailureKind,
    Job,
    Measurement,
    MetricRecord,
    NoteKind,
    PictureRecord,
    PlanNote,
    Row,
    RunHeader,
    Settings,
)
from lic_bench.registry import codecs, lookup, metrics
from lic_bench.registry import executors as executor_registry
from lic_bench.registry.isolation import ProcessDied

COUNTING_TIMEOUT_SECONDS = 120.0
"""For counting the networks of a run before it begins; a user-supplied one may hang."""


@dataclass(frozen=True)
class Prepared:
    """Options with everything looked up: which codecs, which pictures, which weights, which jobs."""

    dataset: Dataset
    pictures: tuple[PictureRecord, ...]
    failures: tuple[Failure, ...]
    plan: Plan
    cards: tuple[CodecCard, ...]
    settings: Settings
    metrics: tuple[MetricRecord, ...] = ()


class Observer(Protocol):
    """Is called as a run goes on, to show progress."""

    def note(self, text: str) -> None:
        """A sentence for the user: what is left out, continued, or cannot be had."""
        ...

    def start(self, rows: int, done: int) -> None:
        """The run begins; `done` of the `rows` rows are there already."""
        ...

    def row(self, row: Row, seconds_left: Callable[[], float]) -> None:
        """A row was measured and kept; `seconds_left` works out how long the run still takes."""
        ...


class Silent:
    """An observer that shows nothing."""

    def note(self, text: str) -> None:
        """Ignored."""

    def start(self, rows: int, done: int) -> None:
        """Ignored."""

    def row(self, row: Row, seconds_left: Callable[[], float]) -> None:
        """Ignored."""


def run(options: RunOptions, observer: Observer | None = None) -> RunFolder:
    """The folder of a finished run. Each row is kept as it comes; the same options continue an interrupted run."""
    observer = observer or Silent()
    prepared = prepare(options, observer)
    folder = _folder(options, prepared, observer)
    jobs = plan.still_to_do(folder.header.jobs, folder.rows())
    kept: list[Measurement] = []
    cache = ResultCache(folder.header, options.workers > 1) if _may_use_cache(options) else None
    if cache is not None:
        kept, jobs = cache.split(jobs)
    left = time_left(jobs, prepared, options, observer)
    rows_left = sum(len(job.pictures) for job in jobs)
    observer.start(prepared.plan.rows, prepared.plan.rows - rows_left)
    for failure in prepared.failures:
        folder.append(failure)
        observer.row(failure, left.seconds)
    for known in kept:
        folder.append(known)
    if kept:
        observer.note(_from_cache(kept))
    start = time.monotonic()
    try:
        for row in executors.rows(options.executor, jobs, options.workers, options.timeout_seconds):
            folder.append(row)
            left.row(row)
            observer.row(row, left.seconds)
            if cache is not None and isinstance(row, Measurement):
                cache = _keep(cache, row, folder.path.name, observer)
    finally:
        folder.add_time(time.monotonic() - start)
    folder.finish()
    return folder


def time_left(jobs: Sequence[Job], prepared: Prepared, options: RunOptions, observer: Observer) -> TimeLeft:
    """What jobs are predicted to take; their networks are counted in a process of its own."""
    left = TimeLeft(jobs, prepared.pictures, options.workers)
    learned = {card.name for card in prepared.cards if card.learned}
    counted = tuple(job for job in jobs if job.codec in learned)
    if not counted:
        return left
    arguments = (counted, prepared.settings.device, prepared.settings.threads)
    try:
        left.work, left.macs_per_second = processes.alone(
            prepared.cards, COUNTING_TIMEOUT_SECONDS, worker.network_work, *arguments
        )
    except ProcessDied as error:
        observer.note(f"The time of this run cannot be predicted: counting the networks failed ({error}).")
        return left
    missing = dict.fromkeys(job.codec for job in counted if (job.codec, job.point) not in left.work)
    if missing:
        observer.note(f"Not counted beforehand, so their time is a guess until a row is there: {', '.join(missing)}.")
    return left


def _keep(cache: ResultCache, row: Measurement, run: str, observer: Observer) -> ResultCache | None:
    """The cache with another row in it; None where it cannot be written, which the observer is given as a note."""
    try:
        cache.keep(row, run)
    except OSError as error:
        observer.note(f"Rows are not kept for later runs: {error.filename or 'the cache'}: {error.strerror}.")
        return None
    return cache


def _may_use_cache(options: RunOptions) -> bool:
    """Whether rows are taken from the cache and kept there: those of this machine's own executor alone."""
    return options.cache and options.executor == executor_registry.DEFAULT


def _from_cache(kept: Sequence[Measurement]) -> str:
    """A sentence on the rows that were measured before."""
    runs = Counter(row.from_cache for row in kept)
    named = ", ".join(f"{count} in {run}" for run, count in runs.most_common())
    return f"{len(kept)} rows come from the cache, measured before under the same conditions: {named}."


def prepare(options: RunOptions, observer: Observer) -> Prepared:
    """Codecs, pictures and weights looked up, and the plan. Nothing is measured. RequestError for what is not there."""
    executor_registry.get(options.executor)
    timeout = options.timeout_seconds
    metric_records = lookup.metric_records(options.metrics, timeout)
    settings = replace(
        options.settings,
        device=environment.resolve_device(options.device),
        metrics=tuple(dict.fromkeys(map(metrics.key, options.metrics))),
    )
    selection = lookup.selection(options.models, timeout)
    by_name = [card.name for card in selection.cards if card.by_name_only and options.models == "all"]
    selection = replace(selection, cards=tuple(card for card in selection.cards if card.name not in by_name))
    selection = replace(selection, cards=targets.searching(selection.cards, options.target_bpp, options.target_psnr))
    if options.executor == executor_registry.DEFAULT:
        processes.start_server(selection.cards)
    anchor.check(options.anchor, [card.name for card in selection.cards], options.dataset)
    dataset = lookup.dataset(options.dataset, options.data, options.download, timeout)
    if dataset.left_out:
        observer.note(f"Left out of {dataset.source}, being no pictures: {', '.join(dataset.left_out)}.")
    pictures, unreadable = _readable(dataset, options.pictures)
    _require_weights(selection.cards, options)
    planned = plan.plan(
        selection.cards,
        pictures,
        dataset.name,
        _checkpoints(selection.cards, options, observer),
        settings,
        options.points,
        str(options.data.resolve()) if options.data else None,
    )
    planned = replace(planned, notes=(*planned.notes, *(PlanNote(NoteKind.BY_NAME_ONLY, name) for name in by_name)))
    for text in plan.texts(planned.notes):
        observer.note(text)
    broken = tuple(
        Failure(name, EVERY, dataset.name, None, FailureKind.LOOKUP, reason)
        for name, reason in selection.broken.items()
    )
    return Prepared(dataset, pictures, (*broken, *unreadable), planned, selection.cards, settings, metric_records)


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
) -> dict[tuple[str, str], Checkpoint]:
    """The checkpoint of every operating point that has one, downloaded where that is wanted and possible."""
    checkpoints: dict[tuple[str, str], Checkpoint] = {}
    for card in (card for card in cards if card.learned):
        unreachable: list[FetchError] = []
        for point in plan.wanted(card, options.points):
            found = weights.find(card, point, options.weights)
            if isinstance(found, weights.Missing):
                if found.lack.is_broken:
                    observer.note(f"{card.name} {point.label}: {weights.text(found)}.")
                if found.lack is not weights.Lack.DOWNLOADABLE or not options.download:
                    continue
            try:
                file = weights.obtain(card, point, options.weights)
            except FetchError as error:
                unreachable.append(error)
            else:
                checkpoints[card.name, point.label] = Checkpoint(str(file.path.resolve()), file.sha256 or "")
        if unreachable:
            observer.note(f"{card.name}: {len(unreachable)} checkpoints could not be downloaded. {unreachable[0]}")
    return checkpoints


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
    header = _header(prepared, options.workers)
    if options.new:
        return run_folder.create(options.output, header)
    unfinished = run_folder.unfinished(options.output)
    for path, earlier in unfinished.runs:
        if not header.dirty and _is_same(earlier, header):
            observer.note(f"Continuing the run in {path}.")
            return run_folder.open_again(path)
    for path, earlier in unfinished.runs:
        if earlier.jobs == header.jobs:
            why = "the checkout has uncommitted changes" if header.dirty else "code, packages or machine changed"
            observer.note(f"The unfinished run in {path} is not continued, since {why}; a new run begins.")
    for problem in unfinished.unreadable:
        observer.note(f"{problem} It is not continued.")
    return run_folder.create(options.output, header)


def _header(prepared: Prepared, workers: int) -> RunHeader:
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
        workers=workers,
    )


def _summaries(cards: Sequence[CodecCard]) -> tuple[CardSummary, ...]:
    """What a report needs of the cards. Registered codecs have their place in the registry, others come after it."""
    registered = {name: place for place, name in enumerate(codecs.names())}
    others = [card.name for card in cards if card.name not in registered]
    places = registered | {name: len(registered) + place for place, name in enumerate(others)}
    return tuple(card.summary(places[card.name]) for card in cards)


def _is_same(earlier: RunHeader, now: RunHeader) -> bool:
    """Whether rows of both runs may stand together: same jobs, pictures, code, packages and machine."""

    def comparable(header: RunHeader) -> tuple[tuple[Job, ...], object, object, object, object]:
        facts = environment.lasting_facts(header.machine)
        return header.jobs, header.pictures, (header.commit, header.lic_bench), dict(header.packages), facts

    return comparable(earlier) == comparable(now)
