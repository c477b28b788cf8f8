"""Other people's plug-ins, looked up in a fresh process first: one that crashes is named, and that is all.

What comes back is a card, which is data: this process never imports the plug-in's module for a run.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from lic_bench.assets import datasets
from lic_bench.benchmark.executors.processes import ProcessDied, Processes
from lic_bench.codec import CodecCard
from lic_bench.errors import RequestError
from lic_bench.records import MetricRecord
from lic_bench.registry import codecs, datasets
from lic_bench.registry import metrics as scores
from lic_bench.registry.codecs import Selection

LOOK_UP_SECONDS = 60.0
"""How long the import of plug-ins may take: heavy packages take their time, and a longer `--timeout` holds here too."""


def selection(
    request: str | Sequence[str], timeout_seconds: float | None = None, at_least: float = LOOK_UP_SECONDS
) -> Selection:
    """The cards asked for, and what is broken among them. RequestError for unknown names and where nothing is sound."""
    for place, found in _looked_up(_cards, codecs.others(request), max(timeout_seconds or 0, at_least)):
        codecs.learn(place, found)
    return codecs.selection(request)


def dataset(name: str, data: Path | None, download: bool, timeout_seconds: float | None = None) -> datasets.Dataset:
    """A data set (see `datasets.find`). Raises RequestError where it is not there, or where its plug-in is broken."""
    acquaint_datasets([name], timeout_seconds)
    return datasets.find(name, data, download)


def acquaint_datasets(names: Sequence[str], timeout_seconds: float | None = None) -> None:
    """Look up where those of these data sets lie that others registered."""
    others = [name for name in names if name in datasets.others()]
    for name, found in _looked_up(_places, others, max(timeout_seconds or 0, LOOK_UP_SECONDS)):
        datasets.learn(name, found)


def metrics(asked: Sequence[str], timeout_seconds: float | None = None) -> tuple[MetricRecord, ...]:
    """What there is to say about metrics. RequestError for one that is not there, or is broken, or is named twice."""
    places = list(dict.fromkeys(scores.door(name) for name in asked))
    found: dict[str, MetricRecord] = {}
    for place, record in _looked_up(_records, places, max(timeout_seconds or 0, LOOK_UP_SECONDS)):
        if isinstance(record, RequestError):
            raise record
        if record.name in found:
            raise RequestError(f"Two metrics are called {record.name!r}; rename the one at {place}.")
        found[record.name] = record
    return tuple(found.values())


def _looked_up(
    look: Callable[[Sequence[str]], Iterator[tuple[str, Any]]], places: Sequence[str], seconds: float
) -> Iterator[tuple[str, Any]]:
    """What `look` finds at each place. All are looked up in one process; after one that ends it, in another."""
    left = list(places)
    processes = Processes(multiprocessing.get_context("spawn"), seconds)
    while left:
        try:
            for place, found in processes.run(look, tuple(left)):
                left.remove(place)
                yield place, found
        except ProcessDied as error:
            place = left.pop(0)
            yield place, RequestError(f"The plug-in {place} cannot be looked up: {error}.")


def _cards(places: Sequence[str]) -> Iterator[tuple[str, CodecCard | RequestError]]:
    """In the fresh process: the card behind each door."""
    os.dup2(2, 1)  # what a plug-in prints must not stand among results
    for place in places:
        yield place, codecs.look_up(place)


def _places(names: Sequence[str]) -> Iterator[tuple[str, Path | RequestError]]:
    """In the fresh process: where each data set lies."""
    os.dup2(2, 1)
    for name in names:
        try:
            yield name, datasets.place(name)
        except RequestError as error:
            yield name, error


def _records(places: Sequence[str]) -> Iterator[tuple[str, MetricRecord | RequestError]]:
    """In the fresh process: what each metric says of itself."""
    os.dup2(2, 1)
    for place in places:
        try:
            yield place, scores.record(place)
        except RequestError as error:
            yield place, error
