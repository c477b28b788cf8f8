"""The registry of executors: where jobs run.

An executor is a callable `(jobs, workers, timeout_seconds) -> Iterable[Row]`. A job is names and numbers only; whoever
runs one calls `lic_bench.benchmark.worker.measure(job)`, or `lic_bench.benchmark.executors.processes.rows` for its
passes in fresh processes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeAlias

from lic_bench.errors import RequestError
from lic_bench.records import Job, Row
from lic_bench.registry.base import Entry, Registry

Executor: TypeAlias = Callable[[Sequence[Job], int, float | None], Iterable[Row]]

DEFAULT = "processes"


def _executor(found: Any, entry: Entry) -> Executor:
    if not callable(found):
        raise RequestError(f"it is a {type(found).__name__}, which cannot be called with jobs")
    executor: Executor = found
    return executor


EXECUTORS: Registry[Executor] = Registry("executor", "lic_bench.executors", _executor)


def names() -> tuple[str, ...]:
    """The names of all registered executors, alphabetical."""
    return EXECUTORS.names()


def get(name: str) -> Executor:
    """The executor of a name or reference. RequestError for an unknown or a broken one."""
    if name == DEFAULT and DEFAULT not in names():
        raise RequestError(f"The executor {DEFAULT} is not registered: the installation is older than the code.")
    return EXECUTORS.get(name)
