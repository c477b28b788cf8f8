"""Data files of the package: beside it in a checkout, inside it when installed."""

from __future__ import annotations

from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

FOLDERS = {
    "datasets": ("datasets", "_data/datasets"),
    "reports": ("reports", "_data/reports"),
    "example": ("examples/my-codec", "_data/example"),
    "published": ("zoo/published", "zoo/published"),
}
"""Where each kind of data lies: below the top of a checkout, and below the installed package."""


def folder(name: str) -> Traversable:
    """The folder of one kind of data: "datasets", "reports", "example" or "published". KeyError for another.

    It is found by its path: nothing is imported, so the published tables are read without the zoo.
    """
    in_checkout, in_package = FOLDERS[name]
    top = Path(__file__).resolve().parents[2]
    if (top / "pyproject.toml").is_file() and (top / in_checkout).is_dir():
        return top / in_checkout
    return files("lic_bench").joinpath(in_package)


def text(name: str, file: str) -> str:
    """The text of one file of a folder."""
    return folder(name).joinpath(file).read_text(encoding="utf-8")
