"""Metrics beside PSNR and MS-SSIM, brought by others: two pictures in (uint8, height x width x 3), one number out.

A metric is a function `(original, decoded) -> float | None`, None where it does not apply to a picture, or a class
whose objects are called so (for what is loaded once). Its attributes `higher_is_better` (default True), `unit` and
`title` are optional. It is found by its name in the entry-point group GROUP, or as "module:NAME" or "file.py:NAME".
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

from lic_bench.codec import Image
from lic_bench.errors import RequestError, did_you_mean
from lic_bench.records import Measurement, MetricRecord
from lic_bench.registry import entry_points

GROUP = "lic_bench.metrics"
FIXED = ("psnr", "psnr_db", "ms_ssim", "ms-ssim", "ms_ssim_db")
"""Names of what is measured always."""


def names() -> tuple[str, ...]:
    """The metrics that are registered."""
    return tuple(entry_points.registered(GROUP))


def door(asked: str) -> str:
    """How another process finds a metric: its name, or its reference. RequestError for what is none."""
    if asked in FIXED:
        raise RequestError(f"{asked} is measured always; --metric is for further ones.")
    if entry_points.is_reference(asked):
        return entry_points.absolute(asked)
    if asked not in names():
        known = f"Those registered are {', '.join(names())}." if names() else "None is registered."
        hint = did_you_mean(asked, names()) or f"{known} One of your own is module:NAME or file.py:NAME."
        raise RequestError(f"There is no metric called {asked!r}. {hint}")
    return asked


def name(door: str) -> str:
    """What a metric's scores are called: its registered name, or what it is called where it stands."""
    return door.rpartition(":")[2]


def record(door: str) -> MetricRecord:
    """What there is to say about a metric. RequestError where nothing that can be called stands behind its door."""
    found = _metric(door)
    higher = getattr(found, "higher_is_better", True)
    if not isinstance(higher, bool):
        raise RequestError(f"The metric {door} says higher_is_better = {higher!r}; that is True or False.")
    title, unit = (str(getattr(found, word, None) or "") for word in ("title", "unit"))
    if name(door) in (*FIXED, *dir(Measurement)):
        raise RequestError(f"The metric {door} is called like a figure that every row has; rename it.")
    return MetricRecord(name(door), title or name(door), unit, higher)


def take(asked: Sequence[str], original: Image, decoded: Image) -> tuple[dict[str, float | None], Mapping[str, str]]:
    """The scores of one decoded picture by name, and why those are None that should not be."""
    scores: dict[str, float | None] = {}
    wrong: dict[str, str] = {}
    for each in asked:
        scores[name(each)] = None
        try:
            scores[name(each)] = _number(_metric(each)(original.copy(), decoded.copy()))
        except Exception as error:  # somebody else's metric may fail in any way, and must not stop the others
            wrong[name(each)] = f"{type(error).__name__}: {error}"
    return scores, wrong


@cache
def _metric(door: str) -> Callable[[Image, Image], Any]:
    place = door if entry_points.is_reference(door) else entry_points.reference(entry_points.registered(GROUP)[door])
    found: Any = entry_points.load(place, f"The metric {door}")
    try:
        found = found() if isinstance(found, type) else found
    except Exception as error:  # as above
        raise RequestError(
            entry_points.ended(f"The metric {door} cannot be made: {type(error).__name__}: {error}")
        ) from error
    if not callable(found):
        raise RequestError(f"The metric {door} is a {type(found).__name__}, which cannot be called with two pictures.")
    called: Callable[[Image, Image], Any] = found
    return called


def _number(value: Any) -> float | None:
    """A score as a plain number; TypeError or ValueError for what is none."""
    if value is None:
        return None
    if isinstance(value, str | bytes | bool):
        raise TypeError(f"returned {value!r}, which is no number")
    number = float(value)
    if math.isnan(number):
        raise ValueError("returned not a number (nan)")
    return number
