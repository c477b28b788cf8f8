"""Honest benchmarks and complexity analysis for learned image compression.

The package's short Python API. Everything is imported on first use, so that `import lic_bench` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

from lic_bench import compressai_imports

__version__ = "0.1.0"

# In a checkout the zoo stands beside this package instead of inside it (pyproject.toml maps it); without this line
# `python -m lic_bench` at the top of the checkout would find the engine and no codec.
_checkout = Path(__file__).resolve().parent.parent
if (_checkout / "pyproject.toml").exists() and (_checkout / "zoo" / "__init__.py").exists():
    __path__.append(str(_checkout))

compressai_imports.install()

_API = {
    "load_codec": "lic_bench.api",
    "run": "lic_bench.api",
    "write_report": "lic_bench.api",
    "check_run": "lic_bench.api",
    "RunOptions": "lic_bench.benchmark.options",
    "count_complexity": "lic_bench.complexity.codec_complexity",
    "bd_rate": "lic_bench.analysis.bdrate",
    "bd_psnr": "lic_bench.analysis.bdrate",
    "bd_ms_ssim": "lic_bench.analysis.bdrate",
    "read_curves": "lic_bench.api",
    "find_curves": "lic_bench.api",
}

__all__ = ["__version__", *_API]


def __getattr__(name: str) -> Any:
    if name in _API:
        return getattr(import_module(_API[name]), name)
    raise AttributeError(f"module 'lic_bench' has no attribute {name!r}")
