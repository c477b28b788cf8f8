"""Peak memory of one call, in a process that does nothing else."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from lic_bench.benchmark.timing import synchronise
from lic_bench.records import Call, MemoryUse

Result = TypeVar("Result")


def metered(call: Call, work: Callable[[], Result], device: str) -> tuple[Result, MemoryUse | None]:
    """The result of one call of `work` and its peak memory, None where the system does not give it.

    To be called in a fresh process after the codec was loaded: the peak resident size is reset where the system can
    (Linux), so that the peak of loading does not hide the peak of the call.
    """
    on_accelerator = device.startswith("cuda")
    if on_accelerator:
        import torch

        synchronise(device)
        torch.cuda.reset_peak_memory_stats(device)
        device_loaded = torch.cuda.memory_allocated(device)
    loaded = _reset_peak()
    result = work()
    synchronise(device)
    peak = _peak_bytes()
    if loaded is None or peak is None:
        return result, None
    if not on_accelerator:
        return result, MemoryUse(call, loaded, max(peak - loaded, 0))
    allocated = torch.cuda.max_memory_allocated(device)
    reserved = torch.cuda.max_memory_reserved(device)
    return result, MemoryUse(call, loaded, max(peak - loaded, 0), allocated - device_loaded, allocated, reserved)


def _reset_peak() -> int | None:
    """Set the peak resident size back to the present one and return that, in bytes."""
    try:
        Path("/proc/self/clear_refs").write_text("5")  # proc(5): 5 resets VmHWM
    except OSError:
        return None
    return _status_bytes("VmRSS")


def _peak_bytes() -> int | None:
    return _status_bytes("VmHWM") if sys.platform == "linux" else None


def _status_bytes(field: str) -> int | None:
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) * 1024
    return None
