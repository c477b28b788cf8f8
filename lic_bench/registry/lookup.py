"""Resolves other people's plug-ins in a fresh process first: one that crashes is named, and the others go on.

What comes back is data (a card, a path, a record): this process never imports the plug-in's module for a run.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from lic_bench.assets.datasets import Dataset
from lic_bench.errors import RequestError
from lic_bench.records import MetricRecord
from lic_bench.registry import codecs, datasets, metrics
from lic_bench.registry.codecs import CODECS, Selection
from lic_bench.registry.datasets import DATASETS
from lic_bench.registry.isolation import ProcessDied, Processes
from lic_bench.registry.metrics import METRICS, Metric

LOOKUP_SECONDS = 60.0
"""How long the import of plug-ins may take: heavy packages take their time, and a longer `--timeout` holds here too."""


def selection(
    request: str | Sequence[str], timeout_seconds: float | None = None, at_least: float = LOOKUP_SECONDS
) -> Selection:
    """The cards asked for, and what is broken among them. RequestError for unknown names and where none is left."""
    keys = CODECS.unresolved(codecs.keys(request))
    for key, found in _isolated(_resolved_codecs, keys, max(timeout_seconds or 0, at_least)):
        CODECS.register(key, found)
    return codecs.selection(request)


def dataset(name: str, data: Path | None, download: bool, timeout_seconds: float | None = None) -> Dataset:
    """A data set (see `registry.datasets.find`). DatasetError where it is not there, or its plug-in is broken."""
    resolve_datasets([name], timeout_seconds)
    return datasets.find(name, data, download)


def resolve_datasets(names: Sequence[str], timeout_seconds: float | None = None) -> None:
    """Resolve where those of these data sets lie that others registered."""
    keys = DATASETS.unresolved(name for name in names if name in datasets.registered())
    for key, found in _isolated(_resolved_datasets, keys, max(timeout_seconds or 0, LOOKUP_SECONDS)):
        DATASETS.register(key, found)


def metric_records(asked: Sequence[str], timeout_seconds: float | None = None) -> tuple[MetricRecord, ...]:
    """The records of metrics. RequestError for one that is not there, or is broken, or is named twice."""
    keys = list(dict.fromkeys(metrics.key(name) for name in asked))
    found: dict[str, MetricRecord] = {}
    for key, record in _isolated(_resolved_metrics, keys, max(timeout_seconds or 0, LOOKUP_SECONDS)):
        if isinstance(record, RequestError):
            raise record
        if record.name in found:
            raise RequestError(f"Two metrics are called {record.name!r}; rename the one at {key}.")
        found[record.name] = record
    return tuple(found.values())


def _isolated(
    resolve: Callable[[Sequence[str]], Iterator[tuple[str, Any]]], keys: Sequence[str], seconds: float
) -> Iterator[tuple[str, Any]]:
    """What each key resolves to. All are resolved in one process; after one that ends it, in another."""
    left = list(keys)
    processes = Processes(multiprocessing.get_context("spawn"), seconds)
    while left:
        try:
            for key, found in processes.run(resolve, tuple(left)):
                left.remove(key)
                yield key, found
        except ProcessDied as error:
            key = left.pop(0)
            yield key, RequestError(f"The plug-in {key} cannot be looked up: {error}.")


def _resolved_codecs(keys: Sequence[str]) -> Iterator[tuple[str, object]]:
    """In the fresh process: the card of each key."""
    os.dup2(2, 1)  # what a plug-in prints must not stand among results
    for key in keys:
        yield key, CODECS.resolve(key)


def _resolved_datasets(keys: Sequence[str]) -> Iterator[tuple[str, object]]:
    """In the fresh process: the path of each data set."""
    os.dup2(2, 1)
    for key in keys:
        yield key, DATASETS.resolve(key)


def _resolved_metrics(keys: Sequence[str]) -> Iterator[tuple[str, object]]:
    """In the fresh process: the record of each metric; what is called stays there."""
    os.dup2(2, 1)
    for key in keys:
        found = METRICS.resolve(key)
        yield key, found.record if isinstance(found, Metric) else found
