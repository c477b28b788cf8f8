"""Resolves other people's plug-ins in a fresh process first: one that crashes is named, and the others go on.

The fresh process sends back data (a card, a path, a record), so this one does not import the plug-in's module.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from lic_bench.assets.datasets import Dataset
from lic_bench.errors import RequestError
from lic_bench.records import MetricRecord
from lic_bench.registry import codecs, datasets, metrics
from lic_bench.registry.base import Registry
from lic_bench.registry.codecs import CODECS, Selection
from lic_bench.registry.datasets import DATASETS
from lic_bench.registry.isolation import ProcessDied, Processes, stdout_to_stderr
from lic_bench.registry.metrics import METRICS, Metric

LOOKUP_SECONDS = 60.0
"""How long the import of plug-ins may take: heavy packages need it, whatever `--timeout` says of one picture."""

_REGISTRIES: dict[str, Registry[Any]] = {registry.group: registry for registry in (CODECS, DATASETS, METRICS)}


def selection(
    request: str | Sequence[str], timeout_seconds: float | None = None, least_seconds: float = LOOKUP_SECONDS
) -> Selection:
    """The cards asked for, and what is broken among them. RequestError for unknown names and where none is left.

    Plug-ins may take `timeout_seconds` to import, and at least `least_seconds`.
    """
    keys = CODECS.unresolved(codecs.keys(request))
    for key, found in _isolated(CODECS, keys, max(timeout_seconds or 0, least_seconds)):
        CODECS.register(key, found)
    return codecs.selection(request)


def dataset(name: str, data: Path | None, download: bool, timeout_seconds: float | None = None) -> Dataset:
    """The data set of a name or path (see `registry.datasets.find`). DatasetError where there is none."""
    resolve_datasets([name], timeout_seconds)
    return datasets.find(name, data, download)


def resolve_datasets(names: Sequence[str], timeout_seconds: float | None = None) -> None:
    """Find the paths of those of these data sets that other packages registered, and keep them in the registry."""
    keys = DATASETS.unresolved(name for name in names if name in datasets.registered())
    for key, found in _isolated(DATASETS, keys, max(timeout_seconds or 0, LOOKUP_SECONDS)):
        DATASETS.register(key, found)


def metric_records(asked: Sequence[str], timeout_seconds: float | None = None) -> tuple[MetricRecord, ...]:
    """The records of metrics. RequestError for one that is unknown or broken, and for two of one name."""
    keys = list(dict.fromkeys(metrics.key(name) for name in asked))
    found: dict[str, MetricRecord] = {}
    for key, record in _isolated(METRICS, keys, max(timeout_seconds or 0, LOOKUP_SECONDS)):
        if isinstance(record, RequestError):
            raise record
        if record.name in found:
            raise RequestError(f"Two metrics are called {record.name!r}; rename the one at {key}.")
        found[record.name] = record
    return tuple(found.values())


def _isolated(registry: Registry[Any], keys: Sequence[str], seconds: float) -> Iterator[tuple[str, Any]]:
    """What each key resolves to. All are resolved in one process; after one that ends it, the rest in another."""
    left = list(keys)
    processes = Processes(multiprocessing.get_context("spawn"), seconds)
    while left:
        try:
            for key, found in processes.run(_resolve, registry.group, tuple(left)):
                left.remove(key)
                yield key, found
        except ProcessDied as error:
            key = left.pop(0)
            yield key, RequestError(f"The plug-in {key} cannot be looked up: {error}.")


def _resolve(group: str, keys: Sequence[str]) -> Iterator[tuple[str, object]]:
    """Runs in the fresh process: what each key resolves to, as data that can be sent."""
    with stdout_to_stderr():  # what a plug-in prints must not stand among results
        for key in keys:
            found = _REGISTRIES[group].resolve(key)
            yield key, found.record if isinstance(found, Metric) else found
