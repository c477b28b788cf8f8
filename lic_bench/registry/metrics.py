"""The registry of metrics beside PSNR and MS-SSIM: two pictures in (uint8, height x width x 3), one number out.

A metric is a function `(original, decoded) -> float | None`, None where it does not apply to a picture, or a class
whose objects are called so (for what is loaded once). Its attributes `higher_is_better` (default True), `unit` and
`title` are optional.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lic_bench.codec import Image
from lic_bench.errors import RequestError
from lic_bench.records import Measurement, MetricRecord
from lic_bench.registry.base import Entry, Registry

FIXED = ("psnr", "psnr_db", "ms_ssim", "ms-ssim", "ms_ssim_db")
"""The names of figures that are always measured."""


@dataclass(frozen=True)
class Metric:
    """A metric: its record, and the call (original, decoded) that gives a score or None."""

    record: MetricRecord
    call: Callable[[Image, Image], Any]


def _metric(found: Any, entry: Entry) -> Metric:
    """The metric of a function, or of a class that is called without arguments."""
    call = found() if isinstance(found, type) else found
    if not callable(call):
        raise RequestError(f"it is a {type(call).__name__}, which cannot be called with two pictures")
    name = entry.key.rpartition(":")[2]
    higher = getattr(call, "higher_is_better", True)
    if not isinstance(higher, bool):
        raise RequestError(f"it says higher_is_better = {higher!r}; that is True or False")
    if name in (*FIXED, *dir(Measurement)):
        raise RequestError("it is called like a figure that every row has; rename it")
    title, unit = (str(getattr(call, word, None) or "") for word in ("title", "unit"))
    return Metric(MetricRecord(name, title or name, unit, higher), call)


METRICS: Registry[Metric] = Registry("metric", "lic_bench.metrics", _metric)


def key(asked: str) -> str:
    """The name or absolute reference by which any process finds a metric. RequestError for an unknown one."""
    if asked in FIXED:
        raise RequestError(f"{asked} is measured always; --metric is for further ones.")
    return METRICS.entry(asked).key


def name(key: str) -> str:
    """The name of a metric's scores: its registered name, or the last part of its reference."""
    return key.rpartition(":")[2]


def get(key: str) -> Metric:
    """The metric of a name or reference. RequestError where there is none, or it is broken."""
    return METRICS.get(key)
