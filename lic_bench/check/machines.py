"""Which facts of two machine records must agree before figures may be compared. Pure functions of the headers."""

from __future__ import annotations

import re
from collections.abc import Mapping

from lic_bench.check.details import Fact, FactChange
from lic_bench.records import RunHeader

MOMENTARY = frozenset({"cpu_pressure_avg10_percent"})
"""Facts of the moment, not of the machine."""

THIS_PACKAGE = "lic-bench"
"""A newer version of this package is what may be under check; its record format says whether figures still compare."""

TIMING_PACKAGES = ("torch", "torchvision", "compressai", "constriction", "numpy", "pillow")
"""Packages whose versions move times, with the libraries inside Pillow."""


def different_for_times(before: RunHeader, now: RunHeader) -> tuple[FactChange, ...]:
    """Facts that differ among those that move times and memory."""
    old, new = ({**_machine(header), **_packages(header, times=True)} for header in (before, now))
    return _different(old, new) or _unknown(before, now)


def different_for_bits(before: RunHeader, now: RunHeader) -> tuple[FactChange, ...]:
    """Facts that differ among those that floating-point sums, and so bitstreams and pictures, may depend on."""
    old, new = ({**_machine(header), **_packages(header, times=False)} for header in (before, now))
    return _different(old, new) or _unknown(before, now)


def _unknown(before: RunHeader, now: RunHeader) -> tuple[FactChange, ...]:
    """Two machines of which nothing is recorded are not the same one."""
    return () if before.machine and now.machine else (FactChange("machine", None, None),)


def _machine(header: RunHeader) -> dict[str, Fact]:
    """The facts less those of the moment; a kernel's patch level and a few pages of memory make no other machine."""
    facts: dict[str, Fact] = {name: fact for name, fact in header.machine.items() if name not in MOMENTARY}
    facts["threads"] = header.settings.threads
    facts["device"] = header.settings.device
    if isinstance(facts.get("memory_bytes"), int):
        facts["memory"] = f"{round(int(str(facts.pop('memory_bytes'))) / 2**30, 1)} GiB"
    for name, pattern in (("system", r"^[A-Za-z]+-\d+\.\d+"), ("python", r"^\d+\.\d+")):
        version = re.match(pattern, str(facts.get(name, "")))
        if version:
            facts[name] = version.group()
    return facts


def _packages(header: RunHeader, times: bool) -> dict[str, Fact]:
    wanted = (name for name in header.packages if name != THIS_PACKAGE)
    return {name: header.packages[name] for name in wanted if not times or name.partition(":")[0] in TIMING_PACKAGES}


def _different(before: Mapping[str, Fact], now: Mapping[str, Fact]) -> tuple[FactChange, ...]:
    return tuple(
        FactChange(name, before.get(name), now.get(name))
        for name in dict.fromkeys([*before, *now])
        if before.get(name) != now.get(name)
    )
