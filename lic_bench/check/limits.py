"""How far a quantity may move in the bad direction before a check fails. The defaults stand here and nowhere else.

A file changes them, for all codecs or for some:

    stream_percent = 0.5

    [codec."mbt2018*"]
    decode_time_percent = 40
    require_times = true
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from lic_bench.errors import RequestError, did_you_mean


@dataclass(frozen=True)
class Limits:
    """Limits of one codec. A quantity that moves by as much as its limit is still fine.

    MACs, parameters and containers are whole numbers that no processor changes: exact. Rate and quality leave room
    for floating-point sums that differ between processors, which moves few quantised values and so few bits.
    A single picture may move `single_picture_factor` times as far as the mean over the data set. Times and memory
    additionally have to pass a test on their samples, see `times`.
    """

    macs_percent: float = 0.0
    parameters_percent: float = 0.0
    activation_percent: float = 1.0
    serial_steps: float = 0.0
    container_bytes: float = 0.0
    stream_percent: float = 0.1
    payload_percent: float = 0.1
    estimated_percent: float = 0.1
    psnr_db: float = 0.005
    ms_ssim: float = 0.0001
    score_percent: float = 0.1
    bd_rate_percent: float = 0.1
    single_picture_factor: float = 10.0
    encode_time_percent: float = 20.0
    decode_time_percent: float = 20.0
    memory_percent: float = 20.0
    require_times: bool = False
    require_memory: bool = False
    exact_on_same_machine: bool = False
    """Whether a bitstream or picture that is not the same bit by bit on the same machine fails; else it is reported."""


@dataclass(frozen=True)
class LimitSet:
    """Limits for all codecs, and what globs of codec names change; a later glob wins over an earlier one."""

    everywhere: Limits = field(default_factory=Limits)
    by_codec: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def of(self, codec: str) -> Limits:
        """The limits of one codec."""
        chosen = self.everywhere
        for pattern, changed in self.by_codec.items():
            if fnmatchcase(codec, pattern):
                chosen = replace(chosen, **changed)
        return chosen


def read(path: Path) -> LimitSet:
    """Limits from TOML. RequestError for a file that is not there, no TOML, an unknown key, or a wrong value."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise RequestError(f"The limits in {path} cannot be read: {error}.") from error
    except tomllib.TOMLDecodeError as error:
        raise RequestError(f"The limits in {path} are no TOML: {error}.") from error
    by_codec = table.pop("codec", {})
    if not isinstance(by_codec, dict) or not all(isinstance(some, dict) for some in by_codec.values()):
        raise RequestError(f'In {path}, codec must be a table of tables such as [codec."mbt2018*"].')
    return LimitSet(
        replace(Limits(), **_checked(table, str(path))),
        {pattern: _checked(some, f'{path}, [codec."{pattern}"]') for pattern, some in by_codec.items()},
    )


def _checked(table: Mapping[str, Any], place: str) -> dict[str, Any]:
    kinds = {limit.name: str(limit.type) for limit in fields(Limits)}
    for key, value in table.items():
        if key not in kinds:
            hint = did_you_mean(key, list(kinds)) or f"There are {', '.join(kinds)}."
            raise RequestError(f"There is no limit called {key!r} ({place}). {hint}")
        if kinds[key] == "bool":
            if not isinstance(value, bool):
                raise RequestError(f"{key} must be true or false, not {value!r} ({place}).")
        elif isinstance(value, bool) or not isinstance(value, int | float) or not value >= 0:
            raise RequestError(f"{key} must be a number, 0 or more, not {value!r} ({place}).")
    return dict(table)
