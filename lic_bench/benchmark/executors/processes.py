"""Where jobs are done: each pass of each job in a fresh process, so that none sees another's memory or caches.

On Linux and macOS the processes are forked from a server that has imported the heavy packages once and run nothing.
A process that dies or runs past its time is a Failure; the others go on.
"""

from __future__ import annotations

import multiprocessing
import os
import queue
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace
from multiprocessing.connection import Connection
from multiprocessing.context import BaseContext
from multiprocessing.process import BaseProcess
from types import GeneratorType
from typing import Any

from lic_bench.codec import CodecCard
from lic_bench.records import METRIC_STAGE, Doubt, Failure, Job, Measurement, Row, Training
from lic_bench.registry import codecs, entry_points, metrics


class ProcessDied(Exception):
    """A pass's process ended, failed or was stopped before it gave its result."""


class ProcessStopped(ProcessDied):
    """A process ran past its time."""


def rows(jobs: Sequence[Job], workers: int = 1, timeout_seconds: float | None = None) -> Iterator[Row]:
    """Rows of all jobs as they are made. With several workers times carry the doubt that the machine was shared.

    `timeout_seconds` bounds one pass on one picture. When the caller stops early (Ctrl-C) every process is ended.
    """
    processes = Processes(context(codecs.card(job.door) for job in jobs), timeout_seconds)
    try:
        if workers == 1:
            for job in jobs:
                yield from _job_rows(processes, job)
        else:
            yield from _side_by_side(processes, jobs, workers)
    finally:
        processes.stop()


def _side_by_side(processes: Processes, jobs: Sequence[Job], workers: int) -> Iterator[Row]:
    """Rows of several jobs at a time, as they come."""
    made: queue.SimpleQueue[Row | BaseException | None] = queue.SimpleQueue()

    def collect(job: Job) -> None:
        try:
            for row in _job_rows(processes, job):
                made.put(row)
        except BaseException as error:  # carried to the thread that reads the queue, which raises it
            made.put(error)
        made.put(None)

    pool = ThreadPoolExecutor(workers)
    for job in jobs:
        pool.submit(collect, job)
    try:
        running = len(jobs)
        while running:
            row = made.get()
            if isinstance(row, BaseException):
                raise row
            if row is None:
                running -= 1
            else:
                yield _doubted(row, Doubt.SHARED_MACHINE)
    finally:
        processes.stop()  # a stopped pass ends its thread
        pool.shutdown(cancel_futures=True)


def _job_rows(processes: Processes, job: Job) -> Iterator[Row]:
    """The passes of one job, one process after another."""
    from lic_bench.benchmark import worker

    alone = None
    if job.settings.memory:
        name = job.pictures[0]
        try:
            [(stream, encode)] = processes.run(worker.encode_alone, job, name)
            [(decoded, decode)] = processes.run(worker.decode_alone, job, stream)
            alone = worker.Alone(name, stream, decoded, tuple(use for use in (encode, decode) if use is not None))
        except ProcessDied as error:
            yield Failure(job.codec, job.point, job.dataset, name, "alone in a fresh process", str(error))
    for row in _measured(processes, job, alone):
        untold = alone is not None and alone.picture == row.picture and not alone.memory
        yield _doubted(row, Doubt.MEMORY_UNKNOWN) if untold else row


def _measured(processes: Processes, job: Job, alone: Any) -> Iterator[Row]:
    """Rows of the passes that share a process. When that dies, the job is tried on without its metrics."""
    from lic_bench.benchmark import worker

    done: set[str | None] = set()
    try:
        for row in processes.run(worker.measure, job, alone):
            done.add(row.picture)
            yield row
    except ProcessDied as error:
        left = tuple(name for name in job.pictures if name not in done)
        if job.settings.metrics and left and job.training is not Training.UNTRAINED:
            settings = replace(job.settings, metrics=())
            again = replace(job, pictures=left, settings=settings)
            yield from _blamed(_measured(processes, again, alone), job, left[0], str(error))
        else:
            yield Failure(job.codec, job.point, job.dataset, left[0] if left else None, "process", str(error))


def _blamed(rows: Iterable[Row], job: Job, picture: str, reason: str) -> Iterator[Row]:
    """Rows taken without metrics. Where the picture is measured now, it was a metric that ended the process."""
    names = [metrics.name(door) for door in job.settings.metrics]
    for row in rows:
        if isinstance(row, Measurement):
            yield replace(row, scores=dict.fromkeys(names), doubts=(*row.doubts, Doubt.NO_SCORE))
        else:
            yield row
        if isinstance(row, Measurement) and row.picture == picture:
            why = f"{reason}; without metrics it is measured, and so are the pictures after it"
            yield Failure(job.codec, job.point, job.dataset, picture, f"{METRIC_STAGE}{', '.join(names)}", why)


