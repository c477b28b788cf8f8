"""Data files of the package: beside it in a checkout, inside it when installed."""

from __future__ import annotations

from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

CHECKOUT_FOLDERS = {"datasets": "datasets", "reports": "reports", "example": "examples/my-codec"}
"""Where a checkout has what the wheel carries as `lic_bench._data.<name>`."""


def folder(name: str) -> Traversable:
    """The folder of one kind of data: "datasets", "reports" or "example". KeyError for another."""
    top = Path(__file__).resolve().parents[2]
    if (top / "pyproject.toml").is_file() and (top / CHECKOUT_FOLDERS[name]).is_dir():
        return top / CHECKOUT_FOLDERS[name]
    return files(f"lic_bench._data.{name}")


def text(name: str, file: str) -> str:
    """The text of one file of a folder."""
    return folder(name).joinpath(file).read_text(encoding="utf-8")
