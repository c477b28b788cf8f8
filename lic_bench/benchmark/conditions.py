"""Under what conditions a job is measured. Small records that travel to the process that measures."""

from __future__ import annotations

from dataclasses import dataclass

from lic_bench.codec import Image
from lic_bench.records import MacCount, MemoryUse


@dataclass(frozen=True)
class FreshProcess:
    """One picture encoded in a fresh process and decoded in another, with the memory and the wall time of both."""

    picture: str
    stream: bytes
    decoded: Image
    memory: tuple[MemoryUse, ...]
    seconds: float = 0.0


@dataclass(frozen=True)
class KnownCounts:
    """What another operating point of the same network was counted to make: `macs` at its pictures' sizes, `scaling` at
    larger ones. `parameters` tells whether a checkpoint has the same widths.
    """

    parameters: int | None
    macs: tuple[MacCount, ...]
    scaling: tuple[MacCount, ...]

    def at(self, width: int, height: int) -> tuple[MacCount, ...]:
        """The counts at one picture size; empty where there are none."""
        return tuple(count for count in self.macs if (count.width, count.height) == (width, height))


@dataclass(frozen=True)
class Conditions:
    """Under what conditions a job is measured.

    `fresh` is the result of the fresh-process pass, None where it was not made. `shared_machine` says that other jobs
    run at the same time. `skip_metrics` leaves further metrics out, because one of them ended the process before.
    `one_by_one` finishes each picture before the next is begun, so that what ends the process is known. `counts` are
    those of the same network, None where it has not been counted.
    """

    fresh: FreshProcess | None = None
    shared_machine: bool = False
    skip_metrics: bool = False
    one_by_one: bool = False
    counts: KnownCounts | None = None


ALONE = Conditions()
"""Nothing else is measured at the same time, and no fresh-process pass was made."""
