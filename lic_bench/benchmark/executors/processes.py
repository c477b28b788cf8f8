"""The executor of this machine: each pass of each job in a fresh process, so that none sees another's memory or caches.

On Linux and macOS the processes are forked from a server that has imported the heavy packages once and run nothing.
A process that dies or runs past its time is a Failure; the others go on.
"""

from __future__ import annotations

import multiprocessing
import queue
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from multiprocessing import forkserver
from multiprocessing.context import BaseContext
from typing import Any

from lic_bench.benchmark import worker
from lic_bench.benchmark.conditions import ALONE, Conditions, FreshProcess, KnownCounts
from lic_bench.codec import CodecCard
from lic_bench.records import Failure, FailureKind, Job, MacCount, Measurement, Row, Training
from lic_bench.registry import codecs, entry_points, metrics
from lic_bench.registry.isolation import ProcessDied, Processes, quiet_imports

Counted = dict[tuple[str, str], KnownCounts]
"""By a codec's reference and the network of an operating point."""


def rows(jobs: Sequence[Job], workers: int = 1, timeout_seconds: float | None = None) -> Iterator[Row]:
    """Rows of all jobs as they are made. With several workers times carry the caveat that the machine was shared.

    `timeout_seconds` bounds one pass on one picture. When the caller stops early (Ctrl-C) every process is ended.
    """
    with quiet_imports():
        processes = Processes(process_context(codecs.get(job.reference) for job in jobs), timeout_seconds)
        try:
            if workers == 1:
                counted: Counted = {}
                for job in jobs:
                    yield from _job_rows(processes, job, ALONE, counted)
            else:
                yield from _concurrent_rows(processes, jobs, workers)
        finally:
            processes.stop()


def alone(cards: Iterable[CodecCard], timeout_seconds: float, work: Callable[..., Any], *arguments: Any) -> Any:
    """What `work` returns in a process of its own. Raises ProcessDied when that ends or runs past its time."""
    with quiet_imports():
        processes = Processes(process_context(cards), timeout_seconds)
        try:
            [result] = processes.run(work, *arguments)
        finally:
            processes.stop()
    return result


def start_server(cards: Iterable[CodecCard]) -> None:
    """Let the server that processes are forked from begin its imports, beside what the caller does next."""
    context = process_context(cards)
    if context.get_start_method() == "forkserver":
        with quiet_imports():
            forkserver.ensure_running()


def process_context(cards: Iterable[CodecCard]) -> BaseContext:
    """A way to start processes that have run nothing yet, with the packages that these codecs need imported."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    cards = tuple(cards)
    heavy = ["lic_bench.benchmark.preload"] if any(card.learned for card in cards) else []
    # Other people's modules may do anything while they are imported, and this server must not go down with them.
    loaders = {card.loader.partition(":")[0] for card in cards if card.loader.startswith(entry_points.OURS)}
    context.set_forkserver_preload(["lic_bench.benchmark.job_rows", "pytorch_msssim", *heavy, *sorted(loaders)])
    return context


def _concurrent_rows(processes: Processes, jobs: Sequence[Job], workers: int) -> Iterator[Row]:
    """Rows of several jobs at a time, as they come."""
    counted: Counted = {}
    results: queue.SimpleQueue[Row | BaseException | None] = queue.SimpleQueue()

    def collect(job: Job) -> None:
        try:
            for row in _job_rows(processes, job, Conditions(shared_machine=True), counted):
                results.put(row)
        except BaseException as error:  # carried to the thread that reads the queue, which raises it
            results.put(error)
        results.put(None)

    pool = ThreadPoolExecutor(workers)
    for job in jobs:
        pool.submit(collect, job)
    try:
        running = len(jobs)
        while running:
            row = results.get()
            if isinstance(row, BaseException):
                raise row
            if row is None:
                running -= 1
            else:
                yield row
    finally:
        processes.stop()  # a stopped pass ends its thread
        pool.shutdown(cancel_futures=True)


def _job_rows(processes: Processes, job: Job, conditions: Conditions, counted: Counted) -> Iterator[Row]:
    """The passes of one job, one process after another. What is counted is known to later jobs of the network."""
    network = job.reference, _network(job)
    conditions = replace(conditions, counts=counted.get(network))
    if job.settings.memory:
        picture = job.pictures[0]
        try:
            conditions = replace(conditions, fresh=_fresh_process(processes, job, picture))
        except ProcessDied as error:
            yield Failure(job.codec, job.point, job.dataset, picture, FailureKind.FRESH_PROCESS, str(error))
    first: Measurement | None = None
    macs: dict[tuple[int, int], tuple[MacCount, ...]] = {}
    for row in _measured_rows(processes, job, conditions):
        if isinstance(row, Measurement):
            first = first or row
            macs.setdefault((row.width, row.height), row.macs)
        yield row
    if first is not None and first.macs:
        flat = tuple(count for counts in macs.values() for count in counts)
        counted[network] = KnownCounts(first.parameters, flat, first.scaling)


def _network(job: Job) -> str:
    """The network of a job's operating point; the point itself where it is that of a search."""
    points = codecs.get(job.reference).points
    return next((point.network for point in points if point.label == job.point), job.point)


def _fresh_process(processes: Processes, job: Job, picture: str) -> FreshProcess:
    """One picture encoded in a fresh process, its bitstream decoded in another."""
    start = time.perf_counter()
    [(stream, encode)] = processes.run(worker.encode_alone, job, picture)
    [(decoded, decode)] = processes.run(worker.decode_alone, job, stream)
    uses = tuple(use for use in (encode, decode) if use is not None)
    return FreshProcess(picture, stream, decoded, uses, time.perf_counter() - start)


def _measured_rows(processes: Processes, job: Job, conditions: Conditions) -> Iterator[Row]:
    """Rows of the passes that share a process.

    When that dies, what is left is measured one by one, which shows the picture that it dies of; and when it dies of
    that, the job is tried once more without its metrics.
    """
    done: set[str | None] = set()
    try:
        for row in processes.run(worker.measure, job, conditions):
            done.add(row.picture)
            yield row
    except ProcessDied as error:
        left = tuple(name for name in job.pictures if name not in done)
        uses_metrics = job.settings.metrics and job.training is not Training.UNTRAINED
        if len(left) > 1 and not conditions.one_by_one:
            rest = replace(job, pictures=left)
            yield from _measured_rows(processes, rest, replace(conditions, one_by_one=True))
        elif left and uses_metrics and not conditions.skip_metrics:
            again = _measured_rows(processes, replace(job, pictures=left), replace(conditions, skip_metrics=True))
            yield from _with_metric_failure(again, job, left[0], str(error))
        else:
            picture = left[0] if left else None
            yield Failure(job.codec, job.point, job.dataset, picture, FailureKind.PROCESS, str(error))


def _with_metric_failure(rows: Iterable[Row], job: Job, picture: str, reason: str) -> Iterator[Row]:
    """Rows measured without metrics. Where the picture is measured now, it was a metric that ended the process."""
    names = tuple(metrics.name(key) for key in job.settings.metrics)
    for row in rows:
        yield row
        if isinstance(row, Measurement) and row.picture == picture:
            why = f"{reason}; without metrics it is measured, and so are the pictures after it"
            yield Failure(job.codec, job.point, job.dataset, picture, FailureKind.METRIC, why, metrics=names)
