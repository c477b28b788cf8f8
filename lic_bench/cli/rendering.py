"""What a terminal shows: progress with time left, tables, and plain lines where there is no terminal."""

from __future__ import annotations

import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import TimeRemainingColumn as Remaining
from rich.table import Table

from lic_bench.api import Run
from lic_bench.assets import weights
from lic_bench.assets.datasets import description
from lic_bench.assets.download import Progress as Told
from lic_bench.assets.fetch import Fetched
from lic_bench.benchmark.runner import Observer, Prepared
from lic_bench.codec import CodecCard, OperatingPoint
from lic_bench.doctor import Finding, Verdict
from lic_bench.records import EVERY, Failure, FailureKind, Measurement, Row
from lic_bench.registry import datasets as described
from lic_bench.registry import lookup
from lic_bench.registry.codecs import Selection

PLAIN_LINE_SECONDS = 10.0


class Notes:
    """An observer that prints notes to standard error and ignores the rest."""

    def __init__(self) -> None:
        self.console = Console(stderr=True, highlight=False)

    def note(self, text: str) -> None:
        """Print a note."""
        self.console.print(text, style="yellow" if self.console.is_terminal else "", soft_wrap=True)

    def start(self, rows: int, done: int) -> None:
        """Nothing to show yet."""

    def row(self, row: Row) -> None:
        """Show a failure when it happens."""
        if isinstance(row, Failure):
            self.note(failure_line(row))


class Bar(Notes):
    """A progress bar over rows, with time left."""

    def __init__(self, bar: Progress) -> None:
        super().__init__()
        self.console = bar.console
        self.bar = bar
        self.task: TaskID | None = None

    def start(self, rows: int, done: int) -> None:
        """Draw the bar."""
        self.task = self.bar.add_task("starting", total=rows, completed=done)

    def row(self, row: Row) -> None:
        """Move the bar."""
        super().row(row)
        if self.task is not None and _counts(row):
            self.bar.update(self.task, advance=1, description=f"{row.codec} {row.point}")


class Lines(Notes):
    """Progress as a plain line every few seconds, for logs."""

    def __init__(self) -> None:
        super().__init__()
        self.rows = self.done = self.begun_with = 0
        self.begun = self.told = time.monotonic()

    def start(self, rows: int, done: int) -> None:
        """Say how much there is to do."""
        self.rows, self.done, self.begun_with = rows, done, done
        self.note(f"{rows - done} of {rows} rows to measure")

    def row(self, row: Row) -> None:
        """Say how far it is, now and then."""
        super().row(row)
        if not _counts(row):
            return
        self.done += 1
        now = time.monotonic()
        if now - self.told >= PLAIN_LINE_SECONDS or self.done == self.rows:
            self.told = now
            left = (now - self.begun) / (self.done - self.begun_with) * (self.rows - self.done)
            self.note(f"{self.done} of {self.rows} rows, {row.codec} {row.point}, about {left:.0f} s left")


def _counts(row: Row) -> bool:
    """Whether a row was among those to be made: a broken plug-in, picture or metric is told besides."""
    return isinstance(row, Measurement) or not (row.point == EVERY or row.kind is FailureKind.METRIC)


@contextmanager
def progress() -> Iterator[Observer]:
    """A bar in a terminal, plain lines elsewhere; on standard error, so that results can be piped."""
    if not sys.stderr.isatty():
        yield Lines()
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), Remaining())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        yield Bar(bar)


def summary(run: Run, anchor: str | None) -> None:
    """The table at the end of a run, what failed, and the path of the page last."""
    from lic_bench.report import tables

    console = standard_output()
    console.print(_table(tables.summary(run.rows, run.header, anchor)))
    for failure in run.failures:
        console.print(failure_line(failure), style="red", soft_wrap=True, highlight=False)
    measured = sum(isinstance(row, Measurement) for row in run.rows)
    console.print(f"{measured} rows measured, {len(run.failures)} failed.", highlight=False)
    console.print(str(run.page), soft_wrap=True, highlight=False)


def failure_line(row: Failure) -> str:
    """One failure as a sentence."""
    who = "every codec" if row.codec == EVERY else f"{row.codec} {row.point}".removesuffix(f" {EVERY}")
    what = "all pictures" if row.picture is None else row.picture
    kind = " ".join([row.kind.value.replace("_", " "), ", ".join(row.metrics)]).rstrip()
    return f"Failed: {who} on {what} ({kind}): {row.reason}"


def jobs(prepared: Prepared) -> None:
    """What a run would do, and how long it takes at least."""
    from lic_bench.benchmark import estimate
    from lic_bench.complexity import roofline

    table = [("codec", "point", "weights", "pictures")]
    table += [(job.codec, job.point, job.training.value, str(len(job.pictures))) for job in prepared.plan.jobs]
    console = standard_output()
    console.print(_table(table))
    console.print(f"{len(prepared.plan.jobs)} jobs, {prepared.plan.rows} rows.", highlight=False)
    for failure in prepared.failures:
        console.print(failure_line(failure), style="red", soft_wrap=True, highlight=False)
    settings = prepared.plan.jobs[0].settings
    rates = roofline.measure_rates(settings.device, settings.threads, seconds=0.5)
    least = estimate.at_least(prepared.plan.jobs, prepared.pictures, rates)
    console.print(
        f"At least {least.seconds / 60:.1f} minutes (predicted): {least.macs / 1e12:.2f} TMAC of the networks at the "
        f"{rates.convolution_macs_per_second / 1e9:.0f} GMAC/s that a convolution reached here (measured). Entropy "
        "coding, serial decoding and the classical codecs come on top.",
        soft_wrap=True,
        highlight=False,
    )


