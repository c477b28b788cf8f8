"""Honest benchmarks and complexity analysis for learned image compression.

The package's short Python API. Everything is imported on first use, so that `import lic_bench` costs nothing.
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

__version__ = "0.1.0"

# In a checkout the zoo stands beside this package instead of inside it (pyproject.toml maps it); without this line
# `python -m lic_bench` at the top of the checkout would find the engine and no codec.
_checkout = Path(__file__).resolve().parent.parent
if (_checkout / "pyproject.toml").exists() and (_checkout / "zoo" / "__init__.py").exists():
    __path__.append(str(_checkout))

_API = {
    "codec": "lic_bench.api",
    "run": "lic_bench.api",
    "check": "lic_bench.api",
    "complexity": "lic_bench.api",
    "bd_rate": "lic_bench.analysis.bdrate",
    "bd_psnr": "lic_bench.analysis.bdrate",
    "read_curves": "lic_bench.api",
}

__all__ = ["__version__", *_API]


class _Package(ModuleType):
    """Keeps the API's names: importing the file lic_bench/codec.py would put the module in the function's place."""

    def __setattr__(self, name: str, value: Any) -> None:
        if not (name in _API and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package


def __getattr__(name: str) -> Any:
    if name in _API:
        return getattr(import_module(_API[name]), name)
    raise AttributeError(f"module 'lic_bench' has no attribute {name!r}")
