"""What the terminal shows of runs, models and data sets."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from lic_bench.analysis import published
from lic_bench.api import Run
from lic_bench.assets import fetch, requirements, weights
from lic_bench.assets.datasets import description
from lic_bench.assets.fetch import Fetched
from lic_bench.cli.terminal import duration, print_table, standard_output, table
from lic_bench.codec import CodecCard
from lic_bench.errors import RequestError
from lic_bench.records import EVERY, Failure, Measurement
from lic_bench.registry import datasets as registered_datasets
from lic_bench.registry import lookup

if TYPE_CHECKING:
    from lic_bench.benchmark.estimate import TimeLeft
    from lic_bench.benchmark.runner import Prepared


def summary(run: Run, anchor: str | None) -> None:
    """The table at the end of a run, what failed, and the path of the page last."""
    from lic_bench.report.run_summary import run_summary

    console = standard_output()
    console.print(table(run_summary(run.rows, run.header, anchor)))
    _failures(console, run.failures)
    measured = sum(isinstance(row, Measurement) for row in run.rows)
    cached = sum(isinstance(row, Measurement) and bool(row.from_cache) for row in run.rows)
    earlier = f" ({cached} of them before, taken from the cache)" if cached else ""
    console.print(f"{measured} rows measured{earlier}, {len(run.failures)} failed.", highlight=False)
    console.print(str(run.page), soft_wrap=True, highlight=False)


def failure_line(row: Failure) -> str:
    """One failure as a sentence."""
    codec = "every codec" if row.codec == EVERY else row.codec
    point = "" if row.point == EVERY else f" {row.point}"
    pictures = "all pictures" if row.picture is None else row.picture
    kind = " ".join([row.kind.value.replace("_", " "), ", ".join(row.metrics)]).rstrip()
    return f"Failed: {codec}{point} on {pictures} ({kind}): {row.reason}"


def planned_jobs(prepared: Prepared, left: TimeLeft) -> None:
    """What a run would do, and how long it is predicted to take."""
    from lic_bench.benchmark import time_spent

    jobs = prepared.plan.jobs
    console = standard_output()
    headings = ("codec", "point", "weights", "pictures")
    lines = [(job.codec, job.point, job.training.value, str(len(job.pictures))) for job in jobs]
    console.print(table([headings, *lines]))
    console.print(f"{len(jobs)} jobs, {prepared.plan.rows} rows.", highlight=False)
    _failures(console, prepared.failures)
    counted = f"the networks' work, at {left.macs_per_second / 1e9:.0f} GMAC/s that a convolution reached here; "
    console.print(
        f"About {duration(left.seconds())} (predicted from {counted if left.work else ''}codecs without a counted "
        f"network by a rough time per pixel until their first row). "
        f"Where the time goes: {time_spent.shares(left.by_pass())}.",
        soft_wrap=True,
        highlight=False,
    )


def models(select: str, folders: Sequence[Path]) -> None:
    """The codecs as a table, the operating points of those asked for by name, and what is broken."""
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
    console.print(table(rows))
    if select != "all":
        for card in chosen.cards:
            _points(console, card, folders)
    broken(chosen.broken)


def broken(reasons: Mapping[str, str]) -> None:
    """Why plug-ins cannot be used, a sentence each."""
    for reason in reasons.values():
        standard_output().print(reason, style="red", soft_wrap=True)


def fetched(outcomes: Iterable[Fetched]) -> Iterator[Fetched]:
    """Each outcome of a download, printed when it is there and passed on."""
    console = standard_output()
    for outcome in outcomes:
        style = "red" if outcome.failed else ""
        console.print(f"{outcome.codec} {outcome.point}: {fetch.text(outcome)}", soft_wrap=True, style=style)
        yield outcome


def datasets(data: Path | None) -> None:
    """The data sets as a table, where each was found, and what is broken."""
    rows = [("dataset", "pictures", "licence", "here")]
    others = registered_datasets.registered()
    reasons = registered_datasets.clashes()
    lookup.resolve_datasets(others)
    for name in registered_datasets.names():
        try:
            found = registered_datasets.find(name, data, download=False)
            place, licence = str(found.pictures[0].path.parent), found.licence or "none found"
            rows.append((name, str(len(found.pictures)), licence, place))
        except RequestError as error:
            if name in others:
                rows.append((name, "–", "–", "no: see below"))
                reasons[name] = str(error)
                continue
            described = description(name)
            place = f"no: {described.source}" + (" (downloaded when asked for)" if described.url is not None else "")
            rows.append((name, str(len(described.pictures)), described.licence, place))
    print_table(rows)
    for name, reason in reasons.items():
        standard_output().print(f"{name}: {reason}", style="red", soft_wrap=True)


def _failures(console: Console, failures: Iterable[Failure]) -> None:
    for failure in failures:
        console.print(failure_line(failure), style="red", soft_wrap=True, highlight=False)


def _points(console: Console, card: CodecCard, folders: Sequence[Path]) -> None:
    """Each operating point of a codec, where its weights are, and the card's notes."""
    console.print()
    if lacks := requirements.missing(card):
        console.print(f"{card.name} is missing: {'; '.join(lacks)}.", soft_wrap=True)
    for point in card.points:
        found = weights.find(card, point, folders)
        trained = "" if point.trained_for is None else f" ({point.trained_for}"
        trained += "" if not trained else ")" if point.lmbda is None else f", lambda {point.lmbda:g})"
        console.print(f"{card.name} {point.label}{trained}: {weights.text(found)}.", soft_wrap=True)
    for note in card.notes:
        console.print(note, soft_wrap=True)
    names = (card.name, *card.claims)
    for claim in published.worded_claims():
        if claim.codec in names:
            console.print(claim.text, soft_wrap=True)


def _weights(card: CodecCard, folders: Sequence[Path]) -> str:
    """What is missing to run the codec, or in what state the weights of each operating point are."""
    if lacks := requirements.missing(card):
        return f"missing: {'; '.join(lacks)}"
    labels = defaultdict(list)
    for point in card.points:
        labels[weights.state(weights.find(card, point, folders))].append(point.label)
    if len(labels) == 1:
        return next(iter(labels))
    return "; ".join(f"{state}: {' '.join(points)}" for state, points in labels.items())
