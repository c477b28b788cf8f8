"""The options of a run: one type with one set of defaults for the command line, the Python API and jobs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from lic_bench.errors import RequestError, did_you_mean
from lic_bench.records import Settings


@dataclass(frozen=True)
class RunOptions(Settings):
    """The options of a run; how measurements are taken is in Settings and travels with each job.

    `models` are names, globs, "all" or references, separated by commas or a sequence. `dataset` is a name, a folder or
    a description (TOML), looked for in `data`, $LIC_BENCH_DATA and the cache. `weights` are folders with
    MODEL/POINT.pth.tar, or one checkpoint. `points` are labels or globs, none for all; `pictures` takes the first few
    pictures. `download` allows fetching. `timeout_seconds` bounds one pass on one picture. `new` starts a new run
    instead of continuing an interrupted one. `cache` takes rows that an earlier run measured under the same conditions.
    `target_bpp` (bits per pixel) and `target_psnr` (dB) have the quality of classical codecs searched for on each
    picture.
    """

    models: str | Sequence[str] = "all"
    dataset: str = "sample"
    data: Path | None = None
    weights: tuple[Path, ...] = ()
    points: tuple[str, ...] = ()
    pictures: int | None = None
    anchor: str | None = None
    output: Path = Path("runs")
    download: bool = True
    workers: int = 1
    timeout_seconds: float | None = None
    new: bool = False
    target_bpp: tuple[float, ...] = ()
    target_psnr: tuple[float, ...] = ()
    executor: str = "processes"
    cache: bool = True

    @property
    def settings(self) -> Settings:
        """The part that travels with each job."""
        return Settings(**{field.name: getattr(self, field.name) for field in fields(Settings)})


def changed(options: RunOptions, changes: Mapping[str, Any]) -> RunOptions:
    """Options with some fields changed, as the Python API takes them.

    Paths may be strings; one checkpoint folder or metric alone is a sequence of one, and a string of points may hold
    several, separated by commas. Raises RequestError for an unknown field.
    """
    known = [field.name for field in fields(RunOptions)]
    for name in changes:
        if name not in known:
            raise RequestError(f"There is no option {name!r}. {did_you_mean(name, known)}".rstrip())
    return replace(options, **{name: _READERS.get(name, _as_given)(value) for name, value in changes.items()})


def _as_given(value: Any) -> Any:
    return value


def _labels(value: str | Iterable[str]) -> tuple[str, ...]:
    given = value.split(",") if isinstance(value, str) else value
    return tuple(label.strip() for label in given if label.strip())


def _names(value: str | Iterable[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def _paths(value: str | Path | Iterable[str | Path]) -> tuple[Path, ...]:
    return (Path(value),) if isinstance(value, str | Path) else tuple(Path(path) for path in value)


def _numbers(value: str | float | Iterable[float]) -> tuple[float, ...]:
    given = value.split(",") if isinstance(value, str) else [value] if isinstance(value, int | float) else list(value)
    try:
        return tuple(float(number) for number in given if str(number).strip())
    except ValueError:
        raise RequestError(f"A target is a number, and {value!r} is none; give 0.25,0.5 for two.") from None


def _absolute(value: str | Path | None) -> str | None:
    return None if value is None else str(Path(value).expanduser().absolute())


def _path(value: str | Path | None) -> Path | None:
    return None if value is None else Path(value)


_READERS: Mapping[str, Callable[[Any], Any]] = {
    "points": _labels,
    "metrics": _names,
    "weights": _paths,
    "data": _path,
    "target_bpp": _numbers,
    "target_psnr": _numbers,
    "vtm_bin": _absolute,
    "output": _path,
}