def models(select: str, folders: Sequence[Path]) -> None:
    """The zoo as a table, and what is broken in it."""
    chosen = lookup.selection(select)
    rows = [("model", "year", "licence", "points", "weights", "paper")]
    rows += [
        (
            card.name,
            str(card.year or "–"),
            card.licence or "none found",
            str(len(card.points)),
            _weights(card, folders),
            card.paper,
        )
        for card in chosen.cards
    ]
    rows += [(name, "–", "–", "–", "broken", "see below") for name in chosen.broken]
    console = standard_output()
    console.print(_table(rows))
    if select != "all":
        for card in chosen.cards:
            _points(console, card, folders)
    broken(chosen)


def broken(chosen: Selection) -> None:
    """Why plug-ins cannot be used, a sentence each."""
    for reason in chosen.broken.values():
        standard_output().print(reason, style="red", soft_wrap=True)


def _points(console: Console, card: CodecCard, folders: Sequence[Path]) -> None:
    """Each operating point of a codec, how its weights can be had, and what else there is to say."""
    console.print()
    for point in card.points:
        found = weights.find(card, point, folders)
        trained = "" if point.trained_for is None else f" ({point.trained_for}"
        trained += "" if not trained else ")" if point.lmbda is None else f", lambda {point.lmbda:g})"
        console.print(f"{card.name} {point.label}{trained}: {found.sentence}.", soft_wrap=True)
    for note in card.notes:
        console.print(note, soft_wrap=True)


@contextmanager
def downloads() -> Iterator[Callable[[str], Told | None]]:
    """A bar for each file that comes, in a terminal; nothing elsewhere."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    with Progress(TextColumn("{task.description}"), BarColumn(), DownloadColumn(), console=Console(stderr=True)) as bar:

        def watched(name: str) -> Told:
            task = bar.add_task(name, total=None, visible=False)
            return lambda done, total: bar.update(task, completed=done, total=total, visible=True)

        yield watched


def supplied(outcomes: Iterable[Fetched]) -> Iterator[Fetched]:
    """Each outcome printed when it is there, and passed on."""
    console = standard_output()
    for done in outcomes:
        style = "red" if done.failed else ""
        console.print(f"{done.codec} {done.point}: {done.sentence}", soft_wrap=True, style=style)
        yield done


def findings(examined: Iterable[Finding]) -> list[Finding]:
    """Each finding of the doctor printed when it is there, with what to do; and all of them."""
    console = standard_output()
    colours = {Verdict.SOUND: "green", Verdict.DOUBTFUL: "yellow", Verdict.WRONG: "red"}
    found = []
    for finding in examined:
        found.append(finding)
        console.print(f"{finding.verdict.value:>8}", style=colours.get(finding.verdict, ""), end="")
        console.print(f"  {finding.check}: {finding.sentence}", soft_wrap=True, markup=False)
        if finding.advice:
            console.print(f"          → {finding.advice}", soft_wrap=True, markup=False)
    return found


def datasets(data: Path | None) -> None:
    """The described data sets as a table, and where each was found."""
    from lic_bench.errors import RequestError

    rows = [("dataset", "pictures", "licence", "here")]
    broken = described.clashes()
    lookup.resolve_datasets(described.registered())
    for name in described.names():
        told = None if name in described.registered() else description(name)
        try:
            found = described.find(name, data, download=False)
            here, licence = str(found.pictures[0].path.parent), found.licence or "none found"
            rows.append((name, str(len(found.pictures)), licence, here))
        except RequestError as error:
            if told is None:
                rows.append((name, "–", "–", "no: see below"))
                broken[name] = str(error)
                continue
            here = f"no: {told['source']}" + (" (downloaded when asked for)" if "url" in told else "")
            rows.append((name, str(len(told["picture"])), told["licence"], here))
    standard_output().print(_table(rows))
    for name, reason in broken.items():
        standard_output().print(f"{name}: {reason}", style="red", soft_wrap=True)


def _weights(card: CodecCard, folders: Sequence[Path]) -> str:
    """In what state the weights of each operating point are."""
    labels = defaultdict(list)
    for point in card.points:
        labels[_state(card, point, folders)].append(point.label)
    if len(labels) == 1:
        return next(iter(labels))
    return "; ".join(f"{state}: {' '.join(points)}" for state, points in labels.items())


def _state(card: CodecCard, point: OperatingPoint, folders: Sequence[Path]) -> str:
    found = weights.find(card, point, folders)
    return "present" if isinstance(found, weights.Found) else found.lack.value


def rows(rows: Sequence[Sequence[str]]) -> None:
    """Rows of text as a table on standard output."""
    standard_output().print(_table(rows))


def _table(rows: Sequence[Sequence[str]]) -> Table:
    """Rows of text, the first being the heads; columns of numbers to the right."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    for index, head in enumerate(rows[0]):
        numeric = all(_is_number(row[index]) for row in rows[1:])
        table.add_column(head, justify="right" if numeric else "left", overflow="fold")
    for row in rows[1:]:
        table.add_row(*row)
    return table


def _is_number(text: str) -> bool:
    return text.strip("+-0123456789.,% ~<>∞") in ("", "n/a", "–")


def standard_output() -> Console:
    """Standard output; wide where it is not a terminal, so that tables are not folded in logs."""
    return Console(width=None if sys.stdout.isatty() else 200, highlight=False)
