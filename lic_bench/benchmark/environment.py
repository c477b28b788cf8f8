"""The machine and the installed packages: the conditions that every run records."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from lic_bench.errors import RequestError

PACKAGES = (
    "lic-bench", "torch", "torchvision", "compressai", "constriction", "pytorch-msssim", "numpy", "scipy", "pandas",
    "pillow", "scikit-image", "av", "pillow-jxl-plugin", "pyjpegli", "mozjpeg-lossless-optimization",
)  # fmt: skip

Fact = str | int | float | bool | None


def describe(device: str, threads: int) -> dict[str, Fact]:
    """Processor, cores, memory, system, Python, the accelerator and the switches that change its arithmetic."""
    import psutil

    facts: dict[str, Fact] = {
        "processor": processor(),
        "cores": psutil.cpu_count(logical=False) or os.cpu_count(),
        "logical_cores": os.cpu_count(),
        "memory_bytes": psutil.virtual_memory().total,
        "system": platform.platform(),
        "python": platform.python_version(),
        "device": device,
        "threads": threads,
        "cpu_pressure_avg10_percent": cpu_pressure(),
    }
    return facts | (accelerator() if device.startswith("cuda") else {"accelerator": None})


def lasting_facts(facts: Mapping[str, Fact]) -> dict[str, Fact]:
    """The facts of a machine that do not change from moment to moment."""
    return {name: fact for name, fact in facts.items() if name != "cpu_pressure_avg10_percent"}


def packages() -> dict[str, str]:
    """Versions of the packages whose change can move a figure, and of the libraries inside Pillow."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    from PIL import features

    for library in ("jpg", "webp", "jpg_2000", "avif", "libjpeg_turbo"):
        number = features.version(library)
        if number:
            found[f"pillow:{library}"] = number
    return found


def processor() -> str:
    """The processor's name as its maker prints it, where the system gives it."""
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        return platform.processor() or platform.machine()
    return platform.processor() or platform.machine()


def cpu_pressure() -> float | None:
    """Share of the last 10 s in which some process waited for a processor, in percent; None where unknown."""
    try:
        first = Path("/proc/pressure/cpu").read_text(encoding="utf-8").split()
    except OSError:
        return None
    return float(first[1].partition("=")[2])


def accelerator() -> dict[str, Fact]:
    """The first CUDA device, its driver, and the flags that change its arithmetic."""
    import torch

    facts: dict[str, Fact] = {
        "accelerator": torch.cuda.get_device_name(),
        "accelerator_memory_bytes": torch.cuda.get_device_properties(0).total_memory,
        "cuda": torch.version.cuda,
        "cudnn": torch.backends.cudnn.version(),  # type: ignore[no-untyped-call]
        "tf32_matmul": torch.backends.cuda.matmul.allow_tf32,
        "tf32_convolution": torch.backends.cudnn.allow_tf32,
        "cudnn_benchmark": torch.backends.cudnn.benchmark,
        "deterministic": torch.are_deterministic_algorithms_enabled(),
    }
    import pynvml

    try:
        pynvml.nvmlInit()
        facts["driver"] = str(pynvml.nvmlSystemGetDriverVersion())
    except pynvml.NVMLError as error:
        facts["driver"] = f"unknown: {error}"
    return facts


def commit() -> tuple[str | None, bool | None]:
    """The checkout this package runs from: short commit and whether files differ from it; None for a wheel."""
    top = Path(__file__).resolve().parents[2]
    if not (top / "pyproject.toml").exists():
        return None, None
    short = _git(top, "rev-parse", "--short=10", "HEAD")
    status = _git(top, "status", "--porcelain")
    return short, None if status is None else bool(status)


def resolve_device(name: str) -> str:
    """The device meant by "cpu", "cuda", "cuda:1" or "auto" (CUDA where there is one). RequestError without it."""
    if name == "cpu" or (name == "auto" and not _has_accelerator_driver()):
        return "cpu"
    import torch

    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if name.startswith("cuda") and torch.cuda.is_available():
        return name
    raise RequestError(f"There is no device {name!r} on this machine. Use --device cpu, or auto.")


def _has_accelerator_driver() -> bool:
    """Whether NVIDIA's or AMD's driver is there. Without one torch, slow to import, need not be asked."""
    import pynvml

    if Path("/dev/kfd").exists():
        return True
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return False
    return True


def command() -> tuple[str, ...]:
    """The command line as given."""
    return (Path(sys.argv[0]).name, *sys.argv[1:])


def _git(top: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(["git", "-C", str(top), *arguments], capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
