"""The clock: wall and processor time of a call, with the device synchronised on both sides; and the time budget."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from lic_bench.records import Pass

ACCELERATOR_WARM_UPS = 3


@dataclass(frozen=True)
class Sample:
    """One timed call. Processor time is summed over the process's threads."""

    wall_seconds: float
    cpu_seconds: float


def synchronise(device: str) -> None:
    """Wait until an accelerator has done all that was asked of it; a CPU has nothing to wait for."""
    if device.startswith("cuda"):
        import torch

        torch.cuda.synchronize(device)


def timed(call: Callable[[], object], device: str) -> Sample:
    """Time one call. The device is synchronised before each reading of the clock."""
    synchronise(device)
    wall, cpu = time.perf_counter(), time.process_time()
    call()
    synchronise(device)
    return Sample(time.perf_counter() - wall, time.process_time() - cpu)


@dataclass
class PassClock:
    """Adds up the wall time of passes; they do not overlap."""

    seconds: dict[Pass, float] = field(default_factory=dict)

    @contextmanager
    def of(self, which: Pass) -> Iterator[None]:
        """Add the time inside the block to a pass."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[which] = self.seconds.get(which, 0.0) + time.perf_counter() - start

    def taken(self) -> dict[Pass, float]:
        """The times so far; the clock begins again."""
        taken, self.seconds = self.seconds, {}
        return taken


CALIBRATION_SEED = 2002


def calibration_workload(device: str) -> Callable[[], object]:
    """A fixed workload of some milliseconds, timed beside a codec: how fast the machine is at that moment.

    It does on a small scale what codecs do, since what slows a machine (a shared cache, a lower clock) does not slow
    all work alike: convolutions both ways on the device, table look-ups, and the interpreter's loops and lists, as
    serial entropy coders have them. Always the same numbers. It has run once when it is returned.
    """
    import numpy as np
    import torch
    from torch.nn import functional

    drawn = np.random.default_rng(CALIBRATION_SEED)
    picture, kernel, latent, wide = (
        torch.tensor(drawn.normal(0, 0.1, shape), dtype=torch.float32, device=device)
        for shape in ((1, 32, 64, 64), (32, 32, 3, 3), (1, 48, 24, 24), (48, 48, 5, 5))
    )
    table = drawn.integers(0, 2**31, 2**20)
    places = drawn.integers(0, 2**20, 150_000)

    @torch.inference_mode()
    def work() -> int:
        for _ in range(2):
            functional.conv2d(picture, kernel, padding=1)
        grown = functional.conv_transpose2d(latent, wide, stride=2, padding=2, output_padding=1)
        functional.conv2d(grown * torch.sqrt(grown * grown + 1), wide, stride=2, padding=2)
        symbols = table[places][:20_000].tolist()
        state = 1
        for symbol in symbols[:10_000]:
            state = (state * 1103515245 + symbol) & 0x7FFFFFFF
        return state + len(sorted(symbols))

    work()
    return work


@dataclass
class Budget:
    """The time for timing, shared out among the pictures of one shape.

    Each picture gets an equal share of what is left, up to `repeats` passes; what one does not use goes to the next.
    The first picture of a shape gets at least one pass, however slow the codec, unless `repeats` or `seconds` is 0.
    """

    seconds: float
    repeats: int
    spent: dict[tuple[int, int], float] = field(default_factory=dict)

    def passes(self, shape: tuple[int, int], expected_seconds: float, pictures_left: int) -> int:
        """How many passes the next picture of this shape (width, height) gets; `pictures_left` counts it."""
        if self.seconds == 0:
            return 0
        share = (self.seconds - self.spent.get(shape, 0.0)) / pictures_left
        fitting = int(share / expected_seconds) if expected_seconds > 0 else self.repeats
        return min(self.repeats, max(fitting, 0 if shape in self.spent else 1))

    def spend(self, shape: tuple[int, int], seconds: float) -> None:
        """Take off the time that was used on a shape."""
        self.spent[shape] = self.spent.get(shape, 0.0) + seconds


def looks_disturbed(wall_seconds: float, cpu_seconds: float) -> bool:
    """Whether a CPU call waited for its processor more than a tenth of the time: something else was running."""
    return wall_seconds > 0.05 and cpu_seconds < 0.9 * wall_seconds
