"""Progress of runs and downloads on standard error: a bar with time left in a terminal, plain lines elsewhere."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)

from lic_bench.assets.download import Progress as BytesProgress
from lic_bench.benchmark.runner import Observer
from lic_bench.cli.rendering import failure_line
from lic_bench.cli.terminal import duration
from lic_bench.records import EVERY, Failure, FailureKind, Measurement, Row

LINE_EVERY_SECONDS = 10.0
"""How often progress is printed where there is no terminal."""
ESTIMATE_EVERY_SECONDS = 1.0
"""How often the time left is worked out where there is one."""


class Notes:
    """An observer that prints notes and failures to standard error, and no progress."""

    def __init__(self) -> None:
        self.console = Console(stderr=True, highlight=False, markup=False)

    def note(self, text: str) -> None:
        """Print a note."""
        self.console.print(text, style="yellow" if self.console.is_terminal else "", soft_wrap=True)

    def start(self, rows: int, done: int) -> None:
        """Nothing to show yet."""

    def row(self, row: Row, seconds_left: Callable[[], float]) -> None:
        """Print a failure when it happens."""
        if isinstance(row, Failure):
            self.note(failure_line(row))


class Bar(Notes):
    """A progress bar over rows, with time left."""

    def __init__(self, bar: Progress) -> None:
        super().__init__()
        self.console = bar.console
        self.bar = bar
        self.task: TaskID | None = None
        self.last_estimate = -math.inf

    def start(self, rows: int, done: int) -> None:
        """Draw the bar."""
        self.task = self.bar.add_task("starting", total=rows, completed=done, left="")

    def row(self, row: Row, seconds_left: Callable[[], float]) -> None:
        """Move the bar."""
        super().row(row, seconds_left)
        if self.task is not None and _is_planned(row):
            self.bar.update(self.task, advance=1, description=f"{row.codec} {row.point}")
            now = time.monotonic()
            if now - self.last_estimate >= ESTIMATE_EVERY_SECONDS:
                self.last_estimate = now
                self.bar.update(self.task, left=f"about {duration(seconds_left())} left")


class Lines(Notes):
    """Progress as a plain line every few seconds, for logs."""

    def __init__(self) -> None:
        super().__init__()
        self.rows = self.done = 0
        self.last_line = time.monotonic()

    def start(self, rows: int, done: int) -> None:
        """Print how much there is to do."""
        self.rows, self.done = rows, done
        self.note(f"{rows - done} of {rows} rows to measure")

    def row(self, row: Row, seconds_left: Callable[[], float]) -> None:
        """Print how much is done, every LINE_EVERY_SECONDS and after the last row."""
        super().row(row, seconds_left)
        if not _is_planned(row):
            return
        self.done += 1
        now = time.monotonic()
        if now - self.last_line >= LINE_EVERY_SECONDS or self.done == self.rows:
            self.last_line = now
            left = "done" if self.done == self.rows else f"about {duration(seconds_left())} left"
            self.note(f"{self.done} of {self.rows} rows, {row.codec} {row.point}, {left}")


@contextmanager
def of_run() -> Iterator[Observer]:
    """An observer of a run: a bar in a terminal, plain lines elsewhere."""
    if not sys.stderr.isatty():
        yield Lines()
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, TextColumn("{task.fields[left]}"), console=Console(stderr=True)) as bar:
        yield Bar(bar)


@contextmanager
def of_downloads() -> Iterator[Callable[[str], BytesProgress | None]]:
    """A function that makes a bar for each file by name, in a terminal; none elsewhere."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    with Progress(TextColumn("{task.description}"), BarColumn(), DownloadColumn(), console=Console(stderr=True)) as bar:

        def bar_for(name: str) -> BytesProgress:
            task = bar.add_task(name, total=None, visible=False)
            return lambda done, total: bar.update(task, completed=done, total=total, visible=True)

        yield bar_for


def _is_planned(row: Row) -> bool:
    """Whether a row is one of those planned: a broken plug-in, picture or metric is an extra row."""
    return isinstance(row, Measurement) or not (row.point == EVERY or row.kind is FailureKind.METRIC)