class Processes:
    """Starts fresh processes, and ends all that run when it is stopped."""

    def __init__(self, context: BaseContext, timeout_seconds: float | None) -> None:
        self.context = context
        self.timeout_seconds = timeout_seconds
        self.running: set[BaseProcess] = set()
        self.stopped = False
        self.lock = threading.Lock()

    def run(self, work: Callable[..., Any], *arguments: Any) -> Iterator[Any]:
        """Results of `work` (one, or each a generator yields) from a fresh process; ProcessDied when it ends early."""
        pipe, process = self._start(work, arguments)
        try:
            while True:
                if not pipe.poll(self.timeout_seconds):
                    raise ProcessStopped(
                        f"gave no result within {self.timeout_seconds:g} s and was stopped (--timeout)"
                    )
                kind, value = pipe.recv()
                if kind == "done":
                    return
                if kind == "error":
                    raise ProcessDied(value)
                yield value
        except EOFError:
            process.join()
            raise ProcessDied(_how_it_ended(process.exitcode)) from None
        finally:
            process.kill()
            process.join()
            pipe.close()
            self.running.discard(process)

    def stop(self) -> None:
        """End every process and start no more."""
        with self.lock:
            self.stopped = True
            for process in self.running:
                process.kill()

    def _start(self, work: Callable[..., Any], arguments: tuple[Any, ...]) -> tuple[Connection, BaseProcess]:
        with self.lock, _no_interrupt(), _nothing_of_main():
            if self.stopped:
                raise ProcessDied("the run was stopped")
            ours, theirs = self.context.Pipe(duplex=False)
            process = self.context.Process(target=_serve, args=(theirs, work, arguments), daemon=True)  # type: ignore[attr-defined]
            process.start()
            self.running.add(process)
            theirs.close()
        return ours, process


def _serve(pipe: Connection, work: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    """In the fresh process: do the work and send what it gives."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle; it ends this process
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        result = work(*arguments)
        for value in result if isinstance(result, GeneratorType) else (result,):
            pipe.send(("result", value))
        pipe.send(("done", None))
    except Exception as error:  # anything a codec raises is told to the parent, which makes it a row
        with suppress(BrokenPipeError):  # the parent has gone; nobody is left to tell
            pipe.send(("error", f"{type(error).__name__}: {error}"))


def context(cards: Iterable[CodecCard]) -> BaseContext:
    """A way to start processes that have run nothing yet, prepared for these codecs."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    from lic_bench.benchmark import environment

    context = multiprocessing.get_context("forkserver")
    cards = tuple(cards)
    heavy = ["compressai.models"] if any(card.learned for card in cards) else []  # 7 s that need be spent only once
    # Other people's modules may do anything while they are imported, and this server must not go down with them.
    loaders = {card.loader.partition(":")[0] for card in cards if card.loader.startswith(entry_points.OURS)}
    context.set_forkserver_preload(["lic_bench.benchmark.worker", "pytorch_msssim", *heavy, *sorted(loaders)])
    environment.hush_imports()
    return context


def _end_with_parent() -> None:
    """A process whose parent was killed has nobody to give its results to; it must not run on."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


@contextmanager
def _no_interrupt() -> Iterator[None]:
    """Let Ctrl-C wait until a process that is being started is known, so that it can be ended."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _nothing_of_main() -> Iterator[None]:
    """Keep fresh processes from importing the caller's script again: they need nothing of it."""
    main: dict[str, Any] = vars(sys.modules["__main__"])
    kept: dict[str, Any] = {name: main.pop(name) for name in ("__file__", "__spec__") if name in main}
    main["__spec__"] = None
    try:
        yield
    finally:
        main.update(kept)


def _how_it_ended(code: int | None) -> str:
    if code is not None and code < 0:
        name = signal.Signals(-code).name
        hint = "; the system may have run out of memory" if -code == signal.SIGKILL else ""
        return f"its process was ended by {name}{hint}"
    return f"its process ended with exit code {code} before it gave a result"


def _doubted(row: Row, doubt: Doubt) -> Row:
    return replace(row, doubts=(*row.doubts, doubt)) if isinstance(row, Measurement) else row
